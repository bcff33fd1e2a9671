"""KL of logits, and the inception score, against the peers' own functions."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock, patch

import numpy as np
import torch

from foleybench import registry
from foleybench.api.metric import ClipView
from metric_cases import SINGLE, Case, functions_of

N = 64


def logits(rng: np.random.Generator, n: int = N) -> np.ndarray:
    """Fresh logits of n clips, peaky as those of a tagger, float32."""
    return np.float32(3 * rng.standard_normal((n, 527)))


def view(number: int, **features: np.ndarray) -> ClipView:
    """A clip as metrics see it."""
    name = f"clip{number:04}_000000"
    return ClipView(clip_id=name, source_id=name, label="", duration_s=10.0, events=None, features=features)


def ours(metric: str, reference: np.ndarray, generated: np.ndarray) -> float:
    """Our value from rows of features, one a clip."""
    card = registry.load("metrics", metric)
    pairs = enumerate(zip(reference, generated, strict=True))
    wanted = [view(i, reference=r, generated=g) for i, (r, g) in pairs]
    return float(card.pool([card.per_clip(clip) for clip in wanted]))


def avbench(metric: str, key: str, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """av-benchmark's compute_kl."""
    reference, generated = logits(rng), logits(rng)
    run = functions_of(checkout / "av_bench/metrics/kl.py", "compute_kl")["compute_kl"]
    theirs = run([torch.from_numpy(generated)], torch.from_numpy(reference))[key]
    return ours(metric, reference, generated), theirs


def by_path(
    metric: str, file: str, key: str, checkout: Path, rng: np.random.Generator, *more: str
) -> tuple[float, float]:
    """calculate_kl of audioldm_eval and SpecVQGAN, which pair rows by file name."""
    reference, generated = logits(rng), logits(rng)
    space = functions_of(checkout / file, "calculate_kl", "path_to_sharedkey", "test_input")
    paths = [f"/x/clip{i:04}.wav" for i in range(N)]
    dicts = [{"logits": torch.from_numpy(x), "file_path_": paths} for x in (generated, reference)]
    with contextlib.redirect_stdout(None):
        found = space["calculate_kl"](*dicts, "logits", *more)
    return ours(metric, reference, generated), (found[0] if isinstance(found, tuple) else found)[key]


def specvqgan(checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """SpecVQGAN's calculate_kl (its MKL), on the logits of another net."""
    key = "kullback_leibler_divergence"
    return by_path("kld_passt_eps", "evaluation/metrics/kl.py", key, checkout, rng, "vggsound")


def audiocraft(checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Audiocraft's kl_divergence over segments: one, two or three a clip."""
    run = functions_of(checkout / "audiocraft/metrics/kld.py", "kl_divergence")["kl_divergence"]
    counts = rng.integers(1, 4, N)
    reference, generated = [[logits(rng, n) for n in counts] for _ in range(2)]
    stacked = [torch.from_numpy(np.concatenate(x)).softmax(-1) for x in (generated, reference)]
    return ours("kld_passt_segments", reference, generated), float(run(*stacked).mean())


def stable_audio(checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """The whole passt_kld of stable-audio-metrics, its net replaced by a table of logits."""
    reference, generated = logits(rng), logits(rng)
    table = torch.from_numpy(np.concatenate([reference, generated]))
    net = MagicMock(side_effect=lambda wave: table[int(wave[0, 0])][None])
    net.cuda.return_value = net
    # the file name carries the row, the audio repeats the row
    librosa, pyln = MagicMock(), MagicMock()
    librosa.load = lambda name, **_: (np.full(320000, float(Path(name).stem) + ("gen" in name) * N), 32000)
    pyln.normalize.peak = lambda sound, _: sound
    space = functions_of(
        *(checkout / "src/passt_kld.py", "passt_kld", "return_probabilities", "_patch_passt_stft"),
        librosa=librosa,
        pyln=pyln,
        get_basic_model=lambda **_: net,
        pickle=MagicMock(),
        open=MagicMock(),
        os=MagicMock(path=MagicMock(join=os.path.join), devnull=os.devnull),
    )
    with contextlib.redirect_stdout(None), patch.object(torch.Tensor, "cuda", lambda self: self):
        theirs = space["passt_kld"](list(range(N)), "gen", ref_path="ref")
    return ours("kld_passt_reversed", reference, generated), float(theirs)


def inception(file: str, function: str, metric: str, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Inception score, rows in the order of the clips' names as the peers list them."""
    rows = logits(rng, 200)
    run = functions_of(checkout / file, function)[function]
    with contextlib.redirect_stdout(None):
        theirs = run(
            {"logits": torch.from_numpy(rows)}, feat_layer_name="logits", rng_seed=2020, samples_shuffle=True, splits=10
        )
    return ours(metric, rows, rows), theirs["inception_score_mean"]


_AVB, _ALE, _SVQ = "hkchengrex/av-benchmark", "haoheliu/audioldm_eval", "v-iashin/SpecVQGAN"
_SOFT, _SIGMOID = "kullback_leibler_divergence_softmax", "kullback_leibler_divergence_sigmoid"
_KL = "audioldm_eval/metrics/kl.py"


def _case(metric: str, protocol: str, peer: str, function: str, measure: Callable, tolerance: float = SINGLE) -> Case:
    return Case(metric=metric, protocol=protocol, peer=peer, function=function, measure=measure, tolerance=tolerance)


CASES = (
    *(
        _case(name, "avbench", _AVB, f"compute_kl, {key}", functools.partial(avbench, name, key))
        for name, key in (
            ("kld_passt", "kl_softmax"),
            ("kld_panns", "kl_softmax"),
            ("kl_sigmoid_passt", "kl_sigmoid"),
            ("kl_sigmoid_panns", "kl_sigmoid"),
        )
    ),
    *(
        _case(name, "audioldm_eval", _ALE, "calculate_kl", functools.partial(by_path, name, _KL, key))
        for name, key in (("kld_panns_eps", _SOFT), ("kld_passt_eps", _SOFT), ("kl_sigmoid_panns_eps", _SIGMOID))
    ),
    _case("kld_passt_eps", "", _SVQ, "calculate_kl (MKL)", specvqgan),
    _case("kld_passt_segments", "audiocraft", "facebookresearch/audiocraft", "kl_divergence", audiocraft),
    _case("kld_passt_reversed", "stable_audio", "Stability-AI/stable-audio-metrics", "passt_kld", stable_audio),
    *(
        _case(name, protocol, peer, function, functools.partial(inception, file, function, name), 1e-6)
        for name, protocol, peer, file, function in (
            ("is_passt", "avbench", _AVB, "av_bench/metrics/isc.py", "compute_isc"),
            ("is_panns", "avbench", _AVB, "av_bench/metrics/isc.py", "compute_isc"),
            ("is_panns", "audioldm_eval", _ALE, "audioldm_eval/metrics/isc.py", "calculate_isc"),
            ("is_passt", "", _SVQ, "evaluation/metrics/isc.py", "calculate_isc"),
        )
    ),
)
