"""Votes from pages and CSVs: what they mean, and what is refused."""

import json

import pytest

from foleybench.artefacts.listening import Key, read_key, read_vote_file, study_id, write_key
from foleybench.errors import FoleyError, ResultError
from foleybench.people.votes import Vote, read_all_votes, votes_csv

CONTENT = {
    "question": "Which?",
    "dataset": {"name": "clicks", "split": "test", "manifest_sha256": "a" * 64},
    "systems": ["ours", "theirs"],
    "reference": None,
    "anchor": None,
    "rule": "",
    "seed": 0,
    "sources": {"c1": "v1", "c2": "v2"},
    "sounds": {
        "s1": {"clip_id": "c1", "system": "ours"},
        "s2": {"clip_id": "c1", "system": "theirs"},
        "s3": {"clip_id": "c2", "system": "ours"},
        "s4": {"clip_id": "c2", "system": "theirs"},
    },
}


@pytest.fixture
def key(tmp_path):
    write_key(tmp_path / "key.json", {**CONTENT, "study": study_id(CONTENT)})
    return read_key(tmp_path / "key.json")


@pytest.fixture
def page_file(tmp_path, key):
    def write(name, answers, rater="7", study=key.study):
        votes = [dict(zip(("left", "right", "choice"), answer, strict=True)) for answer in answers]
        content = {"kind": "listening votes", "schema": 1, "study": study, "rater": rater, "complete": True}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**content, "votes": votes}))
        return path

    return write


FIRST, SECOND = ("s2", "s1", "right"), ("s3", "s4", "same")


def test_a_page_file_is_read_with_its_key(key, page_file):
    votes, left_out = read_all_votes([page_file("a", [FIRST, SECOND])], key)
    assert votes == [Vote("7", "c1", "theirs", "ours", 0.0), Vote("7", "c2", "ours", "theirs", 0.5)]
    assert left_out == []


def test_the_longer_of_two_files_of_one_rater_counts(key, page_file):
    short, long = page_file("short", [FIRST]), page_file("long", [FIRST, SECOND])
    for paths in ([short, long], [long, short]):
        votes, left_out = read_all_votes(paths, key)
        assert len(votes) == 2
        assert left_out == [f"{short}: left out, {long} has all its votes"]
    other = page_file("other", [(*FIRST[:2], "left")])
    with pytest.raises(FoleyError, match="both of rater '7' and differ"):
        read_all_votes([short, other], key)


@pytest.mark.parametrize(
    ("answers", "more", "words"),
    [
        ([("s1", "s9", "left")], {}, "names the sound 's9', which the key does not have"),
        ([("s1", "s3", "left")], {}, "no pair of one clip"),
        ([("s1", "s1", "left")], {}, "no pair of one clip"),
        ([("s1", "s2", "middle")], {}, "votes.0.choice is 'middle'"),
        ([FIRST], {"study": "other"}, "of the listening page other, the key of"),
        ([], {}, "there is no vote in it"),
    ],
)
def test_page_files_that_are_refused(key, page_file, answers, more, words):
    with pytest.raises(FoleyError, match=words):
        read_all_votes([page_file("a", answers, **more)], key)


def test_page_files_need_the_key(page_file):
    with pytest.raises(FoleyError, match="give its key with --key"):
        read_all_votes([page_file("a", [FIRST])], None)


def test_a_key_that_was_changed_is_refused(tmp_path, key):
    path = tmp_path / "key.json"
    path.write_text(path.read_text().replace('"system":"ours"', '"system":"theirs"', 1))
    with pytest.raises(ResultError, match="was changed after it was written"):
        read_key(path)
    path.write_text('{"kind": "people"}')
    with pytest.raises(ResultError, match=r"lacks schema, .*key\.json that `foleybench listen` wrote"):
        read_key(path)
    with pytest.raises(ResultError, match="Votes are the JSON file"):
        read_vote_file(path)
    assert isinstance(key, Key)


def csv_votes(tmp_path, text):
    (tmp_path / "ratings.csv").write_text(text)
    return read_all_votes([tmp_path / "ratings.csv"], None)[0]


def test_pairs_by_column_by_name_and_as_ties(tmp_path):
    rows = "r,c,x,y,A\nr,c,x,y,b\nr,c,x,y,y\nr,c,x,y,Tie\nr,c,x,y,x\n"
    votes = csv_votes(tmp_path, f"rater,clip,A,B,choice\n{rows}")
    assert [vote.hits for vote in votes] == [1.0, 0.0, 0.0, 0.5, 1.0]
    assert votes[0] == Vote("r", "c", "x", "y", 1.0)


def test_scores_become_pairs(tmp_path):
    votes = csv_votes(tmp_path, "system,rater,clip,score\nx,r,c,3\ny,r,c,4.5\nz,r,c,3\nx,q,c,1\n")
    assert [(v.first, v.second, v.hits, v.placed) for v in votes] == [
        ("x", "y", 0.0, False),
        ("x", "z", 0.5, False),
        ("y", "z", 1.0, False),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rater,clip,A,B\n", "rater,clip,system,score are wanted"),
        ("rater,clip,A,B,choice\nr,c,x,y,C\n", "line 2 has the choice 'C'; A, B, tie, 'x' or 'y' is wanted"),
        ("rater,clip,A,B,choice\nr,c,B,y,B\n", "line 2 has the choice 'B'"),  # the system B, or column B?
        ("rater,clip,A,B,choice\nr,c,x,x,A\n", "two different systems"),
        ("rater,clip,A,B,choice\n,c,x,y,A\n", "needs a rater"),
        ("rater,clip,system,score\nr,c,x,good\n", "line 2 needs rater, clip, system and a number"),
        ("rater,clip,system,score\nr,c,x,nan\n", "and a number"),
        ("rater,clip,system,score\nr,c,x,inf\n", "and a number"),
        ("rater,clip,system,score\nr,c,x,1\nr,c,x,2\n", "line 3 scores 'x' on clip 'c' by 'r' again"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, words):
    with pytest.raises(FoleyError, match=words):
        csv_votes(tmp_path, text)


def test_votes_written_are_votes_read(tmp_path):
    votes = [Vote("r 1", "c", "x", "y", hits) for hits in (1.0, 0.0, 0.5)]
    assert csv_votes(tmp_path, votes_csv(votes)) == votes
