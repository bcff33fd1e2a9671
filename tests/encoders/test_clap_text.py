"""CLAP's text side: words to RoBERTa's numbers, the tower, and the score of whole clips with random weights."""

import functools
import importlib.util
import json
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.api.weights import accept
from foleybench.encoders import clap_laion, clap_laion_text, roberta_tokens
from foleybench.encoders._nets import clap_text, htsat
from foleybench.errors import FoleyError
from foleybench.features.frontend import apply as apply_frontend
from foleybench.media.audio import write_wav
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest, write_manifest
from tests.encoders.made_weights import count, flat_state, layout, refuses_by_name

pytestmark = pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="needs the extra `encoders`")

MERGES = ["b e", "l l", "be ll", "Ġ r", "i n", "in g", "Ġr ing"]
SIZES = htsat.ClapSizes(width=8, depths=(1, 1, 1, 1), heads=(1, 2, 2, 4), out=6, text_width=8, text_depth=2, words=268)


def vocabulary():
    """In RoBERTa's order: its marks, the 256 bytes, what merges make, the mask."""
    from tokenizers.pre_tokenizers import ByteLevel

    merged = ["".join(merge.split()) for merge in MERGES]
    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), *merged, "<mask>"]
    return {word: number for number, word in enumerate(words)}


def write_tokenizer(path, *, vocab=None, merges=MERGES):
    path.write_text(
        json.dumps({"version": "1.0", "model": {"type": "BPE", "vocab": vocab or vocabulary(), "merges": merges}})
    )
    return path


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    path = write_tokenizer(tmp_path_factory.mktemp("words") / "tokenizer.json")
    return roberta_tokens.encode_with(roberta_tokens.new_tokenizer(path, SIZES.words))


def tokens(words, text):
    return words([Signal(audio=np.zeros(0, np.float32), duration_s=1.0, text=text)])[0]["tokens"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("bell", ["bell"]),
        ("bell ringing", ["bell", "Ġring", "ing"]),
        ("Bell", ["B", "e", "ll"]),
        ("é", ["Ã", "©"]),  # its two bytes
        (" ", ["Ġ"]),
    ],
)
def test_words_by_hand(words, text, pieces):
    found = tokens(words, text)
    wanted = [0, *(vocabulary()[piece] for piece in pieces), 2]
    assert found[0].tolist() == wanted + [1] * (77 - len(wanted))
    assert found[1].tolist() == [1] * len(wanted) + [0] * (77 - len(wanted))


@pytest.mark.parametrize("n", [75, 76, 500])
def test_a_long_caption_is_cut_and_ends(words, n):
    found = tokens(words, "b" * n)
    assert found[0].tolist() == [0, *([vocabulary()["b"]] * 75), 2]
    assert found[1].all()


def test_both_ways_to_write_merges_and_what_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    whole = vocabulary()
    read = functools.partial(roberta_tokens.read_vocabulary, path, SIZES.words)
    write_tokenizer(path)
    old = read()
    write_tokenizer(path, merges=[merge.split() for merge in MERGES])
    assert read() == old
    for vocab, message in (
        ({k: v for k, v in whole.items() if k != "<mask>"}, "its 267 words are not numbered from 0 to 267"),
        (whole | {"<pad>": 2, "</s>": 1}, "<pad> is 2, not 1; </s> is 1, not 2"),
        ({("bel" if k == "bell" else k): v for k, v in whole.items()}, "bell is merged and no word"),
        ({("bb" if k == "b" else k): v for k, v in whole.items()}, "b is merged and no word"),
    ):
        write_tokenizer(path, vocab=vocab)
        with pytest.raises(FoleyError, match=message):
            read()
    for text in ("no JSON", "[]", '{"model": {"vocab": {}}}', '{"model": {"vocab": {}, "merges": ["a"]}}'):
        path.write_text(text)
        with pytest.raises(FoleyError, match=r"is not RoBERTa's tokenizer\.json"):
            read()
    write_tokenizer(path)
    with pytest.raises(FoleyError, match="not numbered from 0 to 50264"):
        roberta_tokens.new_tokenizer(path)


@pytest.mark.slow
def test_layout_is_the_official_one():
    """RoBERTa-base has 124,645,632 parameters; then the two maps."""
    with torch.device("meta"):
        net = clap_text.TextTower()
    shapes = layout(net)
    wanted = {name: shape for name, shape in htsat.other_shapes().items() if name.startswith("text_")}
    wanted = {name: shape for name, shape in wanted.items() if not name.startswith("text_transform")}
    assert shapes == wanted
    assert count(net)[1] == 124_645_632 + (768 * 512 + 512) + (512 * 512 + 512)


@pytest.fixture(scope="module")
def state():
    """A whole model's tensors, with random ones where they are used."""
    torch.manual_seed(0)
    text, sound = clap_text.new_net(SIZES), htsat.new_net(SIZES)
    noisy = {name: 0.3 * torch.randn_like(t) + float("Norm.weight" in name) for name, t in text.state_dict().items()}
    return flat_state(htsat.other_shapes(SIZES)) | dict(sound.state_dict()) | noisy


@pytest.fixture(scope="module")
def file(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("clap") / clap_laion.WEIGHTS.filename
    torch.save({"epoch": 15, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, path)
    return path


def by_hand(state, numbers):
    """RoBERTa in plain arithmetic for one caption without filling, float64; one head, eps 1e-5, positions from 2 on."""
    w = {name.removeprefix("text_branch."): tensor.double() for name, tensor in state.items() if "text_" in name}

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    at = "embeddings"
    places = torch.arange(2, 2 + len(numbers))
    x = w[f"{at}.word_embeddings.weight"][numbers] + w[f"{at}.position_embeddings.weight"][places]
    x = norm(x + w[f"{at}.token_type_embeddings.weight"][0], f"{at}.LayerNorm")
    for index in range(SIZES.text_depth):
        at = f"encoder.layer.{index}"
        query, key, value = (linear(x, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        mixed = (query @ key.T / math.sqrt(SIZES.text_width)).softmax(-1) @ value
        x = norm(x + linear(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        inner = linear(x, f"{at}.intermediate.dense")
        inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    pooled = linear(x[0], "pooler.dense").tanh()
    return functional.normalize(linear(linear(pooled, "text_projection.0").relu(), "text_projection.2"), dim=-1)


def test_the_tower_is_roberta_whatever_fills_up(file, state, words):
    encode = clap_laion_text.encode_with(clap_text.load_weights(clap_text.new_net(SIZES), file, SIZES), "cpu")
    texts = ("bell", "bell ringing", "b" * 100)
    given = [tokens(words, text) for text in texts]
    signals = [
        Signal(audio=np.zeros(0, np.float32), duration_s=1.0, features={"roberta_tokens": {"tokens": one}})
        for one in given
    ]
    found = [features["embedding"] for features in encode(signals)]
    for one, signal, embedding in zip(given, signals, found, strict=True):
        numbers = one[0][one[1] == 1]
        np.testing.assert_allclose(embedding, by_hand(state, torch.from_numpy(numbers)).numpy(), atol=1e-5)
        np.testing.assert_array_equal(encode([signal])[0]["embedding"], embedding)
    assert np.abs(found[0] - found[1]).max() > 1e-3


@pytest.mark.parametrize("of", ["text_branch.pooler.dense.weight", "audio_projection.2.bias", "logit_scale_a"])
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, state, of):
    refuses_by_name(
        lambda path: clap_text.load_weights(clap_text.new_net(SIZES), path, SIZES),
        tmp_path / "clap.pt",
        state,
        lambda state, path: torch.save({"state_dict": state}, path),
        of=of,
    )


@pytest.fixture
def small(monkeypatch, file):
    """The small nets in the place of the large ones, their files where the encoders look."""
    write_tokenizer(file.parent / roberta_tokens.WEIGHTS.filename)
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(file.parent))
    accept(clap_laion.WEIGHTS)
    for module in (htsat, clap_text):
        monkeypatch.setattr(module, "new_net", functools.partial(module.new_net, SIZES))
        monkeypatch.setattr(module, "load_weights", functools.partial(module.load_weights, sizes=SIZES))
    tokenizer = functools.partial(roberta_tokens.new_tokenizer, n_words=SIZES.words)
    monkeypatch.setattr(roberta_tokens, "new_tokenizer", tokenizer)
    monkeypatch.setitem(registry.load("encoders", "clap_laion").layers, "embedding", (SIZES.out,))


def test_the_score_is_the_mean_cosine_and_clips_without_a_caption_do_not_apply(small, clicks, tmp_path):
    source = ShardDataset(clicks)
    whole = read_manifest(clicks)
    entries = [vars(entry) | ({"label": ""} if index == 2 else {}) for index, entry in enumerate(whole.entries[:3])]
    data = tmp_path / "test.manifest.jsonl"
    write_manifest(data, whole.header, [type(whole.entries[0])(**entry) for entry in entries])
    for shard in {entry["shard"] for entry in entries}:
        (tmp_path / shard).symlink_to(source.path.parent / shard)
    loaded = [ShardDataset(data).load(entry["clip_id"], video=False) for entry in entries]
    for clip in loaded:
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    model = {"name": "copy", "kind": "model"}
    request = EvalRequest(
        data=data, audio=tmp_path / "audio", protocol="avbench", model=model, only=("clap_score",), resamples=20
    )
    result, rows = evaluate(request)
    record = result["metrics"]["clap_score"]
    assert (record["n_used"], record["not_applicable"], record["n_asked"]) == (2, 1, 3)
    assert result["problems"] == []
    sounds, numbers, captions = (
        registry.load("encoders", name).build("cpu") for name in ("clap_laion", "roberta_tokens", "clap_laion_text")
    )
    cosines = []
    for clip in loaded[:2]:
        from foleybench.api.protocol import Frontend

        audio = apply_frontend(Frontend(remove_mean=True), clip.audio, clip.rate_hz, 48000)
        heard = sounds([Signal(audio=audio, duration_s=2.0)])[0]["embedding"]
        read = numbers([Signal(audio=audio, duration_s=2.0, text=clip.label)])[0]
        said = captions([Signal(audio=audio, duration_s=2.0, features={"roberta_tokens": read})])[0]["embedding"]
        cosines.append(float(np.dot(heard.astype(float), said.astype(float))))
    assert cosines[0] != pytest.approx(cosines[1], abs=1e-6)
    assert record["value"] == pytest.approx(np.mean(cosines), abs=1e-6)
    assert list(rows)[2]["stats"] == {"clap_score": None}


def test_in_a_training_loop(small):
    from foleybench import Accumulator

    total = Accumulator("clap_score")
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, 48000).astype(np.float32)
    total.update("a", generated=audio, reference=audio, rate_hz=48000)
    assert (len(total), math.isnan(total.compute())) == (1, True)
    total.update("b", generated=audio, reference=audio, rate_hz=48000, label="bell")
    assert -1.0 < total.compute() < 1.0
    total.update_features("c", {"first": np.array([3.0, 4.0]), "second": np.array([4.0, 3.0])})
    total.update_features("d", {"first": np.array([1.0, 0.0]), "second": np.array([-2.0, 0.0])})
    alone = Accumulator("clap_score")
    alone.update_features("c", {"first": np.array([3.0, 4.0]), "second": np.array([4.0, 3.0])})
    alone.update_features("d", {"first": np.array([1.0, 0.0]), "second": np.array([-2.0, 0.0])})
    assert alone.compute() == pytest.approx((0.96 - 1.0) / 2)
