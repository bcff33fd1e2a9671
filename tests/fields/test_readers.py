"""Readers: what is whole comes out as it was written, everything else is refused with the name of the file."""

import csv
import gzip
import io
import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleybench.errors import FoleyError, ManifestError
from foleybench.fields import (
    Place,
    anything,
    gunzip,
    mapping,
    parse_json,
    read_arrays,
    read_bytes,
    read_json,
    read_rows,
    read_text,
)
from tests.damage import damaged
from tests.json_values import JSON

HERE = Place("f")


@pytest.mark.slow
@given(JSON)
def test_json_comes_out_as_it_was_written(value):
    for ascii_only in (True, False):
        data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")
        found = parse_json(data, anything, HERE)
        assert found == value
        assert json.dumps(found) == json.dumps(value)  # -0.0 and 0, 1 and 1.0 are told apart


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_json_or_refused(data):
    try:
        value = parse_json(data, anything, HERE)
    except FoleyError:
        return
    assert json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f is not JSON"),
        (b"{", "f is not JSON"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "not JSON compliant"),
        (b'{"a": ' + b"9" * 400 + b".0}", "not JSON compliant"),
        (b'{"a": 1, "b": {"x": 1, "x": 2}}', "has 'x' twice in one object"),
        (b'{"a": "\\ud800"}', "surrogates not allowed"),
        (b"[" * 100_000, "f is nested too deeply"),
        (b"\xff\xfe{", "f is not UTF-8 text: byte 0 is 0xff"),
        (b'{"a": ' + b"1" * 5000 + b"}", "Exceeds the limit"),
        (b"[1]", r"f is \[1\]; an object is wanted"),
    ],
)
def test_what_json_files_are_refused_for(data, message):
    with pytest.raises(FoleyError, match=message):
        parse_json(data, mapping, HERE)


def test_a_byte_order_mark_is_no_fault():
    assert parse_json(b'\xef\xbb\xbf{"a": 1}', mapping, HERE) == {"a": 1}


def test_numbers_at_the_end_of_the_range_are_none_either():
    assert parse_json(b"[1e308, 1.7e+308, 12345E-400]", anything, HERE) == [1e308, 1.7e308, 0.0]
    assert parse_json(b'["1e999", "\\ud83d\\ude00"]', anything, HERE) == ["1e999", "\U0001f600"]


def test_files_that_cannot_be_read_are_named(tmp_path):
    for path, message in [
        (tmp_path / "none", "none does not exist"),
        (tmp_path, "is not a plain file"),
        (tmp_path / "a" / "b" / "c", "does not exist"),
        (tmp_path / ("x" * 300), "cannot be read: file name too long"),
        (tmp_path / "a\0b", "cannot be read: .*embedded null (byte|character)"),
    ]:
        with pytest.raises(ManifestError, match=message):
            read_bytes(path, Place(str(path), ManifestError))


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FoleyError, match="pipe is not a plain file"):
        read_bytes(tmp_path / "pipe")


def test_text_and_json_of_files(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xa4"}')
    assert read_json(tmp_path / "a.json", mapping) == {"a": "ä"}
    assert read_text(tmp_path / "a.json") == '{"a": "ä"}'
    (tmp_path / "b.json").write_bytes(b'{"a": "\xe4"}')
    with pytest.raises(FoleyError, match=r"b\.json is not UTF-8 text: byte 7 is 0xe4"):
        read_json(tmp_path / "b.json", mapping)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=10)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), mark=st.booleans())
def test_rows_come_out_as_they_were_written(rows, mark, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("clip_id", "path"), *rows])
    path.write_bytes((b"\xef\xbb\xbf" if mark else b"") + buffer.getvalue().encode())
    found = [(row["clip_id"], row["path"]) for _, row in read_rows(path, ["path", "clip_id"])]
    assert found == rows


@given(data=st.binary(max_size=60) | st.text(st.sampled_from('a,"\n\r\0é'), max_size=40).map(str.encode))
def test_any_bytes_are_rows_or_refused(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"a,b\n" + data)
    try:
        rows = list(read_rows(path, ["a", "b"]))
    except FoleyError:
        return
    assert all(row.keys() == {"a", "b"} for _, row in rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has the columns ''; path,clip_id are wanted, each once"),
        (b"path,id\n", "has the columns 'path,id'; path,clip_id are wanted"),
        (b"path,clip_id,path\n", "each once"),
        (b"path,clip_id\na,b\n\nc\n", "line 4 has 1 cells; 2 are wanted"),
        (b"path,clip_id\na,b,c\n", "line 2 has 3 cells; 2 are wanted"),
        (b'path,clip_id\na,"b"c\n', "line 2 is not CSV"),
        (b"path,clip_id\na," + b"b" * 200_000 + b"\n", "line 2 is not CSV: field larger than field limit"),
    ],
)
def test_tables_are_refused_with_the_line(content, message, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(FoleyError, match=message):
        list(read_rows(tmp_path / "t.csv", ["path", "clip_id"]))


def test_rows_say_their_line_and_leave_other_columns_out(tmp_path):
    (tmp_path / "t.csv").write_text('a,b,c\n1,"x\ny",3\n4,5,6\n')
    assert list(read_rows(tmp_path / "t.csv", ["c", "a"])) == [(3, {"c": "3", "a": "1"}), (4, {"c": "6", "a": "4"})]


@pytest.mark.parametrize("n", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_damaged_archives_are_refused_or_the_same(n):
    """Without a checksum of our own some damage shows in nothing; none may end in anything but a sentence."""
    draw = np.random.default_rng(n)
    packed = gzip.compress(b"clip table " * 40, mtime=0)
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(12.0), y=np.zeros((2, 0)))
    for read, data in ((gunzip, packed), (read_arrays, buffer.getvalue())):
        refused = 0
        for _ in range(n):
            try:
                read(damaged(data, draw), HERE)
            except FoleyError:
                refused += 1
        assert refused > n / 2


def test_arrays_come_out_as_they_were_written_and_code_does_not():
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(3.0))
    assert read_arrays(buffer.getvalue(), HERE)["x"].tolist() == [0.0, 1.0, 2.0]
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([print]))
    with pytest.raises(FoleyError, match=r"f is not a file of arrays: .*allow_pickle"):
        read_arrays(buffer.getvalue(), HERE)
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0))
    with pytest.raises(FoleyError, match="f is not a file of arrays"):
        read_arrays(buffer.getvalue(), HERE)
