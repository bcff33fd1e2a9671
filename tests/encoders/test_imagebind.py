import functools
import math
import re

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import imagebind_audio, imagebind_video
from foleybench.encoders._nets import imagebind
from foleybench.errors import FoleyError
from tests.encoders.made_weights import flat_state, layout, refuses_by_name
from tests.encoders.test_vggish import two_tones

_TOWER = imagebind.Tower(width=16, depth=2, heads=4)
TINY = imagebind.ImageBindSizes(
    out=8, vision=_TOWER, audio=_TOWER, text=_TOWER, depth=_TOWER, thermal=_TOWER, imu=_TOWER, words=11
)

official_layout = functools.cache(imagebind.layout)


def test_layout_is_the_official_one():
    """Number of tensors and values of the authors' own ``imagebind_huge``, counted from their class."""
    shapes = official_layout()
    assert len(shapes) == 1311
    assert sum(math.prod(shape) for shape in shapes.values()) == 1_200_786_990
    assert shapes["modality_preprocessors.vision.rgbt_stem.proj.1.weight"] == (1280, 3, 2, 14, 14)
    assert shapes["modality_preprocessors.vision.pos_embedding_helper.pos_embed"] == (1, 257, 1280)
    assert shapes["modality_preprocessors.audio.rgbt_stem.norm_layer.bias"] == (768,)
    assert shapes["modality_preprocessors.audio.pos_embedding_helper.pos_embed"] == (1, 229, 768)
    assert shapes["modality_trunks.vision.pre_transformer_layer.0.weight"] == (1280,)
    assert shapes["modality_trunks.vision.blocks.31.attn.in_proj_weight"] == (3840, 1280)
    assert shapes["modality_trunks.audio.blocks.11.attn.bias_k"] == (1, 1, 768)
    assert shapes["modality_heads.vision.2.weight"] == (1024, 1280)
    assert shapes["modality_postprocessors.audio.1.log_logit_scale"] == ()
    assert "modality_trunks.vision.blocks.0.attn.bias_k" not in shapes


@pytest.mark.parametrize(
    ("make", "tensors", "values"), [("audio_tower", 177, 86_235_649), ("vision_tower", 392, 632_829_440)]
)
def test_towers_have_the_official_sizes(make, tensors, values):
    with torch.device("meta"):
        shapes = layout(getattr(imagebind, make)())
    assert len(shapes) == tensors
    assert sum(math.prod(shape) for shape in shapes.values()) == values
    assert shapes.items() <= official_layout().items()


@pytest.fixture(scope="module")
def towers():
    torch.manual_seed(0)
    return {"audio": imagebind.audio_tower(TINY), "vision": imagebind.vision_tower(TINY)}


def test_a_tower_takes_its_part_of_the_official_file(tmp_path, towers):
    state = flat_state(imagebind.layout(TINY)) | towers["audio"].state_dict()
    state["modality_preprocessors.text.mask"] = torch.full((77, 77), -math.inf)
    path = tmp_path / "imagebind_huge.pth"
    torch.save(state, path)
    loaded = imagebind.load_weights(imagebind.audio_tower(TINY), path, TINY)
    for ours, given in zip(loaded.state_dict().values(), towers["audio"].state_dict().values(), strict=True):
        assert torch.equal(ours, given)
    vision = imagebind.load_weights(imagebind.vision_tower(TINY), path, TINY)
    assert (vision.modality_heads["vision"][2].weight == 0.01).all()


@pytest.mark.parametrize("of", ["modality_trunks.audio.blocks.1.norm_2.bias", "modality_heads.text.proj.1.weight"])
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, of):
    """Also when the tensor belongs to a tower that is not used."""
    refuses_by_name(
        lambda path: imagebind.load_weights(imagebind.audio_tower(TINY), path, TINY),
        tmp_path / "imagebind_huge.pth",
        flat_state(imagebind.layout(TINY)),
        torch.save,
        of=of,
    )


def test_golden_filter_banks():
    sound = torch.from_numpy(two_tones(32000))[None]
    banks = imagebind_audio._filter_banks(sound - sound.mean())
    assert banks.shape == (128, 204)
    assert (banks[:, 198:] == 0).all()
    assert float(banks[:, :198].mean()) == pytest.approx(-12.294008, abs=1e-5)
    assert float(banks[:, :198].std()) == pytest.approx(5.747569, abs=1e-5)


@pytest.mark.parametrize("n_samples", [0, 1, 399, 16000, 32000, 80000, 160000])
def test_spectrograms_of_any_length(n_samples):
    found = imagebind_audio.spectrograms(two_tones(n_samples))
    assert found.shape == (3, 1, 128, 204)
    assert np.isfinite(found).all()
    filled = (0 - imagebind_audio.MEAN) / imagebind_audio.SPREAD
    np.testing.assert_allclose(found[:, :, :, 198:], filled, rtol=1e-6)


def test_frames_are_the_last_before_each_odd_second():
    times = np.arange(300) / 30
    chosen = imagebind_video.chosen_frames(times, 10.0)
    np.testing.assert_allclose(times[chosen], np.array([1, 3, 5, 7, 9]) - 1 / 30)
    assert imagebind_video.chosen_frames(times[:20], 0.7).tolist() == [19]
    assert imagebind_video.chosen_frames(np.array([0.0]), 8.0).tolist() == [0, 0, 0, 0]


def test_frames_are_those_of_ffmpeg():
    """The filter that the peer's decoder puts in front: ``fps=0.5``."""
    av = pytest.importorskip("av")
    from fractions import Fraction

    for rate, seconds in ((25, 8), (24, 8), (30, 9)):
        graph = av.filter.Graph()
        source = graph.add_buffer(width=16, height=16, format="rgb24", time_base=Fraction(1, rate))
        fps, sink = graph.add("fps", "fps=0.5"), graph.add("buffersink")
        source.link_to(fps)
        fps.link_to(sink)
        graph.configure()
        for index in range(rate * seconds):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), index % 251, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            graph.push(frame)
        graph.push(None)
        wanted = []
        while True:
            try:
                wanted.append(int(graph.pull().to_ndarray()[0, 0, 0]))
            except (av.error.BlockingIOError, av.error.EOFError):
                break
        found = imagebind_video.chosen_frames(np.arange(rate * seconds) / rate, float(seconds))
        assert [index % 251 for index in found.tolist()] == wanted[: seconds // 2]


@pytest.mark.parametrize("shape", [(60, 112), (112, 60), (56, 56)])
def test_crops_lie_along_the_long_side(shape):
    frames = np.zeros((2, *shape, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, max(shape)).astype(np.uint8)
    frames[...] = ramp[None, None, :, None] if shape[1] > shape[0] else ramp[None, :, None, None]
    cut = imagebind_video.crops(frames)
    assert cut.shape == (3, 2, 3, 224, 224)
    means = [float(part.mean()) for part in cut]
    assert (means[0] < means[1] < means[2]) == (shape[0] != shape[1])


def clip(seconds, seed=0, height=40, width=56):
    rng = np.random.default_rng(seed)
    n = round(seconds * 10)
    frames = rng.integers(0, 256, (n, height, width, 3), dtype=np.uint8)
    return Signal(
        audio=two_tones(round(seconds * 16000)),
        duration_s=seconds,
        frames=frames,
        frame_times_s=np.arange(n) / 10,
    )


@pytest.mark.parametrize(("seconds", "n_clips"), [(8.0, 9), (5.9, 3), (4.0, 3), (3.9, 3), (1.0, 3)])
def test_pairs_of_frames(seconds, n_clips):
    found = imagebind_video.pairs(clip(seconds))
    assert found.shape == (n_clips, 3, 2, 224, 224)
    assert np.array_equal(found[:, :, 0], found[:, :, 1]) == (seconds < 4)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "modality"), [(imagebind_audio, "audio"), (imagebind_video, "vision")])
def test_each_clip_by_itself(towers, module, modality):
    encode = module.encode_with(towers[modality], "cpu")
    signals = [clip(8.0, 1), clip(1.0, 2), clip(4.5, 3)]
    together = encode(signals)
    for signal, features in zip(signals, together, strict=True):
        assert features["embedding"].shape == (8,)
        np.testing.assert_array_equal(encode([signal])[0]["embedding"], features["embedding"])
    assert 0 < np.linalg.norm(together[0]["embedding"]) <= 1 + 1e-6
    assert not np.array_equal(together[0]["embedding"], together[1]["embedding"])


def test_a_clip_without_its_picture_is_an_error():
    with pytest.raises(FoleyError, match=re.escape("a clip of 2.0 s has no frames")):
        imagebind_video.pairs(Signal(audio=two_tones(32000), duration_s=2.0))
