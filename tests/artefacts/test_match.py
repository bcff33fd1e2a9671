"""Files of a folder and the clips that they belong to: by name, by scheme, by map; takes; what matches nothing."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

import pytest

from foleybench.artefacts.match import Matched, match, nearest
from foleybench.errors import FoleyError
from foleybench.media.folder import FolderFiles

AWKWARD = {
    "my-dog": "my dog.mp4",
    "take-v1-2": "take.v1.2.mp4",
    "звонок": "звонок.mp4",
    "敲门声": "敲门声.mov",
    "--bark": "🐶 bark.mp4",
    "-dash": "-dash.mp4",
    "it-s--loud-": "it's 'loud'.mp4",
    "100-": "100%.mp4",
    "café": "café.mp4",
    "हिन्दी": "हिन्दी.mp4",
}


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(folder: Path, clips: dict[str, str], names: Path | None = None) -> dict[str, list[str]]:
    files = match(folder, clips, names).files
    return {clip_id: [str(path.relative_to(folder)) for path in paths] for clip_id, paths in files.items()}


def test_awkward_names_match_as_they_stand(tmp_path):
    touch(tmp_path, *(str(PurePosixPath(source).with_suffix(".wav")) for source in AWKWARD.values()))
    assert {clip_id: Path(files[0]).stem for clip_id, files in found(tmp_path, AWKWARD).items()} == {
        clip_id: Path(source).stem for clip_id, source in AWKWARD.items()
    }


def test_awkward_names_match_as_ids(tmp_path):
    touch(tmp_path, *(f"{clip_id}.flac" for clip_id in AWKWARD))
    assert set(found(tmp_path, AWKWARD)) == set(AWKWARD)


def test_accents_in_two_pieces_are_the_same_name(tmp_path):
    touch(tmp_path, unicodedata.normalize("NFD", "café.wav"))
    assert set(found(tmp_path, {"café": "café.mp4"})) == {"café"}


@pytest.mark.parametrize(
    "name",
    ["-1pRmoJIGQc_147000_157000", "-1pRmoJIGQc_000147", "-1pRmoJIGQc_147_157", "-1pRmoJIGQc_147.000"],
)
@pytest.mark.parametrize("clip_id", ["-1pRmoJIGQc_147000_157000", "-1pRmoJIGQc_000147"])
def test_the_same_seconds_of_the_same_video_are_one_clip(tmp_path, name, clip_id):
    touch(tmp_path, f"{name}.wav", "-1pRmoJIGQc_000148.wav")
    assert found(tmp_path, {clip_id: ""}) == {clip_id: [f"{name}.wav"]}


def test_two_clips_that_one_name_could_mean_get_neither(tmp_path):
    """Half a second apart: the lists' name, in whole seconds, cannot say which."""
    clips = {"-1pRmoJIGQc_30000_40000": "", "-1pRmoJIGQc_30500_40500": ""}
    touch(tmp_path, "-1pRmoJIGQc_000030.wav")
    matched = match(tmp_path, clips)
    assert matched.files == {}
    assert matched.unmatched == [PurePosixPath("-1pRmoJIGQc_000030.wav")]
    touch(tmp_path, *(f"{clip_id}.wav" for clip_id in clips))
    assert set(found(tmp_path, clips)) == set(clips)


def test_folders_in_front_tell_equal_names_apart(tmp_path):
    clips = {"a-0": "a/0.mp4", "b-0": "b/0.mp4", "c": "deep/er/c.mp4"}
    touch(tmp_path, "a/0.wav", "b/0.wav", "c.wav")
    assert found(tmp_path, clips) == {"a-0": ["a/0.wav"], "b-0": ["b/0.wav"], "c": ["c.wav"]}


def test_takes_lie_in_a_folder_of_the_clips_name(tmp_path):
    touch(tmp_path, "my dog/0.wav", "my dog/1.wav", "my dog/10.wav", "my dog/2.wav", "cat/take_1.wav", "cat/take 2.wav")
    assert found(tmp_path, {"my-dog": "my dog.mp4", "cat": "cat.mp4"}) == {
        "my-dog": ["my dog/0.wav", "my dog/1.wav", "my dog/2.wav", "my dog/10.wav"],
        "cat": ["cat/take_1.wav", "cat/take 2.wav"],
    }


def test_a_sound_beside_its_takes_is_refused(tmp_path):
    touch(tmp_path, "cat/0.wav", "cat.wav")
    with pytest.raises(FoleyError, match=r"two files for clip 'cat': cat\.wav and cat/0\.wav"):
        match(tmp_path, {"cat": ""})


def test_a_map_gives_names_and_takes(tmp_path):
    touch(tmp_path, "x/1.wav", "x/2.wav", "y.wav")
    names = tmp_path / "names.csv"
    rows = ["path,clip_id,take", "x/1.wav,my dog.mp4,1", "x/2.wav,my-dog,0", "y.wav,nobody,", "../z.wav,my-dog,3"]
    names.write_text("\ufeff" + "\n".join(rows) + "\n", encoding="utf-8")
    matched = match(tmp_path, {"my-dog": "my dog.mp4", "cat": ""}, names)
    assert matched.files == {"my-dog": (tmp_path / "x/2.wav", tmp_path / "x/1.wav")}
    assert matched.missing == ["cat"]
    assert matched.unmatched == [PurePosixPath("y.wav")]
    assert matched.unknown_rows == [
        "line 4: there is no clip 'nobody'",
        "line 5: there is no audio or video at '../z.wav' in the folder",
    ]


@pytest.mark.parametrize("text", ["path,clip_id,take\nx.wav,cat,second\n", "file,id\nx.wav,cat\n", "\n"])
def test_a_map_that_cannot_be_used_is_named(tmp_path, text):
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(FoleyError, match=r"names\.csv.*columns path,clip_id"):
        match(tmp_path, {"cat": ""}, tmp_path / "names.csv")


def test_what_matches_nothing_is_listed(tmp_path):
    touch(tmp_path, "hitting-bags.wav", "notes.txt", ".hidden.wav", "sub/b.mp4")
    matched = match(tmp_path, {"hitting_bag": "", "b": ""})
    expected = Matched(
        files={"b": (tmp_path / "sub/b.mp4",)},
        missing=["hitting_bag"],
        unmatched=[PurePosixPath("hitting-bags.wav")],
        lying=FolderFiles(
            media=[PurePosixPath("hitting-bags.wav"), PurePosixPath("sub/b.mp4")],
            others=[PurePosixPath(".hidden.wav"), PurePosixPath("notes.txt")],
            unreadable=[],
        ),
    )
    assert matched == expected
    assert nearest("hitting-bags", matched.missing) == ["hitting_bag"]
    assert nearest("violin", matched.missing) == []


def test_a_linked_subfolder_counts_once(tmp_path):
    """A link to a folder elsewhere is followed; one that leads back into the folder is no second file."""
    touch(tmp_path / "elsewhere", "cat.wav")
    touch(tmp_path / "audio", "dog.wav")
    (tmp_path / "audio" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "audio" / "circle").symlink_to(tmp_path / "audio")
    assert found(tmp_path / "audio", {"cat": "", "dog": ""}) == {"cat": ["link/cat.wav"], "dog": ["dog.wav"]}


def test_names_of_before_are_still_understood(tmp_path):
    """``<stem>_000000`` was the id of any clip of a folder; a clip that has this name itself comes first."""
    touch(tmp_path, "hitting_bag_000000.wav")
    assert set(found(tmp_path, {"hitting_bag": ""})) == {"hitting_bag"}
    assert set(found(tmp_path, {"hitting_bag": "", "hitting_bag_000000": ""})) == {"hitting_bag_000000"}
