import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.errors import FoleyError, UnknownNameError
from foleymodels._alignment.contrastive import CavpObjective, InfoNceObjective
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.probes import Probed, probe, probe_average_precision
from foleymodels._alignment.stage import new_alignment, objective_of, record_of
from foleymodels._alignment.supervised import OnsetObjective
from foleymodels._parts.checkpoint import write_checkpoint
from foleymodels._training.loop import fit
from foleymodels._training.optimisers import FitSettings
from foleymodels.foleyflow.checkpoints import load_foleyflow
from tests.foleymodels.small import context_of, small_settings, train

ALL = ["vama", "infonce", "cavp", "onset_sup", "none"]
DRAWN = {"vama", "none"}


@pytest.fixture(scope="module")
def data(toy_data):
    return toy_data


def objective(name, data, **more):
    return objective_of(new_alignment(small_settings(stage1=name, **more).stage, 0, data), data)


def draw(data, n=4, video_of=None):
    clips = torch.arange(n)
    video_of = clips if video_of is None else video_of
    return Draw(data=data, audio_of=clips, video_of=video_of, starts=np.zeros(n, dtype=np.int64))


@pytest.fixture(scope="module")
def stages(corpus, tmp_path_factory):
    """A run of every objective; one objective has two panels in its plot, one has one panel."""
    base = tmp_path_factory.mktemp("stages")
    return {name: train("foleyflow", corpus, base / name, drawn=name in DRAWN, stage1=name) for name in ALL}


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_objective_exports_a_condition_of_one_shape_and_is_diagnosed(name, stages):
    _, flow, alignment = load_foleyflow(stages[name])
    assert alignment.settings.stage1 == name
    assert len(flow.null) == alignment.condition_dim == 32
    metrics = json.loads((stages[name] / "metrics.json").read_text())
    probes = metrics["probes"]
    assert 0.0 < probes["onset_ap"] <= 1.0
    assert 0.0 <= probes["class_accuracy"] <= 1.0
    assert probes["usage_gap"] == pytest.approx(probes["sound_error_shuffled"] - probes["sound_error"], abs=1e-5)
    picture = (stages[name] / "diagnostics.png").read_bytes()
    assert picture[:4] == b"\x89PNG"
    assert (len(picture) > 5000) == (name in DRAWN)
    if name != "none":
        own = metrics["alignment"]
        assert own["objective"] == name
        assert own["usage_gap"] == pytest.approx(own["loss_shuffled"] - own["loss_true"], abs=1e-5)


@pytest.mark.slow
def test_objectives_train_the_same_network(stages):
    sizes = {sum(p.numel() for p in load_foleyflow(stages[name]).alignment.parameters()) for name in ALL}
    assert len(sizes) == 1


@pytest.mark.slow
def test_none_is_end_to_end_or_frozen(corpus, data, stages, tmp_path):
    start = new_alignment(small_settings(stage1="none").stage, 0, data).state_dict()
    trained = load_foleyflow(stages["none"]).alignment
    assert not torch.equal(trained.state_dict()["video.project.weight"], start["video.project.weight"])
    frozen = train("foleyflow", corpus, tmp_path, stage1="none", none_as="frozen")
    kept = load_foleyflow(frozen).alignment.state_dict()
    assert all(torch.equal(kept[name], start[name]) for name in start)
    with pytest.raises(FoleyError, match="none_as=frozen"):
        train("foleyflow", corpus, tmp_path / "b", stage1="none", stage="alignment")


@pytest.mark.slow
def test_an_alignment_of_another_objective_is_refused(corpus, stages, tmp_path):
    with pytest.raises(FoleyError, match="stage1=infonce"):
        train("foleyflow", corpus, tmp_path, alignment=str(stages["infonce"] / "alignment"))


@pytest.mark.parametrize("name", ["foleyflow", "nearest"])
@pytest.mark.parametrize("asked", ["other", "no weights", "nothing"])
def test_a_run_with_a_stage_of_its_own_takes_no_other(name, asked, tmp_path):
    """Before anything is decoded or trained: there are no data."""
    for folder in ("run/alignment", "other", "no weights"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text("{}")
    (tmp_path / "run/alignment/model.safetensors").write_bytes(b"own")
    (tmp_path / "other/model.safetensors").write_bytes(b"two")
    message = "no checkpoint in" if asked == "nothing" else "alignment already holds weights that are not those of"
    nowhere = {"train": tmp_path / "nowhere", "val": tmp_path / "nowhere"}
    with pytest.raises(FoleyError, match=message):
        train(name, nowhere, tmp_path / "run", alignment=str(tmp_path / asked))


@pytest.mark.parametrize("name", ["foleyflow", "nearest"])
def test_a_stage_that_does_not_fit_is_refused_before_a_training(name, data, tmp_path):
    nowhere = {"train": tmp_path / "nowhere", "val": tmp_path / "nowhere"}
    check = registry.load("models", name).check
    made, out = new_alignment(small_settings(stage1="infonce").stage, 0, data), tmp_path / "run"
    check(context_of(name, nowhere, out, alignment=str(tmp_path / "stage")))  # nothing is there
    for folder in (tmp_path / "stage", out / "alignment"):
        write_checkpoint(folder, "alignment", made.state_dict(), {"settings": record_of(made)})
    for asked in ({}, {"alignment": str(tmp_path / "stage")}):
        check(context_of(name, nowhere, out, stage1="infonce", **asked))
        where = asked.get("alignment", out / "alignment")
        with pytest.raises(FoleyError, match=f"{where} was trained with stage1=infonce, this run wants vama"):
            check(context_of(name, nowhere, out, **asked))
    (tmp_path / "stage" / "model.safetensors").write_bytes(b"two")
    with pytest.raises(FoleyError, match="already holds weights that are not those of"):
        check(context_of(name, nowhere, out, stage1="infonce", alignment=str(tmp_path / "stage")))


def test_a_check_leaves_alone_a_stage_that_the_run_changes_or_has_none_of(data, tmp_path):
    nowhere = {"train": tmp_path / "nowhere", "val": tmp_path / "nowhere"}
    check = registry.load("models", "foleyflow").check
    for seed, folder in enumerate((tmp_path / "stage", tmp_path / "run/alignment")):
        made = new_alignment(small_settings(stage1="infonce").stage, seed, data)
        write_checkpoint(folder, "alignment", made.state_dict(), {"settings": record_of(made)})
    dropped = {"audio_plan": "dropped", "stage": "alignment", "alignment": str(tmp_path / "stage")}
    check(context_of("foleyflow", nowhere, tmp_path / "run", **dropped))
    check(context_of("foleyflow", nowhere, tmp_path / "run", condition="none"))
    check(context_of("foleyflow", nowhere, tmp_path / "run", stage1="none"))
    with pytest.raises(FoleyError, match="would not be used"):
        check(context_of("foleyflow", nowhere, tmp_path / "run", condition="none", alignment="trained"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"stage1": "none"}, "together with the flow"),
        ({"condition": "none"}, "sees no video"),
        ({"flow": "trained", "head": "imf"}, "flow=trained brings an alignment network"),
    ],
)
def test_an_alignment_that_would_not_be_used_is_refused(changed, why, tmp_path):
    """Before anything is decoded or trained: there are no data."""
    nowhere = {"train": tmp_path / "nowhere", "val": tmp_path / "nowhere"}
    with pytest.raises(FoleyError, match=f"alignment=trained would not be used: .*{why}"):
        train("foleyflow", nowhere, tmp_path / "run", alignment="trained", **changed)


def test_an_unknown_objective_is_named():
    with pytest.raises(UnknownNameError, match="infonce"):
        small_settings(stage1="contrast")


def test_windows_of_cavp_are_apart_and_inside(data):
    cavp = objective("cavp", data)
    offsets = cavp._offsets(draw(data, 8), torch.Generator().manual_seed(0))
    unit_frames = data.settings.unit[0]
    assert offsets.shape == (8, 2)
    assert (np.diff(offsets) * unit_frames >= 8).all()
    assert offsets.min() >= 0
    assert (offsets.max() * unit_frames + cavp.alignment.signal.frames(cavp.settings.cavp_window_s)) <= 32
    assert len(np.unique(offsets, axis=0)) > 3
    with pytest.raises(FoleyError, match="do not fit"):
        objective("cavp", data, cavp_windows="6")(draw(data), torch.Generator())


def test_contrast_of_equal_vectors_is_the_log_of_their_number(data):
    contrast = objective("infonce", data).requires_grad_(False)
    same = torch.ones(5, 8) / math.sqrt(8)
    assert float(contrast.compare(same, same)) == pytest.approx(math.log(5), abs=1e-5)
    apart = torch.eye(4, 8)
    assert float(contrast.compare(apart, apart)) == pytest.approx(math.log(1 + 3 * math.exp(-1 / 0.07)), abs=1e-6)
    grouped = contrast.compare(apart[None].repeat(3, 1, 1), apart[None].repeat(3, 1, 1))
    assert float(grouped) == pytest.approx(float(contrast.compare(apart, apart)), abs=1e-6)


def code(level):
    """Return sixteen numbers for a level in [0, 1]."""
    return torch.cos(level[..., None] * torch.arange(16) * math.pi)


class FrameByFrame(torch.nn.Module):
    """A video tower that looks at each frame alone: its red, in the first cell."""

    def __init__(self, real):
        super().__init__()
        self.signal, self.settings, self.anchor = real.signal, real.settings, torch.nn.Parameter(torch.zeros(1))

    def forward(self, frames, tokens, mask, n_tokens):
        at = (torch.arange(n_tokens) * frames.shape[1] / n_tokens).long()
        state = code(frames[:, at, 0, 0, 0].float() / 255)
        return state, state, state


class TokenByToken(torch.nn.Module):
    """An audio tower that looks at each mel token alone: its first number."""

    def forward(self, tokens):
        return code(tokens[..., 0])


def blind(name, data):
    """Return an objective whose towers know nothing of order; its two projections are one."""
    torch.manual_seed(0)  # its weights are drawn from the global generator, which other tests have moved
    found = objective(name, data, vama_crop_s="1.28").requires_grad_(False)
    found.alignment, found.tower = FrameByFrame(found.alignment), TokenByToken()
    found.hear = found.see
    return found


def test_infonce_tells_clips_apart_and_no_times_and_cavp_tells_times_too(data):
    """Every sixth of a second of a clip has a level of its own in frames and audio alike."""
    levels = np.random.default_rng(0).integers(0, 255, (8, 8)).astype(np.uint8)
    frames, tokens = np.zeros((8 * 32, 16, 16, 6), dtype=np.uint8), np.zeros((8 * 40, 128), dtype=np.float16)
    frames[:, 0, 0, 0] = levels.repeat(4, axis=1).ravel()
    tokens[:, 0] = levels.repeat(5, axis=1).ravel() / 255
    reversed_frames = np.concatenate([frames[start : start + 32][::-1] for start in range(0, 8 * 32, 32)])
    right = draw(dataclasses.replace(data, frames=frames, tokens=tokens), 8)
    backwards = draw(dataclasses.replace(data, frames=reversed_frames, tokens=tokens), 8)
    other_clip = dataclasses.replace(right, video_of=torch.arange(8).roll(1))

    infonce = blind("infonce", data)
    losses = [float(infonce(batch, torch.Generator())["loss"]) for batch in (right, backwards, other_clip)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    assert losses[2] > losses[0] + 1.0

    cavp = blind("cavp", data)
    found = [cavp(batch, torch.Generator().manual_seed(0)) for batch in (right, backwards)]
    assert float(found[1]["within"]) > float(found[0]["within"]) + 1.0

    one_clip = dict(frames=np.tile(frames[:32], (8, 1, 1, 1)), tokens=np.tile(tokens[:40], (8, 1)))
    alike = draw(dataclasses.replace(data, **one_clip), 8)  # nothing is left to tell but times
    assert float(infonce(alike, torch.Generator())["loss"]) == pytest.approx(math.log(8), abs=1e-4)
    cavp._offsets = lambda *given: np.array([[0, 4]] * 8)
    found = cavp(alike, torch.Generator())
    assert float(found["between"]) == pytest.approx(math.log(8), abs=1e-4)
    assert float(found["within"]) < math.log(2) - 0.3  # log 2 is chance for two windows a clip


def test_onset_supervision_learns_from_the_right_tokens(data):
    supervised = objective("onset_sup", data)
    marks = supervised._onsets(draw(data), 30)
    for row in range(4):
        expected = {int(t * 31.25) for t in data.onsets_s[row] if int(t * 31.25) < 30}
        assert set(marks[row].nonzero()[:, 0].tolist()) == expected
    assert isinstance(supervised, OnsetObjective)
    unknown = dataclasses.replace(data, onsets_s=(None,) * len(data))
    with pytest.raises(FoleyError, match="no events"):
        objective("onset_sup", unknown)(draw(unknown), torch.Generator())
    other = dataclasses.replace(data, labels=("gong",) * len(data))
    with pytest.raises(FoleyError, match="gong"):
        supervised(draw(other), torch.Generator())


def test_a_shift_moves_the_video_only(data):
    still, late = draw(data), dataclasses.replace(draw(data), shift_frames=3)
    assert torch.equal(still.tokens(30), late.tokens(30))
    assert torch.equal(still.frames(24)[:, :-3], late.frames(24)[:, 3:])


def informative(n, informed, seed=0):
    """Clips whose condition holds their audio, onsets and class, or noise."""
    generator = torch.Generator().manual_seed(seed)
    tokens = [torch.randn(50, 6, generator=generator) for _ in range(n)]
    labels = ["ab"[index % 2] for index in range(n)]
    onsets = [(part[:, 0] > 1.0).float() for part in tokens]
    conditions = [
        torch.cat([part, onset[:, None], torch.full((50, 1), float(label == "a"))], 1)
        if informed
        else torch.randn(50, 8, generator=generator)
        for part, onset, label in zip(tokens, onsets, labels, strict=True)
    ]
    return Probed(conditions=conditions, tokens=tokens, onsets=onsets, labels=labels, token_hz=31.25)


def test_probes_find_what_is_there_and_nothing_else():
    full = probe(informative(40, True), informative(20, True, seed=1))
    assert full["onset_ap"] > 0.99
    assert full["class_accuracy"] == 1.0
    assert full["sound_error"] < 0.01
    assert full["usage_gap"] > 0.9
    assert full["shift_curve"]["+0.032"] > 0.9
    empty = probe(informative(40, False), informative(20, False, seed=1))
    assert empty["onset_ap"] < 0.3
    assert 0.2 < empty["class_accuracy"] < 0.8
    assert abs(empty["usage_gap"]) < 0.05
    assert abs(empty["sound_error"] - 1) < 0.05


def test_probes_say_when_events_are_not_known():
    unknown = dataclasses.replace(informative(6, True), onsets=None, labels=[""] * 6)
    found = probe(unknown, unknown)
    assert found["onset_ap"] is None
    assert found["class_accuracy"] is None


def test_average_precision_by_hand():
    scores, marks = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert probe_average_precision(scores, marks) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert probe_average_precision(scores, torch.tensor([1.0, 1.0, 0.0, 0.0])) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [InfoNceObjective, CavpObjective])
def test_contrast_can_be_learnt(kind, data, tmp_path):
    settings = small_settings(stage1="infonce")
    trained = kind(Alignment(settings.signal, settings.alignment))
    everything = draw(data, 8)
    loop = FitSettings(steps=50, learning_rate=3e-3)
    losses = fit(trained, lambda step, g: trained(everything, g), loop, tmp_path, seed=0, name="test")
    trained.load_state_dict(losses)
    trained.requires_grad_(False)
    right, wrong = (
        float(trained(draw(data, 8, video_of), torch.Generator().manual_seed(0))["loss"])
        for video_of in (torch.arange(8), torch.arange(8).roll(3))
    )
    assert right < 0.6 * wrong
