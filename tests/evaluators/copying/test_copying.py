"""What is copied is found at any level and place; what is not, is not."""

import dataclasses

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.encoders import training_match
from foleybench.encoders._inputs.audio_index import COPIED, QUERY_EVERY, _correlate
from foleybench.encoders._inputs.sound_patches import FRAMES, HOP, RATE_HZ, WINDOW, sound_patches
from foleybench.encoders._nets.mini_nets import read_facts
from foleybench.errors import FoleyError
from foleybench.evaluators.copying import build_copying_index
from foleybench.evaluators.copying.build import _audio_of, found_share, index_of, packed_index
from foleybench.metrics.copying_share import METRIC
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.metrics.views import view


def hits(seed, seconds=3.0):
    """Return struck bars: a dozen decaying sums of partials, each of its own pitch."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(round(seconds * RATE_HZ))
    for start in np.sort(rng.integers(0, len(audio) - 800, 12)):
        t = np.arange(min(2400, len(audio) - start)) / RATE_HZ
        base = rng.uniform(200, 900)
        for ratio in (1.0, 2.76, 5.4):
            partial = np.exp(-t * rng.uniform(8, 30)) * np.sin(2 * np.pi * base * ratio * t + rng.uniform(0, 6))
            audio[start : start + len(t)] += rng.uniform(0.1, 1.0) * partial
        audio[start : start + 40] += rng.normal(0, 0.3, 40)
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


@pytest.fixture(scope="module")
def index():
    return index_of([hits(seed) for seed in range(8)], np.random.default_rng(0))


def test_patches_do_not_change_with_the_level():
    audio = hits(0)
    loud, quiet = sound_patches(audio), sound_patches(0.05 * audio)
    assert np.array_equal(loud.starts, quiet.starts)
    assert np.allclose(loud.values, quiet.values, atol=1e-3)
    assert np.allclose(np.linalg.norm(loud.values, axis=1), 1.0, atol=1e-5)


def test_a_patch_starts_where_it_says():
    audio = np.zeros(RATE_HZ, dtype=np.float32)
    audio[4000] = 0.5
    starts = sound_patches(audio).starts
    assert len(starts) > 0
    assert all(start - HOP * 3 <= 4000 <= start + WINDOW + HOP * 3 for start in starts)
    assert starts.min() >= 4000 - FRAMES * HOP - 2 * HOP


@pytest.mark.parametrize("n", [0, 1, 100, RATE_HZ])
def test_silence_has_no_patch(n, index):
    silence = np.zeros(n, dtype=np.float32)
    assert len(sound_patches(silence).starts) == 0
    assert index.correlations(silence).shape == (0,)


def test_audio_shorter_than_a_window_has_no_patch():
    assert len(sound_patches(hits(0)[: WINDOW - HOP]).starts) == 0


def test_correlation_is_the_textbook_one():
    rng = np.random.default_rng(1)
    windows = rng.normal(size=(3, WINDOW)).astype(np.float32)
    around = rng.normal(size=(3, WINDOW + 512))
    around[0, 100 : 100 + WINDOW] = -0.2 * windows[0]
    found = _correlate(windows, around)
    for row in range(3):
        short, long = np.diff(windows[row].astype(float)), np.diff(around[row])
        slow = [
            abs(long[k : k + len(short)] @ short) / np.linalg.norm(long[k : k + len(short)]) / np.linalg.norm(short)
            for k in range(len(long) - len(short) + 1)
        ]
        assert found[row] == pytest.approx(max(slow), abs=1e-9)
    assert found[0] == pytest.approx(1.0, abs=1e-6)


def test_silence_in_the_collection_agrees_with_nothing():
    windows = np.random.default_rng(2).normal(size=(1, WINDOW)).astype(np.float32)
    assert _correlate(windows, np.zeros((1, WINDOW + 512))) == 0.0


def test_copies_are_found_at_any_level_and_shift(index):
    audio = hits(3)
    assert found_share(index, [audio]) == 1.0
    assert found_share(index, [-0.1 * audio]) == 1.0
    late = np.concatenate([np.zeros(777, dtype=np.float32), audio[:-777]])
    assert found_share(index, [late]) > 0.9


def test_grains_pasted_elsewhere_are_found(index):
    rng = np.random.default_rng(4)
    audio = hits(5)
    grains = [audio[start : start + 4000] for start in range(0, len(audio) - 3999, 4000)]
    pasted = np.concatenate([rng.uniform(0.3, 1.0) * grains[at] for at in rng.permutation(len(grains))])
    assert found_share(index, [pasted]) > 0.4


def test_other_audio_of_the_same_kind_is_not(index):
    assert found_share(index, [hits(seed) for seed in range(100, 106)]) < 0.02


def test_noise_over_a_copy_hides_it(index):
    audio = hits(2)
    noise = np.random.default_rng(0).normal(0, audio.std(), len(audio)).astype(np.float32)
    assert found_share(index, [audio + noise]) < 0.5


def test_every_window_looks_its_fixed_distance_further(index):
    starts = sound_patches(hits(1), every=QUERY_EVERY).starts
    assert set(np.diff(starts) % (QUERY_EVERY * HOP)) == {0}
    assert len(index.correlations(hits(1))) == len(starts)


def test_the_search_is_the_same_in_blocks(index, monkeypatch):
    whole = index.correlations(hits(50))
    monkeypatch.setattr("foleybench.encoders._inputs.audio_index._STRETCHES", 1)
    assert np.allclose(index.correlations(hits(50)), whole, atol=1e-5)


def test_the_nearest_are_those_of_a_plain_search(index, monkeypatch):
    monkeypatch.setattr("foleybench.encoders._inputs.audio_index._STRETCH", 40)
    queries = index.codes[[3, 500, 1000]].astype(np.float32)
    alike = queries @ index.codes.astype(np.float32).T
    for row, found in zip(alike, index._nearest(queries), strict=True):
        stretches = [row[start : start + 40] for start in range(0, len(row), 40)]
        best = sorted(range(len(stretches)), key=lambda at: -stretches[at].max())[:5]
        assert found.tolist() == [at * 40 + int(stretches[at].argmax()) for at in best]


def test_an_empty_collection_holds_nothing(index):
    empty = dataclasses.replace(index, places=index.places[:0], codes=index.codes[:0])
    assert not empty.correlations(hits(0)).any()


def test_the_share_is_over_all_windows_of_all_clips():
    stats = [
        METRIC.per_clip(view({"correlation": values})) for values in ([1.0, 0.2, COPIED, COPIED - 0.01], [0.1, 0.1])
    ]
    assert METRIC.pool(stats) == pytest.approx(100 * 2 / 6)
    assert METRIC.clip_value(stats[0]) == 50.0
    assert METRIC.per_clip(view({"correlation": []})) is None


def test_a_file_is_read_back_and_others_are_refused(index, tmp_path, monkeypatch):
    path = tmp_path / training_match.WEIGHTS.filename
    path.write_bytes(packed_index(index, {"kind": training_match.KIND}))
    read = training_match.load_index(path)
    for name in training_match.TENSORS:
        assert np.array_equal(getattr(read, name), getattr(index, name))
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    encode = registry.load("encoders", "training_match").build("cpu")
    found = encode([Signal(audio=hits(3), duration_s=3.0)])[0]["correlation"]
    assert np.array_equal(found, index.correlations(hits(3)))
    path.write_bytes(packed_index(index, {"kind": "other"}))
    with pytest.raises(FoleyError, match="no index of training audio"):
        training_match.load_index(path)


def test_clips_without_a_sound_make_no_index():
    with pytest.raises(FoleyError, match="audible"):
        index_of([np.zeros(RATE_HZ, dtype=np.float32)], np.random.default_rng(0))


def test_an_index_of_a_split_knows_its_own_audio(make_clicks, tmp_path):
    # Of five clips the share is .945 or .959, as a processor sums; of six .977 with four kernels of OpenBLAS.
    train, val = make_clicks(tmp_path, 6, split="train"), make_clicks(tmp_path, 2, split="val")
    found = build_copying_index(train, val, tmp_path / "out")
    # A window of which only a click's last quiet samples are seen is known by too little.
    assert found["found_in_training_audio"] > 0.95
    assert set(found) == {"found_in_training_audio", "found_in_validation_audio"}
    path = tmp_path / "out" / training_match.WEIGHTS.filename
    facts = read_facts(path)
    assert facts["data"]["n_clips"] == 6
    assert facts["data"]["manifest_sha256"] == read_manifest(train).sha256
    assert facts["measured"]["found_in_training_audio"] == round(found["found_in_training_audio"], 5)
    before = path.read_bytes()
    build_copying_index(train, val, tmp_path / "out")
    assert path.read_bytes() == before


def test_every_window_that_is_not_a_quiet_end_is_found_in_its_own_audio(make_clicks, tmp_path):
    clips = list(_audio_of(ShardDataset(make_clicks(tmp_path, 5, split="train")), "read"))
    index = index_of(clips, np.random.default_rng(0))
    loud = []
    for audio in clips:
        starts = sound_patches(audio, every=QUERY_EVERY).starts
        energy = np.array([np.sum(np.diff(audio[start : start + WINDOW]) ** 2) for start in starts])
        loud.append(index.correlations(audio)[energy > 0.1 * energy.max()])
    assert len(np.concatenate(loud)) > 30
    assert np.concatenate(loud).min() > COPIED


def test_the_test_split_is_refused(make_clicks, tmp_path):
    with pytest.raises(FoleyError, match="test split"):
        build_copying_index(make_clicks(tmp_path, 1, split="test"), None, tmp_path)


def test_too_much_audio_is_refused(make_clicks, tmp_path, monkeypatch):
    monkeypatch.setattr("foleybench.evaluators.copying.build.MOST_SECONDS", 3)
    with pytest.raises(FoleyError, match="more than 3 s"):
        build_copying_index(make_clicks(tmp_path, 3, split="train"), None, tmp_path)
