"""The shipped subsets: counts, hashes, and that the published lists give them again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from foleybench.errors import FoleyError, UnknownNameError
from foleybench.lists import build_subsets, subsets

REAL = os.environ.get("FOLEYBENCH_REAL_DATA")
EXPECTED = {
    "official": (15446, "6cb21ff06dd71096710c23c877ef4c4bb2e82826f468f69a18d4af4f3b5c5ed7"),
    "mmaudio": (15221, "d215c1dc41df5a3e825304b7ba7ed51503478a695fd4827755958f3161ab2f57"),
    "synchformer": (14511, "13bbbcae35e0255dfff811184fc060fa0b95c00a7a377ce28b6d61a3bce2d6fc"),
    "vggsounder-0.1": (12372, "f56e8aaacdcd89974bfcaa27db905c88a6d19901476a8a1ff2952e3357e5f0e4"),
    "vggsounder-1.0": (12014, "7fd00ec5b673db9ff5b33f3157efda8d5f7b45d9437d842223dd69d9e39d8ef3"),
    "common": (11141, "9d029ce23d56d703d3b97d2791fe8bfc96a76873addc021606a22126f71b879b"),
}


def test_counts_and_hashes():
    assert subsets.subset_names() == list(EXPECTED)
    for name, (count, sha256) in EXPECTED.items():
        found = subsets.load_subset(name)
        assert (len(found.ids), found.sha256) == (count, sha256)
        text = "".join(f"{clip_id}\n" for clip_id in sorted(found.ids)).encode()
        assert hashlib.sha256(text).hexdigest() == sha256
        assert found.facts() == {"name": name, "sha256": sha256, "n_ids": count}


def test_r11_a_list_that_changed_has_a_version_in_its_name():
    """R11: VGGSounder of 2025 has 12,372 clips, that of 2026 has 12,014; its name alone is the newer, and says so."""
    assert subsets.load_subset("vggsounder").name == "vggsounder-1.0"
    assert len(subsets.load_subset("vggsounder-0.1").ids - subsets.load_subset("vggsounder").ids) == 1124
    assert "2025" in subsets.load_subset("vggsounder-0.1").source


def test_the_intersection_is_that_of_the_first_four():
    others = [subsets.load_subset(name).ids for name in build_subsets.OF_COMMON]
    assert subsets.load_subset("common").ids == frozenset.intersection(*others)


def test_they_are_small():
    files = [subsets.FOLDER / subsets.CLIPS, subsets.FOLDER / subsets.INDEX]
    assert sum(path.stat().st_size for path in files) < 200_000


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError, match="vggsounder"):
        subsets.load_subset("vggsoundr")


@pytest.mark.parametrize(
    "text",
    ["---g-f_I2yQ_000001\n_-AbCdEfGhI_000030\n", "id\tlabel\n---g-f_I2yQ_000001\tx\n_-AbCdEfGhI_000030\ty\n",
     '---g-f_I2yQ,1,"x",test\n_-AbCdEfGhI,30,"y",test\n', "_-AbCdEfGhI_30000_40000\n---g-f_I2yQ_1000_11000\n"],
)  # fmt: skip
def test_an_ids_file_in_any_layout_is_the_same_subset(tmp_path: Path, text: str):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    found = subsets.read_ids(path)
    assert found.name == "mine"
    assert found.ids == {"---g-f_I2yQ_000001", "_-AbCdEfGhI_000030"}
    assert found.sha256 == hashlib.sha256(b"---g-f_I2yQ_000001\n_-AbCdEfGhI_000030\n").hexdigest()


def test_ids_of_our_own_data_sets_are_taken(tmp_path: Path):
    path = tmp_path / "mine.txt"
    path.write_text("synth-bounce-000007_000000\nclip01_000000\n")
    assert subsets.read_ids(path).ids == {"synth-bounce-000007_000000", "clip01_000000"}


def test_ids_of_videos_stand_for_all_their_clips(tmp_path: Path):
    path = tmp_path / "ast_eval_id.csv"
    path.write_text("--4gqARaEJE\n-0pJqpNjft4\n")
    found = subsets.read_ids(path)
    assert found.ids == {"--4gqARaEJE", "-0pJqpNjft4"}
    assert found.has("--4gqARaEJE_000030", "--4gqARaEJE")
    assert not found.has("AbCdEfGhIJK_000030", "AbCdEfGhIJK")
    path.write_text("--4gqARaEJE\n-0pJqpNjft4_000010\n")
    with pytest.raises(FoleyError, match="line 1: the row of video --4gqARaEJE does not say"):
        subsets.read_ids(path)


@pytest.mark.parametrize("text", ["", "../../x\n", "---g-f_I2yQ_000001,a\n; rm,b\n"])
def test_an_ids_file_that_is_wrong_is_named(tmp_path: Path, text: str):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(FoleyError, match=r"mine\.txt"):
        subsets.read_ids(path)


def test_build_is_the_same_each_time_and_refuses_strangers(tmp_path: Path):
    names = {"official": "abc", "mmaudio": "ab", "synchformer": "bc", "vggsounder-1.0": "b", "vggsounder-0.1": "b"}
    lists = {}
    for name, letters in names.items():
        lists[name] = tmp_path / f"{name}.txt"
        lists[name].write_text("".join(f"{letter * 11}_000001\n" for letter in letters))
    for folder in ("one", "two"):
        build_subsets.build_subset_lists(lists, tmp_path / folder)
    for name in (subsets.CLIPS, subsets.INDEX):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    lists["mmaudio"].write_text("ddddddddddd_000001\n")
    with pytest.raises(FoleyError, match="1 clips that are not in the official split"):
        build_subsets.build_subset_lists(lists, tmp_path / "three")


@pytest.mark.realdata
@pytest.mark.skipif(
    not (REAL and "FOLEYBENCH_VGGSOUNDER_2025" in os.environ),
    reason="FOLEYBENCH_REAL_DATA or FOLEYBENCH_VGGSOUNDER_2025 (the list in package vggsounder 0.1.6) is not set",
)
def test_the_published_lists_give_the_shipped_files(tmp_path: Path):
    root = Path(str(REAL)) / "lists"
    lists = {
        "official": root / "vggsound/vggsound_test.csv",
        "mmaudio": root / "vggsound/mmaudio_vgg-test.tsv",
        "synchformer": root / "vggsound/synchformer_vggsound_test.txt",
        "vggsounder-1.0": root / "vggsounder/vggsounder.csv",
        "vggsounder-0.1": Path(os.environ["FOLEYBENCH_VGGSOUNDER_2025"]),
    }
    build_subsets.build_subset_lists(lists, tmp_path)
    for name in (subsets.CLIPS, subsets.INDEX):
        assert (tmp_path / name).read_bytes() == (subsets.FOLDER / name).read_bytes()
