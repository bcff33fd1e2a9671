"""What does a trained alignment stage tell of an event whose exact time is given: its strength, its pitch?

    python benchmarks/what_events_tell.py TRAIN_MANIFEST VAL_MANIFEST RUN...

Ridge regression reads both from the features of the five tokens around each visible, audible onset and the mean of the
clip, fitted on training clips and measured on all validation clips. Strength is scored as the metric
``strength_correlation`` scores a level (in decibels, each clip around its own mean), pitch by its mean error in
semitones and its correlation. ``another clip`` fits and asks with the features of another clip at the same times, which
is chance. Intervals resample the validation clips. That nothing is read does not say that nothing is there: a network
may read what a line cannot.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from foleybench.clips import FloatArray, IntArray
from foleybench.metrics._math.correlation import products
from foleybench.metrics.strength_correlation import FEWEST_EVENTS
from foleybench.shards.dataset import ShardDataset
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.probes import evenly_spread
from foleymodels._alignment.stage import load_alignment
from foleymodels._parts.ridge import fit_ridge
from foleymodels._training.decoded_data import TrainingData, cache_settings, training_data

N_FIT = 1200
PENALTY = 1.0
N_RESAMPLES = 1000
AROUND = (-2, -1, 0, 1, 2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Events:
    """Events of some clips, an element or row each.

    Attributes:
        clip: Which clip, shape (n,).
        features: Shape (n, width).
        strength_db: Shape (n,).
        pitch: Semitones above 440 Hz, NaN where an event has none, shape (n,).
    """

    clip: IntArray
    features: FloatArray
    strength_db: FloatArray
    pitch: FloatArray


def collect(manifest: Path, clip_ids: Sequence[str], features: Sequence[FloatArray], tokens_hz: float) -> Events:
    """Return the visible, audible onsets of clips.

    Args:
        manifest: The clips' manifest.
        clip_ids: The clips.
        features: Of each clip, shape (n_tokens, width).
        tokens_hz: Tokens a second.
    """
    dataset = ShardDataset(manifest)
    clips, rows, strengths, pitches = [], [], [], []
    for place, clip_id in enumerate(clip_ids):
        for event in dataset.load(clip_id, video=False, audio=False).events or ():
            if event.kind == "onset" and event.audible and event.visible and event.strength > 0.0:
                rows.append(around(features[place], int(event.time_s * tokens_hz)))
                clips.append(place)
                strengths.append(20.0 * np.log10(event.strength))
                pitches.append(12.0 * np.log2(event.pitch_hz / 440.0) if event.pitch_hz else np.nan)
    return Events(
        clip=np.array(clips), features=np.stack(rows), strength_db=np.array(strengths), pitch=np.array(pitches)
    )


def around(features: FloatArray, token: int) -> FloatArray:
    """Return the features of five tokens (at the ends the last one again) and the clip's mean, shape (6 width,)."""
    near = [features[min(max(token + shift, 0), len(features) - 1)] for shift in AROUND]
    return np.concatenate([*near, features.mean(0)])


def read_out(inputs: FloatArray, wanted: FloatArray, asked: FloatArray) -> FloatArray:
    """Return what ridge regression reads of one quantity from other inputs, shape (n,)."""
    read = fit_ridge([(torch.from_numpy(inputs), torch.from_numpy(wanted)[:, None])], PENALTY)
    return read(torch.from_numpy(asked).float())[:, 0].double().numpy()


def strength_sums(read: FloatArray, events: Events) -> FloatArray:
    """Return each clip's sums of squares and of products of strength and what is read, shape (n_clips, 3).

    Both are taken around the clip's own mean; clips of few events are left out, as the metric leaves them out.
    """
    rows = []
    for clip in np.unique(events.clip):
        own = events.clip == clip
        if own.sum() >= FEWEST_EVENTS:
            sums = products(events.strength_db[own], read[own])
            rows.append([sums["given"], sums["measured"], sums["both"]])
    return np.array(rows, dtype=np.float64)


def correlation(sums: FloatArray) -> FloatArray:
    """Return Pearson's correlation from sums of squares and of products, shape (..., 3)."""
    return np.asarray(sums[..., 2] / np.sqrt(sums[..., 0] * sums[..., 1]))


def error_sums(read: FloatArray, events: Events) -> FloatArray:
    """Return each clip's sum of the errors of the pitch in semitones, and their number, shape (n_clips, 2)."""
    errors = np.abs(read - events.pitch)
    of_clips = [errors[events.clip == clip] for clip in np.unique(events.clip)]
    return np.array([[np.nansum(one), np.isfinite(one).sum()] for one in of_clips])


def mean(sums: FloatArray) -> FloatArray:
    """Return means from sums and numbers, shape (..., 2)."""
    return np.asarray(sums[..., 0] / sums[..., 1])


def lines(fitted: Events, measured: Events) -> Iterator[str]:
    """Yield each measure with its interval."""
    tonal = ~np.isnan(fitted.pitch)
    strength = read_out(fitted.features, fitted.strength_db, measured.features)
    pitch = read_out(fitted.features[tonal], fitted.pitch[tonal], measured.features)
    constant = np.full(len(pitch), np.median(fitted.pitch[tonal]))
    n_of_clip = np.bincount(measured.clip)
    n_strong, n_tonal = int(n_of_clip[n_of_clip >= FEWEST_EVENTS].sum()), int(np.isfinite(measured.pitch).sum())
    for name, value_of, of_clips, n_events in (
        ("strength within clips r", correlation, strength_sums(strength, measured), n_strong),
        ("pitch error (semitones)", mean, error_sums(pitch, measured), n_tonal),
        ("of one pitch for all", mean, error_sums(constant, measured), n_tonal),
    ):
        draws = np.random.default_rng(0).integers(0, len(of_clips), (N_RESAMPLES, len(of_clips)))
        low, high = np.quantile(value_of(of_clips[draws].sum(1)), (0.025, 0.975))
        yield f"{name} {value_of(of_clips.sum(0)):.2f} [{low:.2f}, {high:.2f}] ({n_events} events)"


@torch.inference_mode()
def conditions(alignment: Alignment, data: TrainingData, places: Sequence[int]) -> list[FloatArray]:
    """Return the condition of each chosen clip, shape (n_tokens, width)."""
    seen = (data.video(place) for place in places)
    return [alignment.condition(frames[None], n_tokens)[0].double().numpy() for frames, n_tokens in seen]


def main() -> None:
    """Print a line for every run, and one for chance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that hold a trained stage in alignment/")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for run in args.runs:
        alignment = load_alignment(run / "alignment")
        found: dict[str, list[Events]] = {"": [], ", another clip": []}
        for manifest, n_most in ((args.train, N_FIT), (args.val, None)):
            data = training_data(manifest, cache_settings(alignment.signal))
            places = evenly_spread(len(data), n_most or len(data))
            own, ids = conditions(alignment, data, places), [data.clip_ids[place] for place in places]
            dealt = [own[k] for k in np.random.default_rng(0).permutation(len(own))]
            for events, features in zip(found.values(), (own, dealt), strict=True):
                events.append(collect(manifest, ids, features, alignment.signal.mel.token_hz))
        for title, (fitted, measured) in found.items():
            print(f"{run.name}{title}: {'; '.join(lines(fitted, measured))}", flush=True)


if __name__ == "__main__":
    main()
