"""The plan: arithmetic from a sample, by hand; a real sample of made-up clips."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.prepare.costs import Assumed, Cost, describe_costs, estimate_costs


def cost(cpu_s: float, n_bytes: int = 0) -> Cost:
    return Cost(cpu_s=cpu_s, wall_s=2 * cpu_s, n_bytes=n_bytes, status="ok" if n_bytes else "gone")


def test_what_follows_from_a_sample():
    assumed = Assumed(hours=10.0, cores=8, busy=0.5, core_hour=0.1, gb_month=0.02)
    found = estimate_costs([cost(3.0, 995_904), cost(0.6)], 1_000_000, 500, assumed)
    # 1.8 s a clip on the mean: 500 core hours, at half the time 1000 to pay, 100 cores in 10 hours.
    assert found.core_hours == pytest.approx(500.0)
    assert (found.n_cores, found.n_machines, found.n_shards, found.n_usable) == (100, 13, 2000, 500_000)
    assert found.make_price == pytest.approx(100.0)
    # A million bytes with the tar's own, for every other clip.
    assert found.n_bytes == pytest.approx(0.5e12)
    assert found.month_price == pytest.approx(10.0)


def test_a_sample_is_measured_and_nothing_is_kept(deeds, options, tmp_path: Path):
    asked = options("slow,bad,slow,ok,refused", splits="train,test")
    lines = describe_costs(deeds, asked, tmp_path / "out", n_sample=8, assumed=Assumed(n_clips=2_000_000), limit=None)
    assert lines[0].startswith("measured on 8 of 8 clips: 0.0")
    assert "6 of 8 usable (others: no_audio)" in lines[0]
    assert 0.07 < float(re.search(r"([0-9.]+) s by the clock", lines[0])[1]) < 0.5
    assert lines[1].startswith("for 2000000 clips: ")
    assert "about 1500000 usable clips" in lines[2]
    assert not (tmp_path / "out").exists()


def test_a_sample_lies_evenly(deeds, options, tmp_path: Path):
    log = tmp_path / "log"
    asked = options(",".join(["ok"] * 10), log=str(log))
    describe_costs(deeds, asked, tmp_path / "out", n_sample=3, assumed=Assumed(), limit=None)
    assert log.read_text().split() == [f"test/clip{k:03d}_000000" for k in (0, 3, 6)]


def test_nothing_to_measure_is_an_error(deeds, options, tmp_path: Path):
    with pytest.raises(FoleyError, match="nothing to measure"):
        describe_costs(deeds, options("refused"), tmp_path / "out", n_sample=3, assumed=Assumed(), limit=None)


def test_the_command_prints_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from tests.made_media import click, pictures, write_video

    write_video(tmp_path / "videos" / "a.mp4", pictures(30), audio=click(0.4, 1.2))
    arguments = ["prepare", "folder", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), "--plan"]
    assert main([*arguments, "--plan-clips", "2000000", "--price-core-hour", "1", "--currency", "EUR"]) == 0
    shown = capsys.readouterr().out
    assert "for 2000000 clips: " in shown
    assert "at 1 EUR a core hour" in shown
    assert not (tmp_path / "out").exists()
