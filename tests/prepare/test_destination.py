"""Shards that go to a URL: the same bytes as in a folder, none lost however the run is stopped, here or elsewhere."""

from __future__ import annotations

import functools
import hashlib
import shutil
from pathlib import Path

import fsspec
import pytest

from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.prepare import pack, prepare
from foleybench.prepare.destination import RemoteDestination
from foleybench.prepare.verify import ShardProblem, verify
from foleybench.shards.loader import ClipLoader
from foleybench.shards.store import Remote
from foleybench.shards.stream import KEY, ShardStream

ASKED = "ok,ok,bad,ok,ok,ok,refused,ok"


class Stopped(BaseException):
    """Stands for the end of the process: nothing may handle it."""


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MAX_CLIPS", 3)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"memory://{tmp_path.name}-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}/data"


def there(url: str) -> dict[str, str]:
    files = fsspec.filesystem("memory")
    root = url.removeprefix("memory:/")
    return {
        name.removeprefix(f"{root}/"): hashlib.sha256(files.cat_file(name)).hexdigest() for name in files.find(root)
    }


@pytest.mark.usefixtures("workers_here")
def test_a_url_gets_the_bytes_of_a_folder(deeds, options, tree, tmp_path: Path, url: str):
    asked = options(ASKED, splits="train,test")
    prepare(deeds, asked, tmp_path / "local")
    prepare(deeds, asked, tmp_path / "work", url=url)
    assert there(url) == tree(tmp_path / "local")
    assert not list((tmp_path / "work").glob("*.tar"))
    assert [one for one in verify(f"{url}/test.manifest.jsonl") if isinstance(one, ShardProblem)] == []
    stream = ShardStream(f"{url}/train.manifest.jsonl")
    found = [sample[KEY] for batch in ClipLoader(stream, batch_size=2, decode=dict) for sample in batch]
    assert len(found) == len(set(found)) == 6


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "elsewhere"), [("upload", True), ("write", True), ("delete", False)])
def test_stopped_at_any_transfer_and_run_again(
    deeds, options, tree, tmp_path: Path, url: str, monkeypatch, moment: str, elsewhere: bool
):
    asked = options(ASKED)
    prepare(deeds, asked, tmp_path / "local")
    for stop_at in (1, 2, 4):
        place, work = f"{url}/{stop_at}", tmp_path / f"work{stop_at}"
        stopping(deeds, asked, work, place, monkeypatch, moment, stop_at)
        if elsewhere:  # Another machine, which has nothing but the URL.
            shutil.rmtree(work)
        prepare(deeds, asked, work, url=place)
        assert there(place) == tree(tmp_path / "local")


def stopping(deeds, asked, work: Path, url: str, monkeypatch, moment: str, stop_at: int) -> None:
    calls = 0
    original = getattr(Remote, moment)

    @functools.wraps(original)
    def stop(*args):
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise Stopped
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(Remote, moment, stop)
        try:
            prepare(deeds, asked, work, url=url)
        except Stopped:
            return
    # (Fewer transfers of this kind than that: the run was whole.)


@pytest.mark.usefixtures("workers_here")
def test_another_machine_makes_nothing_again(deeds, options, tmp_path: Path, url: str, monkeypatch):
    log = tmp_path / "log"
    asked = options(ASKED, log=str(log))
    upload = Remote.upload

    def stop(self, name, *rest):  # (Shards are sent from two threads, in no fixed order.)
        if name == "test-000002.tar":
            raise Stopped
        upload(self, name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "upload", stop)
        with pytest.raises(Stopped):
            prepare(deeds, asked, tmp_path / "one", url=url)
    n_before = len(log.read_text().splitlines())
    shutil.rmtree(tmp_path / "one")
    prepare(deeds, asked, tmp_path / "two", url=url)
    # Two of three shards had arrived; only the clips of the third are made again.
    assert len(log.read_text().splitlines()) - n_before == 1
    shutil.rmtree(tmp_path / "two")
    prepare(deeds, asked, tmp_path / "three", url=url)
    assert len(log.read_text().splitlines()) - n_before == 1


@pytest.mark.slow
def test_a_lost_shard_is_made_again(deeds, options, tree, tmp_path: Path, url: str):
    prepare(deeds, options(ASKED), tmp_path / "local")
    prepare(deeds, options(ASKED), tmp_path / "work", url=url)
    fsspec.filesystem("memory").rm_file(f"{url.removeprefix('memory:/')}/test-000001.tar")
    prepare(deeds, options(ASKED), tmp_path / "work", url=url)
    assert there(url) == tree(tmp_path / "local")


@pytest.mark.slow
def test_retry_changes_its_own_shard_only(deeds, options, tree, tmp_path: Path, url: str, monkeypatch):
    flag = tmp_path / "flag"
    asked = options(f"ok,ok,ok,ok,unless:{flag},ok,ok")
    prepare(deeds, asked, tmp_path / "work", url=url)
    flag.touch()
    sent = []
    upload = Remote.upload
    monkeypatch.setattr(Remote, "upload", lambda self, name, *rest: (sent.append(name), upload(self, name, *rest)))
    prepare(deeds, asked, tmp_path / "work", url=url, retry=True)
    prepare(deeds, asked, tmp_path / "local")
    assert there(url) == tree(tmp_path / "local")
    assert [name for name in sent if name.endswith(".tar")] == ["test-000001.tar"]


@pytest.mark.slow
def test_another_recipe_is_refused_and_force_helps(deeds, options, tree, tmp_path: Path, url: str):
    prepare(deeds, options(ASKED), tmp_path / "one", url=url)
    before = there(url)
    with pytest.raises(FoleyError, match="flavour was"):
        prepare(deeds, options(ASKED, flavour="other"), tmp_path / "two", url=url)
    assert there(url) == before
    prepare(deeds, options("ok,ok", flavour="other"), tmp_path / "two", url=url, force=True)
    prepare(deeds, options("ok,ok", flavour="other"), tmp_path / "local")
    assert there(url) == tree(tmp_path / "local")


@pytest.mark.usefixtures("workers_here")
def test_what_arrives_damaged_is_deleted(deeds, options, tmp_path: Path, url: str, monkeypatch):
    files = type(fsspec.filesystem("memory"))
    put = files.put_file

    def damaging(self, local, remote, **rest):
        put(self, local, remote, **rest)
        if remote.endswith("000001.tar"):
            self.pipe_file(remote, self.cat_file(remote)[:-1] + b"x")

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_file", damaging)
        with pytest.raises(FoleyError, match=r"test-000001\.tar arrived damaged"):
            prepare(deeds, options(ASKED), tmp_path / "work", url=url)
    assert "test-000001.tar" not in there(url)
    assert "test.manifest.jsonl" not in there(url)
    prepare(deeds, options(ASKED), tmp_path / "work", url=url)
    assert "test.manifest.jsonl" in there(url)


def test_stores_without_atomic_uploads_get_a_move(tmp_path: Path):
    # `local` is fsspec's own folder driver: it stands for sftp and the like.
    store = Remote(f"local://{tmp_path}/far")
    (tmp_path / "x").write_bytes(b"content")
    store.upload("sub/x", tmp_path / "x", hashlib.sha256(b"content").hexdigest())
    assert (tmp_path / "far" / "sub" / "x").read_bytes() == b"content"
    assert list((tmp_path / "far" / "sub").iterdir()) == [tmp_path / "far" / "sub" / "x"]
    with pytest.raises(FoleyError, match="arrived damaged"):
        store.upload("y", tmp_path / "x", "0" * 64)
    assert store.size("y") is None
    assert isinstance(RemoteDestination(tmp_path, str(store)), RemoteDestination)


@pytest.mark.usefixtures("workers_here")
def test_the_command_takes_a_url(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]):
    from tests.made_media import click, pictures, write_video

    write_video(tmp_path / "videos" / "a.mp4", pictures(30), audio=click(0.4, 1.2))
    arguments = ["prepare", "folder", str(tmp_path / "videos"), "--out", url, "--work", str(tmp_path / "work")]
    assert main([*arguments, "--dry-run"]) == 0
    assert there(url) == {}
    capsys.readouterr()
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{url}/test.manifest.jsonl\n"
    assert main(["shards", "verify", url]) == 0
    assert main(["prepare", "folder", str(tmp_path / "videos"), "--out", "nosuch://x"]) == 1
    assert "nosuch" in capsys.readouterr().err
