"""Onset detection and onset scores against CondFoleyGen's and MMAudio's own scripts, from audio to score."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import tempfile
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soundfile

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.api.metric import ClipView
from foleybench.clips import Event
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ
from foleybench.encoders.onsets_librosa import ENCODER
from metric_cases import Case, functions_of

N = 40


def clip(rng: np.random.Generator, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Decaying tones at random times in some noise: the audio, and when they start."""
    times = np.sort(rng.uniform(0.2, duration_s - 0.2, rng.integers(1, 8)))
    audio = 10 ** rng.uniform(-4, -2) * rng.standard_normal(round(duration_s * RATE_HZ))
    for time_s in times:
        start = round(time_s * RATE_HZ)
        t = np.arange(len(audio) - start) / RATE_HZ
        audio[start:] += rng.uniform(0.1, 0.9) * np.sin(2 * np.pi * rng.uniform(300, 3000) * t) * np.exp(-t / 0.04)
    return np.float32(audio / np.abs(audio).max() * 0.9), times


def pairs(rng: np.random.Generator, duration_s: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Reference audio, its times, and generated audio that has some of its onsets, moved a little."""
    made = []
    for _ in range(N):
        (reference, times), (other, _) = clip(rng, duration_s), clip(rng, duration_s)
        late = np.roll(reference, round(rng.normal(0, 0.05) * RATE_HZ))
        made.append((reference, times, np.float32(0.6 * late + 0.4 * other)))
    return made


def ours(metric: str, made: list[tuple[np.ndarray, np.ndarray, np.ndarray]], duration_s: float) -> float:
    """Our value: encoder, then metric."""
    card = registry.load("metrics", metric)
    encode = ENCODER.build("cpu")
    stats = []
    for number, (reference, times, generated) in enumerate(made):
        found = encode([Signal(audio=sound, duration_s=duration_s) for sound in (reference, generated)])
        features = {k: found[need.of == "generated"][need.layer] for k, need in card.needs.items()}
        view = ClipView(
            clip_id=f"clip{number}_000000",
            source_id=f"clip{number}",
            label="",
            duration_s=duration_s,
            events=tuple(Event(time_s=float(time_s)) for time_s in times),
            features=features,
        )
        stats.append(card.per_clip(view))
    return float(card.pool([stat for stat in stats if stat is not None]))


def condfoley(metric: str, score: int, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """eval_osnets on librosa's own onsets, as the script feeds it; clips without reference onsets left out."""
    import librosa
    import sklearn.metrics  # noqa: F401 (the script needs it)

    with patch.object(sys, "argv", ["predict_onset.py"]):
        space = functions_of(checkout / "predict_onset.py", "eval_osnets", "onset_nms")
    made = pairs(rng, 2.0)
    detect = functools.partial(librosa.onset.onset_detect, sr=RATE_HZ, units="samples", delta=0.3)
    values, counts = [], []
    for reference, _, generated in made:
        onsets = [detect(y=sound) for sound in (reference, generated)]
        counts.append(len(onsets[0]) == len(onsets[1]))
        if len(onsets[0]):
            values.append(space["eval_osnets"](*onsets, generated.copy())[score])
    return ours(metric, made, 2.0), float(np.mean(counts if score < 0 else values))


def mmaudio(metric: str, word: str, checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """The whole script of MMAudio on files; it prints four digits, so ours are rounded alike."""
    import librosa  # noqa: F401
    import sklearn.metrics  # noqa: F401

    space = functions_of(
        checkout / "eval_onsets.py", "main", "onset_nms", "predict_audio", "read_gt", tqdm=lambda files: files
    )
    made = pairs(rng, 8.0)
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number, (_, times, generated) in enumerate(made):
            soundfile.write(home / f"{number:03}_denoised.wav", generated, RATE_HZ, subtype="FLOAT")
            (home / f"{number:03}_times.txt").write_text("".join(f"{time_s} x\n" for time_s in times))
        words = ["eval_onsets.py", "--input_dir", folder, "--gt_dir", folder]
        with patch.object(sys, "argv", words), contextlib.redirect_stdout(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            space["main"]()
    theirs = next(float(line.split()[-1]) for line in said.getvalue().splitlines() if f" {word}:" in line)
    return round(ours(metric, made, 8.0), 4), theirs


def silence(checkout: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Average precision of silent audio."""
    with patch.object(sys, "argv", ["predict_onset.py"]):
        space = functions_of(checkout / "predict_onset.py", "eval_osnets", "onset_nms")
    quiet = np.float32(1e-3 * rng.standard_normal(2 * RATE_HZ))
    theirs = space["eval_osnets"](np.array([11025, 22050]), np.zeros(0, dtype=int), quiet)[1]
    reference, times = clip(rng, 2.0)
    return ours("onset_ap", [(reference, times, np.zeros_like(reference))], 2.0), float(theirs)


_CFG, _MMA = "XYPB/CondFoleyGen", "hkchengrex/MMAudio"
CASES = (
    *(
        Case(metric=metric, protocol="", peer=_CFG, function=words, measure=functools.partial(condfoley, metric, score))
        for metric, words, score in (
            ("onset_count_accuracy", "#onset acc", -1),
            ("onset_accuracy_condfoley", "eval_osnets, accuracy", 0),
            ("onset_ap_condfoley", "eval_osnets, average precision", 1),
        )
    ),
    *(
        Case(
            metric=f"onset_{name}_mmaudio",
            protocol="",
            peer=_MMA,
            function=f"eval_onsets.py, {word}",
            measure=functools.partial(mmaudio, f"onset_{name}_mmaudio", word),
        )
        for name, word in (("accuracy", "accuracy"), ("ap", "AP"), ("f1", "F1"))
    ),
    Case(
        metric="onset_ap",
        protocol="",
        peer=_CFG,
        function="eval_osnets, average precision of silence",
        measure=silence,
        tolerance=None,
        reason="with nothing detected the script finds nothing wrong and gives 1; ours counts the misses and gives 0",
    ),
)
