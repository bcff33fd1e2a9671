"""aiSFX: front end, blocks, layout of the network, and a checkpoint that is read without running it."""

import dataclasses
import os
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from foleybench.api.encoder import Signal
from foleybench.encoders import aisfx as encoder
from foleybench.encoders._nets import aisfx
from foleybench.encoders._nets.aisfx_heads import HEADS, N_LOGITS, N_UCS, PLACES
from foleybench.errors import FoleyError
from tests.encoders.made_weights import count, layout, refuses_by_name
from tests.encoders.tiny_nets import random_state

RATE_HZ = 44100
TINY = 2
# Of ``two_tones(3.0)``, divided by ``LARGEST``: mean, standard deviation, maximum; single values by frame and band.
ESSENTIA_WHOLE = [0.08798138, 0.20837741, 0.94453716]
ESSENTIA_AT = {
    (0, 0): 0.68152976,
    (64, 24): 0.91387910,
    (64, 25): 0.85253459,
    (100, 40): 0.00012025,
    (129, 95): 0.13700663,
}


def two_tones(seconds):
    """The signal of which Essentia's own numbers are on record, scaled to a peak of 1."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = 0.5 * np.sin(2 * np.pi * 1000 * t) + 0.25 * np.sin(2 * np.pi * (200 + 300 * t) * t)
    return (sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """An encoder on a narrow network with random weights."""
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    save_file(random_state(aisfx.Aisfx(TINY)), tmp_path / encoder.WEIGHTS.filename)
    load = aisfx.load_aisfx
    monkeypatch.setattr(aisfx, "load_aisfx", lambda path: load(path, TINY))
    monkeypatch.setattr(encoder, "WEIGHTS", dataclasses.replace(encoder.WEIGHTS, sha256=None, size_bytes=None))
    encode = encoder.ENCODER.build("cpu")
    return lambda *sounds: encode([Signal(audio=sound, duration_s=len(sound) / RATE_HZ) for sound in sounds])


def test_numbers_of_essentia():
    """essentia 2.1b6.dev1389, FrameGenerator, Windowing, Spectrum, MelBands as spectrogram_essentia.py sets them."""
    found = encoder.spectrum(two_tones(3.0))
    assert found.shape == (131, 96)
    assert [found.mean(), found.std(), found.max()] == pytest.approx(ESSENTIA_WHOLE, abs=1e-5)
    for place, value in ESSENTIA_AT.items():
        assert found[place] == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(0, 1), (1, 2), (1000, 2), (2048, 3), (3000, 4), (176128, 173)])
def test_a_started_hop_has_a_frame(n_samples, n_frames):
    assert encoder.spectrum(two_tones(4.0)[:n_samples]).shape == (n_frames, 96)


@pytest.mark.parametrize(("n_frames", "n_blocks"), [(1, 1), (99, 1), (100, 1), (149, 1), (150, 2), (173, 2), (432, 7)])
def test_blocks_of_100_every_50_and_the_tail_left_out(n_frames, n_blocks):
    frames = np.arange(n_frames)[:, None] + np.zeros((1, 3))
    found = encoder.blocks(frames)
    assert found.shape == (n_blocks, 100, 3)
    for place, block in enumerate(found):
        wanted = 50 * place + np.arange(100)
        np.testing.assert_array_equal(block[:, 0], np.where(wanted < n_frames, wanted, 0))


def test_loudness_does_not_matter(tiny):
    sound = two_tones(3.0)
    one, quieter, louder = tiny(sound, np.float32(10 ** (-12 / 20)) * sound, np.float32(3.7) * sound)
    for other in (quieter, louder):
        for layer in ("embeddings", "logits"):
            np.testing.assert_allclose(other[layer], one[layer], rtol=0, atol=1e-4 * np.abs(one[layer]).max())


def test_silence_is_the_spectrum_of_zeros_and_noise_under_it_is_not_raised():
    assert not encoder.spectrum(np.zeros(RATE_HZ, np.float32)).any()
    noise = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)
    noise /= np.abs(noise).max()
    whole = encoder.spectrum(noise)
    np.testing.assert_allclose(encoder.spectrum(np.float32(2e-4) * noise), whole, atol=1e-6)  # above -80 dB: scaled
    faint = encoder.spectrum(
        np.float32(1e-6) * noise
    )  # as if its peak were 1e-4: 1e-2 of full scale, 1e-4 of the power
    power = 10 ** (encoder.LARGEST * whole) - 1.0
    np.testing.assert_allclose(faint, np.log10(1.0 + 1e-4 * power) / encoder.LARGEST, atol=1e-6)
    assert faint.max() < whole.max() - 0.4


def test_a_sound_that_is_not_finite_is_refused():
    with pytest.raises(FoleyError, match="sample 5 of 100 is nan"):
        encoder.spectrum(np.where(np.arange(100) == 5, np.nan, 0.1).astype(np.float32))


def test_each_sound_by_itself_short_ones_followed_by_zeros(tiny):
    sounds = [two_tones(4.0), two_tones(2.0), two_tones(0.01), np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32)]
    together = tiny(*sounds)
    assert [len(features["embeddings"]) for features in together] == [2, 1, 1, 1, 1]
    for sound, features in zip(sounds, together, strict=True):
        assert features["embeddings"].shape[1] == 8 * TINY
        assert features["logits"].shape[1] == N_LOGITS
        np.testing.assert_array_equal(tiny(sound)[0]["logits"], features["logits"])
    np.testing.assert_array_equal(together[3]["logits"], together[4]["logits"])
    assert np.abs(together[0]["logits"][0] - together[1]["logits"][0]).max() > 1e-3


def test_layout_is_the_packages():
    with torch.device("meta"):
        net = aisfx.Aisfx()
    assert count(net) == (102, 6_216_770)
    shapes = layout(net)
    assert shapes["embedding_net.conv_block1.conv1.weight"] == (64, 1, 3, 3)
    assert shapes["embedding_net.conv_block4.bn2.running_var"] == (512,)
    assert shapes["fc.0.0.weight"] == (256, 512)
    assert [shapes[f"fc.{place}.4.bias"] for place in range(9)] == [(size,) for _, size in HEADS]
    assert encoder.ENCODER.layers == {"embeddings": (0, 512), "logits": (0, 378)}
    assert [place.stop - place.start for place in PLACES] == [size for _, size in HEADS]
    assert [name for name, _ in HEADS[:N_UCS]] == ["prosfx", "soundlyTrain", "ucsMixed"]


def test_forward_is_convolutions_mean_over_bands_maximum_over_time(tmp_path):
    net = aisfx.Aisfx(TINY)
    save_file(random_state(net), tmp_path / "tiny.safetensors")
    net = aisfx.load_aisfx(tmp_path / "tiny.safetensors", TINY)
    state = net.state_dict()
    blocks = torch.rand(2, 3, 100, 96, generator=torch.Generator().manual_seed(1))
    maps = blocks.reshape(6, 1, 100, 96)
    for index, size in enumerate((2, 2, 2, 1), start=1):
        for half in ("1", "2"):
            at = f"embedding_net.conv_block{index}"
            maps = functional.conv2d(maps, state[f"{at}.conv{half}.weight"], padding=1)
            norm = [state[f"{at}.bn{half}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
            maps = functional.relu(functional.batch_norm(maps, *norm))
        maps = functional.max_pool2d(maps, size)
    assert maps.shape == (6, 8 * TINY, 12, 12)
    wanted = maps.mean(3).max(2).values
    embeddings, logits = net(blocks)
    torch.testing.assert_close(embeddings.reshape(6, -1), wanted)
    for place, where in enumerate(PLACES):
        hidden = wanted
        for layer in ("0", "2", "4"):
            hidden = functional.linear(hidden, state[f"fc.{place}.{layer}.weight"], state[f"fc.{place}.{layer}.bias"])
            hidden = functional.relu(hidden) if layer != "4" else hidden
        torch.testing.assert_close(logits.reshape(6, -1)[:, where], hidden)


def test_files_that_do_not_fit_are_refused_by_name(tmp_path):
    refuses_by_name(
        lambda path: aisfx.load_aisfx(path, TINY),
        tmp_path / "aisfx.safetensors",
        dict(random_state(aisfx.Aisfx(TINY))),
        save_file,
        of="embedding_net.conv_block3.bn1.running_var",
    )


def heads(names=HEADS):
    return {name: (np.int64(place), size) for place, (name, size) in enumerate(names)}


def old_names(content, path):
    """Save as the package did: with numpy's names of before 2.0."""
    torch.save(content, path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            renamed = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
            archive.writestr(name, renamed if name.endswith("data.pkl") else data)
    return path


def test_the_checkpoint_is_weights_and_heads(tmp_path):
    state = OrderedDict(random_state(aisfx.Aisfx(TINY)))
    found = aisfx.read_aisfx_checkpoint(old_names((state, heads()), tmp_path / "checkpoint.pth"))
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_a_checkpoint_that_wants_code_to_be_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = old_names((OrderedDict(a=torch.zeros(1)), heads() | {"x": Evil()}), tmp_path / "checkpoint.pth")
    with pytest.raises(FoleyError, match="cannot be read without running code"):
        aisfx.read_aisfx_checkpoint(path)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": torch.zeros(1)}, "holds a dict, not weights and heads"),
        ((OrderedDict(), heads(HEADS[::-1])), "has other heads"),
        ((OrderedDict(), heads(HEADS[:-1])), "has other heads"),
    ],
)
def test_another_checkpoint_is_refused(tmp_path, content, message):
    with pytest.raises(FoleyError, match=message):
        aisfx.read_aisfx_checkpoint(old_names(content, tmp_path / "checkpoint.pth"))


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "checkpoint.pth").write_bytes(b"<html>")
    with pytest.raises(FoleyError, match="aisfx cannot be read"):
        aisfx.read_aisfx_checkpoint(tmp_path / "checkpoint.pth")
