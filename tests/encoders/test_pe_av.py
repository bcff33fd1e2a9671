import importlib.util
import json
import struct

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import pe_av_audio, pe_av_video
from foleybench.encoders._nets import pe_av
from foleybench.errors import FoleyError
from tests.encoders.test_vggish import two_tones

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="needs the extra `encoders`")
TINY_FRAMES = pe_av.PeFrameEncoder(
    architecture="vit_pe_core_tiny_patch16_384", size=32, options={"img_size": 32, "depth": 1}
)


@pytest.mark.parametrize(("n_samples", "length"), [(0, 1920), (1, 1920), (2, 1920), (1920, 1920), (1921, 3840)])
def test_sounds_are_filled_up_by_reflection(n_samples, length):
    audio = two_tones(n_samples, 48000)
    found = pe_av.padded_audio(audio)
    assert found.shape == (length,)
    if n_samples == 1921:
        np.testing.assert_array_equal(found[1921:], audio[1:1920][::-1])
    with pytest.raises(FoleyError, match="sample 3 "):
        pe_av.padded_audio(np.array([0, 0, 0, np.inf], dtype=np.float32))


@pytest.mark.slow
def test_sixteen_frames_from_the_first_to_the_last():
    frames = np.zeros((200, 24, 40, 3), dtype=np.uint8)
    frames[...] = np.arange(200, dtype=np.uint8)[:, None, None, None]
    found = pe_av.pe_av_frames(frames, 32)
    assert found.shape == (16, 3, 32, 32)
    chosen = [int(i * 199 / 15) for i in range(16)]
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), np.array(chosen) / 127.5 - 1, atol=1e-5)
    assert (pe_av.pe_av_frames(frames[:1], 32) == -1).all()


def test_a_clip_without_its_picture_is_an_error():
    encode = pe_av_video.encode_with(torch.nn.Identity(), "cpu")
    with pytest.raises(FoleyError, match="no frames to encode"):
        encode([Signal(audio=two_tones(0), duration_s=2.0)])


def tiny_config():
    from transformers import PeAudioVideoConfig

    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"head_dim": 16}
    vision = {"architecture": TINY_FRAMES.architecture, "num_classes": 8, "global_pool": "map", "do_pooling": True}
    video = {**tower, "vision_config": {**vision, "model_args": dict(TINY_FRAMES.options)}}
    text = {"vocab_size": 60, "hidden_size": 64, "intermediate_size": 20, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 1, **{f"{role}_token_id": 0 for role in ("pad", "bos", "eos", "cls", "sep")}}
    return PeAudioVideoConfig(
        text_config=text, audio_video_config={**tower, "audio_config": dict(tower), "video_config": video}
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A model with few channels, and its file as transformers itself publishes it."""
    pytest.importorskip("transformers")
    from transformers import PeAudioVideoModel

    torch.manual_seed(0)
    model = PeAudioVideoModel(tiny_config()).eval()
    folder = tmp_path_factory.mktemp("published")
    model.save_pretrained(folder)
    return model, folder / "model.safetensors"


def header(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return {name: tuple(item["shape"]) for name, item in json.loads(raw[8 : 8 + length]).items() if "shape" in item}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_layout_is_that_of_the_hub(published):
    _, path = published
    config = pe_av.config_of(header(path), path, TINY_FRAMES)
    assert config.audio_video_config.audio_config.num_hidden_layers == 2
    layout, tied = pe_av.published_layout(config)
    assert layout == header(path)
    assert all(
        name.startswith(("audio_model.text", "video_model.text", "audio_video_encoder.embedder")) for name in tied
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_embeddings_are_those_of_the_whole_model(published):
    model, path = published
    sounds = [two_tones(n, 48000) for n in (48000, 100, 30000)]
    frames = np.random.default_rng(0).integers(0, 256, (20, 24, 40, 3), dtype=np.uint8)
    signals = [
        Signal(audio=sound, duration_s=1.0, frames=frames[: 5 + n], frame_times_s=np.arange(5 + n) / 25)
        for n, sound in enumerate(sounds)
    ]
    encoders = [
        pe_av_audio.encode_with(pe_av.load_weights(pe_av.PeAudioTower, path, TINY_FRAMES), "cpu"),
        pe_av_video.encode_with(pe_av.load_weights(pe_av.PeVideoTower, path, TINY_FRAMES), "cpu", TINY_FRAMES.size),
    ]
    heard, seen = [[features["embedding"] for features in encode(signals)] for encode in encoders]
    for index, signal in enumerate(signals):
        for encode, found in zip(encoders, (heard, seen), strict=True):
            np.testing.assert_array_equal(encode([signal])[0]["embedding"], found[index])
        sound = torch.from_numpy(pe_av.padded_audio(signal.audio))[None, None]
        picture = torch.from_numpy(pe_av.pe_av_frames(signal.frames, TINY_FRAMES.size))[None]
        with torch.inference_mode():
            whole = model(input_values=sound, pixel_values_videos=picture)
        np.testing.assert_allclose(heard[index], whole.audio_embeds[0].numpy(), atol=1e-5)
        np.testing.assert_allclose(seen[index], whole.video_embeds[0].numpy(), atol=1e-5)
    assert np.abs(heard[0] - heard[2]).max() > 1e-3
    assert np.abs(heard[0]).max() > 0.1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("of", ["audio_model.audio_encoder.norm.weight", "text_model.layers.1.mlp.Wo.weight"])
def test_files_that_do_not_fit_are_refused_by_name(published, tmp_path, of):
    from safetensors.torch import load_file, save_file

    state = load_file(published[1])
    del state["audio_model.audio_encoder.output.weight"]
    save_file(state, tmp_path / "one.safetensors")
    with pytest.raises(FoleyError, match=r"lacks audio_model\.audio_encoder\.output\.weight"):
        pe_av.load_weights(pe_av.PeAudioTower, tmp_path / "one.safetensors", TINY_FRAMES)
    state = load_file(published[1])
    del state[of]
    save_file(state, tmp_path / "two.safetensors")
    with pytest.raises(FoleyError, match=f"lacks {of}"):
        pe_av.load_weights(pe_av.PeAudioTower, tmp_path / "two.safetensors", TINY_FRAMES)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "pe.safetensors"
    path.write_bytes(b"no safetensors")
    with pytest.raises(FoleyError, match="is not a safetensors file"):
        pe_av.load_weights(pe_av.PeAudioTower, path)
