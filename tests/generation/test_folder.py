"""Generation: what a model may see, one generator a clip, exact length, resuming, provenance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foleybench import EvalRequest, cli, evaluate
from foleybench.api.model import Model, clip_rng
from foleybench.artefacts import audio_folder
from foleybench.errors import EXIT_OK, EXIT_PARTIAL, FoleyError, MediaError
from foleybench.generation import folder as generation
from foleybench.generation.folder import (
    GenerationSettings,
    build_generator,
    generate_folder,
    generate_one,
    visible_part,
)
from foleybench.media.audio import read_sound
from foleybench.shards.dataset import ShardDataset

SETTINGS = GenerationSettings(model="hiss.py:MODEL")


class Hiss:
    """Noise of the right length; remembers what it was given."""

    rate_hz = 8000
    nfe = 0
    guidance = None

    def __init__(self, surplus: int = 0, bad: float | None = None, bad_ids: tuple[str, ...] | None = None) -> None:
        self.surplus, self.bad, self.bad_ids, self.seen = surplus, bad, bad_ids, []

    def generate(self, clips, rng):
        self.seen += clips
        out = [rng.uniform(-0.5, 0.5, round(c.duration_s * 8000) + self.surplus).astype(np.float32) for c in clips]
        if self.bad is not None and (self.bad_ids is None or clips[0].clip_id in self.bad_ids):
            out[0][3] = self.bad
        return out


class Hisses(Hiss):
    """The same, of several clips at once."""

    def __init__(self, **changes) -> None:
        super().__init__(**changes)
        self.batches = []

    def generate_batch(self, clips, rngs):
        self.batches.append([clip.clip_id for clip in clips])
        return [self.generate([clip], rng)[0] for clip, rng in zip(clips, rngs, strict=True)]


def model_of(generator: Hiss, **changes) -> Model:
    model = Model(
        title="Hiss",
        kind="model",
        sees=frozenset({"video"}),
        licence="MIT",
        description="",
        build=lambda context: generator,
    )
    return dataclasses.replace(model, **changes)


@pytest.fixture
def hiss(monkeypatch):
    generator = Hiss()
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(generator))
    return generator


def test_a_video_model_sees_no_sound_no_label_no_events(clicks):
    clip = ShardDataset(clicks).load("clip00_000000")
    bare = visible_part(clip, model_of(Hiss()))
    assert bare.frames is not None
    assert (bare.audio, bare.events, bare.label, bare.factors) == (None, None, "", {})
    oracle = visible_part(clip, model_of(Hiss(), sees=frozenset({"events"})))
    assert oracle.events == clip.events
    assert (oracle.frames, oracle.audio) == (None, None)


def test_randomness_comes_from_seed_and_clip_id():
    draws = {(s, c): clip_rng(s, c).random() for s in (0, 1) for c in ("a", "b")}
    assert len(set(draws.values())) == 4
    assert clip_rng(0, "a").random() == draws[0, "a"]


@pytest.mark.parametrize(("generator", "message"), [(Hiss(surplus=1), "samples for"), (Hiss(bad=np.nan), "not_finite")])
def test_a_model_is_held_to_its_contract(clicks, generator, message):
    clip = ShardDataset(clicks).load("clip00_000000")
    with pytest.raises(FoleyError, match=message):
        generate_one(model_of(generator), generator, clip, 0)


def test_folder_has_every_clip_and_says_how_it_was_made(hiss, clicks, tmp_path):
    out = generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False)
    record = audio_folder.read_generation(out)
    ids = ShardDataset(clicks).clip_ids
    assert sorted(record["seconds"]) == ids
    assert record["model"]["name"] == "hiss"
    assert set(record["speed"]) == {"batch_1", "batch_6"}
    assert all(len(read_sound(out / f"{i}.wav")[0]) == 16000 for i in ids)


def test_a_killed_run_goes_on_with_the_same_bytes(hiss, clicks, tmp_path):
    whole = generate_folder(SETTINGS, clicks, tmp_path / "whole", limit=None, force=False)
    part = generate_folder(SETTINGS, clicks, tmp_path / "part", limit=3, force=False)
    made_before = len(hiss.seen)
    generate_folder(SETTINGS, clicks, part, limit=None, force=False)
    fresh = [clip.clip_id for clip in hiss.seen[made_before:]]
    assert "clip00_000000" not in fresh[1:4]
    for clip_id in ShardDataset(clicks).clip_ids:
        assert (part / f"{clip_id}.wav").read_bytes() == (whole / f"{clip_id}.wav").read_bytes()


@pytest.fixture
def loads(monkeypatch):
    """The ids of the clips that are loaded, in order."""
    found, load = [], ShardDataset.load

    def counted(self, clip_id, **asked):
        found.append(clip_id)
        return load(self, clip_id, **asked)

    monkeypatch.setattr(ShardDataset, "load", counted)
    return found


@pytest.mark.parametrize("batch", [1, 2])
def test_every_clip_is_loaded_once_also_those_whose_speed_is_measured(hisses, loads, clicks, tmp_path, batch):
    ids = ShardDataset(clicks).clip_ids
    hisses.bad, hisses.bad_ids = np.nan, (ids[1],)
    out = generate_folder(SETTINGS, clicks, tmp_path, limit=None, force=False, batch=batch)
    assert loads == ids
    assert "batch_5" in audio_folder.read_generation(out)["speed"]
    assert {clip.clip_id for clip in hisses.seen[-5:]} == {*ids} - {ids[1]}


def test_speed_is_that_of_the_first_clips_also_when_a_run_goes_on(hiss, loads, clicks, tmp_path, monkeypatch):
    ids = ShardDataset(clicks).clip_ids
    monkeypatch.setattr(generation, "SPEED_BATCH", 3)
    generate_folder(SETTINGS, clicks, tmp_path, limit=None, force=False)
    first = [clip.clip_id for clip in hiss.seen[-3:]]
    assert (loads, first) == (ids, ids[:3])
    for gone in (ids[0], ids[4], ids[5]):
        (tmp_path / f"{gone}.wav").unlink()
    loads.clear()
    generate_folder(SETTINGS, clicks, tmp_path, limit=None, force=False)
    assert loads == [ids[0], ids[4], ids[5], ids[1], ids[2]]
    assert [clip.clip_id for clip in hiss.seen[-3:]] == ids[:3]
    assert all(clip.audio is None and clip.events is None for clip in hiss.seen)


def test_sound_of_other_settings_is_not_mixed_in(hiss, clicks, tmp_path):
    generate_folder(SETTINGS, clicks, tmp_path, limit=2, force=False)
    with pytest.raises(FoleyError, match="another seed"):
        generate_folder(dataclasses.replace(SETTINGS, seed=1), clicks, tmp_path, limit=2, force=False)


def test_a_trained_model_wants_its_checkpoint(monkeypatch):
    trained = model_of(Hiss(), train=lambda context: context.out)
    monkeypatch.setattr(generation, "load_model", lambda name: trained)
    with pytest.raises(FoleyError, match="needs a checkpoint: train one with `foleybench train x`"):
        build_generator(GenerationSettings(model="x"), None)


def test_row_names_tell_what_differs():
    assert GenerationSettings(model="foleyflow").row_name == "foleyflow"
    assert GenerationSettings(model="foleyflow", nfe=1).row_name == "foleyflow-nfe1"
    assert GenerationSettings(model="foleyflow", guidance=4.5).row_name == "foleyflow-cfg4.5"
    assert GenerationSettings(model="path/to/mine.py:MODEL").row_name == "mine"


def test_row_titles_tell_two_rows_of_one_model_apart():
    model = model_of(Hiss())
    assert generation.row_title(GenerationSettings(model="hiss"), model) == "Hiss"
    assert (
        generation.row_title(GenerationSettings(model="hiss", nfe=1, guidance=2.5), model)
        == "Hiss, 1 NFE, guidance 2.5"
    )


BAD = [np.nan, np.inf, -np.inf, 10.5, -1e30]


@pytest.mark.parametrize("value", BAD)
def test_sound_that_is_none_is_refused_by_name(clicks, value):
    """W3."""
    clip = ShardDataset(clicks).load("clip00_000000")
    generator = Hiss(bad=value)
    with pytest.raises(MediaError, match=r"not_finite: 1 of 16000 samples are NaN, infinite or beyond 10: first"):
        generate_one(model_of(generator), generator, clip, 0)


def test_loud_sound_is_still_sound(clicks):
    """W3: 20 dB over full scale is the limit."""
    clip = ShardDataset(clicks).load("clip00_000000")
    assert generate_one(model_of(Hiss()), Hiss(bad=9.9), clip, 0)[3] == np.float32(9.9)


@pytest.mark.parametrize("value", [BAD[0], *(pytest.param(value, marks=pytest.mark.slow) for value in BAD[1:])])
def test_a_clip_without_usable_sound_has_no_file_and_the_rest_goes_on(clicks, tmp_path, monkeypatch, capsys, value):
    """W3: generate exits 3 and names the clip; eval calls it not_finite; nothing silent is written."""
    ids = ShardDataset(clicks).clip_ids
    generator = Hiss(bad=value, bad_ids=(ids[0], ids[2]))
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(generator))
    monkeypatch.setattr("foleybench.load.load_model", lambda name: model_of(generator))
    out = tmp_path / "audio"
    made = ["generate", "--model", "hiss.py:MODEL", "--data", str(clicks), "--out", str(out)]
    assert cli.main(made) == EXIT_PARTIAL
    told = capsys.readouterr().err
    assert all(f"no audio for {clip_id}: not_finite, 1 of 16000 samples" in told for clip_id in (ids[0], ids[2]))
    assert sorted(path.stem for path in out.glob("*.wav")) == sorted(set(ids) - {ids[0], ids[2]})
    assert set(audio_folder.read_generation(out)["refused"]) == {ids[0], ids[2]}
    system = {"name": "hiss", "kind": "model"}
    asked = EvalRequest(data=clicks, audio=out, protocol=None, metrics=("level_difference",), model=system)
    result, _ = evaluate(asked)
    assert [(one["clip_id"], one["kind"]) for one in result["problems"]] == [
        (ids[0], "not_finite"),
        (ids[2], "not_finite"),
    ]
    assert result["status"] == "partial"
    generator.bad_ids = ()
    assert cli.main(made) == EXIT_OK
    assert "refused" not in audio_folder.read_generation(out)
    assert len(list(out.glob("*.wav"))) == len(ids)


def test_a_model_that_makes_no_usable_sound_at_all_is_stopped(clicks, tmp_path, monkeypatch):
    """W3."""
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(Hiss(bad=np.nan)))
    with pytest.raises(FoleyError, match="made no audio for any of the first 6 clips; clip00_000000: not_finite"):
        generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False)
    monkeypatch.setattr(generation._require_some_sound, "__defaults__", (2,))
    with pytest.raises(FoleyError, match="the first 3 clips"):
        generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False)
    assert not list((tmp_path / "audio").glob("*.wav"))


class Choosy(Hiss):
    """Has nothing for some clips, as controls that draw other clips."""

    def generate(self, clips, rng):
        if clips[0].clip_id in self.bad_ids:
            raise MediaError("no_other_clip", "there is none")
        return super().generate(clips, rng)


def test_a_control_without_audio_for_the_first_clips_goes_on(clicks, tmp_path, monkeypatch):
    """The rest may have some; only when none has any is it an error, and no word of weights."""
    ids = ShardDataset(clicks).clip_ids
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(Choosy(bad_ids=tuple(ids[:5]))))
    monkeypatch.setattr(generation._require_some_sound, "__defaults__", (2,))
    out = generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False)
    assert [path.stem for path in out.glob("*.wav")] == [ids[5]]
    found = audio_folder.refused_clips(audio_folder.read_generation(out))
    assert found == dict.fromkeys(ids[:5], ("no_other_clip", "there is none"))
    message = r"made no audio for any of the first 5 clips; clip00_000000: no_other_clip, there is none\.$"
    with pytest.raises(FoleyError, match=message):
        generate_folder(SETTINGS, clicks, tmp_path / "none", limit=5, force=False)


def test_folders_of_earlier_versions_say_not_finite():
    refused = {"refused": {"a": "3 of 4 samples are NaN"}}
    assert audio_folder.refused_clips(refused) == {"a": ("not_finite", "3 of 4 samples are NaN")}
    assert audio_folder.refused_clips({}) == {}


@pytest.fixture
def hisses(monkeypatch):
    generator = Hisses()
    monkeypatch.setattr(generation, "load_model", lambda name: model_of(generator))
    monkeypatch.setattr(generation, "TIMED", 1)
    return generator


def sounds_in(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.wav")}


def test_batches_change_no_sound_and_the_first_clips_are_timed_alone(hisses, clicks, tmp_path):
    ids = ShardDataset(clicks).clip_ids
    alone = generate_folder(SETTINGS, clicks, tmp_path / "alone", limit=None, force=False)
    assert hisses.batches == []
    together = generate_folder(SETTINGS, clicks, tmp_path / "together", limit=None, force=False, batch=2)
    assert hisses.batches == [ids[1:3], ids[3:5], ids[5:]]
    assert sounds_in(together) == sounds_in(alone)
    record = audio_folder.read_generation(together)
    assert (list(record["seconds"]), record["untimed"]) == (ids[:1], ids[1:])
    assert "untimed" not in audio_folder.read_generation(alone)


def test_a_killed_run_in_batches_goes_on(hisses, clicks, tmp_path):
    ids = ShardDataset(clicks).clip_ids
    whole = generate_folder(SETTINGS, clicks, tmp_path / "whole", limit=None, force=False, batch=4)
    part = generate_folder(SETTINGS, clicks, tmp_path / "part", limit=3, force=False, batch=4)
    hisses.batches.clear()
    generate_folder(SETTINGS, clicks, part, limit=None, force=False, batch=4)
    assert hisses.batches == [ids[3:]]
    assert sounds_in(part) == sounds_in(whole)
    assert audio_folder.read_generation(part)["untimed"] == ids[1:]


def test_a_bad_clip_of_a_batch_is_refused_alone(hisses, clicks, tmp_path):
    ids = ShardDataset(clicks).clip_ids
    hisses.bad, hisses.bad_ids = np.nan, (ids[2],)
    out = generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False, batch=3)
    record = audio_folder.read_generation(out)
    assert list(record["refused"]) == [ids[2]]
    assert sorted(sounds_in(out)) == sorted(f"{clip_id}.wav" for clip_id in ids if clip_id != ids[2])
    assert (list(record["seconds"]), record["untimed"]) == (ids[:1], [*ids[1:2], *ids[3:]])


def test_a_batch_is_held_to_the_contract(hisses, clicks, tmp_path):
    hisses.surplus = 1
    clips = [ShardDataset(clicks).load(clip_id) for clip_id in ShardDataset(clicks).clip_ids[:2]]
    with pytest.raises(FoleyError, match="samples for"):
        generation.generate_together(model_of(hisses), hisses, clips, 0)


def test_clips_made_in_batches_are_scored_and_their_times_left_out(hisses, clicks, tmp_path):
    home = generate_folder(SETTINGS, clicks, tmp_path / "audio", limit=None, force=False, batch=4)
    asked = EvalRequest(
        data=clicks, audio=home, protocol=None, metrics=("level_difference", "seconds_per_clip"),
        model={"name": "hiss", "kind": "model"}, resamples=10,
    )  # fmt: skip
    result, _ = evaluate(asked)
    assert [result["metrics"][name]["n_used"] for name in ("level_difference", "seconds_per_clip")] == [6, 1]
    assert not {"seconds", "untimed"} & set(result["run"]["generation"])
    assert result["status"] == "complete"


@pytest.mark.parametrize("command", ["generate", "eval"])
def test_the_commands_pass_the_batch_on(command, clicks, tmp_path, monkeypatch):
    asked = {}

    def stop(*values, **options):
        asked.update(options)
        raise FoleyError("far enough")

    monkeypatch.setattr(generation, "generate_folder", stop)
    words = [command, "--model", "noise", "--data", str(clicks), "--out", str(tmp_path / "out"), "--batch", "3"]
    cli.main(words)
    assert asked["batch"] == 3
