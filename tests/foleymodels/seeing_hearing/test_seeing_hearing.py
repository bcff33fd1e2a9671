"""Seeing and Hearing: a plain flow without its steps, and steps that climb its own aligner."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleybench.api.model import BuildContext
from foleybench.shards.dataset import ShardDataset
from foleymodels._flow.generate import FlowSampler
from foleymodels._parts.paths import flow_path
from foleymodels._parts.samplers import FlowStep
from foleymodels._parts.windows import Windows
from foleymodels._sound_text.flow import sound_flow_in
from foleymodels._sound_text.stage import sound_text_in
from foleymodels._systems.features import clip_conditions
from foleymodels.seeing_hearing.aligner import Aligner, CropCover, aligner_in
from foleymodels.seeing_hearing.settings import AlignerSettings, AscentSettings
from foleymodels.seeing_hearing.system import SYSTEM, Ascent, _generator, _sampling
from tests.foleymodels.small import train_system

SMALL = {"aligner_dim": 16, "aligner_vector_dim": 8, "captions_most": 4}


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    return train_system(SYSTEM, corpus, tmp_path_factory.mktemp("seeing_hearing") / "run")


@pytest.fixture
def loaded(run):
    """Settings and parts, whose flow says something: after six steps it is still near 0."""
    settings, parts = SYSTEM.load(run)
    torch.manual_seed(1)
    for value in sound_flow_in(parts).parameters():
        torch.nn.init.normal_(value, std=0.1)
    return settings, parts


def tokens_made(settings, parts, clips, context=None, **ascent):
    """Return the mel tokens that the system makes."""
    changed = dataclasses.replace(settings, ascent=dataclasses.replace(settings.ascent, **ascent))
    make = _generator(changed, parts, context or BuildContext())._make
    n_tokens = settings.signal.mel.n_tokens(round(clips[0].duration_s * 16000))
    with torch.inference_mode():
        return make(clips, Windows.cover(n_tokens, settings.signal.n_tokens), np.random.default_rng(5))


def new_aligner():
    torch.manual_seed(0)
    return Aligner(AlignerSettings(**SMALL), 6, 128)


@pytest.fixture(scope="module")
def clips(corpus):
    data = ShardDataset(corpus["val"])
    return [data.load(clip_id, audio=False) for clip_id in data.clip_ids[:2]]


@pytest.mark.parametrize("prompt", ["caption", "none"])
def test_without_a_step_it_is_the_plain_flow(prompt, loaded, clips):
    settings, parts = loaded
    found = tokens_made(settings, parts, clips, ascent_steps=0, prompt=prompt)
    chosen = dataclasses.replace(settings, ascent=dataclasses.replace(settings.ascent, prompt=prompt))
    aligner, model = aligner_in(parts), sound_text_in(parts)
    with torch.inference_mode():
        crops = CropCover.cover(40, settings.signal.tokens(1.0))
        told = model.read(aligner.tell(aligner.see_crops(clip_conditions(parts, settings, "cpu")(clips, 40), crops)))
        sampler = FlowSampler(sound_flow_in(parts), _sampling(chosen, BuildContext()), "cpu")
        plain = sampler.draw(told[:, None].expand(-1, 40, -1), Windows.cover(40, 40), np.random.default_rng(5))
    assert torch.equal(found, plain)
    assert not torch.equal(found, tokens_made(settings, parts, clips, ascent_steps=1, prompt=prompt))


@pytest.mark.parametrize("number", [1, 7, 29])
def test_a_step_raises_what_its_own_aligner_finds(number):
    aligner = new_aligner()
    generator = torch.Generator().manual_seed(0)
    crops = CropCover.cover(62, 31)
    x, noise = torch.randn(2, 3, 62, 128, generator=generator)
    seen = aligner.see_crops(torch.randn(3, 62, 6, generator=generator), crops)
    path, now = flow_path("gvp"), 1 - number / 30
    ascent = Ascent(AscentSettings(ascent_start=0.0, prompt="none", ascent_rate=0.02), path, aligner, None, 30)
    with torch.no_grad():
        seen = seen.detach()
        moved = ascent.towards(seen, crops, None)(x, FlowStep(number, now, noise, noise))
        alpha, sigma = path.alpha(torch.tensor(now)), path.sigma(torch.tensor(now))
        before, after = (aligner.likeness((at - sigma * noise) / alpha, seen, crops) for at in (x, moved))
    assert bool((after > before).all())
    torch.testing.assert_close((moved - x).abs().max(), torch.tensor(0.02), atol=1e-5, rtol=0)


def test_the_estimate_is_of_the_steps_beginning_and_of_both_distances():
    """By hand, with an aligner and a model whose cosines are linear: the gradient's sign is that of the weights."""
    weights = torch.tensor([1.0, -2.0])

    class Linear:
        def likeness(self, tokens, seen, crops):
            self.seen = tokens
            return (tokens * weights).sum((1, 2))

        def hear(self, tokens):
            return -3.0 * tokens.sum(1)  # outweighs the first of the weights

    path, aligner = flow_path("linear"), Linear()
    x, noise = torch.tensor([[[0.5, 0.25]]]), torch.tensor([[[1.0, -1.0]]])
    step = FlowStep(5, 0.75, noise, noise)
    plain = Ascent(AscentSettings(ascent_start=0.0), path, aligner, aligner, 10)
    moved = plain.towards(torch.zeros(1), CropCover(1, (0,)), None)(x, step)
    torch.testing.assert_close(moved, x + 0.1 * weights.sign())
    torch.testing.assert_close(aligner.seen.detach(), (x - 0.75 * noise) / 0.25)
    both = plain.towards(torch.zeros(1), CropCover(1, (0,)), torch.ones(1, 2))(x, step)
    torch.testing.assert_close(both, x + 0.1 * torch.tensor([[[-1.0, -1.0]]]))


def test_the_first_share_of_the_steps_is_left_alone(loaded, clips):
    settings, parts = loaded
    x = torch.zeros(1, 4, 128)
    ascent = Ascent(AscentSettings(), flow_path("gvp"), new_aligner(), None, 30)
    step = ascent.towards(torch.ones(1, 1, 8), CropCover(4, (0,)), None)
    for number in range(7):
        assert step(x, FlowStep(number, 1 - number / 30, x, x)) is x
    assert not torch.equal(step(x, FlowStep(7, 1 - 7 / 30, x, x)), x)
    assert ascent.n_steps == 23
    late = tokens_made(settings, parts, clips, BuildContext(nfe=3), ascent_start=0.9)
    assert torch.equal(late, tokens_made(settings, parts, clips, BuildContext(nfe=3), ascent_steps=0))


def test_evaluations_count_both_passes_of_every_step(run, loaded):
    settings, parts = loaded
    assert SYSTEM.build(BuildContext(checkpoint=run, nfe=30)).nfe == 30 + 2 * 23
    built = SYSTEM.build(BuildContext(checkpoint=run, nfe=10, guidance=4.0, sampler="heun"))
    assert (built.nfe, built.guidance, built.sampler) == (10 + 2 * (6 - 2), 4.0, "heun")

    def of(**ascent):
        changed = dataclasses.replace(settings, ascent=dataclasses.replace(settings.ascent, **ascent))
        return _generator(changed, parts, BuildContext(nfe=10))

    assert of(ascent_steps=0).nfe == 10
    assert of(ascent_steps=3).nfe == 10 + 2 * 7 * 3
    assert of(prompt="none").guidance is None


def test_heun_steps_are_those_that_are_counted(loaded, clips):
    settings, parts = loaded
    for nfe in (1, 2, 5, 10):
        numbers = []
        sampler = FlowSampler(sound_flow_in(parts), _sampling(settings, BuildContext(nfe=nfe, sampler="heun")), "cpu")
        sampler.draw(
            torch.zeros(1, 40, 8), Windows.cover(40, 40), np.random.default_rng(0),
            lambda x, step, seen=numbers: (seen.append(step.number), x)[1],
        )  # fmt: skip
        ascent = Ascent(AscentSettings(ascent_start=0.0), flow_path("gvp"), None, None, len(numbers))
        built = _generator(settings, parts, BuildContext(nfe=nfe, sampler="heun"))
        start = dataclasses.replace(settings, ascent=dataclasses.replace(settings.ascent, ascent_start=0.0))
        built = _generator(start, parts, BuildContext(nfe=nfe, sampler="heun"))
        assert built.nfe == nfe + 2 * ascent.n_steps
        assert ascent.n_steps == len(numbers) - 1


def test_a_step_starts_from_the_estimate_that_the_flow_took_it_with(loaded):
    """With the noise of the step, the point after it is the mix of that noise and one estimate of the data."""
    settings, parts = loaded
    flow, seen = sound_flow_in(parts), []
    sampler = FlowSampler(flow, _sampling(settings, BuildContext(nfe=4)), "cpu")
    sampler.draw(
        torch.zeros(1, 40, 8), Windows.cover(40, 40), np.random.default_rng(0),
        lambda x, step: (seen.append((x, step)), x)[1],
    )  # fmt: skip
    path = flow.path
    for (x, step), (_, later) in itertools.pairwise(seen):
        data = (x - path.sigma(torch.tensor(later.now)) * step.noise) / path.alpha(torch.tensor(later.now))
        start = path.mix(data, step.noise, torch.tensor(step.now))
        if step.number:
            torch.testing.assert_close(start, seen[step.number - 1][0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("n", "length", "starts"), [(125, 31, 5), (31, 31, 1), (32, 31, 2), (7, 31, 1), (93, 31, 3)])
def test_crops_cover_a_clip(n, length, starts):
    crops = CropCover.cover(n, length)
    assert len(crops.starts) == starts
    seen = {at for start in crops.starts for at in range(start, start + crops.length)}
    assert seen == set(range(n))


def test_a_caption_is_that_of_the_clips_that_look_alike():
    aligner = new_aligner()
    looks = torch.eye(8)[[0, 0, 1, 2]] * 3 + 0.1
    aligner.learn_captions(looks, ("bell", "bell", "axe", ""))
    seen = F.normalize(torch.eye(8)[[1, 0, 2]], dim=-1)[:, None].repeat(1, 2, 1)
    assert aligner.tell(seen)[:2] == ["axe", "bell"]
    assert aligner.tell(seen)[2] in ("axe", "bell")  # nothing is known of the last
    other = new_aligner()
    assert other.tell(seen) == [""] * 3
    other.load_state_dict(aligner.state_dict())
    assert other.tell(seen) == aligner.tell(seen)


def test_the_most_frequent_captions_are_kept():
    aligner = new_aligner()
    names = ("a", "b", "c", "d", "e", "e")
    aligner.learn_captions(torch.randn(6, 8, generator=torch.Generator().manual_seed(0)), names)
    assert aligner.captions[:, 0].tolist() == [ord(name) for name in "abce"]


@pytest.mark.slow
def test_an_aligner_learns_which_crops_go_together(corpus, tmp_path):
    run = train_system(
        SYSTEM, corpus, tmp_path / "run", stage="aligner",
        aligner_steps="80", aligner_batch="8", aligner_rate="0.005", vama_steps="60",
    )  # fmt: skip
    lines = (run / "log.jsonl").read_text().splitlines()
    first, last = (float(line.split('"loss":')[1].split(",")[0]) for line in (lines[0], lines[-1]))
    assert last < 0.8 * first
