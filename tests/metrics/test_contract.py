"""What every metric owes: a card, features that exist, order-free pooling, the ideal value on the truth itself."""

import functools
import inspect
import json
import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import ANY
from foleybench.api.metric import ClipView, Metric
from foleybench.clips import Event
from foleybench.errors import FoleyError
from foleybench.features.featurise import depends_on
from foleybench.metrics._families import heard
from foleybench.metrics._math.retrieval import RetrievalPool
from foleybench.scoring import cards
from foleybench.stats.areas import MeanArea
from foleybench.stats.influence import LinearPool
from foleybench.stats.pools import Ratio

NAMES = registry.names("metrics")
N_CLIPS = 30
AESTHETICS = ("enjoyment", "usefulness", "complexity", "quality")
LABELS = ("bell", "rain")
GOLDEN = Path(__file__).parents[1] / "golden"


@functools.cache
def feature(encoder, layer, seed):
    """A feature of the shape that the encoder promises; some have a range of their own."""
    rng = np.random.default_rng([seed, len(layer)])
    shapes = {
        ("onsets", "times_s"): lambda: np.sort(rng.uniform(0, 4, 6)),
        ("onsets", "inner_times_s"): lambda: np.sort(rng.uniform(0.05, 4, 6)),
        ("onsets_librosa", "times_s"): lambda: 0.3 + 0.6 * np.arange(6) + rng.uniform(0, 0.2, 6),
        ("onsets_librosa_defaults", "times_s"): lambda: np.sort(rng.uniform(0.07, 4, 12)),
        **{("aesthetics", layer): lambda: np.asarray(rng.uniform(1, 10)) for layer in AESTHETICS},
        ("flow_peaks", "peaks_s"): lambda: np.sort(rng.uniform(0.04, 4, 20)),
        ("flow_peaks", "frame_s"): lambda: np.asarray(0.04),
        ("onsets_librosa", "level"): lambda: rng.uniform(0.2, 1.0, 6),
        ("onsets_librosa", "peak"): lambda: rng.uniform(0.2, 1.0, 6),
        ("onsets_librosa", "wave"): lambda: rng.uniform(0.2, 1.0, 6),
        ("onsets_librosa", "wave_peak"): lambda: rng.uniform(0.2, 1.0, 6),
        ("envelope", "level_db"): lambda: rng.uniform(-60, 0, 400),
        ("envelope", "mean_db"): lambda: np.asarray(rng.uniform(-40, -10)),
        ("peak_levels", "peak_db"): lambda: rng.uniform(-60, 0, 800),
        ("partials", "partials"): lambda: np.stack(
            [rng.uniform(90, 7000, (400, 8)), rng.uniform(-60, 0, (400, 8))], -1
        ),
        ("logmel", "bands_db"): lambda: rng.uniform(-80, 0, (250, 64)),
        ("logmel", "profile_db"): lambda: rng.uniform(-80, 0, 64),
        ("mini_class", "logits"): lambda: 3 * rng.standard_normal(27),
        ("mini_class", "material_logits"): lambda: 3 * rng.standard_normal(7),
        ("mini_class", "embedding"): lambda: rng.standard_normal(32),
        ("mini_align", "probability"): lambda: np.asarray(rng.uniform(0.6, 1.0)),
        ("diff_foley_align", "probability"): lambda: rng.uniform(0.6, 1.0, 1),
        ("diff_foley_align", "probability_sampled"): lambda: rng.uniform(0.6, 1.0, 1),
        ("align_trained", "probability"): lambda: np.asarray(rng.uniform(0.6, 1.0)),
        ("training_match", "correlation"): lambda: rng.uniform(0.0, 0.96, 40),
        ("loudness", "integrated_lufs"): lambda: np.asarray(rng.uniform(-40, -10)),
        ("clipping", "full_scale_share"): lambda: np.asarray(rng.uniform(0.0, 0.1)),
        ("spectrum", "centroid_hz"): lambda: np.asarray(rng.uniform(500, 4000)),
        ("spectrum", "rolloff_hz"): lambda: np.asarray(rng.uniform(1000, 8000)),
        ("spectrum", "edge_hz"): lambda: np.asarray(rng.uniform(4000, 20000)),
        ("stereo", "powers"): lambda: rng.uniform([10, 10, -8], [20, 20, 8]),
        ("stereo", "balance"): lambda: rng.uniform(-1, 1, 80),
        ("synchformer_offset", "windows"): lambda: rng.standard_normal((2, 21)) + 99.0 * (np.arange(21) == 10),
    }
    if (encoder, layer) in shapes:
        made = shapes[encoder, layer]()
    else:
        made = (3 if layer == "logits" else 1) * rng.standard_normal(shape(encoder, layer))
    made.flags.writeable = False  # all tests share it
    return made


@functools.cache
def shape(encoder, layer):
    return tuple(size if size != ANY else 4 for size in registry.load("encoders", encoder).layers[layer])


def clips(metric, *, noise=0.0, n=N_CLIPS):
    """Clips whose generated audio is the true one, or that with noise on its features."""
    rng = np.random.default_rng(7)
    made = []
    for number in range(n):
        features = {}
        for name, need in metric.needs.items():
            features[name] = feature(need.encoder, need.layer, number)
            if noise and need.of == "generated":
                features[name] = features[name] + noise * rng.standard_normal(features[name].shape)
        detectors = {need.encoder for need in metric.needs.values()} & {"onsets", "onsets_librosa"}
        times = feature(detectors.pop() if detectors else "onsets", "times_s", number)
        made.append(
            ClipView(
                clip_id=f"clip{number}_000000",
                source_id=f"clip{number}",
                label=LABELS[number % 2],
                duration_s=4.0,
                events=tuple(
                    event(float(time_s), place, number, materials_of(metric, number))
                    for place, time_s in enumerate(times)
                ),
                features=features,
                seconds=0.1 + 0.001 * number,
            )
        )
    return made


def materials_of(metric, number):
    """Of clips that all have the same materials an area under the ROC curve tells nothing."""
    if isinstance(metric.pool, MeanArea):
        return (("wood", "metal"), ("wood", "wood"), ("a", "metal"))[number % 3]
    return ("wood", "metal")


def event(time_s, place, number, materials):
    return Event(
        time_s=time_s,
        label=LABELS[number % 2],
        strength=0.2 + 0.1 * (place % 5),
        source="ab"[place % 2],
        material=materials[place % 2],
        pitch_hz=440.0,
    )


def scored(metric, views):
    return metric.pool([stat for stat in map(metric.per_clip, views) if stat is not None])


@pytest.fixture(params=NAMES)
def metric(request, monkeypatch):
    loaded = registry.load("metrics", request.param)
    monkeypatch.setattr(heard, "mini_class_names", lambda: LABELS + tuple("abcdefghijklmnopqrstuvwxy"))
    monkeypatch.setattr(heard, "mini_material_names", lambda: ("metal", "wood", *"abcde"))
    return loaded


def test_card(metric):
    assert isinstance(metric, Metric)
    assert metric.title
    assert metric.version >= 1
    assert metric.unit in {"1", "%", "s", "dB", "nat", "octave", "semitone"}
    assert metric.better in {"higher", "lower"}
    assert metric.source
    assert metric.undefined
    assert metric.minimum_clips >= 1
    for need in metric.needs.values():
        assert need.of in {"generated", "reference", "video", "text"}
        assert (depends_on(need.encoder) or need.of) == need.of
        assert depends_on(need.encoder) or need.of not in {"video", "text"}
        assert need.layer in registry.load("encoders", need.encoder).layers


def test_card_says_what_clips_lack_that_it_does_not_apply_to(metric):
    """Such sentences start alike: tables say them of single clips (``fewer_clips``). The others apply to every clip."""
    needs = [registry.load("encoders", need.encoder) for need in metric.needs.values()]
    every_clip = ("no clip was scored", "there are no two clips with different real audio")
    if any(encoder.sees or encoder.reads for encoder in needs):
        every_clip = ()
    assert metric.undefined.startswith("no clip has ") or metric.undefined in every_clip


@pytest.mark.parametrize("name", NAMES)
def test_docstring_says_only_what_differs(name):
    """Direction, unit, range, source are the metric's fields, which the card shows; a family's words are its note."""
    words = inspect.getdoc(registry.module("metrics", name))
    lines = words.splitlines()
    assert len(lines[0].split()) <= 11, lines[0]
    assert re.search(r"Direction|Range |Unit:|Undefined:|Sources:", words) is None
    assert len(list(filter(None, words.partition("Changes:")[0].splitlines()))) <= 12
    metric = registry.load("metrics", name)
    for version in range(2, metric.version + 1):
        assert re.search(rf"Changes:.* ?{version} ", words, re.DOTALL), f"say what version {version} changed"


def test_no_line_stands_in_two_docstrings():
    """A sentence that two metrics share belongs to their family's note."""
    where = defaultdict(set)
    for name in NAMES:
        for line in inspect.getdoc(registry.module("metrics", name)).splitlines():
            where[line.strip()].add(name)
    assert {line: names for line, names in where.items() if line and len(names) > 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_the_card_shows_every_fact(name):
    metric, facts = registry.load("metrics", name), cards.metric_facts(name)
    assert facts["Direction"] == f"{metric.better} is better"
    assert facts["Unit"] == metric.unit
    assert facts["Version"] == str(metric.version)
    assert facts["Source"] == metric.source
    assert facts["Undefined"].endswith(metric.undefined)
    assert (str(metric.minimum_clips) in facts["Undefined"]) == (metric.minimum_clips > 1)
    for end in (*metric.range, metric.ideal):
        assert end is None or f"{end:.4g}" in facts["Range"]
    assert all(f"{need.encoder}.{need.layer} of {need.of}" in facts["Needs"] for need in metric.needs.values())
    words = " ".join(cards.metric_words(name).split())
    assert words.startswith(" ".join(inspect.getdoc(registry.module("metrics", name)).split()))
    assert words.endswith(metric.note)


def facts_of(metric):
    return {
        "version": metric.version,
        "better": metric.better,
        "unit": metric.unit,
        "ideal": metric.ideal,
        "range": [end if end is None else round(end, 9) for end in metric.range],
        "minimum_clips": metric.minimum_clips,
        "corrected": metric.corrected is not None,
        "needs": {key: f"{need.encoder}.{need.layer} of {need.of}" for key, need in metric.needs.items()},
    }


@pytest.mark.parametrize("metric", NAMES, indirect=True)
def test_facts_are_those_on_record(metric, request):
    """What decides a value or its rank and no golden value shows; a change here is a change of the metric."""
    name = request.node.callspec.params["metric"]
    recorded = json.loads((GOLDEN / "facts.json").read_text())
    assert recorded.get(name) == facts_of(metric), f"if it is meant, write {json.dumps(facts_of(metric))}"


def test_no_system_is_ranked_by_what_reads_no_sound_of_it(metric):
    if not any(need.of == "generated" for need in metric.needs.values()):
        assert metric.unranked


def test_no_metric_of_the_record_is_gone():
    assert set(json.loads((GOLDEN / "facts.json").read_text())) <= set(NAMES)


def test_ideal_on_the_truth_itself(metric):
    if metric.ideal is None or not metric.needs:
        pytest.skip("has no ideal value")
    if {"logits", "material_logits"} & set(metric.needs):
        pytest.skip("the truth is what the classifier says, tested on its own")
    assert scored(metric, clips(metric)) == pytest.approx(metric.ideal, abs=1e-8)


def test_order_of_clips_changes_no_bit(metric):
    stats = [metric.per_clip(view) for view in clips(metric, noise=0.5)]
    stats = [stat for stat in stats if stat is not None]
    order = np.random.default_rng(3).permutation(len(stats))
    assert metric.pool(stats) == metric.pool([stats[i] for i in order])
    if metric.corrected:
        sources = [str(i) for i in range(len(stats))]
        turned = metric.corrected([stats[i] for i in order], [sources[i] for i in order])
        assert metric.corrected(stats, sources) == turned


def test_statistics_are_float64_arrays_and_survive_json(metric):
    stats = [stat for stat in map(metric.per_clip, clips(metric, noise=0.5)) if stat is not None]
    for stat in stats:
        assert all(isinstance(value, np.ndarray) and value.dtype == np.float64 for value in stat.values())
    again = [{name: np.asarray(value.tolist(), dtype=np.float64) for name, value in stat.items()} for stat in stats]
    assert metric.pool(again) == metric.pool(stats)


def test_nothing_has_no_value(metric):
    assert math.isnan(metric.pool([]))


def test_influence_says_how_the_value_rests_on_each_clip(metric):
    """The contract of ``LinearPool``: sums, order, and that leaving clips out moves the value that way."""
    assert isinstance(metric.pool, LinearPool)
    stats = [stat for stat in map(metric.per_clip, clips(metric, noise=0.3)) if stat is not None]
    found = metric.pool.influence(stats)
    assert found.change.shape == found.weights.shape == (len(stats),)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.weights.min() >= 0
    assert found.change.sum() == pytest.approx(0.0, abs=1e-9 * max(1.0, np.abs(found.change).sum()))
    shuffled = np.random.default_rng(6).permutation(len(stats))
    again = metric.pool.influence([stats[i] for i in shuffled])
    assert again.change == pytest.approx(found.change[shuffled], rel=1e-7, abs=1e-9)
    if isinstance(metric.pool, Ratio):
        without = np.array([metric.pool(stats[:i] + stats[i + 1 :]) for i in range(len(stats))])
        known = np.isfinite(without)
        moved = (metric.pool(stats) - without[known]) * (1 - found.weights[known])
        assert moved == pytest.approx(found.change[known], rel=1e-7, abs=1e-9)


def test_range_holds_the_values(metric):
    low, high = metric.range
    for noise in (0.0, 0.5):
        value = scored(metric, clips(metric, noise=noise))
        assert low is None or value >= low - 1e-9
        assert high is None or value <= high + 1e-9
    if metric.ideal is not None:
        assert metric.ideal in metric.range or metric.best is not None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(metric, bad):
    for name in metric.needs:
        view = clips(metric, n=1)[0]
        broken = np.array(view.features[name], dtype=np.float64)
        broken.reshape(-1)[0] = bad
        view.features[name] = broken
        with pytest.raises(FoleyError, match="not finite"):
            metric.per_clip(view)


def test_worse_with_noise(metric):
    directionless = {"logits", "material_logits", "probability", "probability_sampled", "windows", "partials"}
    noisy = {need.layer for need in metric.needs.values()} & directionless
    if (
        metric.ideal is None
        or noisy
        or metric.title == "Onset count accuracy"
        or isinstance(metric.pool, RetrievalPool)
    ):
        pytest.skip("noise on this feature has no direction; tested on its own")
    values = [scored(metric, clips(metric, noise=level)) for level in (0.0, 0.02, 0.1, 0.5)]
    assert values == sorted(values, reverse=metric.better == "higher")
    assert values[0] != values[-1]


def test_clip_values_lie_around_the_pooled_value(metric):
    if metric.clip_value is None:
        pytest.skip("has no value per clip")
    stats = [stat for stat in map(metric.per_clip, clips(metric, noise=0.05)) if stat is not None]
    each = [metric.clip_value(stat) for stat in stats]
    assert np.nanmin(each) - 1e-9 <= metric.pool(stats) <= np.nanmax(each) + 1e-9


def golden(name, metric):
    # Enough to push onsets beyond their tolerances, and audio nearer to another clip's.
    least = 0.2 if any(need.encoder == "onsets_librosa" for need in metric.needs.values()) else 0.03
    views = clips(metric, noise=12.0 if isinstance(metric.pool, RetrievalPool) else least)
    stats = [stat for stat in map(metric.per_clip, views) if stat is not None]
    record = {"value": metric.pool(stats)}
    sources = [str(i) for i in range(len(stats))]
    return record | ({"corrected": metric.corrected(stats, sources)} if metric.corrected else {})


@pytest.mark.parametrize("metric", NAMES, indirect=True)
def test_golden_value(metric, request):
    """The same features give the same number until the version changes: then a new file joins the old one."""
    name = request.node.callspec.params["metric"]
    path = GOLDEN / f"{name}.v{metric.version}.json"
    found = golden(name, metric)
    assert path.is_file(), f"write {path.name} with {json.dumps(found)}"
    wanted = json.loads(path.read_text())
    assert found == {key: pytest.approx(value, rel=1e-9, abs=1e-12) for key, value in wanted.items()}


def test_pure_functions_import_no_family_and_no_metric():
    """``_math`` stands below ``_families``, which stands below the metrics."""
    package = Path(registry.module("metrics", NAMES[0]).__file__).parent
    for folder, below in (("_math", {"_math"}), ("_families", {"_math", "_families"})):
        for path in (package / folder).glob("*.py"):
            imported = set(re.findall(r"from foleybench\.metrics\.(\w+)", path.read_text()))
            assert imported <= below, path
    for name in NAMES:
        text = Path(registry.module("metrics", name).__file__).read_text()
        imported = set(re.findall(r"from foleybench\.(?:metrics|encoders)\.(\w+)", text))
        assert all(part.startswith("_") for part in imported), name
