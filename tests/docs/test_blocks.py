"""Each command and each Python block of README and docs runs as written, or as its mark says."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import foleybench
from foleybench import cli, registry
from foleybench.media.audio import write_wav
from tests.docs.blocks import ALL, MARKS, PAGES, ROOT, Block, blocks_of
from tests.made_media import click, pictures, write_video

SHELL = [block for block in ALL if block.language == "sh"]
PYTHON = [block for block in ALL if block.language == "python"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IDS = ("4Tpy1lsfcSM", "4Vq6WDtxTt4")  # two of the subset `common`, so that --subset finds them


def name_of(found):
    return found.name


def test_every_block_says_what_it_is():
    strange = [block.name for block in ALL if block.language not in ("sh", "python", "toml", "text", "bibtex")]
    assert strange == []
    assert len(SHELL) > 30
    assert len(PYTHON) > 8


def test_every_public_name_is_in_the_api_page():
    told = set(re.findall(r"^::: foleybench\.([A-Za-z_]+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    assert told == set(foleybench.__all__)


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not link.startswith("https://") and not (ROOT / link).exists()] == []


def test_every_mark_is_known_and_gives_a_reason():
    for block in ALL:
        assert set(block.marks) <= set(MARKS), block.name
        for mark in ("adds", "exit"):
            assert mark not in block.marks or block.marks[mark].partition("|")[2].strip(), block.name


def test_a_page_that_is_linked_is_in_the_menu_and_the_other_way_round():
    """The builder reports broken links, and no page of the menu that is missing."""
    menu = set(re.findall(r"([a-z_/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES if path.name != "README.md"}
    assert menu == pages | {"metric_cards/index.md"}


@pytest.mark.parametrize("block", PYTHON, ids=name_of)
def test_python_compiles(block):
    compile(block.text, block.name, "exec")


@pytest.mark.parametrize("block", SHELL, ids=name_of)
def test_commands_exist_with_their_options(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a folder given for --data is looked into while options are read
    for command in block.commands:
        words = list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), shlex.split(command)))
        if (kind := _kind(words)) == "foleybench":
            _, args = cli._parse(_arguments(words) + (block.added if "-m" not in words else []))
            assert hasattr(args, "run"), command
        else:
            assert kind, f"{block.name}: what is {command!r}?"


def _arguments(words):
    return words[words.index("foleybench") + 1 :]


def _kind(words):
    """Return what a command is; "" when nothing here knows it."""
    if words[0] == "foleybench" or words[0] == "torchrun" or words[:3] == ["python", "-m", "foleybench"]:
        return "foleybench" if not _is_steps(words) else "plugin"
    if words[0] == "make":
        return "make" if re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE) else ""
    if words[:2] == ["pip", "install"]:
        extras = re.findall(r"\[([a-z,]+)\]", words[-1])
        known = all(extra in PROJECT["optional-dependencies"] for found in extras for extra in found.split(","))
        return "pip" if known else ""
    if words[0] == "python" and words[1].startswith("benchmarks/"):
        return "script" if (ROOT / words[1]).is_file() else ""
    if words[:2] == ["git", "clone"] or words[0] in ("cd", "."):
        return "shell"
    return "venv" if words[:3] == ["python3", "-m", "venv"] else ""


def _is_steps(words):
    """The data set that a page adds is known only after its installation."""
    return words[:3] == ["foleybench", "prepare", "steps"]


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """What the pages take as given: videos, sound for them, clips of VGGSound, lists."""
    home = tmp_path_factory.mktemp("media")
    for index, name in enumerate(("door", "dog", "rain")):
        sound = click(0.5 + 0.3 * index, 2.0) + np.random.default_rng(index).normal(0, 0.01, 32000).astype(np.float32)
        write_video(home / "my_videos" / f"{name}.mp4", pictures(50), audio=sound)
        for folder, late in (("my_outputs", 800), ("their_outputs", 4000)):
            write_wav(home / folder / f"{name}.wav", np.roll(sound, late), 16000)
    for video_id in IDS:
        sound = click(2.0, 10.0) + np.random.default_rng(7).normal(0, 0.01, 160000).astype(np.float32)
        write_video(home / "my_clips" / f"{video_id}_000030.mp4", pictures(250), audio=sound)
    write_video(home / "clip.mp4", pictures(50), audio=click(0.5, 2.0))
    (home / "vggsound.csv").write_text("".join(f"{video_id},30,dog barking,test\n" for video_id in IDS))
    lists = home / "audioset_lists"
    lists.mkdir()
    rows = "".join(f'{video_id}, 30.000, 40.000, "/m/0bt9lr"\n' for video_id in IDS)
    (lists / "eval_segments.csv").write_text(f"# Segments csv\n# num_ytids=2\n# YTID, start, end, labels\n{rows}")
    (lists / "class_labels_indices.csv").write_text('index,mid,display_name\n0,/m/0bt9lr,"Dog"\n')
    return home


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_in_order(page, media, tmp_path, monkeypatch):
    for path in media.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLEYBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    # Six clips are scored before a second process has started.
    monkeypatch.setattr("foleybench.scoring.workers.usable_cores", lambda: 1)
    monkeypatch.setattr("foleybench.generation.speed.REPEATS", 1)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks_of(page):
        if "file" in block.marks:
            target = tmp_path / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, block.name, "exec"), names)
        elif block.language == "sh" and "parse" not in block.marks:
            for command in block.commands:
                _run(block, shlex.split(command))
    registry.refresh()


def _run(block: Block, words: list[str]) -> None:
    if words[:2] == ["pip", "install"] and words[-1].startswith("./"):
        options = ["--quiet", "--target", "site", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, words[-1]], check=True)
        registry.refresh()
    if words[0] != "foleybench":
        return
    expanded = [path for word in words[1:] for path in (sorted(glob.glob(word)) if "*" in word else [word])]
    assert _code([*expanded, *block.added]) in block.codes, f"{block.name}: {' '.join(words)}"


def _code(words: list[str]) -> int:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        return cli.main(words)


def test_the_runner_notices_what_is_wrong(tmp_path, monkeypatch):
    """A page with a wrong option, an unknown mark and a wrong code is read as such."""
    page = Path(tmp_path / "page.md")
    page.write_text(
        "<!-- exit: 3 | x -->\n<!-- adds: --limit 2 | few -->\n```sh\nfoleybench list --nonsense  # c\n```\n"
    )
    (block,) = blocks_of(page)
    assert (block.codes, block.added, block.commands) == ({3}, ["--limit", "2"], ["foleybench list --nonsense"])
    with pytest.raises(SystemExit):
        test_commands_exist_with_their_options(block, tmp_path, monkeypatch)
    with pytest.raises(AssertionError):
        _run(dataclasses.replace(block, marks={"exit": "3 | x"}), ["foleybench", "list", "metrics"])
