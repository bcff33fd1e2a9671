"""Files that people already have are matched with the list under every naming scheme, and never by a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.prepare.obtain.local import LocalFiles


def match(
    tmp_path: Path, names: list[str], listed: list[tuple[str, float]]
) -> dict[tuple[str, int], tuple[str, float]]:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = LocalFiles([tmp_path]).match(listed)
    return {key: (Path(file.path).relative_to(tmp_path).as_posix(), file.cut_s) for key, file in found.items()}


@pytest.mark.parametrize(
    "name",
    [
        *("-AvTGh7DiLI_000052.mp4", "-AvTGh7DiLI_52000_62000.mkv", "-AvTGh7DiLI_52.000.webm", "-AvTGh7DiLI_52.mp4"),
        *("Y-AvTGh7DiLI_000052.mp4", "-AvTGh7DiLI_52.000_62.000.mp4", "deep/er/-AvTGh7DiLI_000052.MP4"),
        "AvTGh7DiLI_000052.mp4",
    ],
)
def test_schemes(tmp_path: Path, name: str):
    assert match(tmp_path, [name], [("-AvTGh7DiLI", 52.0), ("xxxxxxxxxxx", 52.0)]) == {
        ("-AvTGh7DiLI", 52000): (name, 0.0)
    }


def test_another_start_is_another_clip(tmp_path: Path):
    assert match(tmp_path, ["-AvTGh7DiLI_000052.mp4"], [("-AvTGh7DiLI", 53.0)]) == {}


def test_a_whole_video_serves_every_segment_and_is_cut(tmp_path: Path):
    found = match(tmp_path, ["-AvTGh7DiLI.mp4"], [("-AvTGh7DiLI", 52.0), ("-AvTGh7DiLI", 70.5)])
    assert found == {
        ("-AvTGh7DiLI", 52000): ("-AvTGh7DiLI.mp4", 52.0),
        ("-AvTGh7DiLI", 70500): ("-AvTGh7DiLI.mp4", 70.5),
    }


def test_a_lost_first_character_that_fits_two_clips_is_not_guessed(tmp_path: Path):
    assert match(tmp_path, ["AvTGh7DiLI_000052.mp4"], [("-AvTGh7DiLI", 52.0), ("_AvTGh7DiLI", 52.0)]) == {}


def test_two_lost_characters(tmp_path: Path):
    assert match(tmp_path, ["AvTGh7DiL_000052.mp4"], [("_-AvTGh7DiL", 52.0)]) == {
        ("_-AvTGh7DiL", 52000): ("AvTGh7DiL_000052.mp4", 0.0)
    }


def test_a_letter_is_never_taken_for_lost(tmp_path: Path):
    assert match(tmp_path, ["vTGh7DiLIx_000052.mp4"], [("AvTGh7DiLIx", 52.0)]) == {}


def test_the_right_name_goes_before_the_damaged_one(tmp_path: Path):
    names = ["AvTGh7DiLI_000052.mp4", "z/-AvTGh7DiLI_000052.mp4"]
    assert match(tmp_path, names, [("-AvTGh7DiLI", 52.0)]) == {
        ("-AvTGh7DiLI", 52000): ("z/-AvTGh7DiLI_000052.mp4", 0.0)
    }


def test_what_else_lies_there_is_counted(tmp_path: Path):
    for name in ("holiday.mp4", "notes.txt", ".hidden.mp4", "a/-AvTGh7DiLI_000052.mp4", "b/-AvTGh7DiLI_000052.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = LocalFiles([tmp_path])
    assert (files.n_files, len(files.unnamed), files.n_doubled) == (3, 1, 1)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FoleyError, match="is not a folder"):
        LocalFiles([tmp_path / "none"])
