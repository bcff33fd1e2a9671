"""Our loader against plain webdataset on the same shards: samples per second, in turns, in one run.

Both shuffle with the same window and hand out the same members; ``raw`` is bytes, ``decoded`` puts both through the
same decoder. Without ``--data``, shards of random bytes are made first (raw only), sized like prepared clips.

    python benchmarks/loader_speed.py [--data MANIFEST] [--clips N] [--rounds N] [--workers N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import webdataset
from torch.utils.data import DataLoader

from foleybench.shards.dataset import decode_sample, shard_name, write_shard
from foleybench.shards.loader import ClipLoader, decode_clip
from foleybench.shards.manifest import Entry, Header, manifest_path, write_manifest
from foleybench.shards.stream import ShardStream

WINDOW = 128
BATCH = 16
PER_SHARD = 128


def main() -> None:
    """Time both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="MANIFEST", help="a prepared split (default: random bytes)")
    parser.add_argument("--clips", type=int, default=768, help="clips of the made-up split (default: 768)")
    parser.add_argument("--mp4-kb", type=int, default=450, help="size of a made-up video member (default: 450)")
    parser.add_argument("--flac-kb", type=int, default=350, help="size of a made-up audio member (default: 350)")
    parser.add_argument("--rounds", type=int, default=7, help="times that each is run (default: 7)")
    parser.add_argument("--workers", type=int, default=0, help="worker processes of each (default: 0)")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)  # webdataset leaves its files to the garbage collector.
    with tempfile.TemporaryDirectory() as folder:
        manifest = args.data or make(Path(folder), args)
        compare("raw", manifest, args, dict, raw)
        if args.data:
            compare("decoded", manifest, args, decode_clip, decoded)


def make(folder: Path, args: argparse.Namespace) -> Path:
    """Write shards of random bytes."""
    rng = np.random.default_rng(0)
    entries = []
    for start in range(0, args.clips, PER_SHARD):
        shard, samples = shard_name("train", start // PER_SHARD), []
        for index in range(start, min(start + PER_SHARD, args.clips)):
            clip_id = f"clip{index:06d}_000000"
            fields = {
                "mp4": rng.bytes(args.mp4_kb * 1000),
                "flac": rng.bytes(args.flac_kb * 1000),
                "json": json.dumps({"clip_id": clip_id}).encode(),
            }
            samples.append((clip_id, {field: (lambda data=data: data) for field, data in fields.items()}))
            entries.append(Entry(clip_id=clip_id, source="", source_id="", label="", status="ok", shard=shard))
        write_shard(folder / shard, samples)
    header = Header(dataset="random", split="train", version=1, profile={}, tools={})
    write_manifest(manifest_path(folder, "train"), header, entries)
    return manifest_path(folder, "train")


def compare(
    name: str,
    manifest: Path,
    args: argparse.Namespace,
    decode: Callable[[dict[str, Any]], Any],
    theirs_decode: Callable[[dict[str, Any]], Any],
) -> None:
    """Run both in turns, a first round uncounted, and print."""
    stream = ShardStream(manifest)
    urls = [str(manifest.parent / shard) for shard in stream.index.shards]
    ours_s, theirs_s = [], []
    for round_ in range(args.rounds + 1):
        loader = ClipLoader(
            stream, batch_size=BATCH, num_workers=args.workers, window=WINDOW, seed=round_, decode=decode
        )
        mine = timed(loader, len(stream))
        other = timed(with_webdataset(urls, theirs_decode, args.workers), len(stream))
        if round_:
            ours_s.append(mine)
            theirs_s.append(other)
    ratios = sorted(other / mine for mine, other in zip(ours_s, theirs_s, strict=True))
    print(
        f"{name:8s} {len(stream)} clips, {args.workers} workers: ours {len(stream) / statistics.median(ours_s):8.0f} "
        f"clips/s, webdataset {len(stream) / statistics.median(theirs_s):8.0f} clips/s, "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} rounds)"
    )


def with_webdataset(urls: list[str], decode: Callable[[dict[str, Any]], Any], workers: int) -> Iterator[Any]:
    """Return batches as a user of webdataset gets them."""
    data = webdataset.WebDataset(urls, shardshuffle=len(urls), seed=1).shuffle(WINDOW).map(decode)
    return iter(DataLoader(data, batch_size=BATCH, num_workers=workers, collate_fn=list))


def timed(batches: Any, n_clips: int) -> float:
    """Return the seconds that it takes to get everything."""
    started = time.perf_counter()
    n_found = sum(len(batch) for batch in batches)
    seconds = time.perf_counter() - started
    if n_found != n_clips:
        raise SystemExit(f"{n_found} clips came out, {n_clips} are there")
    return seconds


def raw(sample: dict[str, Any]) -> dict[str, Any]:
    """Leave a sample as it is."""
    return sample


def decoded(sample: dict[str, Any]) -> Any:
    """Decode a sample of webdataset as ours is decoded."""
    return decode_sample(sample["__key__"], sample)


if __name__ == "__main__":
    main()
