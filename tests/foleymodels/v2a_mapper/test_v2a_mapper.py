"""V2A-Mapper: one vector is all that passes from the video to the sound."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleybench.api.model import BuildContext
from foleymodels._flow.generate import FlowSampler, sampling_of
from foleymodels._parts.windows import Windows
from foleymodels._sound_text.flow import sound_flow_in
from foleymodels.v2a_mapper.mapper import Prior, Regression, new_mapper
from foleymodels.v2a_mapper.settings import MapperSettings
from foleymodels.v2a_mapper.system import SYSTEM, mapped_tokens
from tests.foleymodels.small import train_system

SMALL = {"mapper_dim": 32, "mapper_blocks": 1, "mapper_heads": 2, "mapper_nfe": 10}


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    return train_system(SYSTEM, corpus, tmp_path_factory.mktemp("v2a_mapper") / "run")


def mapper_of(kind, **more):
    torch.manual_seed(0)
    return new_mapper(MapperSettings(mapper=kind, **{**SMALL, **more}), 6, 8)


@pytest.mark.parametrize("kind", ["prior", "regression"])
def test_videos_with_the_same_mean_vector_have_the_same_sound(kind, run):
    """Whatever happens when: only the mean of the features counts, which is the trap of the paradigm."""
    settings, parts = SYSTEM.load(run)
    torch.manual_seed(1)
    flow, width = sound_flow_in(parts), len(parts["mapper"].scale.centre)
    for value in [*flow.parameters(), *parts["mapper"].parameters()]:
        torch.nn.init.normal_(value, std=0.2)
    mapper = parts["mapper"]
    if kind == "regression":
        mapper = new_mapper(MapperSettings(mapper=kind, **SMALL), width, settings.sound.vector_dim)
    windows = Windows.cover(55, settings.signal.n_tokens)
    assert len(windows.starts) > 1
    features = torch.randn(1, 55, width, generator=torch.Generator().manual_seed(2))
    other = torch.zeros_like(features)
    other[:, 7] = features.sum(1)  # all of it happens at once, and the mean is the same
    sampler = FlowSampler(flow, sampling_of(flow.settings, BuildContext()), "cpu")

    def made(seen):
        make = mapped_tokens(mapper, sampler, lambda clips, n: seen, "cpu")
        with torch.inference_mode():
            return make([None], windows, np.random.default_rng(3))

    torch.testing.assert_close(made(features), made(other), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(made(features), made(features + 1.0), atol=1e-2)


def test_a_prior_draws_and_a_regression_does_not():
    video = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    one, two = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(1))
    for kind, random in (("prior", True), ("regression", False)):
        mapper = mapper_of(kind)
        with torch.no_grad():
            assert torch.allclose(mapper.draw(video, one), mapper.draw(video, two), atol=1e-3) is not random
            torch.testing.assert_close(mapper.draw(video, one).norm(dim=-1), torch.ones(3))


def test_evaluations_are_counted(run):
    assert isinstance(mapper_of("prior"), Prior)
    assert isinstance(mapper_of("regression"), Regression)
    assert (mapper_of("prior").nfe, mapper_of("regression").nfe) == (10, 1)
    assert SYSTEM.build(BuildContext(checkpoint=run)).nfe == 2 + 2
    assert SYSTEM.build(BuildContext(checkpoint=run, nfe=7, guidance=1.5)).nfe == 7 + 2


def test_the_loss_of_a_regression_is_of_vectors_at_unit_variance():
    mapper = mapper_of("regression")
    video = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    sound = F.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(1)), dim=-1)
    with torch.no_grad():
        found = mapper.layers(video)
        wanted = float((found - sound * math.sqrt(8)).square().mean())
        assert float(mapper.loss(video, sound, torch.Generator())) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["prior", "regression"])
def test_a_mapper_learns_which_vector_goes_with_which_video(kind):
    mapper = mapper_of(kind)
    generator = torch.Generator().manual_seed(0)
    videos = torch.randn(16, 6, generator=generator)
    sounds = F.normalize(torch.randn(16, 8, generator=generator), dim=-1)
    mapper.scale.measure(videos)
    optimiser = torch.optim.Adam(mapper.parameters(), 3e-3)
    for _ in range(600):
        optimiser.zero_grad()
        mapper.loss(videos, sounds, generator).backward()
        optimiser.step()
    with torch.no_grad():
        found = mapper.draw(videos, torch.randn(16, 8, generator=generator))
    assert ((found @ sounds.T).argmax(1) == torch.arange(16)).float().mean() > 0.9


def test_a_prior_reads_video_time_and_point():
    prior = mapper_of("prior")
    generator = torch.Generator().manual_seed(0)
    x, video = torch.randn(2, 8, generator=generator), torch.randn(2, 6, generator=generator)
    t = torch.tensor([0.3, 0.3])
    with torch.no_grad():
        plain = prior(x, t, video)
        for changed in (prior(x + 1, t, video), prior(x, t + 0.5, video), prior(x, t, video + 1)):
            assert not torch.allclose(plain, changed, atol=1e-4)
