"""Copies are found, others are not, and not by comparing everything with everything."""

import time

import numpy as np
import pytest

from foleybench.prepare.duplicates import Content, Copy, find_copies
from foleybench.prepare.normalise.fingerprint import N_BITS


def fingerprints(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, N_BITS // 8), dtype=np.uint8)


def flipped(fingerprint: np.ndarray, n_bits: int, seed: int = 1) -> np.ndarray:
    bits = np.unpackbits(fingerprint)
    bits[np.random.default_rng(seed).choice(N_BITS, n_bits, replace=False)] ^= 1
    return np.packbits(bits)


def content(name: str, sound: np.ndarray | None = None, picture: np.ndarray | None = None, key: str = "") -> Content:
    raw = [b"" if p is None else p.tobytes() for p in (sound, picture)]
    return Content(name, (key or name).encode(), *raw)


SOUNDS, PICTURES = fingerprints(40, 1), fingerprints(40, 2)


def library(n: int = 30) -> list[Content]:
    return [content(f"c{k}", SOUNDS[k], PICTURES[k]) for k in range(n)]


def test_different_clips_are_no_copies():
    assert find_copies(library()) == []
    assert find_copies([]) == []
    assert find_copies(library(1)) == []


def test_equal_bytes_are_exact_and_the_first_is_the_original():
    twice = [*library(5), content("again", SOUNDS[2], PICTURES[2], key="c2"), content("third", key="c2")]
    assert find_copies(twice) == [Copy(index=5, of=2, kind="exact"), Copy(index=6, of=2, kind="exact")]


@pytest.mark.parametrize(
    ("n_sound", "n_picture", "kind"),
    [
        (25, 20, "near"),
        (43, 51, "near"),
        (44, 20, None),
        (20, 52, "same_sound"),
        (38, 100, "same_sound"),
        (39, 100, None),
        (100, 10, None),
    ],
)
def test_thresholds(n_sound: int, n_picture: int, kind: str | None):
    copy = content("copy", flipped(SOUNDS[3], n_sound), flipped(PICTURES[3], n_picture))
    found = find_copies([*library(), copy])
    assert found == ([Copy(index=30, of=3, kind=kind)] if kind else [])


def test_a_chain_of_copies_has_one_original():
    first = content("b", flipped(SOUNDS[3], 30, 1), flipped(PICTURES[3], 5))
    second = content("c", flipped(np.frombuffer(first.sound, dtype=np.uint8), 30, 2), PICTURES[3])
    assert find_copies([*library(4), first, second]) == [
        Copy(index=4, of=3, kind="near"),
        Copy(index=5, of=3, kind="near"),
    ]


def test_a_clip_has_the_sound_of_its_neighbour_not_of_the_neighbours_original():
    """The third clip's audio is 30 bits from the second's, and 60 from the first's, of which the second is a copy."""
    bits = np.random.default_rng(5).permutation(N_BITS)
    sounds = [SOUNDS[3], with_flips(SOUNDS[3], bits[:30]), with_flips(SOUNDS[3], bits[:60])]
    clips = [content(f"c{k}", sounds[k], PICTURES[0 if k < 2 else 7]) for k in range(3)]
    assert find_copies(clips) == [Copy(index=1, of=0, kind="near"), Copy(index=2, of=1, kind="same_sound")]


def with_flips(fingerprint: np.ndarray, places: np.ndarray) -> np.ndarray:
    bits = np.unpackbits(fingerprint)
    bits[places] ^= 1
    return np.packbits(bits)


def test_clips_that_could_not_be_had_are_no_copies_of_each_other():
    assert find_copies([Content("a"), Content("b"), Content("c")]) == []


def test_without_prints_only_equal_bytes_count():
    silent = [
        content("a", None, PICTURES[0]),
        content("b", None, PICTURES[0]),
        content("c", None, PICTURES[0], key="a"),
    ]
    assert find_copies(silent) == [Copy(index=2, of=0, kind="exact")]
    # A plain video has no fingerprint: two plain videos with the same audio are copies, a plain and a real video are
    # not.
    plain = [content("a", SOUNDS[0]), content("b", SOUNDS[0], PICTURES[0]), content("c", SOUNDS[0])]
    assert find_copies(plain) == [Copy(index=1, of=0, kind="same_sound"), Copy(index=2, of=0, kind="near")]


def test_a_nearly_empty_print_is_not_a_missing_one():
    """A missing fingerprint is compared as zeros; a clip whose fingerprint is nearly zeros has a video all the same."""
    dark = flipped(np.zeros(N_BITS // 8, dtype=np.uint8), 10)
    assert find_copies([content("a", SOUNDS[0]), content("b", SOUNDS[0], dark)]) == [
        Copy(index=1, of=0, kind="same_sound")
    ]


def test_nearly_all_copies_are_met_in_a_large_set():
    n = 20_000
    sounds, pictures = fingerprints(n, 3), fingerprints(n, 4)
    originals = [content(f"c{k}", sounds[k], pictures[k]) for k in range(n)]
    copies = [content(f"d{k}", flipped(sounds[k], 26, k), pictures[k]) for k in range(200)]
    found = find_copies([*originals, *copies])
    right = [copy for copy in found if copy.index - n == copy.of and copy.kind == "near"]
    assert len(found) == len(right)
    assert len(right) >= 198


@pytest.mark.slow
def test_many_copies_of_one_sound_stay_cheap():
    n = 3000
    same = [content(f"c{k}", SOUNDS[0], PICTURES[0]) for k in range(n)]
    started = time.process_time()
    found = find_copies(same)
    assert time.process_time() - started < 10
    assert [copy.of for copy in found] == [0] * (n - 1)
