"""Two folders: the same numbers as by shards, takes, what does not match, and the protocol that fits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleybench import registry
from foleybench.api.encoder import Encoder
from foleybench.artefacts.result import stats_of
from foleybench.clips import AudioArray
from foleybench.commands._result_text import tell
from foleybench.errors import FoleyError
from foleybench.media.audio import write_wav
from foleybench.prepare import prepare
from foleybench.prepare.engine import parse_options
from foleybench.scoring import fitting_protocol
from foleybench.scoring.captions import captions_told
from foleybench.scoring.choice import choose
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.fitting_protocol import fitting, refuse_other_data
from foleybench.scoring.folders import mismatches, model_card, pair, renamed, score_folders
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import list_folder, open_dataset
from tests.made_media import click, pictures, write_video

RATE_HZ = 16000
NAMES = ("my dog", "hitting_bag", "敲门声", "-1pRmoJIGQc_147000_157000", "take.v1.2", "it's 100%")


def sound(seed: int, seconds: float = 2.0) -> AudioArray:
    """Decaying bursts over a little noise."""
    rng = np.random.default_rng(seed)
    audio = rng.normal(0, 1e-3, round(seconds * RATE_HZ))
    for start in rng.uniform(0.1, seconds - 0.3, 4):
        first = round(start * RATE_HZ)
        time_s = np.arange(1600) / RATE_HZ
        audio[first : first + 1600] += 0.4 * np.exp(-30 * time_s) * np.sin(2 * np.pi * rng.uniform(300, 3000) * time_s)
    return audio.astype(np.float32)


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Six real sounds of 16 bits, and others under the same names."""
    for index, name in enumerate(NAMES):
        write_wav(tmp_path / "real" / f"{name}.wav", sound(index), RATE_HZ)
        write_wav(tmp_path / "made" / f"{name}.wav", sound(index + 100), RATE_HZ)
    return tmp_path / "made", tmp_path / "real"


def score(made: Path, real: Path, tmp_path: Path, **more):
    return score_folders(made, real, cache=tmp_path / "cache", resamples=50, **more)


@pytest.mark.usefixtures("workers_here")
def test_values_are_those_of_the_shards_to_the_bit(folders, tmp_path):
    """The same audio as a prepared data set: every value and every statistic, under a whole protocol."""
    made, real = folders
    result, rows = score(made, real, tmp_path, protocol="signal")
    manifest = prepare("folder", parse_options("folder", [str(real), "--clip-seconds", "3"]), tmp_path / "shards")[
        "test"
    ]
    again, same_rows = evaluate(
        EvalRequest(data=manifest, audio=made, protocol="signal", model=model_card("made", "made"), resamples=50)
    )
    assert [row["clip_id"] for row in rows] == sorted(row["clip_id"] for row in same_rows)
    assert result["metrics"].keys() == again["metrics"].keys()
    by_id = {row["clip_id"]: row["stats"] for row in same_rows}
    assert {row["clip_id"]: row["stats"] for row in rows} == by_id
    for name, record in result["metrics"].items():
        assert record["value"] == again["metrics"][name]["value"], name
        assert record["n_used"] == again["metrics"][name]["n_used"]
    assert result["metrics"]["onset_agreement"]["n_used"] == 6


def test_a_folder_against_itself_is_ideal(tmp_path):
    """Through a lossy codec too: both sides are read by the same code, and nothing is rounded between."""
    for index in range(3):
        write_video(tmp_path / "real" / f"v{index}.mp4", pictures(30), audio=click(0.2 + 0.2 * index, 1.2))
    result, _ = score(tmp_path / "real", tmp_path / "real", tmp_path, protocol="signal")
    for name in ("level_difference", "logmel_distance", "mel_profile_distance", "spectral_centroid_difference"):
        assert result["metrics"][name]["value"] == 0.0, name
    assert result["problems"] == []


def test_clips_of_one_video_are_resampled_together(tmp_path):
    for index, name in enumerate(["-1pRmoJIGQc_10_20", "-1pRmoJIGQc_30_40", "7tMPoaU2oL4_0_10", "plain"]):
        write_wav(tmp_path / "real" / f"{name}.wav", sound(index), RATE_HZ)
    _, rows = score(tmp_path / "real", tmp_path / "real", tmp_path, metrics=["level_difference"])
    assert [row["source_id"] for row in rows] == ["-1pRmoJIGQc", "-1pRmoJIGQc", "7tMPoaU2oL4", "plain"]


def test_takes_are_averaged_within_the_clip(tmp_path):
    """Real audio at gains that give exact level differences: takes of 6 and 12 dB are one clip of 9."""
    tone = sound(3)
    for name in ("a", "b", "c"):
        write_wav(tmp_path / "real" / f"{name}.wav", tone, RATE_HZ)
    half, quarter = 20 * np.log10(2), 20 * np.log10(4)
    for name, gains in {"a": (0.5, 0.25), "b": (0.5, 0.5), "c": (1.0, 0.25)}.items():
        for take, gain in enumerate(gains):
            write_wav(tmp_path / "made" / name / f"{take}.wav", gain * tone, RATE_HZ)
    result, rows = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    record = result["metrics"]["level_difference"]
    per_clip = [(half + quarter) / 2, half, quarter / 2]
    assert len(rows) == 3
    assert (record["n_used"], record["n_asked"]) == (3, 3)
    assert record["value"] == pytest.approx(np.mean(per_clip), abs=0.01)
    assert record["takes"]["values"] == pytest.approx([2 * half / 3, (2 * quarter + half) / 3], abs=0.01)
    assert record["takes"]["sd"] == pytest.approx(np.std(record["takes"]["values"], ddof=1))
    assert result["run"]["takes"] == 2
    assert result["status"] == "complete"
    found = stats_of(rows, "level_difference")
    metric = registry.load("metrics", "level_difference")
    assert [metric.clip_value(found[name]) for name in "abc"] == pytest.approx(per_clip, abs=0.01)


def test_a_clip_with_fewer_takes_counts_as_much_and_is_named(tmp_path):
    tone = sound(3)
    for name, n_takes in {"a": 3, "b": 1}.items():
        write_wav(tmp_path / "real" / f"{name}.wav", tone, RATE_HZ)
        for take in range(n_takes):
            write_wav(tmp_path / "made" / name / f"{take}.wav", (0.5 if name == "a" else 1.0) * tone, RATE_HZ)
    result, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    assert result["metrics"]["level_difference"]["value"] == pytest.approx(20 * np.log10(2) / 2, abs=0.01)
    assert [(p["clip_id"], p["kind"]) for p in result["problems"]] == [("b", "fewer_takes")]
    assert result["status"] == "partial"


def test_the_spread_over_takes_is_of_those_that_every_clip_has(tmp_path):
    tone = sound(3)
    for name, gains in {"a": (0.5, 0.25, 0.125), "b": (1.0, 0.5)}.items():
        write_wav(tmp_path / "real" / f"{name}.wav", tone, RATE_HZ)
        for take, gain in enumerate(gains):
            write_wav(tmp_path / "made" / name / f"{take}.wav", gain * tone, RATE_HZ)
    result, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    half = 20 * np.log10(2)
    assert result["metrics"]["level_difference"]["takes"]["values"] == pytest.approx([half / 2, 3 * half / 2], abs=0.01)


def test_a_broken_take_is_named_and_the_others_count(tmp_path):
    for name in ("a", "b"):
        write_wav(tmp_path / "real" / f"{name}.wav", sound(1), RATE_HZ)
        for take in (0, 1):
            write_wav(tmp_path / "made" / name / f"{take}.wav", 0.5 * sound(1), RATE_HZ)
    (tmp_path / "made" / "a" / "1.wav").write_bytes(b"RIFF")
    result, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    (problem,) = result["problems"]
    assert (problem["clip_id"], problem["kind"]) == ("a", "undecodable")
    assert problem["detail"].startswith("take 1: ")
    assert result["metrics"]["level_difference"]["n_used"] == 2


def test_sets_are_given_the_embeddings_of_all_takes(monkeypatch):
    """A distance between sets: rows below each other, the reference once; what cannot be joined has no value."""
    from foleybench.scoring import takes

    metric = registry.load("metrics", "fad_mini")
    rows = [
        {"clip_id": "a", "stats": {"m": {"reference": np.ones((1, 2)), "generated": np.full((1, 2), float(take))}}}
        | {"audio_sha256": str(take)}
        for take in range(3)
    ]
    joined = takes.joined_takes(rows, {"m": metric})["stats"]["m"]
    assert joined["reference"].tolist() == [[1.0, 1.0]]
    assert joined["generated"].tolist() == [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    score_of_classes = registry.load("metrics", "is_passt")
    assert takes.joined_takes(rows, {"m": score_of_classes})["stats"]["m"] is None
    assert "score one take" in takes.not_joined(score_of_classes)


def test_what_does_not_match_is_said_beside_the_nearest_name(folders, tmp_path):
    made, real = folders
    (made / "hitting_bag.wav").rename(made / "hitting bags.wav")
    (made / "readme.md").touch()
    (real / "hitting_bag.flac").touch()
    pairing = pair(made, real, cache=tmp_path / "cache")
    said = list(mismatches(pairing))
    assert "generated hitting bags.wav: no real audio of this name (near: hitting_bag)" in said
    assert any(line.startswith("real hitting_bag.") and line.endswith("(near: hitting bags)") for line in said)
    assert "real hitting_bag.wav: not used, hitting_bag.flac is the same clip" in said
    assert "generated: 1 files are not audio or video by their names and were left out: readme.md" in said
    assert "my dog.wav is clip my-dog" in renamed(pairing)
    assert not any("hitting" in line for line in renamed(pairing))


def test_nothing_in_common_is_an_error_with_the_nearest_names(tmp_path):
    write_wav(tmp_path / "real" / "hitting_bag.wav", sound(0), RATE_HZ)
    write_wav(tmp_path / "made" / "hitting-bag-out.wav", sound(0), RATE_HZ)
    with pytest.raises(FoleyError, match=r"--names(.|\n)*hitting-bag-out\.wav.*near: hitting_bag"):
        pair(tmp_path / "made", tmp_path / "real", cache=tmp_path / "cache")


def test_a_map_of_names_and_names_of_rows(folders, tmp_path):
    made, real = folders
    (made / "hitting_bag.wav").rename(made / "17.wav")
    (tmp_path / "names.csv").write_text("path,clip_id\n17.wav,hitting_bag.wav\n")
    result, _ = score(made, real, tmp_path, metrics=["level_difference"], names=tmp_path / "names.csv", name="mine")
    assert (result["model"]["name"], result["dataset"]["name"], result["dataset"]["split"]) == ("mine", "real", "files")
    assert result["dataset"]["n_scored"] == 1


def test_a_cache_that_cannot_be_written_does_no_harm(folders, tmp_path):
    made, real = folders
    (tmp_path / "cache").touch()
    result, _ = score(made, real, tmp_path, metrics=["level_difference"])
    assert result["status"] == "complete"


def data_of(real: Path, tmp_path: Path, name: str = "mine") -> ShardDataset:
    return open_dataset(list_folder(real, dataset_name=name, home=tmp_path / "home").manifest)


def test_the_protocol_follows_the_data(folders, tmp_path, monkeypatch):
    _, real = folders
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    fit = fitting(data_of(real, tmp_path, "synthfoley"))
    assert fit == ("synth", "protocol synth: made for synthfoley")
    fit = fitting(data_of(real, tmp_path))
    assert fit.protocol == "signal"
    assert "foleybench needs weights that are not here" in fit.because
    assert "protocol sfx needs weights that are not here for 6 of its 16 metrics" in fit.because
    monkeypatch.setattr(fitting_protocol, "cannot_run", lambda metric: "")
    fit = fitting(data_of(real, tmp_path))
    assert fit == ("sfx", "protocol sfx: the richest that runs here; protocol foleybench needs video")
    write_video(real / "film.mp4", pictures(30), audio=click(0.4, 1.2))
    assert fitting(data_of(real, tmp_path)).protocol == "foleybench"


def test_what_is_made_for_synthfoley_is_refused_elsewhere(folders, tmp_path):
    _, real = folders
    other = data_of(real, tmp_path)
    with pytest.raises(FoleyError, match="protocol synth is made for the data set synthfoley"):
        refuse_other_data(choose("synth"), other)
    with pytest.raises(FoleyError, match="metric fad_mini uses an evaluator made for synthfoley"):
        refuse_other_data(choose("signal", ["fad_mini"]), other)
    refuse_other_data(choose("signal", ["event_f1"]), other)
    refuse_other_data(choose("synth"), data_of(real, tmp_path, "synthfoley"))


def test_metrics_that_look_are_refused_for_sound_alone(folders, tmp_path):
    made, real = folders
    with pytest.raises(FoleyError, match=r"real is of audio alone, and align_acc_mini"):
        score(made, real, tmp_path, metrics=["align_acc_mini"])


def test_a_clip_without_picture_does_not_apply_where_others_have_one(tmp_path, monkeypatch):
    for index in range(2):
        write_video(tmp_path / "real" / f"v{index}.mp4", pictures(30), audio=click(0.4, 1.2))
    write_wav(tmp_path / "real" / "sound.wav", sound(0, 1.2), RATE_HZ)
    result, rows = score(tmp_path / "real", tmp_path / "real", tmp_path, metrics=["align_acc_mini", "level_difference"])
    record = result["metrics"]["align_acc_mini"]
    assert (record["n_used"], record["not_applicable"], record["n_asked"]) == (2, 1, 3)
    assert result["metrics"]["level_difference"]["n_used"] == 3
    assert next(row for row in rows if row["clip_id"] == "sound")["stats"]["align_acc_mini"] is None


def test_captions_come_from_a_table(folders, tmp_path, monkeypatch):
    """An encoder that reads is given the table's words, and a clip without any does not apply."""
    made, real = folders
    read: list[str] = []

    def encode(signals):
        read.extend(signal.text for signal in signals)
        return [{"embedding": np.ones(4)} for _ in signals]

    own = registry.load

    def load(kind: str, name: str):
        found = own(kind, name)
        if kind != "encoders" or not isinstance(found, Encoder) or not name.startswith("clap_laion"):
            return found
        made_here = {"weights": None, "after": (), "layers": {"embedding": (4,)}, "build": lambda device: encode}
        return Encoder(version=1, rate_hz=48000, licence="", source="", modality=_modality(name), **made_here)

    def _modality(name: str):
        return "text" if name == "clap_laion_text" else "audio"

    monkeypatch.setattr(registry, "load", load)
    table = tmp_path / "words.csv"
    table.write_text("\ufeffpath,caption\nmy dog.wav,a dog barks\nhitting_bag,a bag is hit\nother,nobody\n", "utf-8")
    result, _ = score(made, real, tmp_path, metrics=["clap_score"], captions=table)
    assert {"a dog barks", "a bag is hit"} == {text for text in read if text}
    record = result["metrics"]["clap_score"]
    assert (record["n_used"], record["not_applicable"]) == (2, 4)
    assert result["run"]["captions"]["n_clips"] == 2
    metrics = [own("metrics", "clap_score")]
    data = open_dataset(pair(made, real, cache=tmp_path / "cache").listed.manifest)
    assert captions_told(table, data, metrics) == [
        f"captions of 2 of 6 clips in {table}",
        "  other: no clip of this name",
    ]
    table.write_text("clip_id,caption\nhitting_bag,a bag\n" + "".join(f"my dog{n},a\n" for n in range(12)), "utf-8")
    told = captions_told(table, data, [own("metrics", "level_difference")])
    assert told[1] == "  my dog0: no clip of this name (near: my dog)"
    assert told[-2:] == [
        "  ... and 2 more names without a clip",
        "  none of these metrics uses captions; clap_score does",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clip,words\na,b\n", "columns clip_id"),
        ("clip_id,caption\nnobody,words\n", "a caption for none of the 6 clips"),
        ("clip_id,caption\nhitting_bag,one\nhitting_bag,two\n", "a second caption for clip 'hitting_bag'"),
    ],
)
def test_a_table_of_captions_that_cannot_be_used(folders, tmp_path, text, said):
    made, real = folders
    (tmp_path / "words.csv").write_text(text)
    with pytest.raises(FoleyError, match=said):
        score(made, real, tmp_path, metrics=["level_difference"], captions=tmp_path / "words.csv")


def test_a_protocol_of_the_first_channel_hears_it_on_both_sides(tmp_path):
    """And a result says how channels became one."""
    tone = sound(3)
    both = np.stack([tone, 0.25 * tone], axis=1)
    for folder in ("real", "made"):
        (tmp_path / folder).mkdir()
    soundfile.write(tmp_path / "real" / "a.wav", both, RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "made" / "a.wav", tone, RATE_HZ, subtype="FLOAT")
    card = (
        "from foleybench.api.protocol import Frontend, Protocol\nFIRST = Protocol(title='f', version=1, description='',"
    )
    card += "metrics=('level_difference',), headline={}, frontend=Frontend(channels='first'))\n"
    (tmp_path / "mine.py").write_text(card)
    first, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, protocol=f"{tmp_path}/mine.py:FIRST")
    assert first["metrics"]["level_difference"]["value"] == 0.0
    assert first["run"]["channels"] == "first"
    mean, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    assert mean["metrics"]["level_difference"]["value"] == pytest.approx(-20 * np.log10(0.625), abs=0.01)
    assert mean["run"]["channels"] == "mean"


@pytest.mark.parametrize(
    ("stereo", "said"),
    [((), None), (("real/a.wav",), "mean"), (("made/a/0.wav",), "mean"), (("made/a/1.wav",), "mean")],
)
def test_a_result_says_how_channels_became_one_only_where_there_were_several(tmp_path, capsys, stereo, said):
    """In any take, or in the real audio; and the printed result says it as often."""
    for name in ("real/a.wav", "made/a/0.wav", "made/a/1.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        samples = np.stack([sound(3)] * (2 if name in stereo else 1), axis=1)
        soundfile.write(tmp_path / name, samples, RATE_HZ, subtype="FLOAT")
    result, _ = score(tmp_path / "made", tmp_path / "real", tmp_path, metrics=["level_difference"])
    assert result["metrics"]["level_difference"]["value"] == 0.0
    assert result["run"].get("channels") == said
    tell(result, sys.stderr)
    assert ("audio with several channels is scored as their mean" in capsys.readouterr().err) == (said is not None)


def test_a_stereo_file_that_is_not_scored_has_no_channels_to_tell(folders, tmp_path):
    made, real = folders
    soundfile.write(made / "my dog.wav", np.zeros((0, 2)), RATE_HZ)
    result, _ = score(made, real, tmp_path, metrics=["level_difference"])
    assert [problem["kind"] for problem in result["problems"]] == ["undecodable"]
    assert "channels" not in result["run"]


@pytest.mark.usefixtures("workers_here")
def test_a_prepared_set_that_kept_two_channels_is_told_too(tmp_path):
    both = np.stack([sound(3), 0.5 * sound(3)], axis=1)
    (tmp_path / "real").mkdir()
    soundfile.write(tmp_path / "real" / "a.wav", both, RATE_HZ, subtype="PCM_16")
    write_wav(tmp_path / "made" / "a.wav", sound(3), RATE_HZ)
    for channels, said in {"keep": "mean", "mix": None}.items():
        options = parse_options("folder", [str(tmp_path / "real"), "--clip-seconds", "2", "--channels", channels])
        manifest = prepare("folder", options, tmp_path / channels)["test"]
        request = EvalRequest(
            data=manifest,
            audio=tmp_path / "made",
            protocol=None,
            metrics=("level_difference",),
            model=model_card("made", "made"),
            resamples=50,
        )
        result, _ = evaluate(request)
        assert result["run"].get("channels") == said
