"""Both channels from files to values: folders, shards, video; one channel where two are wanted; bad audio in sanity."""

import numpy as np
import pytest
import soundfile

from foleybench.clips import Clock
from foleybench.media.hear import hear, hear_sides
from foleybench.prepare import prepare
from foleybench.prepare.engine import parse_options
from foleybench.sanity.run import SanityRequest, run_sanity
from foleybench.sanity.verdict import judge_curve
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.scorer import _real_sides
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import list_folder, open_dataset
from tests.made_media import pictures, write_video

RATE_HZ = 48000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
LOW = 0.4 * np.sin(2 * np.pi * 200 * TIME_S)
HIGH = 0.4 * np.sin(2 * np.pi * 600 * TIME_S)
MOVING = np.stack([LOW * (1 - TIME_S / 2), LOW * TIME_S / 2])
WIDTH, BALANCE, ALIKE, MOVEMENT = NAMES = (
    "stereo_width_difference",
    "stereo_balance_difference",
    "stereo_correlation_difference",
    "stereo_movement",
)


def write(folder, sounds, subtype="PCM_16"):
    folder.mkdir()
    for name, sound in sounds.items():
        soundfile.write(folder / f"{name}.wav", np.asarray(sound).T, RATE_HZ, subtype=subtype)
    return folder


def scored(manifest, audio, **more):
    asked = {"protocol": None, "metrics": NAMES, "model": {"name": "mine", "kind": "folder"}, "resamples": 20}
    result, table = evaluate(EvalRequest(data=manifest, audio=audio, **(asked | more)))
    return {name: result["metrics"][name]["value"] for name in NAMES}, {row["clip_id"]: row["stats"] for row in table}


def listing(tmp_path, sounds):
    return list_folder(write(tmp_path / "real", sounds), dataset_name="mine", home=tmp_path / "home").manifest


@pytest.fixture
def real(tmp_path):
    """A sound that moves from left to right, one that is wide, and one of one channel."""
    return listing(tmp_path, {"moves": MOVING, "wide": [LOW, HIGH], "one": LOW[None]})


def test_the_real_audio_itself(real, tmp_path):
    values, rows = scored(real, tmp_path / "real")
    assert values == pytest.approx({WIDTH: 0, BALANCE: 0, ALIKE: 0, MOVEMENT: 1}, abs=1e-9)
    assert all(rows["one"][name] is None for name in NAMES)  # real audio of one channel says nothing
    assert rows["wide"][MOVEMENT] is None  # it does not move


def test_one_channel_is_heard_on_both_sides_and_swapped_sides_are_noticed(real, tmp_path):
    mono = {"moves": MOVING.mean(axis=0)[None], "wide": [LOW + HIGH] * 2, "one": LOW[None]}
    values, rows = scored(real, write(tmp_path / "mono", mono))
    assert values[MOVEMENT] == 0
    assert rows["wide"][WIDTH]["difference"] == pytest.approx(0.5, abs=1e-3)
    assert rows["wide"][ALIKE]["difference"] == pytest.approx(1.0, abs=1e-3)
    # The integral of (1 - 2p)^2 over half that of p^2 + (1 - p)^2: 1/3 over 2 * 2/3.
    assert rows["moves"][WIDTH]["difference"] == pytest.approx(0.25, abs=1e-3)
    swapped = {"moves": MOVING[::-1], "wide": [HIGH, LOW], "one": LOW[None]}
    values, _ = scored(real, write(tmp_path / "swapped", swapped))
    assert values == pytest.approx({WIDTH: 0, BALANCE: 0, ALIKE: 0, MOVEMENT: -1}, abs=1e-3)
    left = {"moves": [LOW, 0 * LOW], "wide": [LOW, 0 * LOW]}
    values, _ = scored(real, write(tmp_path / "left", left))
    assert values[BALANCE] == pytest.approx(1.0, abs=1e-3)


def test_more_channels_than_two_do_not_apply(real, tmp_path):
    _, rows = scored(real, write(tmp_path / "three", {"moves": [LOW, HIGH, LOW], "wide": [LOW, HIGH]}))
    assert rows["moves"][WIDTH] is None
    assert rows["wide"][WIDTH] is not None


def test_features_come_from_the_cache_and_other_sides_of_the_same_mean_do_not(real, tmp_path):
    """Swapped channels have the same mean: a key of the mono samples would give the first features again."""
    given = {"cache": tmp_path / "cache"}
    first, _ = scored(real, tmp_path / "real", **given)
    swapped = {"moves": MOVING[::-1], "wide": [HIGH, LOW], "one": LOW[None]}
    second, _ = scored(real, write(tmp_path / "swapped", swapped), **given)
    assert (first[MOVEMENT], second[MOVEMENT]) == pytest.approx((1, -1), abs=1e-3)
    assert scored(real, tmp_path / "real", **given)[0] == first


def test_a_crop_cuts_both_channels(real, tmp_path):
    late = MOVING.copy()
    late[:, RATE_HZ:] = late[::-1, RATE_HZ:]
    write(tmp_path / "late", {"moves": late, "wide": [LOW, HIGH]})
    (tmp_path / "half.py").write_text(
        "from foleybench.api.protocol import Protocol\n"
        f"HALF = Protocol(title='half', version=1, description='', metrics={NAMES!r}, headline={{}}, crop_s=1.0)\n"
    )
    values, _ = scored(real, tmp_path / "late", protocol=f"{tmp_path / 'half.py'}:HALF", metrics=())
    assert values == pytest.approx({WIDTH: 0, BALANCE: 0, ALIKE: 0, MOVEMENT: 1}, abs=1e-3)


def test_matched_bandwidth_limits_both_channels(real):
    data = open_dataset(real)
    # Steps of 25 Hz up to 24 kHz: nothing is left above 400 Hz.
    gain = tuple(np.where(np.arange(961) < 16, 1.0, 0.0))
    clip = data.load("wide", video=False)
    found = _real_sides(data, clip, Clock(len(TIME_S) / RATE_HZ), RATE_HZ, gain)()
    assert found.shape == (2, len(TIME_S))
    assert np.std(found[0]) == pytest.approx(np.std(LOW), rel=0.01)
    assert np.std(found[1]) < 0.01 * np.std(HIGH)


@pytest.mark.usefixtures("workers_here")
def test_shards_with_both_channels_and_a_video(tmp_path):
    write(tmp_path / "real", {"moves": MOVING})
    words = [str(tmp_path / "real"), "--clip-seconds", "2"]
    kept = prepare("folder", parse_options("folder", [*words, "--channels", "keep"]), tmp_path / "k")["test"]
    np.testing.assert_allclose(ShardDataset(kept).sides("moves"), MOVING, atol=2**-15)
    mixed = prepare("folder", parse_options("folder", words), tmp_path / "m")["test"]
    assert ShardDataset(mixed).sides("moves") is None
    (tmp_path / "system").mkdir()
    film = tmp_path / "system" / "moves.mkv"
    write_video(film, pictures(50), audio=MOVING.astype(np.float32), rate_hz=RATE_HZ, audio_codec="flac")
    sides = hear_sides(film)
    np.testing.assert_allclose(sides, MOVING, atol=2**-15)
    np.testing.assert_allclose(sides.mean(axis=0), hear(film).audio, atol=1e-6)
    assert scored(kept, tmp_path / "system")[0][MOVEMENT] == pytest.approx(1, abs=1e-4)
    assert scored(mixed, tmp_path / "system")[0][MOVEMENT] is None


def test_sanity_sees_narrowed_and_exchanged_sides(tmp_path):
    rng = np.random.default_rng(0)
    sounds = {}
    for number in range(8):
        place = np.clip(0.5 + 0.4 * np.sin(2 * np.pi * (rng.uniform(0.5, 2) * TIME_S + rng.uniform())), 0, 1)
        sounds[f"s{number}"] = 0.2 * np.stack([(1 - place), place]) * rng.standard_normal(len(TIME_S))
        sounds[f"s{number}"][0] *= rng.uniform(0.3, 0.8)
    asked = {"protocol": None, "metrics": NAMES, "degradations": ("narrowed", "sides_swapped"), "resamples": 50}
    found = run_sanity(SanityRequest(data=listing(tmp_path, sounds), work=tmp_path / "work", **asked))
    assert found.no_steps == {}
    truth = {name: curves["narrowed"][0].value for name, curves in found.curves.items()}
    assert truth == pytest.approx({WIDTH: 0, BALANCE: 0, ALIKE: 0, MOVEMENT: 1}, abs=1e-3)
    for name, key in (
        (WIDTH, "narrowed"),
        (ALIKE, "narrowed"),
        (BALANCE, "sides_swapped"),
        (MOVEMENT, "sides_swapped"),
    ):
        verdict = judge_curve(found.curves[name][key])
        assert (verdict.kind, verdict.ordered) == ("seen", True), name
    assert judge_curve(found.curves[WIDTH]["sides_swapped"]).kind == "blind"
    assert found.curves[MOVEMENT]["sides_swapped"][-1].value == pytest.approx(-1, abs=1e-3)


def test_sanity_of_one_channel_says_that_it_has_no_sides(tmp_path):
    data = listing(tmp_path, {f"s{number}": LOW[None] for number in range(3)})
    asked = {"protocol": None, "metrics": ("level_difference",), "degradations": ("narrowed", "gain"), "resamples": 20}
    found = run_sanity(SanityRequest(data=data, work=tmp_path / "work", **asked))
    assert found.no_steps == {"narrowed": "no clip has two channels"}
