"""Words and captions: the table, what padding does, what fits in weights."""

import pytest
import torch

from foleymodels._sound_text.settings import TextSettings
from foleymodels._sound_text.text import PADDING, UNKNOWN, TextEncoder, packed_texts, unpacked_texts, words_of


def encoder(**more):
    torch.manual_seed(0)
    return TextEncoder(TextSettings(**{"text_dim": 16, "text_blocks": 1, "text_heads": 2, "text_words": 8, **more}))


def test_words_are_cut_at_what_is_no_letter():
    assert words_of("Hammer_bar: twice, 2 m away") == ["hammer", "bar", "twice", "2", "m", "away"]
    assert words_of("") == []
    assert words_of("été " * 30) == ["été"] * 24
    assert len(words_of("x" * 99)[0]) == 24
    assert words_of("é" * 30)[0] == "é" * 12  # cut between letters


def test_texts_come_back_from_bytes():
    texts = ["", "hammer", "été"]
    assert unpacked_texts(packed_texts(texts, 4, 8)) == [*texts, ""]
    assert unpacked_texts(packed_texts(["hammer", "axe"], 1, 3)) == ["ham"]


def test_the_most_frequent_words_are_known():
    text = encoder(text_words=4)
    text.learn_words(["bar bar", "axe", "bell bell bell", "axe"])
    assert text.vocabulary() == ["", "", "bell", "axe"]  # axe and bar are as frequent: by alphabet
    rows = text.rows(["Bell axe", "bar", ""])
    assert rows.tolist() == [[2, 3], [UNKNOWN, PADDING], [PADDING, PADDING]]


def test_a_table_among_the_weights_reads_text_by_itself():
    text, other = encoder(), encoder()
    text.learn_words(["bar", "axe"])
    other.load_state_dict(text.state_dict())
    assert other.vocabulary() == text.vocabulary()
    torch.testing.assert_close(other.pooled(["axe bar"]), text.pooled(["axe bar"]))


def test_padding_changes_nothing_and_the_order_of_words_does():
    text = encoder()
    text.learn_words(["a b c d"])
    alone, beside = text.pooled(["a b"]), text.pooled(["a b", "a b c d c d"])[:1]
    torch.testing.assert_close(alone, beside)
    assert not torch.allclose(text.pooled(["a b"]), text.pooled(["b a"]))
    assert not torch.allclose(text.pooled(["a b"]), text.pooled(["a c"]))
    assert text.pooled([""]).abs().max() == 0
    assert text(text.rows(["a", "a b"])).shape == (2, 2, 16)


@pytest.mark.parametrize("size", ["tiny", "base", "std16k", "paper"])
def test_sizes_are_whole(size):
    settings = TextSettings.sizes()[size]
    assert settings.text_dim % (2 * settings.text_heads) == 0
