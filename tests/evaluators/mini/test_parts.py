import numpy as np
import pytest
import torch

from foleybench.clips import Clock
from foleybench.encoders._nets.mini_nets import AlignNet, ClassNet, audio_input, frames_input
from foleybench.evaluators.mini.artefacts import roughened, vocoded
from foleybench.evaluators.mini.fit_align import WEIGHTS, moved
from tests.encoders.test_onsets import hits

RATE_HZ = 16000
TIMES_S = [0.3, 0.9, 1.4]


def test_what_is_heard_does_not_depend_on_gain():
    audio = hits(TIMES_S, 2.0)
    np.testing.assert_allclose(audio_input(audio), audio_input(np.float32(0.01) * audio), atol=1e-5)
    assert audio_input(audio).shape == (64, 200)
    assert audio_input(audio).max() == 0.0
    assert audio_input(audio).min() == -1.0


def test_silence_is_heard_as_silence():
    assert (audio_input(np.zeros(16000, np.float32)) == -1.0).all()


@pytest.mark.parametrize("fps", [12.5, 25.0, 29.97, 50.0])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (120, 90), (224, 224)])
def test_pictures_are_of_one_size_and_rate(fps, size):
    n = round(2.0 * fps)
    frames = np.zeros((n, *size, 3), dtype=np.uint8)
    frames[n // 2 :] = 200
    pictures = frames_input(frames, np.arange(n) / fps, 2.0)
    assert pictures.shape == (50, 3, 48, 48)
    switch = int(np.argmax(pictures[:, 0, 0, 0] > 100))
    assert abs((switch + 0.5) / 25 - (n // 2) / fps) <= 0.04


@pytest.mark.parametrize("fps", [25.0, 50.0, 75.0, 100.0])
def test_a_picture_is_seen_at_its_own_time_whatever_the_rate(fps):
    """Every 40 ms a frame of its own; those between, of faster videos, are no step of the grid."""
    moments = np.random.default_rng(0).integers(0, 255, (50, 1, 1, 1)).astype(np.uint8)
    frames = np.full((round(2.0 * fps), 48, 48, 3), 7, dtype=np.uint8)
    frames[:: round(fps / 25.0)] = moments
    pictures = frames_input(frames, np.arange(len(frames)) / fps, 2.0)
    np.testing.assert_array_equal(pictures[:, 0, 0, 0], moments[:, 0, 0, 0])


@pytest.mark.parametrize("fps", [8.0, 12.5, 15.25, 23.976, 24.0, 25.0])
def test_up_to_25_frames_a_second_the_middle_of_the_step_decides(fps):
    """As version 2 of the encoder had it for all rates, so that its published values stand."""
    times_s = np.arange(round(10.0 * fps)) / fps
    wanted = Clock.nearest(times_s, (np.arange(250) + 0.5) / 25.0)
    np.testing.assert_array_equal(Clock.on_grid(times_s, 25.0, 250), wanted)


def test_artefacts_keep_length_and_are_drawn():
    audio = hits(TIMES_S, 2.0)
    for change in (vocoded, roughened):
        one = change(audio, np.random.default_rng(0))
        assert one.shape == audio.shape
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        assert not np.array_equal(one, audio)
        np.testing.assert_array_equal(one, change(audio, np.random.default_rng(0)))
        assert not np.array_equal(one, change(audio, np.random.default_rng(1)))


def test_the_vocoded_sound_keeps_its_envelope():
    audio = hits(TIMES_S, 2.0)
    for seed in range(4):
        one, two = (audio_input(x).mean(axis=0) for x in (audio, vocoded(audio, np.random.default_rng(seed))))
        assert np.corrcoef(one, two)[0, 1] > 0.7


def test_moved_spectrograms():
    sound = np.arange(5.0, dtype=np.float32)[None]
    assert moved(sound, 2, roll=True).tolist() == [[3, 4, 0, 1, 2]]
    assert moved(sound, 2, roll=False).tolist() == [[-1, -1, 0, 1, 2]]
    assert moved(sound, -2, roll=False).tolist() == [[2, 3, 4, -1, -1]]
    assert moved(sound, 0, roll=False).tolist() == sound.tolist()


def test_true_pairs_weigh_as_much_as_all_false_ones():
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    assert WEIGHTS["true"] == 0.5


@torch.inference_mode()
def test_nets_take_any_length():
    torch.manual_seed(0)
    align, classify = AlignNet().eval(), ClassNet(5, 3).eval()
    for seconds in (0.5, 1.0, 4.0, 10.0):
        sound = torch.rand(1, 64, round(100 * seconds)) - 1.0
        pictures = torch.rand(1, round(25 * seconds), 3, 48, 48)
        assert torch.isfinite(align(sound, pictures)).all()
        logits, materials, embedding = classify(sound)
        assert logits.shape == (1, 5)
        assert materials.shape == (1, 3)
        assert torch.isfinite(embedding).all()


@torch.inference_mode()
def test_correlation_profile_peaks_where_the_sound_lies():
    net = AlignNet().eval()
    features = torch.randn(1, net.n_follow, 100, generator=torch.Generator().manual_seed(0))
    for lag in (-5, 0, 7):
        later = torch.roll(features, lag, dims=2)
        profile = net._profile(features, later).reshape(net.n_heads, -1)
        assert (profile.argmax(dim=1) == 12 + lag).all()
