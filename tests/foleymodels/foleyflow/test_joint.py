"""Without an alignment stage: what both arms of Table 2 have alike."""

import numpy as np
import pytest
import torch

from foleymodels._training.job import Job
from foleymodels.foleyflow import joint as joints
from foleymodels.foleyflow.checkpoints import new_flow
from foleymodels.foleyflow.joint import Joint, window_starts
from tests.foleymodels.small import settings_of, small_settings, train


class Lengths:
    """Clips of some numbers of tokens, five tokens a unit."""

    def __init__(self, *tokens):
        self.token_offsets = np.concatenate([[0], np.cumsum(tokens)])
        self.settings = type("Settings", (), {"unit": (4, 5)})


def starts(data, clips, at, n_tokens, n_window):
    return window_starts(data, torch.tensor(clips), np.array(at), n_tokens, n_window).tolist()


def test_a_window_has_its_crop_in_the_middle_and_stays_in_the_clip():
    data = Lengths(125, 312)
    assert starts(data, [0, 0, 0], [0, 5, 12], 65, 125) == [0, 0, 0]  # a clip as long as a window
    # 312 tokens: crops start at units 0 to 49, windows at 0 to 37, six units (of five tokens) before their crop
    assert starts(data, [1, 1, 1, 1], [0, 6, 20, 49], 65, 125) == [0, 0, 14, 37]
    assert starts(data, [1, 1], [3, 49], 65, 65) == [3, 49]  # a window no longer than a crop is the crop


def test_every_crop_lies_in_its_window():
    data = Lengths(*range(125, 160))
    for clip, length in enumerate(range(125, 160)):
        for at in range((length - 65) // 5 + 1):
            (before,) = starts(data, [clip], [at], 65, 125)
            assert 0 <= (at - before) * 5 <= 60
            assert before * 5 + 125 <= length


@pytest.fixture
def short(toy_data):
    """A network whose crops are half as long as its windows, and two batches of crops of the same clips."""
    settings = small_settings(stage1="none", flow_crop_s="0.64", mirror_p="0")
    return Joint(settings, 0, toy_data, "cpu")


def conditions(joint, data, at, monkeypatch, seed=0):
    """Return the conditions that the flow is given for crops of the first two clips."""
    given = {}

    def flow_loss(flow, tokens, condition, generator):
        given.update(tokens=tokens, condition=condition)
        return condition.sum()

    monkeypatch.setattr(joints, "flow_loss", flow_loss)
    joint.loss(data, torch.tensor([0, 1]), np.array(at), torch.Generator().manual_seed(seed))
    return given


def test_conditions_come_from_the_whole_window_around_a_crop(short, toy_data, monkeypatch):
    """As in the arm with VAMA, whose conditions are computed over windows before crops are cut from them."""
    given = conditions(short, toy_data, [1, 3], monkeypatch)
    frames = toy_data.crop_frames(torch.tensor([0, 1]), np.zeros(2, dtype=np.int64), 32)
    whole = short.alignment.features(frames, 40)
    wanted = torch.stack([whole[0, 5:25], whole[1, 15:35]])
    torch.testing.assert_close(given["condition"], wanted)
    assert torch.equal(given["tokens"], toy_data.crop_tokens(torch.tensor([0, 1]), np.array([1, 3]), 20))


def seen(joint, data, monkeypatch):
    """Return the frames that the alignment network is given for two crops."""
    given = []

    def features(frames, n_tokens):
        given.append(frames)
        return torch.zeros(len(frames), n_tokens, 32)

    joint.alignment.features = features
    conditions(joint, data, [0, 0], monkeypatch)
    return given[0]


def test_what_is_seen_at_random_is_mirrored(toy_data, monkeypatch):
    found = {
        mirror_p: seen(
            Joint(small_settings(stage1="none", mirror_p=mirror_p), 0, toy_data, "cpu"), toy_data, monkeypatch
        )
        for mirror_p in ("0", "1")
    }
    assert torch.equal(found["1"], found["0"].flip(3))
    assert not torch.equal(found["1"], found["0"])


def test_conditions_are_standardised_from_the_start_and_while_they_change(short, toy_data, monkeypatch):
    flow = short.flow
    short.fit_scale(toy_data)
    frames = torch.stack([toy_data.video(index)[0] for index in range(8)])
    values = short.alignment.features(frames, 40).flatten(0, 1)
    torch.testing.assert_close(flow.centre, values.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(flow.spread, values.std(0).clamp_min(1e-3), atol=1e-5, rtol=1e-4)
    before = flow.centre.clone()
    short.alignment.features = lambda frames, n: torch.full((len(frames), n, 32), 9.0)
    conditions(short, toy_data, [0, 0], monkeypatch)
    torch.testing.assert_close(flow.centre, 0.99 * before + 0.01 * 9.0)


def test_a_scale_follows_by_hand():
    flow = new_flow(small_settings(), 1)
    flow.fit_scale(torch.tensor([[0.0], [2.0]]))  # mean 1, variance 2
    flow.follow_scale(torch.tensor([[4.0], [6.0]]), decay=0.5)  # about the old mean: 9 and 25
    assert float(flow.centre) == pytest.approx(3.0)
    assert float(flow.spread) == pytest.approx(((2 + 17) / 2) ** 0.5)
    for _ in range(200):
        flow.follow_scale(torch.tensor([[4.0], [6.0]]), decay=0.9)
    assert (float(flow.centre), float(flow.spread)) == pytest.approx((5.0, 1.0), abs=1e-3)


def test_both_networks_learn_for_the_steps_of_both_stages_each_at_its_rate(corpus, tmp_path, monkeypatch):
    asked = []

    def fit(job, module, losses, stage, **more):
        asked.append((stage, more["steps"], more["rate"], more.get("other_rates", ())))
        return {"skipped_steps": 0}

    monkeypatch.setattr(Job, "fit", fit)
    rates = {"vama_rate": "0.003", "flow_rate": "0.002", "vama_steps": "7", "flow_steps": "5"}
    train("foleyflow", corpus, tmp_path / "none", stage1="none", **rates)
    train("foleyflow", corpus, tmp_path / "vama", **rates)
    assert asked == [
        ("flow", 12, 0.002, (("alignment", 0.003),)),
        ("alignment", 7, 0.003, ()),
        ("flow", 5, 0.002, ()),
    ]


def test_asked_steps_are_of_the_flow_and_the_joint_network_gets_both_stages():
    assert settings_of({"stage1": "none"}, steps=600).joint_steps == 1200
    assert settings_of({"stage1": "none"}, size="base", steps=1200).joint_steps == 1700
