"""Checkpoints: the weights that are read are those that were written, and weights of a network."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from foleybench.errors import FoleyError, WrongWeightsError
from foleymodels._parts import checkpoint

TENSORS = {
    "net.weight": torch.linspace(-1, 1, 12).reshape(3, 4),
    "net.half": torch.linspace(-1, 1, 5, dtype=torch.bfloat16),
    "net.count": torch.tensor(3),
    "net.empty": torch.zeros(0, 2),
}


@pytest.fixture
def saved(tmp_path):
    return checkpoint.write_checkpoint(tmp_path / "run", "net", TENSORS, {"settings": {}})


def forget_hash(folder):
    """Let the config be as before there was a hash."""
    path = folder / checkpoint.CONFIG
    config = json.loads(path.read_text())
    config.pop("tensors_sha256", None)
    path.write_text(json.dumps(config))


def damage(folder, change):
    """Change the bytes of the tensors, behind the header."""
    path = folder / checkpoint.WEIGHTS
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    data[start:] = change(bytes(data[start:]))
    path.write_bytes(bytes(data))


def write_unhashed(folder, tensors):
    """Write the weights as before there was a hash."""
    forget_hash(folder)
    (folder / checkpoint.WEIGHTS).write_bytes(safetensors.torch.save(tensors))


def test_what_was_written_is_read_without_a_word(saved, capsys):
    """W3."""
    tensors, config = checkpoint.read_checkpoint(saved, "net")
    assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())
    assert config["kind"] == "net"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("bit", range(0, 12 * 32 + 5 * 16 + 64, 7))
def test_a_flipped_bit_is_found(saved, bit):
    """W3: exponent, sign or mantissa, in every seventh bit of the file's tensors."""

    def flip(data):
        return bytes(byte ^ (1 << bit % 8) * (place == bit // 8) for place, byte in enumerate(data))

    damage(saved, flip)
    with pytest.raises(WrongWeightsError, match="not those that were written: their SHA-256 starts"):
        checkpoint.read_checkpoint(saved, "net")


def test_tensors_that_changed_places_are_found(saved):
    """W3: same values, same shapes, other names."""
    path = saved / checkpoint.WEIGHTS
    header = path.read_bytes()
    assert header.count(b"net.weight") == 1
    checkpoint.write_tensors(path, {"a": torch.zeros(2), "b": torch.ones(2)})
    path.write_bytes(path.read_bytes().replace(b'"a"', b'"c"').replace(b'"b"', b'"a"').replace(b'"c"', b'"b"'))
    with pytest.raises(WrongWeightsError, match="not those that were written"):
        checkpoint.read_tensors(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value: value * float("nan"), r"NaN or infinity in net\.weight"),
        (lambda value: value / 0, r"NaN or infinity in net\.weight"),
        (lambda value: value * 1e30, r"hold 1e\+30 in net\.weight; none of a trained network is over 1e\+06"),
    ],
)
@pytest.mark.parametrize("hashed", [True, False])
def test_weights_of_no_trained_network_are_refused_by_name(saved, change, message, hashed):
    """W3: also where their hash agrees, or there is none."""
    tensors = {**TENSORS, "net.weight": change(TENSORS["net.weight"])}
    if hashed:
        forget_hash(saved)
        checkpoint.write_tensors(saved / checkpoint.WEIGHTS, tensors)
    else:
        write_unhashed(saved, tensors)
    with pytest.raises(WrongWeightsError, match=message):
        checkpoint.read_checkpoint(saved, "net")


def test_an_exponent_flipped_in_an_old_checkpoint_is_absurd(saved):
    """W3: without a hash the highest bit of an exponent still shows."""
    tensors = {**TENSORS, "net.weight": TENSORS["net.weight"].clone()}
    tensors["net.weight"].view(torch.int32)[0, 1] ^= 1 << 30
    write_unhashed(saved, tensors)
    with pytest.raises(WrongWeightsError, match=r"in net\.weight"):
        checkpoint.read_checkpoint(saved, "net")


def test_a_checkpoint_of_before_there_was_a_hash_is_read_and_that_is_said_once(saved, capsys):
    """W3."""
    write_unhashed(saved, TENSORS)
    for _ in range(3):
        tensors, _ = checkpoint.read_checkpoint(saved, "net")
    assert torch.equal(tensors["net.weight"], TENSORS["net.weight"])
    assert capsys.readouterr().err.count("has no hash of its weights") == 1


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    """W3: what is said beside the tensors has one order."""
    for count in range(20):
        checkpoint.write_tensors(tmp_path / str(count), TENSORS, {"b": 1, "a": 2})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_weights_of_another_run_are_found(saved, tmp_path):
    """W3: intact weights with their own hash, beside the config of other ones; or with none."""
    other = {name: value + 1 for name, value in TENSORS.items()}
    checkpoint.write_tensors(saved / checkpoint.WEIGHTS, other)
    with pytest.raises(WrongWeightsError, match=r"does not hold the weights that config\.json beside it"):
        checkpoint.read_checkpoint(saved, "net")
    (saved / checkpoint.WEIGHTS).write_bytes(safetensors.torch.save(TENSORS))
    with pytest.raises(WrongWeightsError, match="their SHA-256 is not recorded"):
        checkpoint.read_checkpoint(saved, "net")


def test_a_damaged_file_is_a_sentence(saved):
    """W3: 400 files with changed bytes, most in the header."""
    path, rng = saved / checkpoint.WEIGHTS, np.random.default_rng(0)
    whole = path.read_bytes()
    refused = 0
    for count in range(400):
        data = bytearray(whole)
        for place in rng.integers(len(data) if count % 4 else 40, size=rng.integers(1, 4)):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data[: rng.integers(len(data))] if count % 10 == 0 else data))
        try:
            tensors, _ = checkpoint.read_checkpoint(saved, "net")
        except FoleyError:
            refused += 1
        else:  # a change of what is said beside the tensors
            assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())
    assert refused > 300


@pytest.mark.parametrize("text", ["", "[]", "3", '{"kind": "net", "kind": "net"}', "\ufeff{", '{"kind": NaN}'])
def test_a_config_that_is_none_is_a_sentence(saved, text):
    """W3."""
    (saved / checkpoint.CONFIG).write_text(text, encoding="utf-8")
    with pytest.raises(FoleyError, match=r"config\.json"):
        checkpoint.read_checkpoint(saved, "net")
