"""The class for training loops gives the command's value and interval."""

import numpy as np
import pytest

from foleybench import Accumulator
from foleybench.api.metric import ClipView
from foleybench.artefacts.clip_table import ClipTable
from foleybench.encoders.mini_class import mini_class_names
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.records import pooled
from foleybench.shards.dataset import ShardDataset
from tests.scoring.test_evaluate import MODEL


@pytest.mark.parametrize("name", ["onset_agreement", "logmel_distance", "level_correlation", "mel_profile_distance"])
def test_value_and_interval_are_the_commands_to_the_bit(clicks, tmp_path, name):
    """Generated at another rate than the reference, in two processes' parts, with a seed of its own."""
    data = ShardDataset(clicks)
    whole, half = Accumulator(name), Accumulator(name)
    for index, clip in enumerate(data.clips(video=False)):
        sound = np.round(clip.audio[::-2] * 32767).astype(np.int16)
        path, made_hz = tmp_path / "audio" / f"{clip.clip_id}.wav", clip.rate_hz // 2
        write_wav(path, sound / np.float32(32768), made_hz)
        part = half if index % 2 else whole
        made = sound.astype(np.float32) / np.float32(32768)
        rates = {"rate_hz": made_hz, "reference_hz": clip.rate_hz}
        part.update(clip.clip_id, generated=made, reference=clip.audio, source_id=clip.source_id, **rates)
    whole.merge(half)
    request = EvalRequest(data=clicks, audio=tmp_path / "audio", protocol="signal", model=MODEL, resamples=60, seed=3)
    record = evaluate(request)[0]["metrics"][name]
    assert whole.compute() == record["value"]
    assert tuple(whole.interval(seed=3, resamples=60)) == (record["low"], record["high"])


@pytest.mark.parametrize("name", ["fad_mini", "kad_vggish", "class_accuracy"])
def test_features_over_videos_of_unequal_size_give_the_records_value_and_interval(name):
    """Two biased distances, and a rate, whose interval ends at its ideal value."""
    total, table = Accumulator(name), ClipTable()
    draw, label = np.random.default_rng(0), mini_class_names()[0]
    for index in range(40):
        facts = {"clip_id": f"c{index:02d}", "source_id": f"v{int(index**0.6):02d}", "label": label}
        features = {"reference": draw.normal(size=32), "generated": draw.normal(0.2, 1.1, size=32)}
        if name == "class_accuracy":
            features = {"logits": np.eye(len(mini_class_names()))[0 if index % 19 else 1]}
        total.update_features(features=features, **facts)
        view = ClipView(duration_s=0.0, events=None, features=features, **facts)
        table.add({**facts, "stats": {name: total.metric.per_clip(view)}})
    record = pooled(name, total.metric, table, seed=5, resamples=90)
    assert total.compute() == record["value"]
    assert tuple(total.interval(seed=5, resamples=90)) == (record["low"], record["high"])
    assert record["low"] < record["value"] < record["high"]


def test_one_clip_fewer_than_the_metric_asks_for_gives_no_value():
    total = Accumulator("fad_mini")
    for index, (real, made) in enumerate(zip(rows(0, 24), rows(1, 24), strict=True)):
        assert np.isnan(total.compute())
        assert total.interval(resamples=20) is None
        total.update_features(f"c{index}", {"reference": real, "generated": made})
    assert total.compute() > 0
    assert total.interval(resamples=20) is not None


def rows(seed, n=20):
    return np.random.default_rng(seed).normal(size=(n, 32))


def test_features_in_parts_are_the_whole_to_the_bit():
    whole, parts = Accumulator("fad_mini"), [Accumulator("fad_mini") for _ in range(3)]
    for index, (real, made) in enumerate(zip(rows(0, 40), rows(1, 40), strict=True)):
        for accumulator in (whole, parts[index % 3]):
            accumulator.update_features(f"c{index}", {"reference": real, "generated": made})
    for part in parts[1:]:
        parts[0].merge(part)
    assert parts[0].compute() == whole.compute() > 0
    assert len(parts[0]) == 40


def test_refusals():
    fad = Accumulator("fad_mini")
    with pytest.raises(FoleyError, match="generated is missing"):
        fad.update_features("a", {"reference": rows(0)[0]})
    with pytest.raises(FoleyError, match="not finite"):
        fad.update_features("a", {"reference": rows(0)[0], "generated": rows(0)[0] * np.nan})
    fad.update_features("a", {"reference": rows(0)[0], "generated": rows(1)[0]})
    with pytest.raises(FoleyError, match="'a' was added before"):
        fad.update_features("a", {"reference": rows(0)[0], "generated": rows(1)[0]})
    other = Accumulator("fad_mini")
    other.update_features("a", {"reference": rows(0)[0], "generated": rows(1)[0]})
    with pytest.raises(FoleyError, match="1 clips are in both"):
        fad.merge(other)
    with pytest.raises(FoleyError, match="cannot be merged"):
        fad.merge(Accumulator("kld_mini"))
    sound = np.zeros(16000, np.float32)
    with pytest.raises(FoleyError, match=r"has shape \(2, 16000\)"):
        fad.update("b", generated=np.zeros((2, 16000), np.float32), reference=sound, rate_hz=16000)
    with pytest.raises(FoleyError, match="give `decode_video`"):
        Accumulator("align_acc_mini").update("b", generated=sound, reference=sound, rate_hz=16000)
