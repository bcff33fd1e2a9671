"""Shorten paths that lead out of the current folder.

Results, cards and pages are published, and a path such as ``/home/name/project/test.manifest.jsonl`` names a person and
how their machine is laid out. Whoever makes a number again needs the command and the names of the files in the current
folder. So a path below the current folder becomes relative to it, and of any other only the last part is kept:
``.../test.manifest.jsonl``; of somebody's home folder itself nothing is kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ELSEWHERE = "..."
_FILE_URL = "file://"
_HOMES = (Path("/home"), Path("/Users"))
# What stands before `=` in `--data=PATH`, `key=PATH` and `--set=key=PATH`.
_KEY = re.compile(r"[^/~\s=]+=")
_FOLDER_ENDS = r"""(?=[/\s'"`,;:)\]]|$)"""
# Inside a sentence a path has two parts or more, and ends at a space unless it is quoted.
_QUOTED = re.compile(r"""(?P<quote>['"`])(?P<path>(?:file://)?(?:/|~[^/\s]*/|(?:\.\./)+)[^'"`\n]+)(?P=quote)""")
_BARE = re.compile(r"""(?:(?<=[\s(\[=,;:<>|'"`])|^)(?:file://)?(?:~[^/\s]*/|(?:\.\./)+|/)(?!/)[^\s'"`,;:()\[\]<>|]+""")


def word_without_places(word: str) -> str:
    """Return a word of a command with its path shortened, also one behind ``--option=`` or ``key=``.

    Words that are no paths, ``..`` that stays inside the current folder, and addresses such as ``s3://bucket/a`` are
    left alone.

    Example:
        >>> word_without_places("--data=/srv/sets/test.manifest.jsonl"), word_without_places("out/audio")
        ('--data=.../test.manifest.jsonl', 'out/audio')
        >>> word_without_places("1/2"), word_without_places("keys/strings struck")
        ('1/2', 'keys/strings struck')
    """
    if _is_path(word):
        return _shortened(word)
    key = _KEY.match(word)
    return key[0] + word_without_places(word[key.end() :]) if key else text_without_places(word)


def text_without_places(text: str, folders: Iterable[Path] = ()) -> str:
    """Return a sentence with the paths in it shortened: absolute ones of two parts or more, and ``~`` and ``..``.

    Args:
        text: The sentence.
        folders: Folders that it may name; these are found even where their names hold spaces.

    Example:
        >>> text_without_places("take 0: /srv/sets/mine/0.wav cannot be read, and/or is empty")
        'take 0: .../0.wav cannot be read, and/or is empty'
    """
    for folder in sorted({*folders, *_current()}, key=lambda one: -len(str(one))):
        text = _without_folder(text, folder)
    home = Path.home()
    if " " in str(home):
        text = text.replace(f"{home}/", "~/")
    text = _QUOTED.sub(lambda found: f"{found['quote']}{_shortened_in_text(found['path'])}{found['quote']}", text)
    return _BARE.sub(lambda found: _shortened_in_text(found[0]), text)


def facts_without_places(facts: Any, folders: Iterable[Path] = ()) -> Any:
    """Return JSON values with the paths in their texts, also those of keys, shortened (``text_without_places``)."""
    folders = tuple(folders)
    if isinstance(facts, str):
        return text_without_places(facts, folders)
    if isinstance(facts, Mapping):
        found = {key: facts_without_places(value, folders) for key, value in facts.items()}
        return {text_without_places(key, folders): value for key, value in found.items()}
    if isinstance(facts, (list, tuple)):
        return [facts_without_places(value, folders) for value in facts]
    return facts


def _without_folder(text: str, folder: Path) -> str:
    """Return a text with an absolute folder shortened, and what follows it as it was."""
    for known in dict.fromkeys((str(folder.absolute()), os.path.realpath(folder))):
        if len(Path(known).parts) > 2:
            text = re.sub(rf"(?<![\w.]){re.escape(known)}{_FOLDER_ENDS}", lambda found: _shortened(found[0]), text)
    return text


def _is_path(word: str) -> bool:
    """Return whether a whole word is a path that may lead out of the current folder."""
    path = word.removeprefix(_FILE_URL)
    spaced = re.search(r"\s", path) is not None
    if path.startswith("~"):
        return os.path.expanduser(path) != path and path != "~"
    if not path.startswith("/"):
        return path.startswith("../") or (".." in path.split("/")[1:] and not spaced)
    first = path.lstrip("/").partition("/")[0]
    # A caption may start with a slash; a folder may have spaces in its name.
    return bool(first) and (not spaced or Path("/", first).exists())


def _shortened_in_text(path: str) -> str:
    """Return a path of a sentence shortened; ``/word/`` alone is none."""
    named = path.removeprefix(_FILE_URL)
    parts = [part for part in named.split("/") if part.strip()]
    return _shortened(path) if named.startswith(("~", "../")) or len(parts) > 1 else path


def _shortened(path: str) -> str:
    """Return a path relative to the current folder, or the last part of one that lies elsewhere."""
    whole = os.path.expanduser(path.removeprefix(_FILE_URL))
    lexical = [Path(os.path.normpath(here / whole)) for here in _current()]
    for found in (*lexical, Path(os.path.realpath(whole))):
        for here in _current():
            if found.is_relative_to(here):
                return str(found.relative_to(here))
    found = lexical[0]
    return ELSEWHERE if _is_home(found) or _current()[0].is_relative_to(found) else f"{ELSEWHERE}/{found.name}"


def _current() -> list[Path]:
    """Return the current folder, first as the shell calls it where it came there through a link."""
    here = Path.cwd()
    called = os.environ.get("PWD", "")
    return [Path(called), here] if os.path.isabs(called) and os.path.realpath(called) == str(here) else [here]


def _is_home(path: Path) -> bool:
    """Return whether a path is somebody's home folder, whose name is a person's."""
    homes = {*_HOMES, Path.home().parent} - {Path("/")}
    return path == Path.home() or path.parent in homes
