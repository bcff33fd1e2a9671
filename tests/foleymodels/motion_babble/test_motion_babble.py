"""Motion babble: motion by hand, a level that follows it, a delay that is found again."""

import dataclasses
import math

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._babble.mixture import loudness
from foleymodels.motion_babble.fit import Watched, fit_following, fit_loudness
from foleymodels.motion_babble.follow import DECAY_S, FLOOR, Following, attacks_s, gain
from foleymodels.motion_babble.generate import MotionBabbleGenerator
from foleymodels.motion_babble.motion import motion_of
from foleymodels.motion_babble.train import evened
from tests.foleymodels.toy import toy_corpus

RATE_HZ = 16000
FOLLOWING = Following(delay_s=0.03, prominence=0.5)


def jumping(n_frames, jumps, side=64, step=200):
    """Return frames of a grey square of 16 pixels that stands still, but for jumps by its own width; drawn brighter."""
    frames = np.full((n_frames, side, side, 3), 20, dtype=np.uint8)
    at = side // 8
    for k in range(n_frames):
        at = (at + 16) % (side - 16) if k in jumps else at
        frames[k, 24:40, at : at + 16] = 20 + step
    return frames


def clip_of(frames, fps=25.0, duration_s=None):
    return Clip(
        clip_id="a_000000",
        source_id="a",
        label="",
        split="test",
        duration_s=duration_s or len(frames) / fps,
        frames=frames,
        frame_times_s=np.arange(len(frames)) / fps,
        audio=None,
        rate_hz=RATE_HZ,
    )


def made(clip, following=FOLLOWING, rate_hz=RATE_HZ):
    """Return what is made for a clip of a mixture that is 1 throughout: the level itself."""
    generator = MotionBabbleGenerator(np.ones(1000, dtype=np.float32), following, rate_hz)
    return generate_one(registry.load("models", "motion_babble"), generator, clip, 0)


def test_motion_is_the_mean_change_of_the_patch_that_changes_most():
    frames = np.zeros((4, 64, 64, 3), dtype=np.uint8)
    frames[2:, 30:35, 30:35] = 90
    frames[3, 10, 10] = 250  # one pixel: a 25th of a patch
    np.testing.assert_allclose(motion_of(frames), [0.0, 0.0, 90.0, 10.0], atol=1e-4)
    np.testing.assert_allclose(motion_of(frames[1:]), [90.0, 90.0, 10.0], atol=1e-4)
    assert motion_of(frames[:1]).tolist() == [0.0]


def test_motion_does_not_depend_on_how_frames_are_read():
    """Frames are taken 64 at a time; larger pictures are reduced, of any shape."""
    frames = jumping(150, {5, 64, 65, 128})
    motion = motion_of(frames)
    assert np.flatnonzero(motion > 1.0).tolist() == [5, 64, 65, 128]
    np.testing.assert_allclose(motion_of(frames.repeat(3, axis=1).repeat(2, axis=2)), motion, atol=1e-3)


@pytest.mark.parametrize(("fps", "rate_hz"), [(25.0, 16000), (12.5, 8000), (50.0, 44100), (29.97, 22050)])
def test_the_level_jumps_where_a_square_does_later_by_the_delay(fps, rate_hz):
    jumps = [round(0.6 * fps), round(1.6 * fps)]
    level = made(clip_of(jumping(round(2.4 * fps), jumps), fps), rate_hz=rate_hz)
    assert level.shape == (round(round(2.4 * fps) / fps * rate_hz),)
    for jump in jumps:
        start = math.ceil((jump / fps + 0.03) * rate_hz)
        assert level[start] == pytest.approx(1.0, rel=0.02)
        assert level[start - 1] <= FLOOR * 1.001
        assert level[start] > 15 * level[start - 1]
    assert level.max() <= 1.0


def test_an_attack_falls_to_1_over_e_in_50_ms_and_to_the_floor():
    times_s, motion = np.arange(100) / 25.0, np.full(100, 20.0)
    motion[50] = 40.0  # twice as much for a frame; log 2 stands out by more than 0.5
    level = gain(motion, times_s, FOLLOWING, 4000, 1000.0)
    assert level[2030] == pytest.approx(1.0)
    # Between two frames the motion is interpolated on a log scale: 50 ms later it is the usual one again, a half.
    assert level[2080] == pytest.approx(0.5 * math.exp(-1.0))
    assert level[3000] == pytest.approx(0.5 * FLOOR)
    assert DECAY_S == 0.05
    without = gain(motion, times_s, dataclasses.replace(FOLLOWING, prominence=0.7), 4000, 1000.0)
    assert without.max() == pytest.approx(FLOOR)


def test_the_larger_motion_is_louder_in_proportion():
    times_s, motion = np.arange(100) / 25.0, np.full(100, 2.0)
    motion[[20, 70]] = 80.0, 20.0
    level = gain(motion, times_s, Following(delay_s=0.0, prominence=0.5), 4000, 1000.0)
    assert level[800] == pytest.approx(1.0)
    assert level[2800] == pytest.approx(0.25)


@pytest.mark.parametrize("n_frames", [1, 2, 50])
def test_a_still_video_has_the_floor(n_frames):
    level = made(clip_of(np.full((n_frames, 48, 80, 3), 77, dtype=np.uint8), duration_s=2.0))
    np.testing.assert_allclose(level, FLOOR, rtol=1e-6)
    noise = np.random.default_rng(0).integers(0, 2, (50, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_allclose(made(clip_of(77 + noise)), FLOOR, rtol=1e-6)


def test_attacks_at_both_ends_are_cut():
    times_s, motion = np.arange(5) / 25.0, np.array([1.0, 50.0, 1.0, 50.0, 1.0])
    assert attacks_s(motion, times_s, 0.5).tolist() == [0.04, 0.12]
    early = gain(motion, times_s, Following(delay_s=-0.06, prominence=0.5), 200, 1000.0)
    assert early[0] == pytest.approx(math.exp(-0.02 / DECAY_S) * 50.0**-0.5, rel=1e-6)  # attack 20 ms before the start
    late = gain(motion, times_s, Following(delay_s=0.5, prominence=0.5), 200, 1000.0)
    np.testing.assert_allclose(late, FLOOR / 50.0)


def test_a_clip_without_frames_is_refused():
    for frames in (None, np.zeros((0, 8, 8, 3), dtype=np.uint8)):
        clip = dataclasses.replace(clip_of(jumping(5, set())), frames=frames)
        with pytest.raises(FoleyError, match="has no frames"):
            made(clip)
        with pytest.raises(FoleyError, match="training clip a_000000 has no frames"):
            Watched.of(dataclasses.replace(clip, audio=np.zeros(16000, dtype=np.float32)), RATE_HZ)


def test_evened_audio_has_no_course_of_level_left():
    rng = np.random.default_rng(0)
    loud = np.repeat([0.1, 2.0, 0.5, 0.02], 4000)
    audio = evened((rng.standard_normal(16000) * loud).astype(np.float32), RATE_HZ)
    levels = [loudness(part) for part in audio.reshape(20, 800)]
    assert 0.8 < min(levels) <= max(levels) < 1.3
    assert np.isfinite(evened(np.zeros(16000, dtype=np.float32), RATE_HZ)).all()
    assert evened(np.ones(10, dtype=np.float32), RATE_HZ).tolist() == [1.0] * 10


def watched(delay_s, n=6, loud=0.1):
    """Return clips whose onsets come later than their jumps by a delay."""
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(n):
        motion = np.full(100, 3.0) * np.exp(rng.uniform(-0.1, 0.1, 100))
        jumps = np.sort(rng.choice(np.arange(5, 95, 6), 5, replace=False))
        motion[jumps] = 40.0
        times_s = np.arange(100) / 25.0
        clips.append(Watched(motion, times_s, times_s[jumps] + delay_s, 4.0, loud))
    return clips


@pytest.mark.parametrize("delay_s", [-0.04, 0.0, 0.05, 0.1])
def test_the_delay_of_the_training_clips_is_found(delay_s):
    found = fit_following(watched(delay_s))
    assert abs(found.delay_s - delay_s) <= 0.025  # what F1 at 25 ms does not tell apart
    assert found.prominence > 0.2  # lower ones hear the noise of the motion
    exact = [Watched(one.motion, one.times_s, np.zeros(0), 4.0, 0.1) for one in watched(0.0)]
    assert fit_following(exact) == Following(delay_s=0.0, prominence=0.5)  # nothing to be told


def test_the_loudness_is_that_of_the_training_clips():
    clips = watched(0.03, n=5)
    level = fit_loudness(clips, FOLLOWING)
    made_loud = [level * loudness(gain(one.motion, one.times_s, FOLLOWING, 400, 100.0)) for one in clips]
    assert np.median(made_loud) == pytest.approx(0.1)
    assert fit_loudness([dataclasses.replace(one, loudness=0.0) for one in clips], FOLLOWING) == 0.0


def test_trained_on_flashes_it_is_loudest_when_they_come(tmp_path):
    data, test = toy_corpus(tmp_path, "train", 24), toy_corpus(tmp_path, "test", 8, seed=1)
    model = registry.load("models", "motion_babble")
    run = model.train(TrainContext(data=data, val=None, out=tmp_path / "run"))
    generator, clips = model.build(BuildContext(checkpoint=run)), ShardDataset(test)
    near, far = [], []
    for clip_id in clips.clip_ids:
        clip = clips.load(clip_id)
        audio = generate_one(model, generator, clip, 0)
        assert audio.shape == (20480,)
        assert np.isfinite(audio).all()
        away = np.abs(np.arange(len(audio))[:, None] / RATE_HZ - clip.onset_times_s() - 0.03).min(1)
        near.append(loudness(audio[away < 0.03]))
        far.append(loudness(audio[away > 0.2]) if (away > 0.2).any() else 0.0)
    assert np.mean(near) > 3 * np.mean(far)
