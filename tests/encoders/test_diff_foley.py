import contextlib
import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import cavp_video, diff_foley_align
from foleybench.encoders._inputs import frame_rate
from foleybench.errors import FoleyError
from tests.encoders import tiny_nets
from tests.encoders.test_vggish import two_tones


def clip(n_samples=132000, n_pictures=33, seed=0, gain=1.0):
    rng = np.random.default_rng(seed)
    audio = np.float32(gain) * two_tones(n_samples) + np.float32(0.01) * rng.standard_normal(
        n_samples, dtype=np.float32
    )
    pictures = rng.standard_normal((n_pictures, 512)).astype(np.float32)
    return Signal(audio=audio, duration_s=n_samples / 16000, features={"cavp_video": {"frames": pictures}})


def video(n_frames, fps, side=(40, 56), seed=0):
    frames = np.random.default_rng(seed).integers(0, 256, (n_frames, *side, 3), dtype=np.uint8)
    return Signal(
        audio=np.zeros(0, np.float32),
        duration_s=n_frames / fps,
        frames=frames,
        frame_times_s=np.arange(n_frames) / fps,
    )


def test_frames_are_those_of_ffmpegs_fps_filter():
    """Frame k is the last that starts before (k + 1/2) / rate; one that starts exactly there belongs to the next."""
    times = np.arange(50) / 25
    assert frame_rate.chosen(times, 4.0, 8).tolist() == [3, 9, 15, 21, 28, 34, 40, 46]
    assert frame_rate.chosen(np.array([0.0, 0.125, 0.25]), 4.0, 2).tolist() == [0, 2]
    assert frame_rate.chosen(times, 25.0, 50).tolist() == list(range(50))
    variable = np.array([0.0, 0.3, 0.31, 0.9])
    assert frame_rate.chosen(variable, 4.0, 4).tolist() == [0, 2, 2, 2]


def test_pictures_are_squeezed_not_cut():
    frames = np.zeros((1, 60, 120, 3), dtype=np.uint8)
    frames[:, :, 60:] = 255
    seen = cavp_video.squeezed(frames)
    assert seen.shape == (1, 3, 224, 224)
    assert seen.dtype == np.float32
    assert (seen[..., :100] == 0).all()
    assert (seen[..., 124:] == 1).all()


@pytest.mark.slow
def test_cavp_gives_a_unit_vector_a_frame_whatever_the_batch(tmp_path, monkeypatch):
    net = tiny_nets.install(cavp_video, tmp_path, monkeypatch)
    monkeypatch.setattr(cavp_video, "SIDE_PX", 32)
    encode = cavp_video.ENCODER.build("cpu")
    clips = [video(50, 25.0), video(12, 10.0, seed=1), video(110, 10.0, seed=2)]
    together = [features["frames"] for features in encode(clips)]
    assert [found.shape for found in together] == [(8, 512), (5, 512), (44, 512)]
    for one, found in zip(clips, together, strict=True):
        np.testing.assert_array_equal(encode([one])[0]["frames"], found)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    long = torch.from_numpy(cavp_video.squeezed(frame_rate.frames_at(clips[2], 4.0)))
    with torch.inference_mode():
        np.testing.assert_allclose(together[2][40:], net.video(long[40:]).numpy(), atol=1e-6)
        assert not np.allclose(together[2][38:40], net.video(long)[38:40].numpy(), atol=1e-6)


def test_a_clip_without_picture_is_refused():
    with pytest.raises(FoleyError, match="no frames to encode"):
        frame_rate.frames_at(Signal(audio=np.zeros(3, np.float32), duration_s=1.0), 4.0)


@pytest.mark.parametrize(
    ("pad", "mean", "deviation", "corner"),
    [("reflect", 0.057619, 0.189836, 0.650182), ("constant", 0.057313, 0.189105, 0.589976)],
)
def test_golden_spectrogram(pad, mean, deviation, corner):
    """Figures of Diff-Foley's own recipe on librosa, mirrored as 0.8.0 does and zero-padded as newer ones do."""
    found = diff_foley_align.spectrogram(two_tones(131199), pad)
    assert found.shape == (128, 513)
    assert found.mean() == pytest.approx(mean, abs=1e-6)
    assert found.std() == pytest.approx(deviation, abs=1e-6)
    assert found[20, 0] == pytest.approx(corner, abs=1e-5)
    assert not diff_foley_align.spectrogram(np.zeros(4000, np.float32), pad).any()


def test_what_is_judged_is_512_frames_and_32_pictures_without_padding():
    signal = clip()
    sound, pictures = diff_foley_align.judged(signal)
    assert sound.shape == (128, 512)
    assert pictures.shape == (32, 512)
    np.testing.assert_array_equal(sound, diff_foley_align.spectrogram(signal.audio[:-1])[:, :512])
    assert diff_foley_align.judged(clip(n_samples=511 * 256 + 1)) is not None
    assert diff_foley_align.judged(clip(n_samples=511 * 256)) is None
    assert diff_foley_align.judged(clip(n_pictures=32)) is not None
    assert diff_foley_align.judged(clip(n_pictures=31)) is None


@pytest.fixture
def net(tmp_path, monkeypatch):
    return tiny_nets.install(diff_foley_align, tmp_path, monkeypatch)


@pytest.mark.slow
def test_probabilities_are_the_network_on_mean_and_one_draw_whatever_the_batch(net):
    encode = diff_foley_align.ENCODER.build("cpu")
    clips = [clip(seed=1), clip(n_samples=64000), clip(seed=2, gain=0.2)]
    together = encode(clips)
    assert [len(features["probability"]) for features in together] == [1, 0, 1]
    assert together[0]["probability"] != together[2]["probability"]
    alone = encode(clips[2:])[0]
    sound, pictures = (torch.from_numpy(part)[None] for part in diff_foley_align.judged(clips[2]))
    noise = torch.randn(1, 4, 16, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for layer, draw in (("probability", None), ("probability_sampled", noise)):
            np.testing.assert_array_equal(alone[layer], together[2][layer])
            np.testing.assert_array_equal(alone[layer], net(sound, pictures, draw).numpy())
    assert alone["probability"] != alone["probability_sampled"]


@pytest.mark.slow
def test_published_order_is_one_seed_and_one_draw_a_batch(net):
    """As the published loop: a global seed, then a draw of each batch's shape in turn; the order matters."""
    judged = [diff_foley_align.judged(clip(seed=seed)) for seed in range(3)]
    sounds, pictures = (np.stack(part) for part in zip(*judged, strict=True))
    found = diff_foley_align.as_published(net, sounds, pictures, batch_size=2)
    wanted = []
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(0)
        for part in (slice(0, 2), slice(2, 3)):
            noise = torch.randn((len(sounds[part]), 4, 16, 64))
            wanted.append(net(torch.from_numpy(sounds[part]), torch.from_numpy(pictures[part]), noise))
    np.testing.assert_array_equal(found, torch.cat(wanted).numpy())
    backwards = diff_foley_align.as_published(net, sounds[::-1], pictures[::-1], batch_size=2)[::-1]
    assert not np.allclose(found, backwards, atol=1e-6)
    assert len(diff_foley_align.as_published(net, [], [])) == 0


def test_the_size_of_the_published_batches_does_not_matter():
    """torch fills a CPU tensor from one stream, sixteen numbers at a time; a clip takes a multiple of that."""
    one, two = (torch.Generator().manual_seed(0) for _ in range(2))
    parts = [torch.randn(n, *diff_foley_align.NOISE_SHAPE, generator=one) for n in (2, 2, 1)]
    assert torch.equal(torch.cat(parts), torch.randn(5, *diff_foley_align.NOISE_SHAPE, generator=two))


def test_a_sound_that_is_not_finite_is_refused():
    signal = clip()
    signal.audio[5] = np.nan
    with pytest.raises(FoleyError, match="need finite audio"):
        diff_foley_align.judged(signal)


@pytest.mark.parametrize(("fps", "rate"), [(25, 4), (30, 4), (24, 25), (10, 25), (60, 4), (25, 25)])
def test_frames_agree_with_ffmpegs_own_filter(fps, rate):
    """FFmpeg as PyAV carries it: numbered grey frames through ``fps``; what comes out says which went in."""
    n = 2 * fps
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=16, format="gray", time_base=Fraction(1, fps))
    chain = [source, graph.add("fps", f"fps={rate}"), graph.add("buffersink")]
    for one, two in itertools.pairwise(chain):
        one.link_to(two)
    graph.configure()
    for index in range(n):
        frame = av.VideoFrame.from_ndarray(np.full((16, 16), index, dtype=np.uint8), format="gray")
        frame.pts, frame.time_base = index, Fraction(1, fps)
        graph.push(frame)
    graph.push(None)
    found = []
    with contextlib.suppress(EOFError, av.error.EOFError, av.error.BlockingIOError):
        while True:
            found.append(int(graph.pull().to_ndarray()[0, 0]))
    assert len(found) > 1.8 * rate  # the filter does not know how long the last frame lasts
    assert frame_rate.chosen(np.arange(n) / fps, float(rate), len(found)).tolist() == found
