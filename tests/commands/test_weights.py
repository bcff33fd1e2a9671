import http.server
import threading

import pytest

from foleybench import cli, registry
from foleybench.api.weights import Weights
from foleybench.commands import doctor, weights
from foleybench.errors import EXIT_ERROR, EXIT_OK, FoleyError
from foleybench.scoring.weights_catalogue import encoders_of_protocol, size_text, weights_files


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
    assert out.splitlines()[0] == "imagebind_huge.pth: absent, at least 4.80 GB, CC-BY-NC-SA-4.0"
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
    assert cli.main(["weights", "list", "clap_lion"]) == EXIT_ERROR
    assert "no weights for clap_lion" in capsys.readouterr().err


@pytest.mark.slow  # builds a net of 320 MB
def test_verify_names_a_wrong_file(folder, capsys):
    folder.mkdir()
    (folder / "Cnn14_mAP=0.431.pth").write_bytes(b"not weights")
    assert cli.main(["weights", "verify", "panns_32k"]) == EXIT_ERROR
    assert "is not a file of weights" in capsys.readouterr().out


@pytest.fixture
def server(tmp_path):
    """Files of a folder over HTTP on the loopback address."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "net.pt").write_bytes(b"weights" * 1000)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "served"))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_file_appears_whole_or_not_at_all(server, folder):
    weights._download(f"{server}/net.pt", folder / "net.pt")
    assert (folder / "net.pt").read_bytes() == b"weights" * 1000
    with pytest.raises(FoleyError, match=r"could not be downloaded: .*404"):
        weights._download(f"{server}/other.pt", folder / "other.pt")
    assert [path.name for path in folder.iterdir()] == ["net.pt"]


def test_doctor_says_what_each_protocol_needs(folder, capsys):
    folder.mkdir()
    (folder / "vggish-10086976.pth").write_bytes(b"another file")
    assert cli.main(["doctor"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert "protocol signal: ready" in lines
    assert "protocol align_trained: needs `foleybench train align-classifier`" in lines
    (audiocraft,) = [line for line in lines if line.startswith("protocol audiocraft: needs `foleybench weights fetch ")]
    assert "passt_segments" in audiocraft
    assert any(line.startswith("weights vggish-10086976.pth: wrong: ") for line in lines)
    assert "weights imagebind_huge.pth: absent (at least 4.80 GB, CC-BY-NC-SA-4.0)" in lines
    assert doctor.EXAMPLE
