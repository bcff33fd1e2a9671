"""Whatever stands in a WAV header, a list, a table of names or a file of ids: read, or a sentence of ours."""

from __future__ import annotations

import struct
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile
from hypothesis import strategies as st

from foleybench.artefacts.match import leftovers, match
from foleybench.errors import FoleyError, MediaError
from foleybench.lists import read_list
from foleybench.lists.subsets import read_ids
from foleybench.media.hear import hear
from foleybench.prepare import parse_options
from foleybench.prepare.load_dataset import load_dataset

RATE_HZ = 8000
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 7, 8, 16, 24, 32, 255, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    st.integers(0, 2**32 - 1),
)


def _says(sentence: str, *words: str) -> None:
    """Hold an error to be a sentence with one of some words."""
    assert sentence
    assert not words or any(word in sentence for word in words), sentence


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, np.ndarray]:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
    soundfile.write(path, audio, RATE_HZ, subtype="PCM_16")
    return path.read_bytes(), hear(path).audio


@hypothesis.given(field=st.sampled_from(["riff", "fmt", "codec", "channels", "rate", "bytes", "align", "bits", "data"]),
                  number=NUMBERS)  # fmt: skip
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_d4_any_number_in_a_wav_header(sound, tmp_path_factory, field: str, number: int):
    """D4: a number in a header never decides the memory, and what is read of the samples is not made up."""
    where = {"riff": (4, "<I"), "fmt": (16, "<I"), "codec": (20, "<H"), "channels": (22, "<H"), "rate": (24, "<I"),
             "bytes": (28, "<I"), "align": (32, "<H"), "bits": (34, "<H"), "data": (40, "<I")}  # fmt: skip
    at, layout = where[field]
    data = bytearray(sound[0])
    struct.pack_into(layout, data, at, number & (0xFFFF if layout == "<H" else 0xFFFFFFFF))
    path = tmp_path_factory.getbasetemp() / "any.wav"
    path.write_bytes(bytes(data))
    try:
        heard = hear(path, max_s=10.0)
    except MediaError as error:
        _says(error.reason)
        return
    assert len(heard.audio) <= 10 * heard.rate_hz + 1
    assert heard.audio.nbytes <= 8 * len(data)
    if field in ("riff", "bytes", "rate"):
        np.testing.assert_array_equal(heard.audio[: len(sound[1])], sound[1][: len(heard.audio)])


@hypothesis.given(head=st.binary(max_size=120), n_zeros=st.integers(0, 200))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_bytes_are_no_sound_or_a_sound(tmp_path_factory, head: bytes, n_zeros: int):
    for start in (b"", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"ID3"):
        path = (
            tmp_path_factory.getbasetemp()
            / f"any{'.wav' if start[:1] == b'R' else '.flac' if start[:1] == b'f' else '.ogg'}"
        )
        path.write_bytes(start + head + bytes(n_zeros))
        try:
            assert hear(path, max_s=10.0).rate_hz > 0
        except MediaError as error:
            _says(error.reason)


CELLS = st.one_of(
    st.sampled_from(
        ["dQw4w9WgXcQ", "30", "a.wav", "../x", "/etc/x", "one", "", '"', "\ufeff", "path", "clip_id", "take"]
    ),
    st.text(max_size=12),
)
ROWS = st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=6).map("\n".join)
TEXTS = st.one_of(
    ROWS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    ROWS.map(lambda text: b"path,clip_id\n" + text.encode("utf-8", "surrogatepass")),
    ROWS.map(lambda text: b"\xef\xbb\xbfpath,clip_id,take\r\n" + text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name in ("a.wav", "b.mp4"):
        (folder / name).write_bytes(b"x")
    return folder


@hypothesis.given(text=TEXTS)
def test_r7_any_name_map(videos: Path, text: bytes):
    """R7: of eval and of prepare: matched, told, or refused with the file named."""
    names = videos.parent / "names.csv"
    names.write_bytes(text)
    try:
        matched = match(videos, {"one": "", "a": ""}, names)
        assert all(isinstance(line, str) for line in leftovers(matched))
        assert all(path.parent == videos for paths in matched.files.values() for path in paths)
    except FoleyError as error:
        _says(str(error), "names.csv", "two files")
    try:
        items = load_dataset("folder").items(parse_options("folder", [str(videos), "--names", str(names)]))
        assert all(Path(item.spec["path"]).is_relative_to(videos) for item in items)
    except FoleyError as error:
        _says(str(error), "names.csv")


@hypothesis.given(text=TEXTS)
def test_any_list_and_any_file_of_ids(videos: Path, text: bytes):
    path = videos.parent / "list.csv"
    path.write_bytes(text)
    try:
        assert all(row.line >= 0 for row in read_list(path))
    except FoleyError as error:
        _says(str(error), "list.csv")
    try:
        assert read_ids(path).ids
    except FoleyError as error:
        _says(str(error), "list.csv")
