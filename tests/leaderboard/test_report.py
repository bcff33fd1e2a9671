"""The listening page: which clips, what is missing, how large, and nothing unescaped."""

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
import soundfile

from foleybench import registry
from foleybench.artefacts.result import write_result
from foleybench.errors import FoleyError
from foleybench.leaderboard.report import ReportRequest, Sound, _onsets, make_report
from foleybench.media.audio import write_wav
from foleybench.pages.template import choose_clips
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.shards.dataset import ShardDataset
from tests.made_media import click, pictures, write_video

RATE_HZ = 16000


@pytest.fixture(scope="module")
def folders(clicks, tmp_path_factory):
    """Two systems: one shifts the real audio by 0.2 s, the other misses a clip, breaks one and cuts one short."""
    home = tmp_path_factory.mktemp("audio")
    data = ShardDataset(clicks)
    for index, clip_id in enumerate(data.clip_ids):
        audio = data.load(clip_id, video=False).audio
        write_wav(home / "late" / f"{clip_id}.wav", np.roll(audio, RATE_HZ // 5), RATE_HZ)
        if index == 1:
            (home / "poor" / f"{clip_id}.wav").write_bytes(b"RIFF no audio")
        elif index:
            write_wav(home / "poor" / f"{clip_id}.wav", audio[: len(audio) // (1 + index % 2)], RATE_HZ)
        else:
            (home / "poor").mkdir()
    return {"late": home / "late", "poor <b>": home / "poor"}


@pytest.fixture(scope="module")
def report(clicks, folders):
    return make_report(ReportRequest(data=clicks, audio=folders, n_clips=6))


def test_clips_are_drawn_by_seed():
    ids = [f"c{i}" for i in range(50)]
    assert choose_clips(ids, 5, 0) == choose_clips(ids[::-1], 5, 0)
    assert choose_clips(ids, 5, 0) != choose_clips(ids, 5, 1)
    assert len(set(choose_clips(ids, 50, 3))) == 50
    assert choose_clips(ids, 99, 3) == choose_clips(ids, 50, 3)
    assert choose_clips(ids, 8, 0)[:5] == choose_clips(ids, 5, 0)


def test_missing_and_broken_sound_is_named(report, clicks):
    first, second = ShardDataset(clicks).clip_ids[:2]
    assert {(name, clip_id) for name, clip_id, _ in report.missing} == {("poor <b>", first), ("poor <b>", second)}
    assert "no file for this clip in the audio folder" in report.html
    assert "No audio: " in report.html


def sounds(html):
    return [base64.b64decode(found) for found in re.findall(r'src="data:audio/flac;base64,([^"]+)"', html)]


def test_every_sound_is_there_and_as_long_as_its_clip(report):
    found = sounds(report.html)
    assert len(found) == 6 * 3 - 2
    for data in found:
        samples, rate_hz = soundfile.read(io.BytesIO(data))
        assert (rate_hz, len(samples)) == (RATE_HZ, 2 * RATE_HZ)  # short audio is padded, as the evaluator does
    assert len(re.findall(r'<video muted[^>]* src="data:video/mp4;base64,', report.html)) == 6


def test_marks_tell_hits_from_misses(report):
    track = next(part for part in report.html.split('<li class="track') if 'data-name="late"' in part)
    assert track.count('class="miss"') > 4
    real = next(part for part in report.html.split('<li class="track') if 'data-name="real audio"' in part)
    assert real.count('<i class="hit"') >= 6


def test_marks_are_those_that_the_metrics_count(clicks):
    """``event_f1`` counts audio at 0 where the events are exact, ``onset_agreement`` of real clips does not."""
    exact = ShardDataset(clicks).load("clip00_000000", video=False)
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ).astype(np.float32)
    sound = Sound("a tone", tone, RATE_HZ)
    np.testing.assert_allclose(_onsets(sound, exact), [0.0], atol=0.001)
    assert len(_onsets(sound, dataclasses.replace(exact, events=None))) == 0


def test_the_real_sound_is_not_there_twice(clicks, folders):
    made = make_report(ReportRequest(data=clicks, audio={"ground_truth": folders["late"]}, n_clips=1))
    assert "real audio" not in re.findall(r'data-name="([^"]+)"', made.html)


def test_hostile_names_are_escaped(report):
    assert "poor <b>" not in report.html
    assert "poor &lt;b&gt;" in report.html


def test_the_page_loads_nothing(report):
    assert not re.search(r'(src|href)="(?!data:|#)', report.html)
    assert "manifest <code" in report.html
    assert "drawn with seed 0" in report.html


def test_too_large_a_page_shows_fewer_clips_and_says_so(clicks, folders, report):
    made = make_report(ReportRequest(data=clicks, audio=folders, n_clips=6, most_bytes=len(report.html) // 2))
    assert 0 < len(made.clip_ids) < 6
    assert made.clip_ids == report.clip_ids[: len(made.clip_ids)]
    assert made.n_left_out == 6 - len(made.clip_ids)
    assert len(made.html) < len(report.html) // 2
    assert f"{made.n_left_out} more clips were drawn" in made.html


def test_one_clip_that_does_not_fit_is_an_error(clicks, folders):
    with pytest.raises(FoleyError, match="alone needs over"):
        make_report(ReportRequest(data=clicks, audio=folders, most_bytes=1000))


def test_same_input_same_bytes(clicks, folders, report):
    assert make_report(ReportRequest(data=clicks, audio=folders, n_clips=6)).html == report.html


def test_too_many_systems(clicks, folders):
    with pytest.raises(FoleyError, match="do not fit keys 1 to 9"):
        make_report(ReportRequest(data=clicks, audio={f"s{i}": folders["late"] for i in range(9)}))


def test_nothing_to_show(clicks, folders):
    with pytest.raises(FoleyError, match="nothing to show"):
        make_report(ReportRequest(data=clicks, audio=folders, n_clips=0))


def test_values_per_clip_stand_beside_the_system(clicks, folders, tmp_path, make_result):
    ids = ShardDataset(clicks).clip_ids
    path = make_result(tmp_path, "late", clip_ids=ids, metrics=("event_f1", "seconds_per_clip"))
    made = make_report(ReportRequest(data=clicks, audio=folders, results=[path], n_clips=2))
    assert made.html.count("<dt>Event F1 (50 ms) ↑</dt>") == 2
    assert made.strangers == ()
    assert len(re.findall(r"<dt>Seconds per clip ↓</dt><dd>[0-9.]+ seconds</dd>", made.html)) == 2
    assert 'title="Event F1 (50 ms): 0 to 1, higher is better"' in made.html


def test_values_per_clip_stand_in_the_order_of_the_protocol_and_none_is_lost(clicks, folders, tmp_path):
    request = EvalRequest(
        data=clicks, audio=folders["late"], protocol="signal", model={"name": "late", "kind": "model"}, resamples=20
    )
    path = write_result(tmp_path, *evaluate(request))
    made = make_report(ReportRequest(data=clicks, audio=folders, results=[path], n_clips=1))
    shown = re.findall(r"<dt>([^<]*) [↑↓]</dt>", made.html)
    titles = [registry.load("metrics", name).title for name in registry.load("protocols", "signal").metrics]
    assert shown == [title for title in titles if title in shown]
    assert len(shown) > 6
    assert f"<summary>{len(shown) - 6} more</summary>" in made.html
    assert re.search(r"<dt>Level difference ↓</dt><dd>[0-9.]+ decibels</dd>", made.html)


def test_a_clip_that_cannot_be_read_is_not_one_too_many(tmp_path):
    from foleybench.shards.folder_dataset import list_folder

    for name in ("a", "b", "c"):
        write_video(tmp_path / "real" / f"{name}.mp4", pictures(10), audio=click(0.1, 0.4))
    chosen = choose_clips(["a", "b", "c"], 3, 0)
    (tmp_path / "real" / f"{chosen[0]}.mp4").write_bytes(b"no video")
    request = ReportRequest(
        data=list_folder(tmp_path / "real", dataset_name="real", home=tmp_path / "home").manifest,
        audio={"mine": tmp_path / "real"},
        n_clips=3,
    )
    whole = make_report(request)
    assert (whole.clip_ids, whole.n_left_out) == (tuple(chosen[1:]), 0)
    size = sum(map(len, re.findall(r'src="(data:[^"]+)"', whole.html)))  # of two clips, without 6 kB of markup each
    made = make_report(dataclasses.replace(request, most_bytes=200_000 + size * 3 // 4 + 9000))
    assert (made.clip_ids, made.n_left_out) == ((chosen[1],), 1)
    with pytest.raises(FoleyError, match=f"clip {chosen[1]} alone needs"):
        make_report(dataclasses.replace(request, most_bytes=1000))
