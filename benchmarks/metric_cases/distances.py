"""Fréchet and kernel distances against the peers' own functions."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from metric_cases import DOUBLE, Case, functions_of
from metric_cases.divergences import ours

Rows = np.ndarray
Peer = Callable[[Path, Rows, Rows], float]


def avbench(checkout: Path, reference: Rows, generated: Rows) -> float:
    """compute_fd of av-benchmark."""
    space = functions_of(
        checkout / "av_bench/metrics/fad.py", "compute_fd", "calculate_embd_statistics", "calculate_frechet_distance"
    )
    return space["compute_fd"](generated, reference)


def audioldm_eval_fad(checkout: Path, reference: Rows, generated: Rows) -> float:
    """FrechetAudioDistance.calculate_frechet_distance of audioldm_eval."""
    found = functions_of(checkout / "audioldm_eval/metrics/fad.py", "FrechetAudioDistance")["FrechetAudioDistance"]
    blank = found.__new__(found)
    statistics = [found.calculate_embd_statistics(blank, rows) for rows in (reference, generated)]
    return found.calculate_frechet_distance(blank, *statistics[0], *statistics[1])


def audioldm_eval_fid(checkout: Path, reference: Rows, generated: Rows) -> float:
    """calculate_fid of audioldm_eval, in the float64 that the rows have."""
    run = functions_of(checkout / "audioldm_eval/metrics/fid.py", "calculate_fid")["calculate_fid"]
    return run(*({"2048": torch.from_numpy(rows)} for rows in (generated, reference)), "2048")["frechet_distance"]


def fadtk(checkout: Path, reference: Rows, generated: Rows) -> float:
    """calc_frechet_distance of fadtk."""
    space = functions_of(checkout / "fadtk/fad.py", "calc_frechet_distance", "calc_embd_statistics")
    statistics = [space["calc_embd_statistics"](rows) for rows in (reference, generated)]
    return space["calc_frechet_distance"](*statistics[0], *statistics[1])


def gfad(checkout: Path, reference: Rows, generated: Rows) -> float:
    """FrechetAudioDistance.calculate_frechet_distance of frechet-audio-distance."""
    found = functions_of(checkout / "frechet_audio_distance/fad.py", "FrechetAudioDistance")["FrechetAudioDistance"]
    blank = found.__new__(found)
    statistics = [found.calculate_embd_statistics(blank, rows) for rows in (reference, generated)]
    return found.calculate_frechet_distance(blank, *statistics[0], *statistics[1])


def kadtk_fad(checkout: Path, reference: Rows, generated: Rows, precision: torch.dtype = torch.float64) -> float:
    """calc_frechet_distance of kadtk, which by default works in float32."""
    run = functions_of(checkout / "kadtk/fad.py", "calc_frechet_distance")["calc_frechet_distance"]
    return float(run(reference, generated, (None, None), "cpu", precision))


def kadtk(checkout: Path, reference: Rows, generated: Rows, *, of_reference: bool) -> float:
    """calc_kernel_audio_distance of kadtk, with the bandwidth as shipped or as documented."""
    space = functions_of(checkout / "kadtk/kad.py", "calc_kernel_audio_distance", "median_pairwise_distance")
    rows = torch.from_numpy(reference), torch.from_numpy(generated)
    bandwidth = space["median_pairwise_distance"](rows[0]) if of_reference else None
    run = space["calc_kernel_audio_distance"]
    return float(run(*rows, (None, None), "cpu", bandwidth=bandwidth, precision=torch.float64))


def measure(metric: str, peer: Peer, n: int, d: int, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Our distance and the peer's between fresh random rows that are correlated and of unequal scale."""
    mix = rng.standard_normal((d, d)) / np.sqrt(d)
    reference, generated = (rng.standard_normal((n, d)) @ mix + shift for shift in (0.0, 0.1))
    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        theirs = peer(checkout, reference, generated)
    return ours(metric, reference[:, None], generated[:, None]), float(np.real(theirs))


_AVB, _ALE, _KTK = "hkchengrex/av-benchmark", "haoheliu/audioldm_eval", "YoonjinXD/kadtk"
_ROWS = (
    ("fad_vggish", "avbench", _AVB, "compute_fd", avbench, 1000, 128, DOUBLE),
    ("fd_passt", "avbench", _AVB, "compute_fd", avbench, 1000, 768, DOUBLE),
    ("fd_panns", "avbench", _AVB, "compute_fd", avbench, 2200, 2048, DOUBLE),
    ("fad_vggish", "audioldm_eval", _ALE, "calculate_frechet_distance", audioldm_eval_fad, 1000, 128, DOUBLE),
    ("fd_panns", "audioldm_eval", _ALE, "calculate_fid", audioldm_eval_fid, 2200, 2048, DOUBLE),
    ("fad_vggish", "fadtk", "microsoft/fadtk", "calc_frechet_distance", fadtk, 1000, 128, DOUBLE),
    ("fad_vggish", "", "gudgud96/frechet-audio-distance", "calculate_frechet_distance", gfad, 1000, 128, DOUBLE),
    ("fad_vggish", "fadtk", _KTK, "calc_frechet_distance, precision=float64", kadtk_fad, 1000, 128, DOUBLE),
)
_KERNEL = (
    ("kad_panns_eval", "fadtk", "calc_kernel_audio_distance, as shipped", False, 2048),
    ("kad_panns", "fadtk", "calc_kernel_audio_distance, bandwidth of the reference", True, 2048),
    ("kad_passt", "foleybench", "calc_kernel_audio_distance, bandwidth of the reference", True, 768),
    ("kad_vggish", "fadtk", "calc_kernel_audio_distance, bandwidth of the reference", True, 128),
)
CASES = (
    *(
        Case(
            metric=metric,
            protocol=protocol,
            peer=peer,
            function=function,
            measure=functools.partial(measure, metric, run, n, d),
            tolerance=tolerance,
        )
        for metric, protocol, peer, function, run, n, d, tolerance in _ROWS
    ),
    *(
        Case(
            metric=metric,
            protocol=protocol,
            peer=_KTK,
            function=function,
            measure=functools.partial(measure, metric, functools.partial(kadtk, of_reference=of_reference), 500, d),
        )
        for metric, protocol, function, of_reference, d in _KERNEL
    ),
    Case(
        metric="fad_vggish",
        protocol="fadtk",
        peer=_KTK,
        function="calc_frechet_distance, precision=float32 (its default)",
        measure=functools.partial(
            measure, "fad_vggish", functools.partial(kadtk_fad, precision=torch.float32), 1000, 128
        ),
        tolerance=None,
        reason="it takes the matrix root of covariances rounded to float32, we keep float64",
    ),
    Case(
        metric="kad_panns",
        protocol="foleybench",
        peer=_KTK,
        function="calc_kernel_audio_distance, as shipped",
        measure=functools.partial(measure, "kad_panns", functools.partial(kadtk, of_reference=False), 500, 128),
        tolerance=None,
        reason="kadtk takes the bandwidth from the evaluated set, its documentation and paper say the reference",
    ),
)
