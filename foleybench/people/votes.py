"""Read votes: files of listening pages, and ratings made elsewhere."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from foleybench.artefacts.listening import Key, read_vote_file
from foleybench.errors import FoleyError, ResultError
from foleybench.fields import Place, read_rows, read_text, shown

PAIR_COLUMNS = ("rater", "clip", "A", "B", "choice")
SCORE_COLUMNS = ("rater", "clip", "system", "score")
_TIES = frozenset({"tie", "same", "equal", "none", "="})


@dataclasses.dataclass(frozen=True)
class Vote:
    """One answer about two systems.

    Attributes:
        rater: Who.
        clip_id: About which clip.
        first: The system that was on the left, or in column A.
        second: The other.
        hits: 1 when the first was preferred, 0 when the second was, 0.5 for a tie.
        placed: Whether first and second say where the sounds stood; not so for pairs made of scores.
    """

    rater: str
    clip_id: str
    first: str
    second: str
    hits: float
    placed: bool = True


def read_all_votes(paths: Sequence[Path], key: Key | None) -> tuple[list[Vote], list[str]]:
    """Read files of votes, JSON by their ending, all others as CSV.

    Args:
        paths: The files.
        key: Of the listening page; JSON files need it.

    Returns:
        The votes, and in words what was left out (a file that another one holds already).

    Raises:
        FoleyError: A file cannot be read, JSON without a key, or two files of one rater that disagree.
    """
    pages = [path for path in paths if path.suffix.lower() == ".json"]
    for path in pages:
        if not path.is_file():
            raise FoleyError(f"no file of votes at {path}.")
    if pages and key is None:
        raise FoleyError(f"{pages[0]} is from a listening page; give its key with --key (key.json beside the page).")
    votes, left_out = _of_pages(pages, key) if key else ([], [])
    for path in paths:
        if path not in pages:
            votes += _of_csv(path)
    if not votes:
        raise FoleyError(f"{', '.join(map(str, paths))}: there is no vote in it.")
    return votes, left_out


def _of_pages(paths: Sequence[Path], key: Key) -> tuple[list[Vote], list[str]]:
    """Read page files; of two files of one rater the longer counts when it holds all of the shorter."""
    kept: dict[str, tuple[Path, dict[tuple[str, str], str]]] = {}
    left_out = []
    for path in paths:
        found = read_vote_file(path)
        if found["study"] != key.study:
            raise ResultError(f"{path} is of the listening page {found['study']}, the key of {key.study}.")
        answers = {(vote["left"], vote["right"]): vote["choice"] for vote in found["votes"]}
        for sound in itertools.chain.from_iterable(answers):
            if sound not in key.sounds:
                raise ResultError(f"{path} names the sound {shown(sound)}, which the key does not have.")
        earlier = kept.get(found["rater"])
        if earlier:
            fewer, more = sorted([earlier, (path, answers)], key=lambda one: len(one[1]))
            if not fewer[1].items() <= more[1].items():
                raise FoleyError(
                    f"{earlier[0]} and {path} are both of rater {found['rater']!r} and differ. Keep one; or, "
                    'if they are of two people, change "rater" in one of them.'
                )
            left_out.append(f"{fewer[0]}: left out, {more[0]} has all its votes")
            kept[found["rater"]] = more
        else:
            kept[found["rater"]] = path, answers
    votes = [
        _of_answer(path, rater, sides, choice, key)
        for rater, (path, answers) in kept.items()
        for sides, choice in answers.items()
    ]
    return votes, left_out


def _of_answer(path: Path, rater: str, sides: tuple[str, str], choice: str, key: Key) -> Vote:
    (clip_id, first), (other, second) = (key.sounds[side] for side in sides)
    if clip_id != other or first == second:
        raise ResultError(f"{path} compares {sides[0]} with {sides[1]}, which are no pair of one clip.")
    return Vote(rater, clip_id, first, second, {"left": 1.0, "right": 0.0, "same": 0.5}[choice])


def _of_csv(path: Path) -> list[Vote]:
    place = Place(str(path), FoleyError)
    header = read_text(path, place).partition("\n")[0]
    names = {name.strip().strip('"') for name in header.strip().split(",")}
    if set(PAIR_COLUMNS) <= names:
        return [_of_pair(place.line(line), row) for line, row in read_rows(path, PAIR_COLUMNS, place)]
    if not set(SCORE_COLUMNS) <= names:
        wanted = f"{','.join(PAIR_COLUMNS)} or {','.join(SCORE_COLUMNS)}"
        place.fail(f" has the columns {shown(header.strip())}; {wanted} are wanted")
    return list(_of_scores(path, place))


def _of_pair(place: Place, row: Mapping[str, str]) -> Vote:
    rater, clip_id, first, second, choice = (row[name].strip() for name in PAIR_COLUMNS)
    if not (rater and clip_id and first and second) or first == second:
        place.fail(f" needs a rater, a clip and two different systems, and has {shown(','.join(row.values()))}")
    return Vote(rater, clip_id, first, second, _hits(place, first, second, choice))


def _hits(place: Place, first: str, second: str, choice: str) -> float:
    """Return who was preferred: named by column, by system, or as a tie."""
    meant = {1.0} if choice == first else {0.0} if choice == second else set()
    meant |= {1.0} if choice in ("A", "a") else {0.0} if choice in ("B", "b") else set()
    meant |= {0.5} if choice.lower() in _TIES and not meant else set()
    if len(meant) != 1:
        place.fail(f" has the choice {shown(choice)}; A, B, tie, {shown(first)} or {shown(second)} is wanted")
    return meant.pop()


def _of_scores(path: Path, place: Place) -> Iterator[Vote]:
    """Compare the scores that a rater gave to the systems of a clip, each with each."""
    given: dict[tuple[str, str], dict[str, float]] = {}
    for line, row in read_rows(path, SCORE_COLUMNS, place):
        rater, clip_id, system, score = (row[name].strip() for name in SCORE_COLUMNS)
        try:
            value = float(score)
        except ValueError:
            value = float("nan")
        if not (rater and clip_id and system) or not abs(value) < float("inf"):
            place.line(line).fail(f" needs rater, clip, system and a number, and has {shown(','.join(row.values()))}")
        scores = given.setdefault((rater, clip_id), {})
        if system in scores:
            place.line(line).fail(f" scores {shown(system)} on clip {shown(clip_id)} by {shown(rater)} again")
        scores[system] = value
    for (rater, clip_id), scores in given.items():
        for first, second in itertools.combinations(sorted(scores), 2):
            hits = 0.5 if scores[first] == scores[second] else float(scores[first] > scores[second])
            yield Vote(rater, clip_id, first, second, hits, placed=False)


def votes_csv(votes: Sequence[Vote]) -> str:
    """Return votes as a CSV that ``read_all_votes`` reads: rater, clip, A, B, choice."""
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(PAIR_COLUMNS)
    for vote in votes:
        choice = {1.0: "A", 0.0: "B"}.get(vote.hits, "tie")
        writer.writerow([vote.rater, vote.clip_id, vote.first, vote.second, choice])
    return buffer.getvalue()
