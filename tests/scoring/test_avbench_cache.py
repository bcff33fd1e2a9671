"""av-benchmark's caches, read as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from foleybench import cli
from foleybench.errors import FoleyError
from foleybench.metrics._math import divergence
from foleybench.metrics._math.frechet import frechet_distance
from foleybench.metrics._math.inception import inception_score
from foleybench.scoring.avbench_cache import CacheRequest, evaluate_cache

N = 24
IDS = [f"video{number:02}_000000" for number in range(N)]
MODEL = {"name": "theirs", "title": "Theirs", "kind": "model"}

READ = ("passt_logits.pth", "imagebind_audio.pth", "imagebind_video.pth")


def write(folder, ids, seed, *, only=READ):
    """Write a cache of random features of the shapes that av-benchmark keeps."""
    rng = np.random.default_rng(seed)

    def tensors(*shape, scale=1.0):
        return {clip_id: torch.from_numpy(np.float32(scale * rng.standard_normal(shape))) for clip_id in ids}

    logits, embedding = tensors(527, scale=3.0), tensors(2048)
    files = {
        "passt_logits.pth": tensors(527, scale=3.0),
        "passt_features_embed.pth": tensors(768),
        "pann_features.pth": {i: {"2048": embedding[i], "logits": logits[i]} for i in ids},
        "vggish_features.pth": tensors(8, 128),
        "imagebind_audio.pth": tensors(1024),
        "imagebind_video.pth": tensors(1024),
        "clap_laion_audio.pth": tensors(512),
        "clap_laion_text.pth": {**tensors(512), "of another set": torch.ones(512)},
    }
    folder.mkdir()
    for name, content in files.items():
        if name in only:
            torch.save(content, folder / name)
    return files


EVERYTHING = (
    *("passt_logits.pth", "passt_features_embed.pth", "pann_features.pth"),
    *("vggish_features.pth", "imagebind_audio.pth", "imagebind_video.pth"),
    *("clap_laion_audio.pth", "clap_laion_text.pth"),
)


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    home = tmp_path_factory.mktemp("caches")
    return home, write(home / "generated", IDS, 0), write(home / "truth", IDS, 1)


def request(home, **more):
    return CacheRequest(generated=home / "generated", truth=home / "truth", model=MODEL, resamples=5, **more)


def rows(content, key=None):
    return np.stack([np.asarray(content[i][key] if key else content[i], dtype=float) for i in IDS])


@pytest.mark.slow
def test_values_are_those_of_the_tensors(tmp_path):
    home = tmp_path
    generated, truth = (write(home / name, IDS, k, only=EVERYTHING) for k, name in enumerate(("generated", "truth")))
    result, table = evaluate_cache(request(home))
    found = {name: record["value"] for name, record in result["metrics"].items()}
    logits = [rows(files["passt_logits.pth"]) for files in (truth, generated)]
    kl = np.mean([divergence.kl_divergence(p, q) for p, q in zip(*logits, strict=True)])
    assert found["kld_passt"] == pytest.approx(kl, rel=1e-12)
    assert found["is_passt"] == pytest.approx(inception_score(logits[1]).mean, rel=1e-12)
    for name, file, key in (("fd_passt", "passt_features_embed.pth", None), ("fd_panns", "pann_features.pth", "2048")):
        wanted = frechet_distance(*(rows(files[file], key) for files in (truth, generated)))
        assert found[name] == pytest.approx(wanted, rel=1e-9)
    patches = [rows(files["vggish_features.pth"]).reshape(-1, 128) for files in (truth, generated)]
    assert found["fad_vggish"] == pytest.approx(frechet_distance(*patches), rel=1e-9)
    cosines = torch.cosine_similarity(
        torch.from_numpy(rows(truth["imagebind_video.pth"])), torch.from_numpy(rows(generated["imagebind_audio.pth"]))
    )
    assert found["imagebind_score"] == pytest.approx(float(cosines.mean()), rel=1e-9)
    captions, sounds = rows(truth["clap_laion_text.pth"]), rows(generated["clap_laion_audio.pth"])
    lengths = np.linalg.norm(captions, axis=1) * np.linalg.norm(sounds, axis=1)
    assert found["clap_score"] == pytest.approx(np.mean((captions * sounds).sum(axis=1) / lengths), rel=1e-9)
    assert len(list(table)) == N


def test_without_captions_the_clap_score_applies_to_no_clip(caches, tmp_path):
    home, _, _ = caches
    result, _ = evaluate_cache(request(home))
    record = result["metrics"]["clap_score"]
    assert (record["value"], record["not_applicable"]) == (None, N)
    assert record["reason"] == "no clip has a caption"
    other = tmp_path / "home"
    only = ("clap_laion_audio.pth", "clap_laion_text.pth")
    other.mkdir()
    write(other / "generated", IDS, 0, only=only)
    write(other / "truth", IDS[1:], 1, only=only)
    torch.save({IDS[0]: torch.zeros(1024)}, other / "truth" / "imagebind_video.pth")
    result, _ = evaluate_cache(request(other))
    record = result["metrics"]["clap_score"]
    assert (record["n_used"], record["not_applicable"], result["dataset"]["n_clips"]) == (N - 1, 1, N)


def test_what_is_not_in_the_cache_says_so(caches):
    result, _ = evaluate_cache(request(caches[0]))
    assert result["metrics"]["desync"]["value"] is None
    assert "synchformer_video.pth" in result["metrics"]["desync"]["reason"]
    assert result["status"] == "partial"
    assert result["dataset"]["n_clips"] == result["dataset"]["n_scored"] == N


def test_names_are_mapped_by_a_list_and_never_guessed(caches, tmp_path):
    home, _, _ = caches
    renamed = {f"000000014_{clip_id}-0": clip_id for clip_id in IDS}
    other = tmp_path / "home"
    other.mkdir()
    write(other / "generated", list(renamed), 0)
    (other / "truth").symlink_to(home / "truth")
    with pytest.raises(FoleyError, match="could be scored"):
        evaluate_cache(request(other))
    names = tmp_path / "names.csv"
    names.write_text("path,clip_id\n" + "".join(f"{key}.flac,{clip_id}\n" for key, clip_id in renamed.items()))
    mapped, _ = evaluate_cache(request(other, names=names))
    plain, _ = evaluate_cache(request(home))
    assert {k: v["value"] for k, v in mapped["metrics"].items()} == {k: v["value"] for k, v in plain["metrics"].items()}


def test_missing_and_unknown_clips_are_named(tmp_path, caches):
    home, _, _ = caches
    other = tmp_path / "home"
    other.mkdir()
    write(other / "generated", [*IDS[1:], "stranger"], 0)
    (other / "truth").symlink_to(home / "truth")
    result, _ = evaluate_cache(request(other))
    assert {p["clip_id"]: p["kind"] for p in result["problems"]} == {IDS[0]: "missing", "stranger": "unknown"}
    assert result["dataset"]["n_scored"] == N - 1


def test_a_bad_tensor_is_named_and_left_out(tmp_path, caches):
    home, _, _ = caches
    other = tmp_path / "home"
    other.mkdir()
    files = write(other / "generated", IDS, 0)
    (other / "truth").symlink_to(home / "truth")
    logits = dict(files["passt_logits.pth"])
    logits[IDS[2]], logits[IDS[3]] = torch.full((527,), torch.nan), torch.zeros(309)
    torch.save(logits, other / "generated" / "passt_logits.pth")
    result, _ = evaluate_cache(request(other))
    told = [(p["clip_id"], p["kind"]) for p in result["problems"] if p["detail"].startswith("kld_passt")]
    assert told == [(IDS[2], "bad_features"), (IDS[3], "bad_features")]
    assert result["metrics"]["kld_passt"]["n_used"] == N - 2
    assert result["metrics"]["imagebind_score"]["n_used"] == N


def test_a_folder_that_is_no_cache(tmp_path, caches):
    home, _, _ = caches
    (tmp_path / "empty").mkdir()
    with pytest.raises(FoleyError, match="holds none of av-benchmark's files"):
        evaluate_cache(CacheRequest(generated=tmp_path / "empty", truth=home / "truth", model=MODEL))


def test_a_file_with_code_in_it_is_refused(tmp_path, caches):
    home, _, _ = caches
    other = tmp_path / "generated"
    other.mkdir()
    torch.save({"x": print}, other / "passt_logits.pth")
    with pytest.raises(FoleyError, match="not a cache of tensors"):
        evaluate_cache(CacheRequest(generated=other, truth=home / "truth", model=MODEL))


def test_command(caches, tmp_path, capsys):
    home, _, _ = caches
    words = ["eval", "--avbench-cache", home / "generated", "--gt-cache", home / "truth", "--name", "theirs"]
    assert cli.main([str(word) for word in [*words, "--out", tmp_path, "--resamples", "5"]]) == 3
    said = capsys.readouterr()
    result = json.loads(Path(said.out.strip()).read_text())
    assert result["protocol"] == {"name": "avbench", "version": 5}
    assert result["dataset"]["name"] == "avbench_cache"
    assert "kld_passt" in said.err
    assert set(result["run"]["features"]) == {f"{side}/{name}" for side in ("generated", "reference") for name in READ}
    assert str(home) not in json.dumps(result)
    assert cli.main([str(word) for word in [*words, "--dry-run"]]) == 0
    assert cli.main(["eval", "--avbench-cache", str(home / "generated")]) == 1
