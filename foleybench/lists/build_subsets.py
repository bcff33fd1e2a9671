"""Make the shipped id files from the lists their authors publish.

    python -m foleybench.lists.build_subsets --official test.csv --mmaudio vgg-test.tsv \
        --synchformer vggsound_test.txt --vggsounder-1.0 vggsounder.csv --vggsounder-0.1 vggsounder_0.1.6.csv

The same lists give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import functools
import gzip
import hashlib
import io
import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError
from foleybench.files import write_atomically
from foleybench.lists.subsets import CLIPS, FOLDER, INDEX, id_text, read_ids

SOURCES = {
    "official": "hche11/VGGSound@9bbc749 data/test.csv (CC BY 4.0)",
    "mmaudio": "hkchengrex/MMAudio@974010a sets/vgg-test.tsv (MIT)",
    "synchformer": "v-iashin/Synchformer@b66668a data/vggsound_test.txt (MIT)",
    "vggsounder-1.0": "Bizilizi/VGGSounder@5a91bf6 supplimentary/data/vggsounder.csv, package 1.0 of 2026 (Apache-2.0)",
    "vggsounder-0.1": "Bizilizi/VGGSounder@541f411 vggsounder/data/vggsounder.csv, packages 0.1.1 to 0.1.6 of 2025 "
    "(Apache-2.0)",
}
COMMON = "common"
OF_COMMON = ("official", "mmaudio", "synchformer", "vggsounder-1.0")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, source in SOURCES.items():
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="LIST", help=source)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: the package)")
    args = parser.parse_args(arguments)
    build_subset_lists({name: vars(args)[name.replace("-", "_")] for name in SOURCES}, args.out)
    return 0


def build_subset_lists(lists: dict[str, Path], out: Path) -> None:
    """Write ``clips.txt.gz`` and ``subsets.json``.

    Raises:
        FoleyError: A list names a clip that the official split does not have.
    """
    sets = {name: set(read_ids(path).ids) for name, path in lists.items()}
    official = sorted(sets["official"])
    for name, ids in sets.items():
        strangers = sorted(ids - sets["official"])
        if strangers:
            raise FoleyError(f"{lists[name]} names {len(strangers)} clips that are not in the official split: "
                             f"{strangers[0]} ...")  # fmt: skip
    sets[COMMON] = functools.reduce(set.intersection, (sets[name] for name in OF_COMMON))
    sources = {**SOURCES, COMMON: f"the clips that are in all of {', '.join(OF_COMMON)}"}
    index = {name: _record(ids, official, sources[name]) for name, ids in sets.items()}
    write_atomically(out / CLIPS, _gzip(id_text(official)))
    write_atomically(
        out / INDEX, (json.dumps({"schema": 1, "subsets": index}, indent=1, sort_keys=True) + "\n").encode()
    )
    for name, record in index.items():
        sys.stdout.write(f"{name}: {record['n_ids']} clips, sha256 {record['sha256']}\n")


def _record(ids: set[str], official: Sequence[str], source: str) -> dict[str, Any]:
    mask = bytearray((len(official) + 7) // 8)
    for k, clip_id in enumerate(official):
        mask[k // 8] |= (clip_id in ids) << (k % 8)
    return {
        "n_ids": len(ids),
        "sha256": hashlib.sha256(id_text(ids)).hexdigest(),
        "source": source,
        "mask": base64.b64encode(zlib.compress(bytes(mask), 9)).decode(),
    }


def _gzip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="", compresslevel=9) as handle:
        handle.write(data)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
