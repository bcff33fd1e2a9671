"""The class for training loops gives the command's value."""

import numpy as np
import pytest

from foleybench import Accumulator
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.scoring.evaluate import Request, evaluate
from foleybench.shards.dataset import ShardDataset
from tests.scoring.test_evaluate import MODEL


@pytest.mark.parametrize("name", ["onset_agreement", "logmel_distance", "level_correlation", "mel_profile_distance"])
def test_value_is_the_commands(clicks, tmp_path, name):
    data = ShardDataset(clicks)
    whole, half = Accumulator(name), Accumulator(name)
    for index, clip in enumerate(data.clips(video=False)):
        sound = np.round(clip.audio[::-1] * 32767).astype(np.int16)
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", sound / np.float32(32768), clip.rate_hz)
        part = half if index % 2 else whole
        made = sound.astype(np.float32) / np.float32(32768)
        part.update(clip.clip_id, generated=made, reference=clip.audio, rate_hz=clip.rate_hz, source_id=clip.source_id)
    whole.merge(half)
    request = Request(data=clicks, audio=tmp_path / "audio", protocol="signal", model=MODEL, resamples=60)
    result, _ = evaluate(request)
    assert whole.compute() == result["metrics"][name]["value"]
    assert whole.interval(np.random.default_rng(0), 60) is not None


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


def test_few_clips_are_undefined():
    assert np.isnan(Accumulator("fad_mini").compute())


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
    with pytest.raises(FoleyError, match="give `look`"):
        Accumulator("align_acc_mini").update("b", generated=sound, reference=sound, rate_hz=16000)
