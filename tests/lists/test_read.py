"""Lists in every published layout, and rows that nobody should trust."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.lists import BadRow, ListRow, read_list

REAL = os.environ.get("FOLEYBENCH_REAL_DATA")
VGGSOUND = '---g-f_I2yQ,1,"people marching",test\n_-AbCdEfGhI,30,"bird chirping, tweeting",train\n'
AUDIOSET = (
    "# Segments csv created Sun Mar  5 10:54:25 2017\n# num_ytids=2, num_segs=2, num_unique_labels=527\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
    '--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/07q6cd_"\n--BfvyPmVMo, 20.500, 29.000, "/m/03l9g"\n'
)


def read(tmp_path: Path, text: str | bytes, name: str = "list.csv") -> tuple[list[ListRow], list[BadRow]]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rows = list(read_list(path))
    return [row for row in rows if isinstance(row, ListRow)], [row for row in rows if isinstance(row, BadRow)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VGGSOUND, [("---g-f_I2yQ", 1.0, None, ("people marching",), "test"),
                    ("_-AbCdEfGhI", 30.0, None, ("bird chirping, tweeting",), "train")]),
        (AUDIOSET, [("--4gqARaEJE", 0.0, 10.0, ("/m/068hy", "/m/07q6cd_"), ""),
                    ("--BfvyPmVMo", 20.5, 29.0, ("/m/03l9g",), "")]),
        ("--PJHxphWEs,30,40,/m/09x0r\n", [("--PJHxphWEs", 30.0, 40.0, ("/m/09x0r",), "")]),
        ("glLQrEijrKg_000300.mp4,hammond organ\n", [("glLQrEijrKg", 300.0, None, ("hammond organ",), "")]),
        ("id\tlabel\n--U7joUcTCo_000000\tpeople coughing\n", [("--U7joUcTCo", 0.0, None, ("people coughing",), "")]),
        ("---g-f_I2yQ_1000_11000\n", [("---g-f_I2yQ", 1.0, 11.0, (), "")]),
        ("file,start_sec\n--U7joUcTCo_0_10000,2.43\n", [("--U7joUcTCo", 0.0, 10.0, (), "")]),
        ("filename,start,desc,split\n--56QUhyDQM,185,playing tennis,train\n",
         [("--56QUhyDQM", 185.0, None, ("playing tennis",), "train")]),
        ("audiocap_id,youtube_id,start_time,caption\n103549,7fmOlUlwoNg,20,Constant rattling\n",
         [("7fmOlUlwoNg", 20.0, None, ("Constant rattling",), "")]),
        ("Church bell&RUhOCu3LNXM&good&0&10\n", [("RUhOCu3LNXM", 0.0, 10.0, ("Church bell",), "")]),
        ("\ufeffid,label\r\n--U7joUcTCo_000007,x\r\n", [("--U7joUcTCo", 7.0, None, ("x",), "")]),
        ("eval_segments/jF73O9J4KEI_30000_40000\n", [("jF73O9J4KEI", 30.0, 40.0, (), "")]),
    ],
)  # fmt: skip
def test_layouts(tmp_path: Path, text: str, expected: list):
    rows, bad = read(tmp_path, text)
    assert bad == []
    assert [tuple(row[:5]) for row in rows] == expected


@pytest.mark.parametrize(
    "row",
    [
        "../../x,1,dog,test",
        "; rm -rf /,1,dog,test",
        "<script>x()</script>,1,dog,test",
        "---g-f_I2yQ,nan,dog,test",
        "---g-f_I2yQ,-1,dog,test",
        "---g-f_I2yQ,1e99,dog,test",
        "---g-f_I2yQ,one,dog,test",
        "---g-f_I2yQ,1",
        "",
        f"---g-f_I2yQ,1,{'x' * 10_000},test",
        f"{'x' * 10_000},1,dog,test",
        f"---g-f_I2yQ,1,{'x' * 200_000},test",
        "---g-f_I2yQ,1,do\0g,test",
        "---g-f\0I2yQ,1,dog,test",
        "---g-f_I2yQ,1,\u202egod,test",
        "---g-f_I2yQ,1,\x1b[31mdog,test",
        '---g-f_I2yQ,1,"never closed,test',
        "\u0661\u0662345678901,1,dog,test",
    ],
)
def test_one_bad_row_costs_one_row(tmp_path: Path, row: str):
    rows, bad = read(tmp_path, f'{VGGSOUND}{row}\nlastAfterAl,5,"dog",test\n')
    assert [one.video_id for one in rows] == ["---g-f_I2yQ", "_-AbCdEfGhI", "lastAfterAl"]
    assert [one.line for one in bad] == ([3] if row else [])
    for one in bad:
        assert (one.reason + one.shown).isprintable()
        assert len(one.reason) + len(one.shown) < 600


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path):
    rows, bad = read(tmp_path, VGGSOUND.encode() + b'\xff\xfe\x00\x01,1,"dog",test\nlastAfterAl,5,"d\xff",test\n')
    assert [row.line for row in bad] == [3]
    assert rows[-1].labels == ("d\ufffd",)


def test_a_list_that_was_cut_off_is_noticed(tmp_path: Path):
    rows, bad = read(tmp_path, AUDIOSET.rsplit("--Bf", 1)[0])
    assert len(rows) == 1
    assert "says that it has 2 rows, and has 1" in bad[0].reason


def test_an_end_before_the_start_is_bad(tmp_path: Path):
    rows, bad = read(tmp_path, 'RUhOCu3LNXM, 5.0, 5.0, "/m/1"\nRUhOCu3LNXM, 5.0, 6.0, "/m/1"\n')
    assert (len(rows), bad[0].line) == (1, 1)


def test_what_is_no_list_is_refused(tmp_path: Path):
    with pytest.raises(FoleyError, match=r"no list at .*, or `official`, which fetches it"):
        list(read_list(tmp_path / "none.csv"))
    with pytest.raises(FoleyError, match="7 fields"):
        read(tmp_path, "a,b,c,d,e,f,g\n")


@pytest.mark.realdata
@pytest.mark.skipif(not REAL, reason="FOLEYBENCH_REAL_DATA is not set")
@pytest.mark.parametrize(
    ("name", "n_rows", "n_bad"),
    [
        ("vggsound/vggsound_test.csv", 15446, 0),
        ("vggsound/mmaudio_vgg-test.tsv", 15221, 0),
        ("vggsound/synchformer_vggsound_train.txt", 156696, 0),
        ("vggsounder/vggsounder.csv", 29509, 0),
        ("audioset/eval_segments.csv", 20371, 0),
        ("audioset/balanced_train_segments.csv", 22160, 0),
        ("audioset/balanced_train_segments.nohdr-variant.csv", 22160, 0),
        ("audiocaps/test.csv", 4875, 0),
        ("ave/Annotations.txt", 4142, 1),
    ],
)
def test_the_real_lists_are_read_in_full(name: str, n_rows: int, n_bad: int):
    rows = list(read_list(Path(str(REAL)) / "lists" / name))
    assert sum(isinstance(row, ListRow) for row in rows) == n_rows
    assert sum(isinstance(row, BadRow) for row in rows) == n_bad
