"""How codebooks are used: read from runs, kept where they are gone, and never of other weights unsaid."""

import json

import pytest

from foleybench import registry
from foleybench.artefacts.entries import read_all
from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.codebooks import _SIZES, codebook_uses, codebooks_text
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, row_name
from foleymodels._codecs.codec import ResidualCodec
from foleymodels._codecs.patches import PatchCodec
from foleymodels._codecs.two_rates import TwoRateCodec
from foleymodels._parts.settings import of_size
from tests.made_results import make_result

GRID = GRIDS["table1"]
RESIDUAL, PATCHES, TWO_RATES = GRID.ladder


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)


def record(setup, row, seed, perplexity, used, *, kind="residual_codec", weights=b"first", **sizes):
    """A run folder of a trained codec; return the hash of its weights."""
    run = setup.work / "runs" / f"{row.variant.name}-tiny-seed{seed}"
    (run / "codec").mkdir(parents=True, exist_ok=True)
    (run / "codec" / "model.safetensors").write_bytes(weights)
    (run / "codec" / "config.json").write_text(json.dumps({"kind": kind, "settings": {"codec": sizes}}))
    facts = {"perplexity": perplexity, "used": used, "val_mel": 0.1, "seconds": 1.0}
    (run / "metrics.json").write_text(json.dumps({"codec": facts, "alignment": {"seconds": 2.0}}))
    return checkpoint_sha256(run / "codec")


def residual(setup, seed, perplexity, **more):
    return record(setup, RESIDUAL, seed, perplexity, [1.0] * len(perplexity), codebook_size=256, **more)


def score(setup, row, seed, weights):
    make_result(setup.results, row_name(setup, row, seed), section={"checkpoint_sha256": weights})


def results(setup):
    return {entry.row_name: entry for entry in read_all(setup.results)}


def page(setup, path):
    uses = codebook_uses(setup, GRID, results(setup), path)
    return codebooks_text(setup, GRID, uses, results(setup), path.name)


def lines(text):
    return [line for line in text.splitlines() if line.startswith("| ")][2:]


def test_a_line_a_codec_with_means_over_seeds(setup, tmp_path):
    for seed, perplexity in ((0, [100.0, 80.0]), (1, [110.0, 60.0])):
        score(setup, RESIDUAL, seed, residual(setup, seed, perplexity))
    weights = record(setup, PATCHES, 1, [30.2], [0.256], kind="patch_codec", patch_codes=512)
    score(setup, PATCHES, 1, weights)
    text = page(setup, tmp_path / "uses.csv")
    assert lines(text) == [
        f"| {RESIDUAL.label} | 2 x 256 | 105, 70 | 100, 100 | 0, 1 |",
        f"| {PATCHES.label} | 1 x 512 | 30 | 26 | 1 |",
    ]
    assert "`uses.csv`" in text
    assert "Trained again" not in text


def test_nothing_at_hand_is_no_part_of_the_page(setup, tmp_path):
    assert page(setup, tmp_path / "uses.csv") == ""
    assert not (tmp_path / "uses.csv").exists()


def test_uses_outlive_the_runs(setup, tmp_path):
    path = tmp_path / "uses.csv"
    score(setup, RESIDUAL, 0, residual(setup, 0, [100.5, 80.25]))
    before = codebook_uses(setup, GRID, results(setup), path)
    assert [(one.level, one.codes, one.perplexity, one.used) for one in before] == [
        (0, 256, 100.5, 1.0),
        (1, 256, 80.25, 1.0),
    ]
    gone = Setup(work=tmp_path / "elsewhere", results=setup.results, seeds=2)
    assert codebook_uses(gone, GRID, results(setup), path) == before


def test_a_codec_trained_again_with_other_weights_is_told(setup, tmp_path):
    residual(setup, 0, [90.0])
    score(setup, RESIDUAL, 0, "e" * 64)
    text = page(setup, tmp_path / "uses.csv")
    assert lines(text) == [f"| {RESIDUAL.label} | 1 x 256 | 90 | 100 | 0 |"]
    told = "Trained again by the same command, with other weights than the codec of the row"
    assert f"{told}: {RESIDUAL.label}, seed 0." in text


@pytest.mark.parametrize("said", [{"checkpoint_sha256": None}, {}])
def test_of_a_result_that_does_not_say_its_weights_nothing_is_told(setup, tmp_path, said):
    residual(setup, 0, [90.0])
    make_result(setup.results, row_name(setup, RESIDUAL, 0), section={"checkpoint_sha256": None})
    found = results(setup)
    for entry in found.values():
        model = {key: value for key, value in entry.result["model"].items() if key != "checkpoint_sha256"}
        entry.result["model"] = {**model, **said}
    text = codebooks_text(setup, GRID, codebook_uses(setup, GRID, found, tmp_path / "uses.csv"), found, "uses.csv")
    assert lines(text) == [f"| {RESIDUAL.label} | 1 x 256 | 90 | 100 | 0 |"]
    assert "Trained again" not in text


def test_a_codec_trained_again_does_not_displace_the_rows_own(setup, tmp_path):
    path = tmp_path / "uses.csv"
    own = residual(setup, 0, [100.0])
    score(setup, RESIDUAL, 0, own)
    page(setup, path)
    residual(setup, 0, [90.0], weights=b"second")
    assert [one.perplexity for one in codebook_uses(setup, GRID, results(setup), path)] == [100.0]
    assert path.read_text().endswith(f",{own}\n")


def test_the_rows_own_displaces_one_trained_again(setup, tmp_path):
    path = tmp_path / "uses.csv"
    residual(setup, 0, [90.0], weights=b"second")
    score(setup, RESIDUAL, 0, checkpoint_of_first(setup))
    assert "Trained again" in page(setup, path)
    residual(setup, 0, [100.0])
    text = page(setup, path)
    assert "| 100 | 100 | 0 |" in text
    assert "Trained again" not in text


def checkpoint_of_first(setup):
    """The hash that weights of ``first`` have."""
    return residual(Setup(work=setup.work / "other", results=setup.results), 0, [1.0])


def test_a_run_under_way_has_no_uses_yet(setup, tmp_path):
    residual(setup, 0, [90.0])
    (setup.work / "runs" / "codec-tiny-seed0" / "metrics.json").write_text(json.dumps({"alignment": {"seconds": 2.0}}))
    assert page(setup, tmp_path / "uses.csv") == ""
    residual(setup, 0, [90.0])
    (setup.work / "runs" / "codec-tiny-seed0" / "codec" / "config.json").unlink()
    assert page(setup, tmp_path / "uses.csv") == ""


def test_the_sizes_are_those_that_the_codecs_have():
    """By the settings that a checkpoint records."""
    kinds = {"residual_codec": ResidualCodec, "patch_codec": PatchCodec, "two_rate_codec": TwoRateCodec}
    assert set(kinds) == set(_SIZES)
    for row, (kind, codec) in zip(GRID.ladder, kinds.items(), strict=True):
        settings = of_size(registry.module("models", row.variant.model if row.variant else "").SYSTEM.settings, "tiny")
        assert codec(settings.codec, settings.signal.mel).n_codes == getattr(settings.codec, _SIZES[kind])
