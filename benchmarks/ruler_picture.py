"""What single frames of SynthFoley give away: whether something sounds in them.

``python benchmarks/ruler_picture.py`` trains ridge regression and a small network on single frames and states how well
each tells frames in which something sounds from the others: contacts wherever they happen, contacts on screen alone,
and strokes. The network of contacts on screen is then asked for what a look-alike is made for: sounding contacts
against gentle ones that sound nothing, and against misses. What it prints stands in ``benchmarks/results/ruler.md``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy.stats import rankdata  # noqa: E402
from torch import nn  # noqa: E402

from foleybench.clips import Clip, Event  # noqa: E402
from foleybench.synthesis.splits import CorpusOptions  # noqa: E402
from foleybench.synthfoley import render_clip  # noqa: E402
from foleybench.synthfoley.splits import split_specs  # noqa: E402

STEPS, HALF_BATCH = 600, 48
RESAMPLES = 500
Marks = Sequence[np.ndarray]  # one array of booleans a clip, shape (frames,)


def main() -> None:
    """Render clips, train, and print every area under the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=405)
    parser.add_argument("--test", type=int, default=108)
    args = parser.parse_args()
    train = [render_clip(spec) for spec in split_specs("train", CorpusOptions())[: args.train]]
    test = [render_clip(spec) for spec in split_specs("test", CorpusOptions())[: args.test]]
    for title, marks_of in (("contact", contacts), ("contact on screen", contacts_seen), ("stroke", strokes)):
        labels, wanted = [marks_of(clip) for clip in train], [marks_of(clip) for clip in test]
        print(f"{title}: share of frames {np.concatenate(wanted).mean():.3f}")
        for name, scores_of in (("ridge", ridge_scores), ("network", network_scores)):
            scores = scores_of(train, labels, test)
            print(f"  {name:8} {_within_and_over_all(scores, wanted)}", flush=True)
        if marks_of is contacts_seen:
            _against_look_alikes(scores, wanted, test)


def contacts(clip: Clip) -> np.ndarray:
    """Return for every frame whether an audible contact happens at it, on screen or not, shape (T,)."""
    return _at_contacts(clip, lambda event: event.audible)


def contacts_seen(clip: Clip) -> np.ndarray:
    """Return for every frame whether an audible contact is on screen in it, shape (T,)."""
    return _at_contacts(clip, lambda event: event.audible and event.visible)


def gentle_contacts(clip: Clip) -> np.ndarray:
    """Return for every frame whether a contact is on screen in it that sounds nothing, shape (T,)."""
    return _at_contacts(clip, lambda event: not event.audible and event.visible and bool(event.factors.get("soft")))


def misses(clip: Clip) -> np.ndarray:
    """Return for every frame whether a look-alike is on screen in it that turns without a touch, shape (T,)."""
    return _at_contacts(clip, lambda event: not event.audible and event.visible and not event.factors.get("soft"))


def strokes(clip: Clip) -> np.ndarray:
    """Return for every frame whether an audible stroke goes on in it, on screen or not, shape (T,)."""
    times_s, marks = clip.frame_times_s, np.zeros(len(clip.frame_times_s), dtype=bool)
    for event in clip.events or ():
        if event.audible and event.kind == "span":
            start_s = event.factors["contact_s"]
            marks |= (times_s >= start_s) & (times_s <= start_s + event.duration_s)
    return marks


def _at_contacts(clip: Clip, chosen: Callable[[Event], bool]) -> np.ndarray:
    marks = np.zeros(len(clip.frame_times_s), dtype=bool)
    for event in clip.events or ():
        if event.kind == "onset" and chosen(event):
            marks[int(np.abs(clip.frame_times_s - event.factors["contact_s"]).argmin())] = True
    return marks


def ridge_scores(train: Sequence[Clip], labels: Marks, test: Sequence[Clip]) -> list[np.ndarray]:
    """Return the scores of every test clip's frames, by grey levels of 32 x 32 cells and their sizes."""

    def rows(clip: Clip) -> np.ndarray:
        assert clip.frames is not None
        n, step = len(clip.frames), clip.frames.shape[1] // 32
        cells = clip.frames.reshape(n, 32, step, 32, step, 3).mean(axis=(2, 4), dtype=np.float32) / 128.0
        grey = (cells - cells.mean(axis=(1, 2), keepdims=True)).mean(-1).reshape(n, -1)
        return np.concatenate([grey, np.abs(grey), np.ones((n, 1), dtype=np.float32)], axis=1)

    x, y = np.concatenate([rows(clip) for clip in train]), np.concatenate(labels).astype(np.float32)
    square = x.T @ x
    weights = np.linalg.solve(square + 0.3 * np.trace(square) / len(square) * np.eye(len(square)), x.T @ (y - y.mean()))
    return [rows(clip) @ weights for clip in test]


def network_scores(train: Sequence[Clip], labels: Marks, test: Sequence[Clip]) -> list[np.ndarray]:
    """Return the scores of every test clip's frames, by a convolutional network; batches are half of each kind."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    frames = torch.from_numpy(np.concatenate([clip.frames for clip in train if clip.frames is not None]))
    marks = torch.from_numpy(np.concatenate(labels))
    kinds = [torch.where(marks)[0], torch.where(~marks)[0]]
    network = _network()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    wanted = torch.cat([torch.ones(HALF_BATCH), torch.zeros(HALF_BATCH)])
    for _ in range(STEPS):
        chosen = torch.cat([kind[torch.randint(len(kind), (HALF_BATCH,), generator=generator)] for kind in kinds])
        loss = nn.functional.binary_cross_entropy_with_logits(network(_without_mean(frames[chosen]))[:, 0], wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.eval()
    with torch.inference_mode():
        shown = [torch.from_numpy(clip.frames) for clip in test if clip.frames is not None]
        return [network(_without_mean(one))[:, 0].numpy() for one in shown]


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 24, 2), (24, 32, 2), (32, 48, 1)):
        layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    layers += [nn.Conv2d(48, 64, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(64, 1))


def _without_mean(frames: torch.Tensor) -> torch.Tensor:
    """Return frames less their own mean colours, uint8 (n, H, W, 3) to float32 (n, 3, H, W)."""
    x = frames.permute(0, 3, 1, 2).float() / 128.0
    return x - x.mean(dim=(2, 3), keepdim=True)


def _within_and_over_all(scores: Marks, wanted: Marks) -> str:
    within = [auc(s, w) for s, w in zip(scores, wanted, strict=True) if 0 < w.sum() < len(w)]
    half = 1.96 * np.std(within) / np.sqrt(len(within))
    pooled = auc(np.concatenate(scores), np.concatenate(wanted))
    return f"AUC within clips {np.mean(within):.3f} +- {half:.3f} ({len(within)} clips), over all {pooled:.3f}"


def _against_look_alikes(scores: Marks, sounding: Marks, test: Sequence[Clip]) -> None:
    """Print how sounding contacts are told from look-alikes, over all clips, with intervals over clips."""
    for title, marks_of in (("gentle contacts", gentle_contacts), ("misses", misses)):
        silent = [marks_of(clip) & ~sounds for clip, sounds in zip(test, sounding, strict=True)]
        rng = np.random.default_rng(0)
        everyone = np.arange(len(test))
        value = _told_apart(scores, sounding, silent, everyone)
        drawn = [_told_apart(scores, sounding, silent, rng.choice(everyone, len(everyone))) for _ in range(RESAMPLES)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        counts = f"{sum(map(np.sum, sounding))} and {sum(map(np.sum, silent))} frames"
        print(f"  network  sounding contacts against {title}: AUC {value:.3f} [{low:.3f}, {high:.3f}], {counts}")


def _told_apart(scores: Marks, one: Marks, other: Marks, places: np.ndarray) -> float:
    first = np.concatenate([scores[k][one[k]] for k in places])
    second = np.concatenate([scores[k][other[k]] for k in places])
    return auc(np.concatenate([first, second]), np.arange(len(first) + len(second)) < len(first))


def auc(scores: np.ndarray, wanted: np.ndarray) -> float:
    """Return the chance that a frame that sounds scores above one that does not (ties count half)."""
    ranks, n = rankdata(scores), int(wanted.sum())
    return float((ranks[wanted].sum() - n * (n + 1) / 2) / (n * (len(wanted) - n)))


if __name__ == "__main__":
    main()
