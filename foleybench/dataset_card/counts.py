"""Count the figures of one split from its manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from foleybench.clip_ids import is_safe
from foleybench.errors import ManifestError
from foleybench.runtime.private_paths import text_without_places
from foleybench.shards.manifest import Entry, Header, header_of, parse_entry
from foleybench.shards.manifest_lines import ManifestLines

N_EXAMPLES = 12
# Facts whose distribution is plotted: name of the fact, title, unit.
MEASURED = {
    "duration_s": ("Length", "s"),
    "av_offset_s": ("Video begins after the audio", "s"),
    "content_offset_s": ("Video comes after its audio, by content", "s"),
    "source_fps": ("Frame rate of the source", "1/s"),
    "source_rate_hz": ("Sample rate of the source", "Hz"),
    "peak": ("Peak of the audio", "of full scale"),
}
# Control characters, line ends, directions of writing, halves of pairs.
_UNREADABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclasses.dataclass(kw_only=True)
class Reasons:
    """Clips that failed for the same reason; ``spread`` holds the least and largest of each number in the reason."""

    status: str
    said: str
    n: int = 0
    spread: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    clip_ids: list[str] = dataclasses.field(default_factory=list)

    @property
    def words(self) -> str:
        """The reason, with ``0.04 to 0.31`` where a number differs between the clips."""
        ends = iter(self.spread)
        return _NUMBER.sub(lambda found: " to ".join(dict.fromkeys(next(ends))), self.said)

    def add(self, reason: str) -> None:
        """Count a clip and extend the range of each number by that of its reason."""
        self.n += 1
        numbers = _NUMBER.findall(reason)
        self.spread = [
            (min(low, number, key=float), max(high, number, key=float))
            for (low, high), number in zip(self.spread or [(n, n) for n in numbers], numbers, strict=True)
        ]


@dataclasses.dataclass(kw_only=True)
class Overview:
    """The figures of one split.

    Attributes:
        path: The manifest.
        header: Its first line.
        sha256: Hash of the manifest, which names the test set.
        n_asked: Clips asked for.
        statuses: Clips by status.
        reasons: Failures by status and reason, whatever the numbers in the reason.
        labels: Class -> clips that can be used; and, under ``asked``, clips asked for.
        flags: Clips by flag, and the ids of some of them.
        values: Fact -> its values over the usable clips.
        sizes: Clips by frame size of the source.
        copies: Of clips inside this split: (clip, first of its like, kind), some of them.
        shards: Shard -> its clips.
        usable: Some usable clips, spread over the split.
    """

    path: Path
    header: Header
    sha256: str = ""
    n_asked: int = 0
    statuses: Counter[str] = dataclasses.field(default_factory=Counter)
    reasons: dict[tuple[str, str], Reasons] = dataclasses.field(default_factory=dict)
    labels: Counter[str] = dataclasses.field(default_factory=Counter)
    asked: Counter[str] = dataclasses.field(default_factory=Counter)
    flags: Counter[str] = dataclasses.field(default_factory=Counter)
    flagged: defaultdict[str, list[str]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    values: defaultdict[str, list[float]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    sizes: Counter[str] = dataclasses.field(default_factory=Counter)
    copies: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    shards: Counter[str] = dataclasses.field(default_factory=Counter)

    @property
    def n_ok(self) -> int:
        """Clips that can be used."""
        return self.statuses["ok"]

    @property
    def title(self) -> str:
        """Data set and split."""
        return f"{self.header.dataset}/{self.header.split}"

    @property
    def seconds(self) -> float:
        """Length of all usable clips together."""
        return sum(self.values["duration_s"])

    def shard_bytes(self) -> dict[str, int | None]:
        """Return the size of each shard, None for one that does not lie beside the manifest."""
        found: dict[str, int | None] = {}
        for name in sorted(self.shards):
            shard = self.path.parent / Path(name).name
            found[name] = shard.stat().st_size if shard.is_file() else None
        return found

    def add(self, entry: Entry) -> None:
        """Count one line."""
        if not is_safe(entry.clip_id):
            raise ValueError(f"{readable(entry.clip_id, 40)!r} is no clip id")
        label = readable(entry.label)
        self.n_asked += 1
        self.statuses[entry.status] += 1
        self.asked[label] += 1
        if entry.status != "ok":
            reason = readable(text_without_places(entry.reason))
            key = (entry.status, _NUMBER.sub("#", reason))
            group = self.reasons.setdefault(key, Reasons(status=entry.status, said=reason))
            group.add(reason)
            _keep(group.clip_ids, entry.clip_id)
            return
        self.labels[label] += 1
        self.shards[entry.shard or ""] += 1
        self._add_facts(entry.clip_id, entry.facts)

    def _add_facts(self, clip_id: str, facts: dict[str, Any]) -> None:
        for flag in facts.get("flags", []):
            self.flags[flag] += 1
            _keep(self.flagged[flag], clip_id)
        for name in MEASURED:
            if isinstance(facts.get(name), int | float):
                self.values[name].append(float(facts[name]))
        if "source_width" in facts:
            self.sizes[f"{facts['source_width']}x{facts['source_height']}"] += 1
        if "duplicate_of" in facts and len(self.copies) < 10 * N_EXAMPLES:
            self.copies.append((clip_id, str(facts["duplicate_of"]), str(facts.get("duplicate_kind", ""))))


def read_overview(path: Path) -> Overview:
    """Count a manifest's clips, one line in memory at a time.

    Raises:
        ManifestError: The file is missing or a line of it is damaged.
    """
    if not path.is_file():
        raise ManifestError(f"no manifest at {path}. Make one with `foleybench prepare`.")
    with path.open("rb") as handle:
        lines = ManifestLines(str(path), handle)
        overview = Overview(path=path, header=header_of(lines))
        for number, line in lines:
            try:
                overview.add(parse_entry(str(path), number, line))
            except (ValueError, TypeError) as error:
                raise ManifestError(f"{path}, line {number} is damaged: {error}. Prepare the data again.") from error
    overview.sha256 = lines.sha256
    return overview


def readable(text: str, n: int = 300) -> str:
    """Return at most about ``n`` characters; letters that break lines or turn the text around are written as escapes.

    Longer texts end with their length and a hash, so that different ones stay different.
    """
    if len(text) > n:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[: n - 40]}... ({len(text)} characters, {digest})"
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _keep(examples: list[str], clip_id: str) -> None:
    if len(examples) < N_EXAMPLES:
        examples.append(clip_id)
