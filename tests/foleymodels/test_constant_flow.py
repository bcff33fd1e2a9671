"""The worked example: a flow on the mean frame of a clip."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError, UnknownNameError
from foleybench.shards.dataset import ShardDataset
from foleymodels.constant_flow import SYSTEM, mean_frame
from tests.foleymodels.small import train


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return train("constant_flow", corpus, tmp_path_factory.mktemp("constant") / "run")


def test_the_mean_frame_by_hand():
    maps = torch.zeros(3, 8, 8, 6, dtype=torch.uint8)
    maps[:, :, :, 1] = 128  # green in the middle of its range everywhere
    maps[0, :2, :2, 0] = 96  # red in the first of 16 cells, in one of three frames
    maps[..., 3:] = 200  # changes, which it does not look at
    found = mean_frame(maps, 5)
    assert found.shape == (5, 48)
    red, green, blue = found[2].reshape(3, 16)
    assert float(red[0]) == pytest.approx(96 / 3 / 128 - 1)
    assert torch.equal(red[1:], torch.full((15,), -1.0))
    assert torch.equal(green, torch.zeros(16))
    assert torch.equal(blue, torch.full((16,), -1.0))
    assert torch.equal(found, found[:1].expand(5, -1))


def test_nothing_in_it_looks_at_time(corpus, trained):
    """Frames in reverse give the same audio; frames of another colour do not."""
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0], audio=False)
    generator = registry.load("models", "constant_flow").build(BuildContext(checkpoint=trained, nfe=4))

    def made(frames):
        return generator.generate([dataclasses.replace(clip, frames=frames)], np.random.default_rng(0))[0]

    plain = made(clip.frames)
    np.testing.assert_allclose(made(clip.frames[::-1]), plain, atol=1e-5)
    assert np.abs(made(255 - clip.frames) - plain).max() > 1e-3


def test_it_learns_the_condition_and_nothing_is_left_beside_the_checkpoint(toy_data, trained):
    config = json.loads((trained / "config.json").read_text())
    assert config["kind"] == "constant_flow"
    assert config["settings"].keys() == {"signal", "flow", "loop"}
    assert config["settings"]["flow"]["condition"] == "static"
    assert config["metrics"]["flow"]["step"] == 5
    assert {path.name for path in trained.iterdir()} == {"config.json", "flow", "metrics.json", "model.safetensors"}
    generator = SYSTEM.build(BuildContext(checkpoint=trained))
    assert (generator.nfe, generator.guidance) == (2, 2.5)
    flow = generator._make._flow
    assert generator.n_parameters == sum(value.numel() for value in flow.parameters())
    given = torch.cat([mean_frame(*toy_data.video(index)).half().float() for index in range(len(toy_data))])
    torch.testing.assert_close(flow.centre, given.mean(0))
    torch.testing.assert_close(flow.spread, given.std(0).clamp_min(1e-3))


def test_a_finished_run_is_kept_and_another_is_refused(corpus, trained):
    before = (trained / "model.safetensors").stat().st_mtime_ns
    assert train("constant_flow", corpus, trained) == trained
    assert (trained / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(FoleyError, match="another flow_steps"):
        train("constant_flow", corpus, trained, flow_steps="7")


def test_settings_of_what_it_does_not_have_are_refused(corpus, tmp_path):
    with pytest.raises(UnknownNameError, match="no setting 'vama_steps'"):
        train("constant_flow", corpus, tmp_path, vama_steps="3")
    with pytest.raises(UnknownNameError, match="condition is 'static' in this model"):
        train("constant_flow", corpus, tmp_path, condition="dynamic")
    with pytest.raises(FoleyError, match="foleybench train constant_flow"):
        SYSTEM.build(BuildContext())
    with pytest.raises(FoleyError, match="no checkpoint"):
        SYSTEM.build(BuildContext(checkpoint=tmp_path))


@pytest.mark.slow
def test_samples_are_made_while_it_is_trained(corpus, trained, tmp_path):
    out = train("constant_flow", corpus, tmp_path, asked={"sample_every": 3})
    assert len(list(out.glob("samples/step-3/*.wav"))) == 4
    assert (out / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_runs_share_conditions_in_a_folder_of_their_own(corpus, trained, tmp_path):
    shared = tmp_path / "conditions"
    first = train("constant_flow", corpus, tmp_path / "one", conditions=str(shared))
    (path,) = shared.iterdir()
    written = path.stat().st_mtime_ns
    train("constant_flow", corpus, tmp_path / "two", conditions=str(shared))
    assert path.stat().st_mtime_ns == written
    assert [found.name for found in shared.iterdir()] == [path.name]
    weights = "model.safetensors"
    assert (first / weights).read_bytes() == (tmp_path / "two" / weights).read_bytes()
    assert (first / weights).read_bytes() == (trained / weights).read_bytes()
