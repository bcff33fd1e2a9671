"""Accumulate a metric in a training loop: update, merge, compute.

Value and interval are those that ``foleybench eval`` gives for the same clips, to the bit: the same encoders, the same
statistics, the same estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench import registry
from foleybench.api.metric import ClipView, Metric
from foleybench.api.protocol import Frontend
from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.result import stats_of
from foleybench.clips import AudioArray, Clock, Event
from foleybench.errors import FoleyError
from foleybench.features.cache import FeatureCache
from foleybench.features.featurise import PICTURE, DecodeVideo, EncoderMaterial, Featuriser, job
from foleybench.media.audio import fit_length
from foleybench.stats import estimate
from foleybench.stats.intervals import Interval


class Accumulator:
    """One metric, fed clip by clip.

    Attributes:
        name: Registry name of the metric.
        metric: The metric.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> total = Accumulator("level_difference")
        >>> other = Accumulator("level_difference")
        >>> for index in range(4):
        ...     real = rng.normal(0.0, 0.1, 16000).astype(np.float32)
        ...     part = total if index < 2 else other
        ...     part.update(f"clip{index}", generated=0.5 * real, reference=real, rate_hz=16000)
        >>> total.merge(other)
        >>> len(total), round(total.compute(), 2)
        (4, 6.02)
    """

    def __init__(self, name: str, *, device: str = "cpu", frontend: Frontend | None = None) -> None:
        """Start empty.

        Args:
            name: Registry name of the metric, as in ``foleybench list metrics``.
            device: Torch device of the encoders; they are built at the first ``update``.
            frontend: A protocol's, or None for ours.

        Raises:
            FoleyError: No metric has this name.
        """
        self.name = name
        self.metric: Metric = registry.load("metrics", name)
        self._table = ClipTable()
        self._seen: set[str] = set()
        self._needs = self.metric.needs
        jobs = {job(need.encoder, need.of) for need in self._needs.values()}
        self._featuriser = Featuriser(jobs, device, FeatureCache(None), frontend)

    def __len__(self) -> int:
        """Return the number of clips so far, including those that the metric does not apply to."""
        return len(self._table)

    def update(
        self,
        clip_id: str,
        *,
        generated: AudioArray,
        reference: AudioArray,
        rate_hz: int,
        reference_hz: int | None = None,
        decode_video: DecodeVideo | None = None,
        label: str = "",
        source_id: str = "",
        events: tuple[Event, ...] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Add a clip by its audio; the metric's encoders run now.

        Args:
            clip_id: The clip's id; each may come once.
            generated: Shape (N,), mono float32, cut or zero-padded to the length of ``reference``. Metrics of two
                channels do not apply.
            reference: Shape (M,), mono float32.
            rate_hz: Rate of ``generated``.
            reference_hz: Rate of ``reference``; the same when None.
            decode_video: Returns the frames (T, H, W, 3) uint8 and their times (T,) in seconds, for encoders of frames.
            label: Class or caption, for metrics that know classes or read captions; the latter do not apply without a
                caption.
            source_id: The video that it was cut from, for intervals; the clip itself when "".
            events: Exact events, for metrics that know them.
            seconds: Seconds that generating the clip took.

        Raises:
            FoleyError: The id came before, audio is not one-dimensional or not finite, an encoder needs the video
                and there is no ``decode_video``, or weights are missing.
        """
        for what, sound in (("generated", generated), ("reference", reference)):
            if np.ndim(sound) != 1 or not np.isfinite(sound).all():
                raise FoleyError(f"{what} audio of {clip_id!r} has shape {np.shape(sound)}; wanted (N,), all finite.")
        own_hz = reference_hz or rate_hz
        duration_s = len(reference) / own_hz
        wanted = Clock(duration_s).samples(rate_hz)
        material = EncoderMaterial(
            duration_s=duration_s,
            sounds={
                "generated": (fit_length(np.asarray(generated, dtype=np.float32), wanted), rate_hz),
                "reference": (np.ascontiguousarray(reference, dtype=np.float32), own_hz),
            },
            picture_sha256="",
            decode_video=decode_video or _no_picture,
            caption=label,
        )
        (made,) = self._featuriser([material])
        jobs = {name: job(need.encoder, need.of) for name, need in self._needs.items()}
        features = {name: made[jobs[name]][need.layer] for name, need in self._needs.items() if jobs[name] in made}
        self._add(clip_id, features, duration_s, label, source_id, events, seconds)

    def update_features(
        self,
        clip_id: str,
        features: Mapping[str, npt.NDArray[Any]],
        *,
        duration_s: float = 0.0,
        label: str = "",
        source_id: str = "",
    ) -> None:
        """Add a clip by features made before, under the metric's own names (``metric.needs``).

        Args:
            clip_id: Its id; each may come once.
            features: Name -> array, of the shape that the encoder's layer has.
            duration_s: Length of the clip in seconds, for metrics that use it.
            label: Class.
            source_id: The video that it was cut from.

        Raises:
            FoleyError: A feature is missing or not finite, or the id came before.

        Example:
            >>> fad = Accumulator("fad_vggish")
            >>> rng = np.random.default_rng(0)
            >>> for index in range(40):
            ...     rows = rng.normal(size=(10, 128))
            ...     fad.update_features(f"{index}", {"reference": rows, "generated": rows + 0.5})
            >>> round(fad.compute(), 6)
            32.0
        """
        lost = sorted(set(self._needs) - set(features))
        if lost:
            raise FoleyError(f"{self.name} needs the features {', '.join(sorted(self._needs))}; {lost[0]} is missing.")
        self._add(clip_id, features, duration_s, label, source_id, None, None)

    def compute(self) -> float:
        """Return the value over all clips so far; NaN when undefined (see ``metric.undefined``)."""
        return estimate.value_of(self.metric, stats_of(self._table, self.name))

    def interval(self, seed: int = 0, resamples: int = 1000) -> Interval | None:
        """Return the 95 % interval over source videos, the one that ``foleybench eval`` gives.

        None with fewer than six videos; with six or seven its coverage depends on the values (``notes``).

        Args:
            seed: Seed of the sign vectors, as ``eval --seed``.
            resamples: Number of sign vectors, as ``eval --resamples``.
        """
        sources = {row["clip_id"]: row["source_id"] for row in self._table}
        found = stats_of(self._table, self.name)
        return estimate.interval_of(self.name, self.metric, found, sources, seed=seed, resamples=resamples)

    def notes(self) -> tuple[str, ...]:
        """Return caveats about value and interval: few videos, one clip that holds much of the value."""
        found = stats_of(self._table, self.name)
        return estimate.notes_of(self.metric, found, {row["clip_id"]: row["source_id"] for row in self._table})

    def merge(self, other: Accumulator) -> None:
        """Add the clips of another accumulator of the same metric, from another process for one.

        Raises:
            FoleyError: The other one is of another metric, or has a clip in common; nothing is added then.
        """
        if other.name != self.name:
            raise FoleyError(f"{other.name} cannot be merged into {self.name}.")
        common = sorted(self._seen & other._seen)
        if common:
            raise FoleyError(f"{len(common)} clips are in both, the first is {common[0]!r}; each may count once.")
        for row in other._table:
            stat = row["stats"][self.name]
            arrays = stat and {key: other._table.array(value) for key, value in stat.items()}
            self._table.add({**row, "stats": {self.name: arrays}})
        self._seen |= other._seen

    def _add(
        self,
        clip_id: str,
        features: Mapping[str, npt.NDArray[Any]],
        duration_s: float,
        label: str,
        source_id: str,
        events: tuple[Event, ...] | None,
        seconds: float | None,
    ) -> None:
        if clip_id in self._seen:
            raise FoleyError(f"clip {clip_id!r} was added before; each may count once.")
        given = {name: features[name] for name in self._needs if name in features}
        for name, feature in given.items():
            if not np.isfinite(feature).all():
                raise FoleyError(f"feature {name!r} of {clip_id!r} holds a value that is not finite.")
        view = ClipView(
            clip_id=clip_id,
            source_id=source_id or clip_id,
            label=label,
            duration_s=duration_s,
            events=events,
            features=given,
            seconds=seconds,
        )
        self._table.add(
            {
                "clip_id": clip_id,
                "source_id": view.source_id,
                "label": label,
                # Without a caption or both channels, where they are used, the metric does not apply.
                "stats": {self.name: self.metric.per_clip(view) if len(given) == len(self._needs) else None},
            }
        )
        self._seen.add(clip_id)


def _no_picture() -> Any:
    raise FoleyError(f"an encoder of this metric needs the {PICTURE}; give `decode_video`.")
