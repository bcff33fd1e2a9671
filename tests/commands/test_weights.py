import dataclasses
import hashlib
import io
import platform
import types

import pytest
import torch

from foleybench import cli, registry
from foleybench.api.weights import Weights, require
from foleybench.commands import doctor, weights
from foleybench.encoders._inputs.loading import read_state
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_USAGE
from foleybench.prepare.tool_versions import tool_versions
from foleybench.scoring.weights_catalogue import encoders_of_protocol, size_text, weights_files
from tests.faulty_server import Faults, serving


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def test_every_encoder_with_weights_is_in_one_file():
    listed = [name for file in weights_files() for name in file.encoders]
    with_weights = [name for name in registry.names("encoders") if registry.load("encoders", name).weights]
    assert sorted(listed) == sorted(with_weights)
    assert len({file.weights.filename for file in weights_files()}) == len(weights_files())


def test_encoders_that_share_a_file_are_listed_together(capsys):
    assert cli.main(["weights", "list", "imagebind_video"]) == EXIT_OK
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "imagebind_huge.pth: absent, 4.80 GB, CC-BY-NC-SA-4.0"
    assert "  encoders   imagebind_audio, imagebind_video\n" in out
    assert "avbench" in out.splitlines()[2]
    assert "https://dl.fbaipublicfiles.com" in out
    assert out.count(".pth") == 2


def test_the_list_says_what_is_here(folder, capsys):
    folder.mkdir()
    (folder / "Cnn14_mAP=0.431.pth").write_bytes(bytes(12_345))
    assert cli.main(["weights", "list"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert "Cnn14_mAP=0.431.pth: here, 12.3 kB, CC-BY-4.0" in lines
    assert any(line.startswith("mini_class.safetensors: here") for line in lines)
    assert "  from       shipped, made by `foleybench train evaluators`" in lines


def test_protocols_want_what_their_metrics_come_after():
    """The alignment classifier is named by the metric, the features that it is given are not."""
    assert {"cavp_video", "diff_foley_align"} <= encoders_of_protocol("diff_foley")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"size_bytes": 999}, "999 bytes"),
        ({"size_bytes": 9_990}, "9.99 kB"),
        ({"size_bytes": 907_000_000}, "907 MB"),
        ({"size_bytes": 10, "n_values": 5}, "10 bytes"),
        ({"size_bytes": None, "n_values": 250}, "at least 1.00 kB"),
        ({"size_bytes": None}, "size unknown"),
    ],
)
def test_sizes_for_people(facts, text):
    assert size_text(Weights(filename="none", url=None, sha256=None, licence="MIT", **facts)) == text


def test_a_dry_run_fetches_nothing(folder, capsys):
    assert cli.main(["weights", "fetch", "clap_laion", "--dry-run"]) == EXIT_OK
    assert "would download https://" in capsys.readouterr().out
    assert not folder.exists()


def test_unknown_names_are_refused(capsys):
    assert cli.main(["weights", "list", "clap_lion"]) == EXIT_USAGE
    assert "there is no encoder with weights 'clap_lion'. Did you mean 'clap_laion'?" in capsys.readouterr().err


@pytest.mark.slow  # builds a net of 320 MB
def test_verify_names_a_wrong_file(folder, capsys):
    folder.mkdir()
    (folder / "Cnn14_mAP=0.431.pth").write_bytes(b"not weights")
    assert cli.main(["weights", "verify", "panns_32k"]) == EXIT_ERROR
    assert "wrong   " in capsys.readouterr().out
    assert cli.main(["weights", "accept", "panns_32k"]) == EXIT_ERROR
    assert "is not a file of weights" in capsys.readouterr().out


@pytest.fixture
def net(monkeypatch):
    """An encoder whose small file is published with size and hash, and served from here with faults."""
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(3)}, buffer)
    faults = Faults(buffer.getvalue())

    def build(device):
        path = require("net", encoder.weights)
        read_state(path)

    with serving(faults) as url:
        known = {"sha256": hashlib.sha256(faults.content).hexdigest(), "size_bytes": len(faults.content)}
        made = Weights(filename="net.pt", url=url, licence="MIT", reported_by="somebody", **known)
        encoder = types.SimpleNamespace(weights=made, build=build)
        monkeypatch.setattr(weights, "_weights", lambda: {"net": made})
        monkeypatch.setattr(registry, "load", lambda kind, name: encoder)
        yield types.SimpleNamespace(faults=faults, weights=made, encoder=encoder)


def fetch(*words):
    return cli.main(["weights", *words])


def test_fetch_brings_the_file_and_verifies_it(net, folder, capsys):
    """P1, P2."""
    assert fetch("fetch", "net") == EXIT_OK
    assert capsys.readouterr().out == f"{'net':20}ok      {net.weights.sha256}\n"
    assert [path.name for path in folder.iterdir()] == ["net.pt"]
    assert fetch("fetch", "net") == EXIT_OK
    assert len(net.faults.seen) == 1


def test_a_file_of_another_hash_is_refused_on_first_contact(net, folder, capsys):
    """P2: and says who reported the hash; a person can accept it, and only that very file."""
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(3)}, buffer)
    net.faults.content = buffer.getvalue()
    assert len(net.faults.content) == net.weights.size_bytes
    assert fetch("fetch", "net") == EXIT_ERROR
    assert "is not the file that somebody report: its SHA-256 starts" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["net.pt.refused"]
    assert fetch("accept", "net") == EXIT_OK
    assert fetch("verify", "net") == EXIT_OK
    (folder / "net.pt").write_bytes(net.faults.content.replace(b"\0\0\0\0", b"\0\0\0\1"))
    assert fetch("verify", "net") == EXIT_ERROR


def test_a_wrong_file_need_not_be_deleted_by_hand(net, folder, capsys):
    """P1."""
    folder.mkdir()
    (folder / "net.pt").write_bytes(b"<html>Sign in</html>")
    assert fetch("verify", "net") == EXIT_ERROR
    assert "it is a web page. Run `foleybench weights fetch net` to set it aside" in capsys.readouterr().out
    assert fetch("fetch", "net") == EXIT_OK
    assert (folder / "net.pt").read_bytes() == net.faults.content
    assert (folder / "net.pt.refused").read_bytes() == b"<html>Sign in</html>"


def test_a_file_without_known_hash_that_does_not_load_is_set_aside(net, folder, monkeypatch):
    """P1."""
    net.encoder.weights = dataclasses.replace(net.weights, sha256=None, size_bytes=None)
    net.faults.content = b"something else"
    monkeypatch.setattr(weights, "_weights", lambda: {"net": net.encoder.weights})
    assert fetch("fetch", "net") == EXIT_ERROR
    assert [path.name for path in folder.iterdir()] == ["net.pt.refused"]


def test_what_does_not_load_cannot_be_accepted(net, folder, capsys):
    """P2."""
    assert fetch("accept", "net") == EXIT_ERROR
    assert "Put the file there first" in capsys.readouterr().out
    folder.mkdir()
    (folder / "net.pt").write_bytes(b"something else")
    assert fetch("accept", "net") == EXIT_ERROR
    assert fetch("verify", "net") == EXIT_ERROR
    assert [path.name for path in folder.iterdir()] == ["net.pt"]


def test_one_that_cannot_be_had_does_not_keep_the_next_from_its_turn(net, folder, monkeypatch, capsys):
    """P1."""
    absent = dataclasses.replace(net.weights, url="http://127.0.0.1:1 1/", filename="absent.pt")
    monkeypatch.setattr(weights, "_weights", lambda: {"first": absent, "net": net.weights})
    assert fetch("fetch") == EXIT_ERROR
    out = capsys.readouterr().out
    assert "first               wrong   http://127.0.0.1:1 1/ could not be downloaded: InvalidURL" in out
    assert f"net                 ok      {net.weights.sha256}" in out


REPORTED = {
    "passt": (344_665_734, "302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c"),
    "panns_16k": (358_668_570, "e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6"),
    "panns_32k": (327_428_481, "0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31"),
    "cavp_video": (1_361_483_035, "3472c2217a9481f530a96e32611c9e4611766f10b7f0d185a1ce35be7b7f9c80"),
    "clap_laion": (2_352_471_003, "51c68f12f9d7ea25fdaaccf741ec7f81e93ee594455410f3bca4f47f88d8e006"),
    "imagebind_audio": (4_803_584_173, "d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157"),
    "vggish": (288_567_937, "10086976"),
    "synchformer_video": (None, None),
}


@pytest.mark.parametrize("name", REPORTED)
def test_known_sizes_and_hashes(name):
    """P2."""
    known = registry.load("encoders", name).weights
    assert (known.size_bytes, known.sha256) == REPORTED[name]
    assert known.hashed
    assert bool(known.reported_by) == (name not in {"vggish", "synchformer_video"})
    assert known.md5 == ("5b2f5594b0730f70e41e549b7c94390c" if name == "synchformer_video" else None)


def test_the_list_says_where_a_hash_is_from(capsys):
    """P2."""
    assert cli.main(["weights", "list", "passt", "vggish"]) == EXIT_OK
    out = capsys.readouterr().out
    assert "  hash       SHA-256 302903fa8c4aee81" in out
    assert ", reported by public repositories that pin this file\n" in out
    assert "  hash       SHA-256 10086976, published\n" in out


def test_doctor_says_what_each_protocol_needs(folder, capsys):
    folder.mkdir()
    (folder / "vggish-10086976.pth").write_bytes(b"another file")
    assert cli.main(["doctor"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert "protocol signal: ready" in lines
    assert f"libavcodec {tool_versions()['libavcodec']}, libsndfile {tool_versions()['libsndfile']}" in lines
    assert any(line.startswith(f"processor {platform.machine()} (") and ", C library " in line for line in lines)
    assert "protocol align_trained: needs `foleybench train align-classifier`" in lines
    (audiocraft,) = [line for line in lines if line.startswith("protocol audiocraft: needs `foleybench weights fetch ")]
    assert "passt_segments" in audiocraft
    assert any(line.startswith("weights vggish-10086976.pth: wrong: ") for line in lines)
    assert "weights imagebind_huge.pth: absent (4.80 GB, CC-BY-NC-SA-4.0)" in lines
    assert doctor.EXAMPLE
