"""Say whether a finished split is a published one.

Rows of the tables were scored on the published splits. A rendered corpus comes with a list of their manifests, JSON
Lines: of each the header, which states how many lines follow and their SHA-256, and ``sha256``, the name of the test
set. A split that should be a published one and has other bytes is another test set; only this list can tell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# What a split and a published one share when they should be the same: all that was asked for. (`--limit` is not in the
# profile, but shortens the manifest.)
_ASKED_FOR = ("dataset", "split", "version", "profile", "n_lines")
# What result pages show of the name of a test set.
_SHOWN = 12
_GET_VERSIONS = (
    "install those of the published one (libavcodec comes with PyAV, `av`; libsndfile with `soundfile`) and prepare "
    "again with --force"
)
_SAME_VERSIONS = (
    "the versions in its header are the published ones, so the likely reason is another processor, C library or NumPy: "
    "the published bytes are known to come out on x86-64 with AVX2 or AVX-512, with NumPy 2.4.6 and glibc 2.36, "
    "and those of `heldout_fps` with NumPy 2.5.5 and glibc 2.41"
)
_OTHER_MACHINE = "`foleybench doctor` prints these; prepare on another machine, or copy its shards"


def remarks(manifests: Mapping[str, Path], *, published: Path) -> list[str]:
    """Return lines that say which splits are published ones, and which should be and are not.

    Args:
        manifests: Manifest of each finished split.
        published: The list of published manifests.

    Returns:
        Lines that begin with the split's name; none for a split that was made with other options.

    Raises:
        ManifestError: A manifest was cut or altered.
    """
    known = [json.loads(line) for line in published.read_text(encoding="utf-8").splitlines()]
    found = []
    for split, path in manifests.items():
        made, failed = stated(path)
        for one in known:
            if all(one[field] == made.get(field) for field in _ASKED_FOR):
                found += [f"{split}: {line}" for line in _compared(made, one, failed, path)]
    return found


def stated(path: Path) -> tuple[dict[str, Any], Counter[str]]:
    """Return a manifest's header with ``sha256``, and how many clips failed, by status.

    Raises:
        ManifestError: The manifest was cut or altered.
    """
    from foleybench.shards.manifest_lines import ManifestLines, parse_line

    with path.open("rb") as handle:
        lines = ManifestLines(str(path), handle)
        statuses = Counter(parse_line(line)["status"] for _, line in lines)
    del statuses["ok"]
    return {**lines.header, "sha256": lines.sha256}, statuses


def _compared(made: dict[str, Any], known: dict[str, Any], failed: Counter[str], path: Path) -> list[str]:
    """Return the line on a published split, or the warning on one that is not."""
    name, same_name = known["sha256"][:_SHOWN], made["sha256"] == known["sha256"]
    same_lines = made["lines_sha256"] == known["lines_sha256"]
    if same_name and same_lines:
        return [f"the published split {name}"]
    if same_name:
        # A test set is named by its media: the hashes of the JSON members came later and are no part of the name.
        return [
            f"WARNING: video and audio are those of the published split {name}, the events (JSON) are not ({path})",
            f"its lines_sha256 is {made['lines_sha256'][:_SHOWN]}, published {known['lines_sha256'][:_SHOWN]}",
            "tables cannot tell it from the published one, so keep its results out of them",
            *_reasons(made, known, failed),
        ]
    return [
        f"WARNING: not the published split {name}; this one is {made['sha256'][:_SHOWN]} ({path})",
        "a result on it is of another test set: it will not be ranked beside the published rows",
        *_reasons(made, known, failed),
    ]


def _reasons(made: dict[str, Any], known: dict[str, Any], failed: Counter[str]) -> list[str]:
    """Return why a split is likely another one than published, and what to do."""
    found = []
    if failed:
        counts = ", ".join(f"{n} {status}" for status, n in sorted(failed.items()))
        found.append(f"clips failed ({counts}), in the published one none did: try them again with --retry")
    versions = [
        f"{tool} {made['tools'].get(tool, 'absent')} (published: {version})"
        for tool, version in known["tools"].items()
        if made["tools"].get(tool) != version
    ]
    if versions:
        found += [f"made by other versions: {', '.join(versions)}", _GET_VERSIONS]
    return found or [_SAME_VERSIONS, _OTHER_MACHINE]
