"""The whole evaluate() of av-benchmark on a cache of its own layout, and ``eval --avbench-cache`` on the same files."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch

from foleybench.scoring.avbench_cache import CacheRequest, evaluate_cache
from metric_cases import DOUBLE, SHARED, SINGLE, Case, functions_of

N = 160
_MODEL = {"name": "theirs", "title": "Theirs", "kind": "model"}


def write(folder: Path, rng: np.random.Generator, n_clips: int = N) -> None:
    """Write a cache with fresh random features."""
    ids = [f"video{number:03}_000000" for number in range(n_clips)]

    def tensors(*shape: int, scale: float = 1.0) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(np.float32(scale * rng.standard_normal(shape))) for name in ids}

    logits, embedding = tensors(527, scale=3.0), tensors(2048)
    folder.mkdir()
    torch.save(tensors(527, scale=3.0), folder / "passt_logits.pth")
    torch.save(tensors(768), folder / "passt_features_embed.pth")
    torch.save({i: {"2048": embedding[i], "logits": logits[i]} for i in ids}, folder / "pann_features.pth")
    torch.save(tensors(8, 128), folder / "vggish_features.pth")
    torch.save(tensors(1024), folder / "imagebind_audio.pth")
    torch.save(tensors(1024), folder / "imagebind_video.pth")
    for name in ("clap_laion_audio", "clap_laion_text", "clap_ms_audio", "clap_ms_text"):
        torch.save(tensors(512), folder / f"{name}.pth")


def peers_evaluate(checkout: Path) -> Callable[..., dict[str, float]]:
    """av-benchmark's evaluate(), on a CPU; of Synchformer, which the cache has no features for, a dummy."""
    home = checkout / "av_bench"
    utils = functions_of(
        *(
            home / "utils.py",
            "unroll_dict",
            "unroll_dict_all_keys",
            "unroll_paired_dict",
            "unroll_paired_dict_with_key",
        ),
        "clean_sample_name",
    )
    given: dict[str, Any] = {name: value for name, value in utils.items() if name.startswith("unroll")}
    given["compute_kl"] = functions_of(home / "metrics/kl.py", "compute_kl")["compute_kl"]
    given["compute_isc"] = functions_of(home / "metrics/isc.py", "compute_isc")["compute_isc"]
    fad = ("compute_fd", "calculate_embd_statistics", "calculate_frechet_distance")
    given["compute_fd"] = functions_of(home / "metrics/fad.py", *fad)["compute_fd"]
    load = functools.partial(_load, torch.load)
    space = functions_of(home / "evaluate.py", "evaluate", Synchformer=MagicMock(), **given)
    space |= {"device": "cpu", "_syncformer_ckpt_path": Path("none")}
    space["torch"] = SimpleNamespace(load=load, cosine_similarity=torch.cosine_similarity)
    return space["evaluate"]


def _load(load: Callable[..., Any], path: Path, **how: Any) -> Any:
    return {} if path == Path("none") else load(path, **how)


@functools.cache
def both(checkout: Path, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Ours by metric and theirs by their own names, of one pair of caches."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("generated", "truth"):
            write(home / name, rng)
        theirs = peers_evaluate(checkout)(home / "truth", home / "generated")
        request = CacheRequest(generated=home / "generated", truth=home / "truth", model=_MODEL, resamples=2)
        result, _ = evaluate_cache(request)
    return {name: record["value"] for name, record in result["metrics"].items()}, theirs


def measure(metric: str, word: str, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """One metric of the pair; all cases share it."""
    ours, theirs = both(checkout, SHARED["seed"])
    return ours[metric], theirs[word]


CASES = tuple(
    Case(
        metric=metric,
        protocol="avbench",
        peer="hkchengrex/av-benchmark",
        function=f"evaluate() on the same cache, {word}",
        measure=functools.partial(measure, metric, word),
        tolerance=tolerance,
    )
    for metric, word, tolerance in (
        ("fad_vggish", "FD-VGG", DOUBLE),
        ("fd_panns", "FD-PANN", DOUBLE),
        ("fd_passt", "FD-PASST", DOUBLE),
        ("kld_panns", "KL-PANNS-softmax", SINGLE),
        ("kld_passt", "KL-PASST-softmax", SINGLE),
        ("is_panns", "ISC-PANNS-mean", DOUBLE),
        ("is_passt", "ISC-PASST-mean", DOUBLE),
        ("imagebind_score", "IB-Score", SINGLE),
        ("clap_score", "LAION-CLAP-Score", SINGLE),
    )
)
