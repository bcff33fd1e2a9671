"""Audiobox Aesthetics: what it is fed, the layout of its file, and its values against the authors' own class."""

import math

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.encoders import aesthetics
from foleybench.encoders._nets.aesthetics import AXES, BASE, Aesthetics, WavlmSizes, load_weights, settings_of
from foleybench.errors import FoleyError, WeightsMissingError, WrongWeightsError
from tests.encoders.made_weights import count
from tests.encoders.test_vggish import two_tones

TINY = WavlmSizes(width=32, depth=2, heads=2, inner=48, channels=16)
CONFIG = {
    "proj_num_layer": 2,
    "proj_ln": True,
    "proj_act_fn": "gelu",
    "proj_dropout": 0.1,
    "nth_layer": 3,
    "use_weighted_layer_sum": True,
    "precision": "bf16",
    "normalize_embed": True,
    "output_dim": 1,
}
SCALES = {axis: {"mean": 3.0 + place, "std": 1.0 + 0.5 * place} for place, axis in enumerate(AXES)}


def published_shapes(sizes):
    """The tensors of the authors' class, with heads of two layers, by the names of their file."""
    width, channels = sizes.width, sizes.channels
    shapes = {"mask_emb": (width,), "layer_norm.weight": (channels,), "layer_norm.bias": (channels,)}
    shapes |= {"post_extract_proj.weight": (width, channels), "post_extract_proj.bias": (width,)}
    for number, (before, kernel) in enumerate(zip((1, *(channels,) * 6), (10, 3, 3, 3, 3, 2, 2), strict=True)):
        shapes[f"feature_extractor.conv_layers.{number}.0.weight"] = (channels, before, kernel)
    shapes |= {f"feature_extractor.conv_layers.0.2.{kind}": (channels,) for kind in ("weight", "bias")}
    shapes |= {"encoder.pos_conv.0.bias": (width,), "encoder.pos_conv.0.weight_g": (1, 1, 128)}
    shapes |= {"encoder.pos_conv.0.weight_v": (width, width // 16, 128)}
    shapes |= {f"encoder.layer_norm.{kind}": (width,) for kind in ("weight", "bias")}
    shapes["encoder.layers.0.self_attn.relative_attention_bias.weight"] = (320, sizes.heads)
    for number in range(sizes.depth):
        block = f"encoder.layers.{number}"
        shapes[f"{block}.self_attn.grep_a"] = (1, sizes.heads, 1, 1)
        linear = {f"self_attn.{name}_proj": (width, width) for name in "kvq"} | {"self_attn.out_proj": (width, width)}
        linear |= {"self_attn.grep_linear": (8, width // sizes.heads)}
        linear |= {"fc1": (sizes.inner, width), "fc2": (width, sizes.inner)}
        for name, shape in linear.items():
            shapes |= {f"{block}.{name}.weight": shape, f"{block}.{name}.bias": shape[:1]}
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            shapes |= {f"{block}.{name}.{kind}": (width,) for kind in ("weight", "bias")}
    shapes = {f"wavlm_model.{name}": shape for name, shape in shapes.items()}
    for axis in AXES:
        shapes[f"layer_weights.{axis}"] = (sizes.depth + 1,)
        for place, shape in ((0, (width, width)), (4, (1, width))):
            shapes |= {f"proj_layer.{axis}.{place}.weight": shape, f"proj_layer.{axis}.{place}.bias": shape[:1]}
        shapes |= {f"proj_layer.{axis}.1.{kind}": (width,) for kind in ("weight", "bias")}
    return shapes


def published_state():
    """Random weights, the same numbers that the authors' class was given for the values on record."""
    rng, state = np.random.default_rng(0), {}
    for name, shape in sorted(published_shapes(TINY).items()):
        drawn = rng.standard_normal(shape) * (1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.1)
        state[name] = torch.from_numpy(np.float32(drawn + float(len(shape) == 1 and name.endswith("weight"))))
    return state


def save(state, path, **changed):
    content = {"state_dict": state, "model_cfg": CONFIG, "target_transform": SCALES} | changed
    torch.save({name: part for name, part in content.items() if part is not None}, path)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("aesthetics") / "checkpoint.pt"
    save({f"model.{name}": tensor for name, tensor in published_state().items()}, path)
    return path


@pytest.fixture(scope="module")
def encode(path):
    return aesthetics.encode_with(load_weights(path, TINY), "cpu")


def rated(encode, audio):
    found = encode([Signal(audio=np.float32(audio), duration_s=len(audio) / 16000)])[0]
    return [float(found[layer]) for layer in aesthetics.LAYERS]


def test_layout_is_the_official_one():
    """Tensors and values of the authors' class at full size with heads of two layers, counted from it."""
    shapes = published_shapes(BASE)
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (276, 96_753_576)
    with torch.device("meta"):
        net = Aesthetics(settings_of(CONFIG | {"nth_layer": 13}, SCALES, BASE, "x"))
    assert count(net) == (276, 96_753_576)


@pytest.mark.parametrize(
    ("n_samples", "wanted"),
    [
        (48000, [2.850692, 4.647941, 4.970219, 6.750685]),
        (48100, [2.842324, 4.640144, 4.974998, 6.778068]),
        (160000, [3.171260, 4.961426, 4.812441, 6.443923]),
        (208000, [3.129624, 4.873222, 4.835774, 6.350993]),
    ],
)
def test_values_on_record_are_those_of_the_authors_class(encode, n_samples, wanted):
    """audiobox_aesthetics 0.0.4 with its sizes made small and these weights: CE, CU, PC, PQ."""
    assert rated(encode, two_tones(n_samples, 16000)) == pytest.approx(wanted, abs=2e-4)


def test_windows():
    whole, rest = aesthetics.masked_windows(two_tones(208000, 16000))
    assert whole.shape == rest.shape == (2, 160000)
    assert whole[1].sum() == 160000
    assert rest[1].sum() == 48000
    assert (rest[:, 48000:] == 0).all()
    np.testing.assert_array_equal(rest[0, :48000], two_tones(208000, 16000)[160000:])
    (silent,) = aesthetics.masked_windows(np.zeros(0, np.float32))
    assert (silent[0] == 0).all()
    assert (silent[1] == 1).all()
    with pytest.raises(FoleyError, match="sample 1 "):
        aesthetics.masked_windows(np.array([0, np.nan], dtype=np.float32))


def test_a_long_clip_is_the_mean_of_its_windows_by_their_length(encode):
    sound = two_tones(208000, 16000)
    first, second = np.array(rated(encode, sound[:160000])), np.array(rated(encode, sound[160000:]))
    assert rated(encode, sound) == pytest.approx(list((10 * first + 3 * second) / 13), abs=1e-5)
    assert np.abs(first - second).max() > 0.01


def test_each_sound_by_itself(encode):
    signals = [Signal(audio=two_tones(n, 16000), duration_s=n / 16000) for n in (48000, 208000, 16000)]
    together = encode(signals)
    for signal, features in zip(signals, together, strict=True):
        assert encode([signal])[0] == features
        assert all(features[layer].shape == () and features[layer].dtype == np.float32 for layer in aesthetics.LAYERS)


def test_ratings_are_scaled_as_the_file_says(path, encode):
    state = published_state()
    other = path.with_name("scaled.pt")
    save(state, other, target_transform={axis: {"mean": 0.0, "std": 2.0} for axis in AXES})
    found = rated(aesthetics.encode_with(load_weights(other, TINY), "cpu"), two_tones(48000, 16000))
    plain = [
        (value - SCALES[axis]["mean"]) / SCALES[axis]["std"]
        for axis, value in zip(AXES, rated(encode, two_tones(48000, 16000)), strict=True)
    ]
    assert found == pytest.approx([2 * value for value in plain], abs=1e-4)


@pytest.mark.parametrize(
    ("of", "ours"),
    [
        ("wavlm_model.encoder.layers.1.fc2.bias", "wavlm_model.encoder.layers.1.feed_forward.output_dense.bias"),
        ("proj_layer.PQ.4.weight", "proj_layer.PQ.4.weight"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, of, ours):
    state = published_state()
    without = {name: tensor for name, tensor in state.items() if name != of}
    for changed, message in (
        (without, f"lacks {ours}"),
        (without | {"proj_layer.XX.0.weight": state[of]}, "has unknown proj_layer.XX.0.weight"),
        (state | {of: torch.zeros(3, 2)}, f"has {ours} of shape"),
    ):
        save(changed, tmp_path / "checkpoint.pt")
        with pytest.raises(WrongWeightsError) as caught:
            load_weights(tmp_path / "checkpoint.pt", TINY)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_cfg": None}, "lacks state_dict, model_cfg or target_transform"),
        (
            {"model_cfg": {**CONFIG, "use_weighted_layer_sum": False}},
            r"does not follow: \{'use_weighted_layer_sum': False",
        ),
        ({"model_cfg": {**CONFIG, "nth_layer": 9}}, r"does not follow: \{'nth_layer': 9"),
        ({"model_cfg": {**CONFIG, "proj_num_layer": 0}}, r"does not follow: \{'proj_num_layer': 0"),
        ({"model_cfg": {"proj_num_layer": 1}}, "does not say how its net is made: KeyError"),
        ({"target_transform": {"CE": {"mean": 1.0, "std": 1.0}}}, "does not say how its net is made: KeyError: 'CU'"),
        ({"model_cfg": {**CONFIG, "proj_ln": False}}, "does not fit"),
        ({"state_dict": {"a": 1}}, "not a state dict of tensors"),
    ],
)
def test_other_files_are_refused_with_what_is_wrong(tmp_path, changed, message):
    save(published_state(), tmp_path / "checkpoint.pt", **changed)
    with pytest.raises(WrongWeightsError, match=message):
        load_weights(tmp_path / "checkpoint.pt", TINY)


def test_without_the_file_the_message_says_where_it_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsMissingError) as caught:
        aesthetics.ENCODER.build("cpu")
    assert str(tmp_path / "audiobox_aesthetics_checkpoint.pt") in str(caught.value)
    assert "foleybench weights fetch aesthetics" in str(caught.value)
