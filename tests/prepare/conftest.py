"""A data set whose clips do what their spec says: work, fail, hang, crash, eat memory."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import pytest

SOURCE = """
import argparse, json, os, signal, sys, time
from pathlib import Path

from foleybench.datasets import Dataset, Item, Sample
from foleybench.errors import MediaError
from foleybench.prepare.waiting import wait


def add_arguments(parser):
    parser.add_argument("--deeds", default="ok,ok,ok")
    parser.add_argument("--splits", default="test")
    parser.add_argument("--flavour", default="plain")
    parser.add_argument("--log", default="")


def items(options):
    return [
        Item(
            clip_id=f"clip{index:03d}_000000",
            source=f"made {index}",
            source_id=f"clip{index:03d}",
            label="x",
            split=split,
            spec={"deed": deed, "index": index, "log": options.log},
            refused=("duplicate_id", "on purpose") if deed == "refused" else None,
        )
        for split in options.splits.split(",")
        for index, deed in enumerate(options.deeds.split(","))
    ]


def make(item):
    deed, index = item.spec["deed"], item.spec["index"]
    if item.spec["log"]:
        with open(item.spec["log"], "a") as log:
            log.write(f"{item.split}/{item.clip_id}\\n")
    if deed == "bad":
        raise MediaError("no_audio", "has no audio")
    if deed == "odd_word":
        raise MediaError("wrong_weather", "it rained")
    if deed == "hang":
        time.sleep(60)
    if deed == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if deed == "bug":
        raise ValueError("a bug of ours")
    if deed == "exit":
        sys.exit(5)
    if deed == "greedy":
        bytearray(1 << 33)
    if deed == "chatty":
        print("library chatter on standard output")
    if deed == "waits":
        wait(2.5)
    if deed == "slow":
        time.sleep(0.15)
    if deed.startswith("unless:") and not Path(deed[7:]).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    media = f"{item.clip_id} {item.split}".encode() * (100 + index)
    if deed == "twin":
        media = b"the same every time" * 100
    return Sample(
        mp4=b"mp4" + media,
        flac=b"flac" + media,
        events=[{"time_s": 0.5}],
        facts={"duration_s": 1.0, "rate_hz": 8000, "flags": []},
        factors={"index": index},
    )


def fingerprint(options):
    return {"flavour": options.flavour}


DATASET = Dataset(
    title="Deeds", version=1, licence="none", description="For tests.",
    add_arguments=add_arguments, items=items, make=make, fingerprint=fingerprint,
)
"""


@pytest.fixture
def deeds(tmp_path: Path) -> str:
    """Return the name under which the data set can be prepared."""
    path = tmp_path / "deeds.py"
    path.write_text(SOURCE)
    return f"{path}:DATASET"


@pytest.fixture
def options():
    """Return a function (deeds, ...) -> options of the data set."""

    def make(
        deeds: str = "ok,ok,ok", splits: str = "test", flavour: str = "plain", log: str = ""
    ) -> argparse.Namespace:
        return argparse.Namespace(deeds=deeds, splits=splits, flavour=flavour, log=str(log))

    return make


@pytest.fixture
def tree():
    """Return a function (folder) -> path -> hash of every shard and manifest in it."""

    def read(folder: Path) -> dict[str, str]:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"]
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    return read
