"""``match_bandwidth``: both values, from the clip table, and nothing where the band is whole."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from foleybench.artefacts import result as results
from foleybench.artefacts.entries import read_entry
from foleybench.cli import main
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.recompute import disagreements
from foleybench.leaderboard.tables import board_csv, board_markdown
from foleybench.media.audio import write_wav
from foleybench.media.band import STEP_HZ
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.folders import pair

RATE_HZ = 32000
N_CLIPS = 7


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder of real noise; one of it up to 4 kHz, and one of it 6 dB quieter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLEYBENCH_CACHE", str(tmp_path / "cache"))
    hz = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    for index in range(N_CLIPS):
        real = 0.1 * np.random.default_rng(index).standard_normal(RATE_HZ)
        narrow = np.fft.irfft(np.where(hz > 4000, 0, np.fft.rfft(real)), RATE_HZ)
        for name, sound in {"real": real, "narrow": narrow, "quiet": 0.5 * real}.items():
            write_wav(tmp_path / name / f"clip{index}.wav", sound.astype(np.float32), RATE_HZ)
    return tmp_path


def score(name: str, capsys, *more: str) -> tuple[Path, dict, str]:
    words = ("--audio", name, "--reference", "real", "--metric", "mel_profile_distance", "--metric", "level_difference")
    main(["eval", *words, "--match-bandwidth", "--resamples", "20", "--jobs", "1", *more])
    said = capsys.readouterr()
    path = Path(said.out.strip())
    return path, results.read_result(path), said.err


def test_a_low_pass_alone_costs_much_and_next_to_nothing_with_matched_bandwidth(here, capsys):
    _path, result, told = score("narrow", capsys)
    band = result["run"]["matched_band"]
    assert 4000 <= band["hz"] <= 4200
    assert band["n_clips"] == N_CLIPS
    record = result["metrics"]["mel_profile_distance"]
    assert record["value"] > 3.0
    assert record["matched"]["value"] < 0.1 * record["value"]
    assert record["matched"]["low"] <= record["matched"]["value"] <= record["matched"]["high"]
    assert f"matched bandwidth: the generated sound ends at {band['hz'] / 1000:.4g} kHz" in told
    assert re.search(r"clips +matched +name in commands", told)
    row = next(line for line in told.splitlines() if line.strip().startswith("Mel profile"))
    assert row.split()[-2] == f"{record['matched']['value']:.4g}"
    # The value itself is what it is without the option.
    plain = json.loads(json.dumps(record))
    main(["eval", "--audio", "narrow", "--reference", "real", "--metric", "mel_profile_distance", "--out", "plain"])
    alone = results.read_result(Path(capsys.readouterr().out.strip()))["metrics"]["mel_profile_distance"]
    assert alone["value"] == plain["value"]
    assert "matched" not in alone


def test_sound_of_the_whole_band_has_equal_values(here, capsys):
    path, result, told = score("quiet", capsys)
    assert result["run"]["matched_band"] == {"hz": None, "n_clips": N_CLIPS}
    record = result["metrics"]["level_difference"]
    assert record["value"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert record["matched"] == {key: record[key] for key in ("value", "low", "high", "corrected")}
    assert "the generated sound has the band of the real one" in told
    assert disagreements(read_entry(path)) == []


def test_tables_show_both_and_an_edited_one_is_refused(here, capsys):
    path, result, _ = score("narrow", capsys)
    entry = read_entry(path)
    assert disagreements(entry) == []
    boards = make_boards([entry])
    matched, hz = result["metrics"]["mel_profile_distance"]["matched"]["value"], result["run"]["matched_band"]["hz"]
    table = board_markdown(boards)
    assert f"(to {hz / 1000:.3g} kHz)" in table
    assert "After ⇥" in table
    assert f",{matched},{hz}" in board_csv(boards)
    forged = json.loads(path.read_text())
    forged["metrics"]["mel_profile_distance"]["matched"]["value"] = 2 * matched
    made = path.with_name(f"narrow.{results.content_id(forged)}.json")
    made.write_text(json.dumps(forged))
    results.table_path(path).rename(results.table_path(made))
    assert "mel_profile_distance with matched bandwidth is" in disagreements(read_entry(made))[0]


def test_several_takes_are_matched_too(here, capsys):
    for index in range(N_CLIPS):
        for take in range(2):
            sound = (here / "narrow" / f"clip{index}.wav").read_bytes()
            target = here / "takes" / f"clip{index}" / f"{take}.wav"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(sound)
    _, one, _ = score("narrow", capsys)
    _, two, _ = score("takes", capsys)
    assert two["run"]["takes"] == 2
    values = [made["metrics"]["mel_profile_distance"]["matched"]["value"] for made in (one, two)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_it_goes_with_sound_and_one_protocol(here, capsys):
    words = ["eval", "--audio", "narrow", "--reference", "real", "--match-bandwidth", "--protocol", "all"]
    assert main(words) == 1
    assert "--match-bandwidth scores sound under one protocol: leave --protocol all out" in capsys.readouterr().err


RATES_HZ = (16000, 22050, 44100, 48000)
CLOSE = {"mel_profile_distance": 0.02, "level_difference": 0.02, "logmel_distance": 0.02, "bandwidth_difference": 0.01}


@pytest.fixture(scope="module")
def at_rates(tmp_path_factory) -> Path:
    """Folders ``r16000`` and so on: the same sounds, falling by 6 dB an octave above 500 Hz, resampled."""
    home = tmp_path_factory.mktemp("rates")
    falling = np.maximum(1, np.fft.rfftfreq(48000, 1 / 48000) / 500)
    for index in range(2):
        sound = 0.3 * np.fft.irfft(np.fft.rfft(np.random.default_rng(index).standard_normal(48000)) / falling, 48000)
        for rate_hz in RATES_HZ:
            made = signal.resample_poly(sound, rate_hz // math.gcd(rate_hz, 48000), 48000 // math.gcd(rate_hz, 48000))
            write_wav(home / f"r{rate_hz}" / f"clip{index}.wav", made.astype(np.float32), rate_hz)
    return home


@pytest.mark.parametrize("real_hz", RATES_HZ)
@pytest.mark.parametrize("generated_hz", RATES_HZ)
def test_at_no_pair_of_rates_is_the_matched_value_worse(at_rates, real_hz, generated_hz):
    """The same sound at two rates: what a lower rate costs goes away, and the resampling on the way adds nothing."""
    listed = pair(None, at_rates / f"r{real_hz}", cache=at_rates / "cache").listed
    request = EvalRequest(
        data=listed.manifest,
        audio=at_rates / f"r{generated_hz}",
        protocol=None,
        metrics=tuple(CLOSE),
        model={"name": "mine", "kind": "model"},
        resamples=10,
        match_bandwidth=True,
    )
    result, _ = evaluate(request)
    end_hz = result["run"]["matched_band"]["hz"]
    if generated_hz >= real_hz:
        assert end_hz is None
    else:
        assert generated_hz / 2 <= end_hz <= generated_hz / 2 + 3 * STEP_HZ
        assert result["metrics"]["bandwidth_difference"]["matched"]["value"] < CLOSE["bandwidth_difference"]
    for name, slack in CLOSE.items():
        record = result["metrics"][name]
        assert record["matched"]["value"] <= record["value"] + slack


def test_both_sides_of_stereo_are_brought_to_the_generated_rate(tmp_path):
    left, right = (0.1 * np.random.default_rng(seed).standard_normal(48000) for seed in (0, 1))
    both = np.stack([left, 0.3 * right])
    low = np.stack([signal.resample_poly(side, 1, 3) for side in both])
    for name, sides, rate_hz in (("real", both, 48000), ("low", low, 16000)):
        (tmp_path / name).mkdir()
        for index in range(2):
            soundfile.write(tmp_path / name / f"clip{index}.wav", sides.T, rate_hz)
    request = EvalRequest(
        data=pair(None, tmp_path / "real", cache=tmp_path / "cache").listed.manifest,
        audio=tmp_path / "low",
        protocol=None,
        metrics=("stereo_width_difference", "stereo_balance_difference"),
        model={"name": "mine", "kind": "model"},
        resamples=10,
        match_bandwidth=True,
    )
    result, _ = evaluate(request)
    assert result["run"]["matched_band"]["hz"] is not None
    for record in result["metrics"].values():
        assert record["matched"]["value"] == pytest.approx(0.0, abs=0.05)
