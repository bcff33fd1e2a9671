"""The check for GPUs runs in small on a CPU, with nothing but torch, NumPy, SciPy, safetensors and tqdm beside it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import gpu_check
from benchmarks.gpu import agreement, material
from benchmarks.gpu.phases import Plan, Report, run_phase
from benchmarks.gpu.training import read_records

ROOT = Path(__file__).parents[1]
# Threads of other tests do not matter to a child that only sleeps or raises.
FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
ABSENT = ("av", "soundfile", "soxr", "webdataset", "matplotlib", "jinja2", "threadpoolctl", "torchaudio", "torchvision",
          "timm", "transformers", "hear21passt", "open_clip", "pandas")  # fmt: skip
BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT!r}))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def plan_in(folder: Path) -> Plan:
    return Plan(out=folder, device="cpu", small=True, jobs=1)


def sleep_with_a_child(plan: Plan, report: Report) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    report.add("child", pid=child.pid)
    time.sleep(60)


def fail(plan: Plan, report: Report) -> None:
    report.add("found", value=1)
    raise ValueError("a fault")


class Doubled(nn.Module):
    """Gives another result from the second call on, as a faulty kernel would."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))


@pytest.mark.slow
def test_small_form_runs_on_a_bare_machine(tmp_path: Path, monkeypatch, capsys):
    """Every phase ends by itself, every comparison is within its limit, and the killed run goes on."""
    out = tmp_path / "found"
    command = [sys.executable, "-c", BARE, str(ROOT / "benchmarks" / "gpu_check.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    options = ["--out", str(out), "--seconds", "400", "--jobs", "2"]
    run = subprocess.run(
        [*command, *options], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = read_records(out / "gpu_check.jsonl")
    ends = {line["phase"]: line["outcome"] for line in lines if line["what"] == "end"}
    assert len(ends) == 9
    assert set(ends.values()) == {"done"}
    compared = [line for line in lines if line["phase"] == "agreement" and "forward" in line]
    assert len(compared) >= 20
    assert all(line["within"] for line in compared)
    (resumed,) = (line for line in lines if line["what"] == "resumed")
    assert 0 < resumed["from_step"] < resumed["to_step"]
    assert {line["batch"] for line in lines if line["what"] == "batch"} == {2, 4}
    (parts,) = (line for line in lines if line["what"] == "in parts, compared")
    assert parts["within"]
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", *options])
    with pytest.raises(SystemExit, match="2"):
        gpu_check.main()
    assert "there already" in capsys.readouterr().err


@FORKS
@pytest.mark.slow
def test_a_phase_past_its_deadline_is_ended_with_its_children(tmp_path: Path):
    plan, started = plan_in(tmp_path), time.monotonic()
    assert run_phase("slow", sleep_with_a_child, plan, 1.0) == "deadline"
    assert time.monotonic() - started < 10
    child, end = read_records(plan.records)
    assert end["outcome"] == "deadline"
    assert not _runs(child["pid"])


@FORKS
def test_a_failing_phase_keeps_what_it_found(tmp_path: Path):
    plan = plan_in(tmp_path)
    assert run_phase("bad", fail, plan, 30.0) == "failed"
    found, error, end = read_records(plan.records)
    assert found["value"] == 1
    assert "a fault" in error["error"]
    assert end["outcome"] == "failed"


def test_a_wrong_result_is_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """1e-3 off is told, 1e-5 is not; what raises is told as well, and does not keep the next from being compared."""
    # On the CPU and the device; then, for the first is beyond its limit, six times rounded; both again.
    off_by = iter([0.0, 1e-3, *[5e-4] * 6, 0.0, 1e-5])

    def off(module: nn.Module, device: str) -> torch.Tensor:
        return (module.weight * (1 + next(off_by))).sum()

    def broken(module: nn.Module, device: str) -> torch.Tensor:
        raise RuntimeError("no such kernel")

    runs = {"bad": off, "broken": broken, "good": off}
    made = {name: agreement.Case(module=Doubled(), run=run) for name, run in runs.items()}
    monkeypatch.setattr(agreement, "cases", lambda plan: made)
    plan = plan_in(tmp_path)
    agreement.agreement(plan, Report(plan.records, "agreement", time.monotonic() + 9))
    bad, rounded, broken_line, good = read_records(plan.records)
    assert not bad["within"]
    assert bad["forward"] == pytest.approx(1e-3, rel=1e-3)
    assert bad["backward"] == pytest.approx(1e-3, rel=1e-3)
    assert rounded["of"] == "bad"
    assert [one["forward"] for one in rounded["seeds"]] == pytest.approx([5e-4] * 6, rel=1e-3)
    assert not broken_line["within"]
    assert "no such kernel" in broken_line["error"]
    assert good["within"]


def test_a_value_that_is_not_finite_is_no_agreement():
    nothing = torch.tensor([float("nan"), 1.0])
    assert agreement.difference(nothing, nothing) == float("inf")


def _runs(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def refused_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.binary_cross_entropy(logits.sigmoid(), wanted)


def allowed_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)


def test_what_only_a_gpu_refuses_is_refused_on_a_cpu():
    """Autocast on a CPU takes ``binary_cross_entropy``; on a GPU it raises, and a training ends there."""
    logits, wanted = torch.zeros(3), torch.ones(3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(refused_loss(logits, wanted))
        with agreement.RefusedByCuda():
            assert torch.isfinite(allowed_loss(logits, wanted))
            with pytest.raises(RuntimeError, match="refused under autocast"):
                refused_loss(logits, wanted)
            with torch.autocast("cpu", enabled=False):  # a GPU takes it there, too
                assert torch.isfinite(refused_loss(logits, wanted))


def test_no_loss_of_the_reference_model_is_refused_on_a_gpu(tmp_path: Path):
    plan = plan_in(tmp_path)
    material.render(plan, Report(plan.records, "render", time.monotonic() + 60))
    report = Report(plan.records, "bfloat16", time.monotonic() + 60)
    agreement.bfloat16(plan, report)
    lines = [line for line in read_records(plan.records) if line["phase"] == "bfloat16"]
    assert len(lines) == 17
    assert not [line for line in lines if "error" in line]


def test_a_rounding_moves_every_weight_by_one_step():
    """A sum of three ones moves by one step of float32 each, up or down: 2**-23 or 2**-24."""
    case = agreement.Case(module=Doubled(), run=lambda module, device: module.weight.double().sum())
    exact = agreement.found(case, "cpu")
    moved = [agreement.by_rounding(case, exact, seed)["forward"] for seed in range(20)]
    assert {round(3 * value * 2**24) for value in moved} <= {0, 1, 2, 3, 4, 6}
    assert max(moved) > 0
