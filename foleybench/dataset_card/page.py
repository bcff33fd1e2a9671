"""Write a folder of shards as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from foleybench.dataset_card import plots
from foleybench.dataset_card.counts import MEASURED, Overview, readable
from foleybench.dataset_card.thumbnails import film_strip
from foleybench.dataset_card.words import hours, megabytes, per_cent, quartiles
from foleybench.errors import ManifestError, MediaError
from foleybench.files import write_atomically
from foleybench.pages.spectrogram import data_uri
from foleybench.pages.template import choose_clips, fill, trusted
from foleybench.runtime.private_paths import text_without_places
from foleybench.shards.dataset import ShardDataset

_PACKAGE = "foleybench.dataset_card"
N_THUMBNAILS = 24
_N_PER_FLAG = 4
_MOST_BARS = 40
_MOST_ROWS = 40


class Thumbnail(NamedTuple):
    """Thumbnails of one clip; without ``src`` there are none, and ``missing`` says why."""

    clip_id: str
    label: str
    flags: str
    src: str
    missing: str


def render_card(overviews: Sequence[Overview], between: Sequence[dict[str, Any]] | None, *, n_thumbnails: int) -> str:
    """Return the page.

    Args:
        overviews: One for each split.
        between: Copies between the splits, or None when no search was run.
        n_thumbnails: How many clips of each split are shown, beside those with flags.
    """
    return fill(
        _PACKAGE,
        "overview.html.j2",
        css=trusted("foleybench.pages", "theme.css") + trusted(_PACKAGE, "overview.css"),
        title=" and ".join(sorted({overview.header.dataset for overview in overviews})),
        splits=[_view(overview, n_thumbnails) for overview in overviews],
        between=None if between is None else between[:_MOST_ROWS],
        n_between=0 if between is None else len(between),
    )


def _view(overview: Overview, n_thumbnails: int) -> dict[str, Any]:
    groups = sorted(overview.reasons.values(), key=lambda group: (-group.n, group.status, group.words))
    sizes = [n for n in overview.shard_bytes().values() if n is not None]
    shown = thumbnails(overview, n_thumbnails)
    return {
        "overview": overview,
        "facts": [
            ("clips asked for", f"{overview.n_asked:,}"),
            ("can be used", f"{overview.n_ok:,} ({per_cent(overview.n_ok, overview.n_asked)})"),
            ("together", hours(overview.seconds)),
            ("shards", f"{len(overview.shards)}, {megabytes(sum(sizes))}"),
            ("profile", str(overview.header.profile.get("name", "own"))),
            ("copies inside", f"{overview.flags['duplicate']:,}"),
        ],
        "plots": list(_plots(overview)),
        "reasons": groups[:_MOST_ROWS],
        "n_reasons": len(groups),
        "copies": overview.copies[:_MOST_ROWS],
        "n_copies": overview.flags["duplicate"] + overview.flags["same_sound"],
        "thumbnails": shown,
        "tools": sorted(overview.header.tools.items()),
        "profile": sorted(overview.header.profile.items()),
    }


def _plots(overview: Overview) -> Iterator[dict[str, Any]]:
    statuses = overview.statuses.most_common()
    rows = [plots.Bar(status, n, n, f"{n:,}, {per_cent(n, overview.n_asked)}") for status, n in statuses]
    yield {"title": "How the clips ended", "note": "", "svg": plots.bars("Clips by status", rows)}
    if overview.flags:
        rows = [plots.Bar(f, n, n, f"{n:,}, {per_cent(n, overview.n_ok)}") for f, n in overview.flags.most_common()]
        yield {"title": "Flags", "note": "of the usable clips", "svg": plots.bars("Clips by flag", rows, "flag")}
    if any(overview.asked):
        yield _classes(overview)
    for name, (title, unit) in MEASURED.items():
        values = overview.values[name]
        if values:
            note = f"{len(values):,} known: {quartiles(values)}"
            yield {"title": title, "note": note, "svg": plots.histogram(title, values, unit)}
    sizes = overview.sizes.most_common(_MOST_BARS // 3)
    if sizes:
        rows = [plots.Bar(size, n, n, f"{n:,}") for size, n in sizes]
        note = f"the {len(sizes)} most frequent of {len(overview.sizes)}"
        yield {"title": "Size of the source", "note": note, "svg": plots.bars("Clips by size", rows)}
    yield from _shards(overview)


def _classes(overview: Overview) -> dict[str, Any]:
    names = sorted((label for label in overview.asked if label), key=lambda label: (-overview.labels[label], label))
    note = f"{len(names)} classes; pale: asked for"
    if len(names) <= _MOST_BARS:
        rows = [
            plots.Bar(n, overview.labels[n], overview.asked[n], f"{overview.labels[n]:,} of {overview.asked[n]:,}")
            for n in names
        ]
        return {"title": "Classes", "note": note, "svg": plots.bars("Clips by class", rows)}
    had, asked = [overview.labels[n] for n in names], [overview.asked[n] for n in names]
    words = f"{names[0]} {had[0]:,} ... {names[-1]} {had[-1]:,}"
    return {"title": "Class balance", "note": words, "svg": plots.ranks("Clips by class", had, asked)}


def _shards(overview: Overview) -> Iterator[dict[str, Any]]:
    sizes = {name: n for name, n in overview.shard_bytes().items() if n is not None}
    if not sizes:
        return
    note = f"{len(sizes)} of {len(overview.shards)} are beside the manifest"
    if len(sizes) > _MOST_BARS:
        in_mb = [n / 1e6 for n in sizes.values()]
        yield {"title": "Size of the shards", "note": note, "svg": plots.histogram("Shards", in_mb, "MB")}
        return
    rows = [plots.Bar(n, b, b, f"{megabytes(b)}, {overview.shards[n]} clips") for n, b in sizes.items()]
    yield {"title": "Size of the shards", "note": note, "svg": plots.bars("Bytes by shard", rows)}


def thumbnails(overview: Overview, n: int) -> list[Thumbnail]:
    """Return thumbnails of ``n`` clips drawn from the split, and of some with each flag."""
    if not n or not overview.n_ok or all(size is None for size in overview.shard_bytes().values()):
        return []
    data = ShardDataset(overview.path)
    # Every k-th clip of a corpus that takes its classes in turn would show a few classes only.
    drawn = choose_clips(data.clip_ids, n, seed=0)
    with_flags = [clip_id for _, found in sorted(overview.flagged.items()) for clip_id in found[:_N_PER_FLAG]]
    return [_thumbnail(data, clip_id) for clip_id in dict.fromkeys([*with_flags, *drawn])]


def _thumbnail(data: ShardDataset, clip_id: str) -> Thumbnail:
    entry = data.entry(clip_id)
    flags = ", ".join(entry.facts.get("flags", []))
    label = readable(entry.label, 100)
    try:
        src = data_uri("image/jpeg", film_strip(data.members(clip_id)["mp4"]))
    except (ManifestError, MediaError) as error:
        return Thumbnail(clip_id, label, flags, "", text_without_places(str(error)))
    return Thumbnail(clip_id, label, flags, src, "")


def write_page(path: Path, html: str) -> None:
    """Write the page, under a temporary name first."""
    write_atomically(path, html.encode())
