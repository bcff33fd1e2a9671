"""The loader: every clip once whatever reads it, the same order again, and from any point on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import itertools
import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from foleybench.errors import FoleyError, ManifestError
from foleybench.shards.dataset import shard_name, write_shard
from foleybench.shards.loader import ClipLoader, join_states
from foleybench.shards.manifest import Entry, Header, manifest_path, read_manifest, write_manifest
from foleybench.shards.sampling_order import Run
from foleybench.shards.stream import KEY, ShardStream

SIZES = (7, 1, 12, 3, 9)


def raw_key(sample: dict[str, Any]) -> str:
    return sample[KEY]


def write_tiny(folder: Path, sizes: tuple[int, ...] = SIZES) -> Path:
    """Write shards of tiny members; every fifth clip asked for has failed."""
    entries, n = [], 0
    for index, size in enumerate(sizes):
        samples = []
        for _ in range(size):
            if n % 5 == 4:
                entries.append(
                    Entry(clip_id=f"bad{n:05d}_000000", source="", source_id="", label="", status="no_audio")
                )
            clip_id = f"clip{n:05d}_000000"
            fields = {"flac": b"f" * (n % 700), "json": json.dumps({"n": n}).encode(), "mp4": b"m" * (3 * n % 1100)}
            samples.append((clip_id, {name: (lambda data=data: data) for name, data in fields.items()}))
            hashes = {name: hashlib.sha256(data).hexdigest() for name, data in fields.items()}
            entries.append(
                Entry(
                    clip_id=clip_id,
                    source="",
                    source_id="",
                    label="",
                    status="ok",
                    shard=shard_name("x", index),
                    audio_sha256=hashes["flac"],
                    json_sha256=hashes["json"],
                    video_sha256=hashes["mp4"],
                )
            )
            n += 1
        write_shard(folder / shard_name("x", index), samples)
    header = Header(dataset="tiny", split="x", version=1, profile={}, tools={})
    write_manifest(manifest_path(folder, "x"), header, entries)
    return manifest_path(folder, "x")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def server(tiny: Path) -> Iterator[str]:
    """Serve the folder on the loopback address; this server knows no ranges, so streams must do."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tiny.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/{tiny.name}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def in_memory(tiny: Path) -> str:
    files = fsspec.filesystem("memory")
    for path in tiny.parent.iterdir():
        files.pipe_file(f"/tiny/{path.name}", path.read_bytes())
    return f"memory://tiny/{tiny.name}"


def all_ids(n: int = sum(SIZES)) -> list[str]:
    return [f"clip{k:05d}_000000" for k in range(n)]


def loaders(stream: ShardStream, world: int, **options: Any) -> list[ClipLoader]:
    defaults = {"batch_size": 3, "window": 8, "decode": raw_key}
    return [ClipLoader(stream, rank=rank, world=world, **{**defaults, **options}) for rank in range(world)]


def clips(loader: ClipLoader) -> list[str]:
    return list(itertools.chain.from_iterable(loader))


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("world", "workers"), [(1, 0), (1, 2), (3, 0), (2, 3)])
def test_every_clip_exactly_once_per_epoch(tiny: Path, world: int, workers: int):
    stream = ShardStream(tiny)
    ranks = loaders(stream, world, num_workers=workers)
    first = [clips(loader) for loader in ranks]
    assert sorted(itertools.chain(*first)) == all_ids()
    assert max(map(len, first)) - min(map(len, first)) <= max(1, workers)
    if workers == 0:
        again = [clips(loader) for loader in ranks]  # The next epoch: another order.
        assert sorted(itertools.chain(*again)) == all_ids()
        assert again != first
        assert [clips(loader) for loader in loaders(stream, world)] == first
        assert [clips(loader) for loader in loaders(stream, world, seed=1)] != first


def test_the_order_without_shuffling_is_that_of_the_manifest(tiny: Path):
    assert clips(ClipLoader(ShardStream(tiny), batch_size=4, shuffle=False, decode=raw_key)) == all_ids()


@pytest.mark.parametrize("place", ["server", "in_memory"])
def test_a_url_gives_what_a_folder_gives(tiny: Path, place: str, request: pytest.FixtureRequest):
    url = request.getfixturevalue(place)
    local, remote = ShardStream(tiny), ShardStream(url)
    for world in (1, 3):
        for ours, theirs in zip(loaders(local, world, decode=dict), loaders(remote, world, decode=dict), strict=True):
            assert list(ours) == list(theirs)


def test_file_urls_are_folders(tiny: Path):
    assert clips(ClipLoader(ShardStream(f"file://{tiny}"), batch_size=9, shuffle=False, decode=raw_key)) == all_ids()


@pytest.mark.parametrize("stop_after", [0, 1, 4, 10, 11])
@pytest.mark.parametrize("place", ["tiny", "in_memory"])
def test_an_epoch_goes_on_where_it_stopped(place: str, stop_after: int, request: pytest.FixtureRequest):
    stream = ShardStream(request.getfixturevalue(place))
    whole = ClipLoader(stream, batch_size=3, window=8, decode=raw_key)
    first, second = list(whole), list(whole)
    broken = ClipLoader(stream, batch_size=3, window=8, decode=raw_key)
    seen = list(itertools.islice(iter(broken), stop_after))
    state = json.loads(json.dumps(broken.state_dict()))
    resumed = ClipLoader(stream, batch_size=3, window=8, decode=raw_key)
    resumed.load_state_dict(state)
    assert seen + list(resumed) == first
    assert list(resumed) == second


@pytest.mark.slow
def test_an_epoch_goes_on_with_worker_processes(tiny: Path):
    stream = ShardStream(tiny)
    options = {"batch_size": 3, "window": 8, "decode": raw_key, "num_workers": 2}
    first = list(ClipLoader(stream, **options))
    broken = ClipLoader(stream, **options)
    iterator = iter(broken)
    seen = [next(iterator) for _ in range(4)]  # Workers have read ahead; only what came out counts.
    resumed = ClipLoader(stream, **options)
    resumed.load_state_dict(broken.state_dict())
    rest = list(resumed)
    assert sorted(itertools.chain(*seen, *rest)) == all_ids()
    assert Counter(map(tuple, seen + rest)) == Counter(map(tuple, first))


@pytest.mark.parametrize(("before", "after"), [(3, 2), (1, 4), (2, 1)])
def test_an_epoch_goes_on_with_another_number_of_ranks(tiny: Path, before: int, after: int):
    stream = ShardStream(tiny)
    old, seen = loaders(stream, before), []
    for rank, loader in enumerate(old):
        for batch in itertools.islice(iter(loader), 1 + rank):
            seen += batch
    state = join_states([loader.state_dict() for loader in old])
    middle = loaders(stream, after)
    for loader in middle:
        loader.load_state_dict(state)
        seen += next(iter(loader))
    state = join_states([loader.state_dict() for loader in middle])
    for loader in loaders(stream, before):
        loader.load_state_dict(state)
        seen += clips(loader)
    assert sorted(seen) == all_ids()


@pytest.mark.parametrize("world", [2, 3, 5])
def test_equal_ranks_get_equal_numbers(tiny: Path, world: int):
    ranks = loaders(ShardStream(tiny), world, equal=True)
    found = [clips(loader) for loader in ranks]
    assert {len(one) for one in found} == {sum(SIZES) // world}
    assert len(set(itertools.chain(*found))) == sum(SIZES) // world * world


def test_states_that_do_not_fit_are_refused(tiny: Path, tmp_path: Path):
    stream = ShardStream(tiny)
    one, two = ClipLoader(stream, batch_size=3, decode=raw_key), loaders(stream, 2)
    with pytest.raises(FoleyError, match="join_states"):
        one.load_state_dict({**two[1].state_dict(), "order": one.state_dict()["order"]})
    with pytest.raises(FoleyError, match="shuffled"):
        one.load_state_dict(ClipLoader(stream, batch_size=3, seed=9, decode=raw_key).state_dict())
    other = ShardStream(write_tiny(tmp_path, (2, 2)))
    with pytest.raises(FoleyError, match="manifest_sha256"):
        one.load_state_dict(ClipLoader(other, batch_size=3, decode=raw_key).state_dict())
    with pytest.raises(FoleyError, match="do not make a whole"):
        join_states([two[0].state_dict()])
    with pytest.raises(FoleyError, match="rank 2 is not one of 2"):
        ClipLoader(stream, batch_size=1, rank=2, world=2)


def test_ranks_come_from_torchrun(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    stream = ShardStream(tiny)
    monkeypatch.setenv("WORLD_SIZE", "2")
    found = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        found += clips(ClipLoader(stream, batch_size=3, decode=raw_key))
    assert sorted(found) == all_ids()


def test_ids_choose_clips(tiny: Path):
    wanted = [f"clip{k:05d}_000000" for k in (3, 8, 20, 31)]
    stream = ShardStream(tiny, ids=wanted)
    assert len(stream) == 4
    assert sorted(clips(ClipLoader(stream, batch_size=2, decode=raw_key))) == wanted
    with pytest.raises(ManifestError, match=r"no usable clip 'bad00004_000000' \(1 of the 2"):
        ShardStream(tiny, ids=[wanted[0], "bad00004_000000"])


@pytest.mark.parametrize("place", ["tiny", "in_memory"])
def test_only_the_wanted_members_are_read(place: str, request: pytest.FixtureRequest):
    stream = ShardStream(request.getfixturevalue(place), fields={"json"})
    (batch,) = list(ClipLoader(stream, batch_size=99, shuffle=False, decode=dict))
    assert batch[17] == {KEY: "clip00017_000000", "json": b'{"n": 17}'}


@pytest.fixture(params=["folder", "url"])
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Any]:
    """Return a function that damages shard 2 and reads everything."""

    def read(damage: Callable[[bytes], bytes]) -> Any:
        path = write_tiny(tmp_path / "data")
        shard = path.parent / shard_name("x", 2)
        shard.write_bytes(damage(shard.read_bytes()))
        place: Path | str = path
        if request.param == "url":
            files = fsspec.filesystem("memory")
            for one in path.parent.iterdir():
                files.pipe_file(f"/damaged/{one.name}", one.read_bytes())
            place = f"memory://damaged/{path.name}"
        return clips(ClipLoader(ShardStream(place), batch_size=5, decode=raw_key))

    return read


def _without_member(data: bytes, member: str) -> bytes:
    start = data.index(member.encode())
    return data[:start]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:5000], "was cut"),
        (lambda data: _without_member(data, "clip00015_000000.flac"), "was cut"),
        (lambda data: _without_member(data, "clip00015_000000.flac") + bytes(10240), "lacks|is missing"),
        (lambda data: data[:20] + b"X" + data[21:], "checksum"),
        (lambda data: b"", "was cut"),
    ],
)
def test_a_damaged_shard_is_named(damaged, damage: Callable[[bytes], bytes], message: str):
    with pytest.raises(ManifestError, match=rf"x-000002\.tar.*({message})"):
        damaged(damage)


def test_a_missing_shard_is_named(tmp_path: Path):
    path = write_tiny(tmp_path)
    (tmp_path / shard_name("x", 3)).unlink()
    with pytest.raises(ManifestError, match=r"x-000003\.tar is missing"):
        clips(ClipLoader(ShardStream(path), batch_size=5, decode=raw_key))


def test_clips_are_decoded(clicks: Path):
    batches = list(ClipLoader(ShardStream(clicks), batch_size=4, seed=5))
    found = {example["clip"].clip_id: example["clip"] for batch in batches for example in batch}
    assert sorted(found) == [f"clip{k:02d}_000000" for k in range(6)]
    assert found["clip01_000000"].frames.shape == (50, 32, 32, 3)
    assert len(found["clip01_000000"].audio) == 32000


def test_a_manifest_cannot_point_elsewhere(tmp_path: Path):
    path = write_tiny(tmp_path)
    path.write_text(path.read_text().replace("x-000003.tar", "../x-000003.tar"))
    with pytest.raises(ManifestError, match=r"line \d+: '../x-000003.tar' is not the name"):
        ShardStream(path)


def swapped(tmp_path: Path, tiny: Path, field: str) -> Path:
    """Return the manifest of a copy of ``tiny`` whose last shard holds another content of one member under its name."""
    shutil.copytree(tiny.parent, tmp_path / "x")
    shard = tmp_path / "x" / shard_name("x", len(SIZES) - 1)
    samples = list(ShardStream(tiny).read(Run(*[np.arange(len(ShardStream(tiny)))[-SIZES[-1] :]] * 2)))
    for sample in samples[3:4]:
        sample[field] = sample[field][:-1] + b"!"
    write_shard(
        shard,
        [(s[KEY], {name: (lambda data=data: data) for name, data in s.items() if name != KEY}) for s in samples],
    )
    return tmp_path / "x" / tiny.name


@pytest.mark.parametrize("field", ["flac", "json", "mp4"])
@pytest.mark.parametrize("scheme", ["", "memory://swapped/"])
def test_a_member_that_is_not_the_recorded_one_is_refused(tmp_path: Path, tiny: Path, field: str, scheme: str):
    manifest: Path | str = swapped(tmp_path, tiny, field)
    if scheme:
        fsspec.filesystem("memory").put(str(tmp_path / "x"), f"/swapped/{field}", recursive=True)
        manifest = f"memory://swapped/{field}/{tiny.name}"
    stream = ShardStream(manifest)
    loader = ClipLoader(stream, batch_size=1, shuffle=False, decode=raw_key)
    with pytest.raises(ManifestError, match=rf"x-000004\.tar: clip\w+\.{field} is not what the manifest recorded"):
        list(loader)
    others = {"flac", "json", "mp4"} - {field}
    assert len(list(ClipLoader(ShardStream(manifest, fields=others), batch_size=1, decode=raw_key))) == sum(SIZES)


def test_the_hash_of_every_member_is_compared(tiny: Path):
    index = ShardStream(tiny).index
    assert index.fields == ("flac", "json", "mp4")
    (sample,) = ShardStream(tiny).read(Run(np.array([5]), np.array([5])))
    whole = {field: sample[field] for field in index.fields}
    index.require(5, whole)
    for field in index.fields:
        with pytest.raises(ManifestError, match=field):
            index.require(5, {**whole, field: whole[field] + b"x"})
    assert [index.hashes[5, k].tobytes() for k in range(3)] == [
        hashlib.sha256(whole[field]).digest()[:16] for field in index.fields
    ]


def test_a_member_without_a_recorded_hash_is_taken(tmp_path: Path, tiny: Path):
    """Manifests of schema 1 have no hash of the JSON member."""
    shutil.copytree(tiny.parent, tmp_path / "x")
    path = tmp_path / "x" / tiny.name
    read = read_manifest(path)
    write_manifest(path, read.header, [dataclasses.replace(entry, json_sha256=None) for entry in read.entries])
    index = ShardStream(path).index
    index.require(5, {"json": b"anything"})
    with pytest.raises(ManifestError):
        index.require(5, {"flac": b"anything"})


def test_clips_with_other_members_than_the_first_are_refused(tmp_path: Path):
    entries = [
        Entry(clip_id=f"a_00000{k}", source="", source_id="", label="", status="ok", shard="x-000000.tar", facts=facts)
        for k, facts in enumerate([{"features": {"a.npz": "00" * 32}}, {"features": {"b.npz": "00" * 32}}])
    ]
    header = Header(dataset="tiny", split="x", version=1, profile={}, tools={})
    write_manifest(manifest_path(tmp_path, "x"), header, entries)
    with pytest.raises(ManifestError, match=r"line 3: the clip has members b\.npz, those before it a\.npz"):
        ShardStream(manifest_path(tmp_path, "x"))
    write_manifest(
        manifest_path(tmp_path, "x"), header, [dataclasses.replace(entries[0], facts={"features": {"a.npz": "zz"}})]
    )
    with pytest.raises(ManifestError, match="line 2: the hash of a member is none"):
        ShardStream(manifest_path(tmp_path, "x"))
