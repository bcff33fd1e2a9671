import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import synchformer_audio, synchformer_offset, synchformer_video
from foleybench.encoders._nets import synchformer
from tests.encoders import tiny_nets
from tests.encoders.test_diff_foley import video
from tests.encoders.test_vggish import two_tones


@pytest.fixture
def net(tmp_path, monkeypatch):
    return tiny_nets.install(synchformer, tmp_path, monkeypatch)


def heard(n_samples, seed=0):
    noise = np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)
    return Signal(audio=two_tones(n_samples) + np.float32(0.05) * noise, duration_s=n_samples / 16000)


def test_segments_are_24_of_the_first_eight_seconds():
    for seconds, n in ((8.0, 24), (10.0, 24), (7.99, 23), (4.8, 14), (0.64, 1), (0.6, 0)):
        assert len(synchformer.segment_starts(round(seconds * 16000), 10240, 5120)) == n
        assert len(synchformer.segment_starts(int(seconds * 25), 16, 8)) == n


def test_pixels_are_the_middle_of_the_picture_from_minus_one_to_one():
    frames = np.zeros((1, 224, 448, 3), dtype=np.uint8)
    frames[:, :, 112:336] = 255
    assert (synchformer_video.synchformer_input(frames) == 1).all()
    assert (synchformer_video.synchformer_input(np.zeros_like(frames)) == -1).all()
    assert synchformer_video.synchformer_input(np.zeros((2, 300, 200, 3), np.uint8)).shape == (2, 3, 224, 224)


def test_spectrogram_ends_with_a_frame_of_zeros_put_in_before_the_scaling():
    """av-benchmark's padding: 0 of the log spectrogram, which the scaling makes a loud constant."""
    found = synchformer_audio.spectrograms_of(two_tones(20000))
    assert found.shape == (2, 128, 66)
    assert (found[..., 65] == (0 + 4.2677393) / (2 * 4.5689974)).all()
    silent = synchformer_audio.spectrograms_of(np.zeros(10240, np.float32))
    assert silent[..., :65].numpy() == pytest.approx((np.log(1e-6) + 4.2677393) / (2 * 4.5689974), abs=1e-6)


@pytest.mark.slow
def test_towers_do_not_depend_on_the_batch(net):
    for encoder, clips, n in (
        (synchformer_audio.ENCODER, [heard(40000), heard(12000, 1), heard(9000, 2)], (6, 1, 0)),
        (synchformer_video.ENCODER, [video(40, 25.0), video(20, 20.0, seed=1), video(15, 25.0, seed=2)], (4, 2, 0)),
    ):
        encode = encoder.build("cpu")
        together = [features["segments"] for features in encode(clips)]
        steps = encoder.layers["segments"][1]
        assert [found.shape for found in together] == [(k, steps, 16) for k in n]
        for one, found in zip(clips, together, strict=True):
            np.testing.assert_array_equal(encode([one])[0]["segments"], found)
        assert np.ptp(together[0], axis=(0, 1)).min() > 0


def features(n_video=24, n_audio=24, seed=0):
    rng = np.random.default_rng(seed)
    return Signal(
        audio=np.zeros(0, np.float32),
        duration_s=8.0,
        features={
            "synchformer_video": {"segments": rng.standard_normal((n_video, 8, 16)).astype(np.float32)},
            "synchformer_audio": {"segments": rng.standard_normal((n_audio, 6, 16)).astype(np.float32)},
        },
    )


def test_windows_are_the_first_and_the_last_fourteen_segments(net):
    encode = synchformer_offset.ENCODER.build("cpu")
    clips = [features(), features(seed=1), features(n_video=23), features(n_audio=14)]
    together = [found["windows"] for found in encode(clips)]
    assert [found.shape for found in together] == [(2, 21), (2, 21), (0, 21), (0, 21)]
    for one, found in zip(clips, together, strict=True):
        np.testing.assert_array_equal(encode([one])[0]["windows"], found)
    seen, sound = (
        torch.from_numpy(clips[0].features[name]["segments"])[None] for name in synchformer_offset.ENCODER.after
    )
    with torch.inference_mode():
        for row, window in ((0, slice(0, 14)), (1, slice(10, 24))):
            wanted = net.offsets(seen[:, window], sound[:, window])[0].numpy()
            np.testing.assert_allclose(together[0][row], wanted, atol=1e-6)
