"""RoBERTa's tokens of a caption, for LAION-CLAP's text tower.

Layers:
    tokens: (2, 77) int64: token numbers, with a start (0) and an end (2), filled up with 1; then the mask, 1 for each
        token and 0 for each filler.

The caption is the clip's label: AudioCaps' sentence, VGGSound's class name, the first of AudioSet's classes. What is
longer than 77 tokens is cut, its end kept, as LAION-CLAP's own ``CLAP_Module`` does. transformers' ``RobertaTokenizer``
does the work, from the vocabulary and the merges of RoBERTa-base's one ``tokenizer.json``.

Sources: Liu et al., arXiv 1907.11692; LAION-AI/CLAP@1fd4c37 hook.py; transformers 5.23 ``RobertaTokenizer``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require
from foleybench.encoders._inputs.transformers import transformers_for
from foleybench.errors import FoleyError

N_TOKENS = 77
N_WORDS = 50265
_MARKS = {"<s>": 0, "<pad>": 1, "</s>": 2}

WEIGHTS = Weights(
    filename="roberta_base_tokenizer.json",
    url="https://huggingface.co/FacebookAI/roberta-base/resolve/main/tokenizer.json",
    sha256=None,
    size_bytes=None,
    licence="MIT",
)


def read_vocabulary(path: Path, n_words: int = N_WORDS) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the vocabulary and the merges of a ``tokenizer.json`` in RoBERTa's layout.

    Args:
        path: The file.
        n_words: Size of the vocabulary.

    Raises:
        FoleyError: The file has another layout or another vocabulary.
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        vocabulary, merges = dict(model["vocab"]), [_pair(merge) for merge in model["merges"]]
    except (ValueError, KeyError, TypeError) as error:
        raise FoleyError(f"{path} is not RoBERTa's tokenizer.json: {error!r}. Fetch the published file.") from error
    wrong = [f"{mark} is {vocabulary.get(mark)}, not {number}" for mark, number in _MARKS.items()]
    wrong = [words for mark, words in zip(_MARKS, wrong, strict=True) if vocabulary.get(mark) != _MARKS[mark]]
    if sorted(map(str, vocabulary.values())) != sorted(map(str, range(n_words))):
        wrong.append(f"its {len(vocabulary)} words are not numbered from 0 to {n_words - 1}")
    merged = [word for pair in merges for word in (*pair, "".join(pair)) if word not in vocabulary]
    wrong += [f"{word} is merged and no word" for word in merged[:1]]
    if wrong:
        raise FoleyError(f"{path} is not RoBERTa-base's: {'; '.join(wrong)}. Fetch the published file.")
    return vocabulary, merges


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    """Return the two parts of a merge; older files keep them as one text, newer ones as a list."""
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    return first, second


def encode_with(tokenizer: Any) -> Encode:
    """Return the ``encode`` of the encoder with this tokenizer."""

    def one(signal: Signal) -> Features:
        found = tokenizer(signal.text, padding="max_length", truncation=True, max_length=N_TOKENS)
        return {"tokens": np.array([found["input_ids"], found["attention_mask"]], dtype=np.int64)}

    return one_by_one(one)


def new_tokenizer(path: Path, n_words: int = N_WORDS) -> Any:
    """Return transformers' tokenizer with the words of a file.

    Raises:
        FoleyError: The file is not RoBERTa's, or transformers is not installed.
    """
    vocabulary, merges = read_vocabulary(path, n_words)
    return transformers_for("RoBERTa's tokenizer").RobertaTokenizer(vocab=vocabulary, merges=merges)


def _build(device: str) -> Encode:
    return encode_with(new_tokenizer(require("roberta_tokens", WEIGHTS)))


ENCODER = Encoder(
    version=1,
    rate_hz=48000,
    modality="text",
    layers={"tokens": (2, N_TOKENS)},
    licence="MIT",
    source="LAION-AI/CLAP@1fd4c37 hook.py",
    weights=WEIGHTS,
    build=_build,
)
