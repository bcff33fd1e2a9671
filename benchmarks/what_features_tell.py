"""What does a trained alignment stage tell of a clip beside timing: class, mechanism, material?

    python benchmarks/what_features_tell.py TRAIN_MANIFEST VAL_MANIFEST RUN...

Ridge regression reads them from mean, spread and maximum over time of a clip's features, fitted on training clips and
measured on all validation clips: the area under the ROC curve (mean over the names), whether the class or mechanism
that scores highest sounds in the clip, and R-precision, which is what ``material_accuracy`` measures of a sound.
Intervals resample the validation clips. ``colours`` is the same reading of mean colours on 8 x 8 places, without a
network; ``another clip`` deals the clips' features out anew at random (splits are in the order of classes, so a shift
would meet the same class again), which is chance.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata

from foleybench.clips import FloatArray
from foleybench.shards.dataset import ShardDataset
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.materials import MATERIALS
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.probes import evenly_spread
from foleymodels._alignment.stage import load_alignment
from foleymodels._parts.ridge import fit_ridge
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.decoded_data import TrainingData, cache_settings, training_data

N_FIT = 1200
PENALTY = 0.3
N_RESAMPLES = 1000
CLASSES = class_names()
MECHANISMS = tuple(dict.fromkeys(load_class(name).mechanism for name in CLASSES))
Summary = Callable[[TrainingData, int], FloatArray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Read:
    """Scores of the validation clips, and what is true of them.

    Attributes:
        scores: By subject, shape (n, number of names).
        truths: Alike, 0 or 1: whether something of that name sounds in the clip.
    """

    scores: dict[str, FloatArray]
    truths: dict[str, FloatArray]


def truths(manifest: Path, clip_ids: Sequence[str]) -> dict[str, FloatArray]:
    """Return by subject which names sound in each of the clips, shape (n, number of names)."""
    dataset = ShardDataset(manifest)
    found: dict[str, list[list[float]]] = {"class": [], "mechanism": [], "material": []}
    for clip_id in clip_ids:
        clip = dataset.load(clip_id, video=False, audio=False)
        audible = [event for event in clip.events or () if event.audible]
        labels = {event.label for event in audible}
        groups = {load_class(label).mechanism for label in labels}
        materials = {event.material for event in audible}
        for subject, names, present in (
            ("class", CLASSES, labels),
            ("mechanism", MECHANISMS, groups),
            ("material", tuple(MATERIALS), materials),
        ):
            found[subject].append([float(name in present) for name in names])
    return {subject: np.array(rows) for subject, rows in found.items()}


def summary_of(alignment: Alignment) -> Summary:
    """Return how a clip's condition becomes one vector."""

    @torch.inference_mode()
    def summary(data: TrainingData, index: int) -> FloatArray:
        frames, n_tokens = data.video(index)
        condition = alignment.condition(frames[None], n_tokens)[0].double()
        return pooled(condition)

    return summary


def pooled(rows: torch.Tensor) -> FloatArray:
    """Return mean, spread and maximum over time of rows (n, d), shape (3 d,)."""
    return torch.cat([rows.mean(0), rows.std(0), rows.amax(0)]).numpy()


def colours(data: TrainingData, index: int) -> FloatArray:
    """Return mean, spread and maximum over time of a clip's 8 x 8 mean colours."""
    frames, _ = data.video(index)
    side = frames.shape[1] // 8
    small = frames[..., :3].double().unflatten(1, (8, side)).unflatten(3, (8, side)).mean((2, 4)).flatten(1)
    return pooled(small)


def read_out(inputs: FloatArray, wanted: FloatArray, asked: FloatArray) -> FloatArray:
    """Return what ridge regression reads from other inputs, shape (n, number of names)."""
    read = fit_ridge([(torch.from_numpy(inputs), torch.from_numpy(wanted))], PENALTY)
    return read(torch.from_numpy(asked).float()).double().numpy()


def area(scores: FloatArray, wanted: FloatArray) -> float:
    """Return the area under the ROC curve, mean over the names that some clips have and others do not."""
    n, present = len(wanted), wanted.sum(0)
    told = (present > 0) & (present < n)
    ranks = (rankdata(scores, axis=0) * wanted).sum(0)[told]
    present = present[told]
    return float(((ranks - present * (present + 1) / 2) / (present * (n - present))).mean())


def top_right(scores: FloatArray, wanted: FloatArray) -> float:
    """Return the share of clips in which the name with the highest score sounds."""
    return float(wanted[np.arange(len(wanted)), scores.argmax(1)].mean())


def share_found(scores: FloatArray, wanted: FloatArray) -> float:
    """Return the share of what sounds that is among the k highest scores where k names sound (R-precision)."""
    places = (-scores).argsort(1, kind="stable").argsort(1, kind="stable")
    return float(wanted[places < wanted.sum(1, keepdims=True)].sum() / wanted.sum())


def measure(read: Read) -> Iterator[str]:
    """Yield each measure with its interval."""
    for subject, name, value_of in (
        ("class", "AUC", area),
        ("class", "top 1", top_right),
        ("mechanism", "top 1", top_right),
        ("material", "AUC", area),
        ("material", "R-precision", share_found),
    ):
        scores, wanted = read.scores[subject], read.truths[subject]
        draws = np.random.default_rng(0).integers(0, len(scores), (N_RESAMPLES, len(scores)))
        low, high = np.quantile([value_of(scores[rows], wanted[rows]) for rows in draws], (0.025, 0.975))
        yield f"{subject} {name} {value_of(scores, wanted):.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Print a line for every run, then one for colours and one for chance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that hold a trained stage in alignment/")
    args = parser.parse_args()
    torch.set_num_threads(1)
    stages = [(str(run), load_alignment(run / "alignment")) for run in args.runs]
    readers: list[tuple[str, SignalSettings, Summary]] = [
        (name, stage.signal, summary_of(stage)) for name, stage in stages
    ]
    readers.append(("colours", readers[-1][1], colours))
    for name, signal, summary in readers:
        train, val = (training_data(manifest, cache_settings(signal)) for manifest in (args.train, args.val))
        fitted, measured = evenly_spread(len(train), N_FIT), list(range(len(val)))
        inputs = np.stack([summary(train, index) for index in fitted])
        asked = np.stack([summary(val, index) for index in measured])
        wanted = truths(args.train, [train.clip_ids[index] for index in fitted])
        true = truths(args.val, [val.clip_ids[index] for index in measured])
        for title, given in ((name, asked), (f"{name}, another clip", np.random.default_rng(0).permutation(asked))):
            read = Read(scores={subject: read_out(inputs, wanted[subject], given) for subject in wanted}, truths=true)
            print(f"{title} ({len(measured)} clips): {'; '.join(measure(read))}", flush=True)


if __name__ == "__main__":
    main()
