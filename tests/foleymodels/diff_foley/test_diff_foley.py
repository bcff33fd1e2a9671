"""Diff-Foley: what it splices and mismatches, what its networks see, and both of its guidances."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleybench.api.model import BuildContext
from foleybench.shards.dataset import ShardDataset
from foleymodels._diffusion.process import Process
from foleymodels._diffusion.samplers import denoise
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import clip_conditions
from foleymodels._training.loop import seeded
from foleymodels.diff_foley.network import CrossDenoiser, PairJudge
from foleymodels.diff_foley.settings import DiffusionSettings, JudgeSettings
from foleymodels.diff_foley.system import SYSTEM, DoubleGuidance, _generator
from foleymodels.diff_foley.training import CropPairs, _drawn_lengths, _new_denoiser, mismatched, spliced
from tests.foleymodels.small import train_system

MEL = MelSettings()
WIDTH = 6
SMALL = {"net_dim": 16, "net_heads": 2, "net_blocks": 1, "net_hidden": 16, "net_refine": 4}


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    return train_system(SYSTEM, corpus, tmp_path_factory.mktemp("diff_foley") / "run")


def random_networks(**more):
    """Return a denoiser and a judge that say something of everything."""
    torch.manual_seed(0)
    denoiser = CrossDenoiser(DiffusionSettings(**{**SMALL, **more}), MEL, WIDTH)
    judge = PairJudge(JudgeSettings(judge_dim=16, judge_blocks=1, judge_heads=2), 4.0, MEL, WIDTH)
    for network in (denoiser, judge):
        for value in network.parameters():
            torch.nn.init.normal_(value, std=0.2)
    return denoiser.eval().requires_grad_(False), judge.eval().requires_grad_(False)


def guidance(denoiser, judge, **more):
    usual = {"nfe": 3, "guidance": 4.5, "judge_guidance": 0.0, "sampler": "dpm"}
    return DoubleGuidance(denoiser=denoiser, judge=judge, **{**usual, **more})


def noise_and_conditions(n=60):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, n, 128, generator=generator), torch.randn(2, n, WIDTH, generator=generator)


@pytest.mark.parametrize("sampler", ["dpm", "ddim"])
@pytest.mark.parametrize("predicts", ["noise", "v"])
def test_without_the_second_guidance_it_is_plain_sampling(sampler, predicts):
    """Bit for bit the sampler of the denoiser with classifier-free guidance, written out once more."""
    denoiser, judge = random_networks(predicts=predicts)
    noise, conditions = noise_and_conditions()
    windows = Windows.cover(60, 60)
    with torch.no_grad():
        found = guidance(denoiser, judge, sampler=sampler)(noise, conditions, windows)
        video = denoiser.net.tokens(conditions)

        def plain(x, t):
            both = denoiser(torch.cat([x, x]), torch.cat([t, t]), torch.cat([video, 0 * video]))
            return both[2:] + 4.5 * (both[:2] - both[2:])

        wanted = denoise(Process.of("scaled_linear", predicts), plain, noise, nfe=3, method=sampler)
        assert torch.equal(found, wanted)
        moved = guidance(denoiser, judge, sampler=sampler, judge_guidance=5.0)(noise, conditions, windows)
        assert not torch.allclose(moved, found, atol=1e-3)


@pytest.mark.parametrize("predicts", ["noise", "v"])
def test_the_second_guidance_moves_the_noise_by_the_judges_gradient(predicts):
    """eps - scale * sigma * grad log p(together | x), by finite differences."""
    denoiser, judge = random_networks(predicts=predicts)
    denoiser, judge = denoiser.double(), judge.double()
    noise, conditions = (part.double() for part in noise_and_conditions(16))
    t = torch.tensor([0.6, 0.3], dtype=torch.float64)
    process = Process.of("scaled_linear", predicts)
    judged, found = judge.net.tokens(conditions), denoiser(noise, t, denoiser.net.tokens(conditions))
    with torch.no_grad():
        moved = guidance(denoiser, judge, judge_guidance=3.0)._judged(process, noise, t, found, judged)
        change = process.ends(noise, moved, t).noise - process.ends(noise, found, t).noise
        step = torch.zeros_like(noise)
        step[:, 5, 40] = 1e-4
        up, down = (F.logsigmoid(judge(noise + sign * step, t, judged)) for sign in (1, -1))
    slope = (up - down) / 2e-4
    torch.testing.assert_close(change[:, 5, 40], -3.0 * process.schedule.sigma(t) * slope, rtol=1e-4, atol=1e-9)


def test_the_second_guidance_raises_what_the_judge_finds():
    _, judge = random_networks()
    denoiser = CrossDenoiser(DiffusionSettings(**SMALL), MEL, WIDTH).requires_grad_(False)  # finds no noise: it is new
    noise, conditions = noise_and_conditions()
    windows, t = Windows.cover(60, 60), torch.full((2,), 0.001)
    with torch.no_grad():
        scores = [
            judge(guidance(denoiser, judge, judge_guidance=scale, guidance=1.0, nfe=8)(noise, conditions, windows), t,
                  judge.net.tokens(conditions))
            for scale in (0.0, 50.0)
        ]  # fmt: skip
    assert bool((scores[1] > scores[0]).all())


def test_guidance_of_1_needs_no_second_half():
    denoiser, judge = random_networks()
    noise, conditions = noise_and_conditions()
    with torch.no_grad():
        found = guidance(denoiser, judge, guidance=1.0)(noise, conditions, Windows.cover(60, 60))
        video = denoiser.net.tokens(conditions)
        process = Process.of("scaled_linear", "noise")
        wanted = denoise(process, lambda x, t: denoiser(x, t, video), noise, nfe=3)
    assert torch.equal(found, wanted)


def test_video_enters_by_cross_attention_alone():
    """With the cross-attention's output at 0, any video gives the same prediction."""
    denoiser, _ = random_networks()
    noise, conditions = noise_and_conditions()
    t = torch.tensor([0.5, 0.5])
    with torch.no_grad():
        one, other = (denoiser(noise, t, denoiser.net.tokens(value)) for value in (conditions, conditions + 1))
        assert not torch.allclose(one, other, atol=1e-3)
        for block in denoiser.net.blocks:
            block.cross.out.weight.zero_()
        one, other = (denoiser(noise, t, denoiser.net.tokens(value)) for value in (conditions, conditions + 1))
        assert torch.equal(one, other)


def test_video_is_seen_four_times_a_second():
    denoiser, _ = random_networks()
    conditions = torch.zeros(1, 125, WIDTH)
    assert denoiser.net.tokens(conditions).shape == (1, 16, WIDTH)  # 4 s
    seen = []
    for at in range(125):
        conditions.zero_()[0, at] = 1.0
        seen.append(float(denoiser.net.tokens(conditions).abs().sum()) > 0)
    assert sum(seen) == 16


def test_every_input_of_both_networks_counts():
    denoiser, judge = random_networks()
    noise, conditions = noise_and_conditions()
    t = torch.tensor([0.5, 0.5])
    with torch.no_grad():
        for network in (denoiser, judge):
            video = network.net.tokens(conditions)
            plain = network(noise, t, video)
            for changed in (network(noise + 1, t, video), network(noise, t / 2, video), network(noise, t, video + 1)):
                assert not torch.allclose(plain, changed, atol=1e-4)


def test_spliced_examples_are_one_clip_then_another():
    n = torch.arange(5.0)[None, :, None]
    first, second = (
        CropPairs(n.repeat(2, 1, 3), 10 + n.repeat(2, 1, 2)),
        CropPairs(100 + n.repeat(2, 1, 3), 110 + n.repeat(2, 1, 2)),
    )
    found = spliced(first, second, torch.tensor([2, 5]))
    assert found.tokens[:, :, 0].tolist() == [[0, 1, 100, 101, 102], [0, 1, 2, 3, 4]]
    assert found.conditions[:, :, 1].tolist() == [[10, 11, 110, 111, 112], [10, 11, 12, 13, 14]]


def test_mismatched_pairs_keep_the_sound():
    n = torch.arange(4.0)[None, :, None].repeat(3, 1, 1)
    pairs = CropPairs(n, 10 + n)
    found = mismatched(pairs, 50 + n, torch.tensor([0, 1, 2]), torch.tensor([1, 1, 1]))
    assert torch.equal(found.tokens, n)
    assert found.conditions[..., 0].tolist() == [[10, 11, 12, 13], [11, 12, 13, 10], [50, 51, 52, 53]]


def test_parts_last_a_quarter_at_least():
    drawn = _drawn_lengths(65, 4000, torch.Generator().manual_seed(0))
    assert (int(drawn.min()), int(drawn.max())) == (16, 49)
    assert _drawn_lengths(1, 2, torch.Generator()).tolist() == [1, 1]


def test_evaluations_are_counted(run):
    settings, parts = SYSTEM.load(run)
    built = SYSTEM.build(BuildContext(checkpoint=run, nfe=7, guidance=2.0, sampler="ddim"))
    assert (built.nfe, built.guidance, built.sampler) == (21, 2.0, "ddim")
    plain = dataclasses.replace(settings, double=dataclasses.replace(settings.double, judge_guidance=0.0))
    alone = _generator(plain, parts, BuildContext())
    judge = sum(value.numel() for value in parts["judge"].parameters())
    assert (alone.nfe, built.n_parameters - alone.n_parameters) == (2, judge)


def test_a_denoiser_is_told_zeros_where_its_condition_is_dropped(run, corpus, tmp_path):
    """Trained with nothing but dropped conditions, the weights that see the video do not move but by their decay."""
    blind = train_system(SYSTEM, corpus, tmp_path / "blind", net_drop_p="1.0", alignment=str(run / "alignment"))
    settings, parts = SYSTEM.load(run)
    start = seeded(lambda: _new_denoiser(settings, parts), 0).net.see.weight.detach()
    seeing, unseeing = (SYSTEM.load(folder)[1]["diffusion"].net.see.weight / start for folder in (run, blind))
    assert float(unseeing.std()) < 1e-4 < float(seeing.std())


def test_parts_are_taken_for_another_second_guidance(run, corpus, tmp_path):
    shared = {name: str(run / name) for name in ("alignment", "judge", "diffusion")}
    plain = train_system(SYSTEM, corpus, tmp_path / "plain", judge_guidance="0", **shared)
    assert SYSTEM.build(BuildContext(checkpoint=plain)).nfe == 2
    for name in shared:
        assert (plain / name / "model.safetensors").read_bytes() == (run / name / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_judge_learns_which_pairs_go_together():
    """Sound that says the class of its video at every moment: pairs of another clip are told."""
    _, judge = random_networks()
    judge = judge.train().requires_grad_(True)
    generator, optimiser = torch.Generator().manual_seed(0), torch.optim.Adam(judge.parameters(), 5e-3)
    process = Process.of("scaled_linear", "noise")

    def batch(n):
        kinds = torch.randint(0, 2, (n,), generator=generator)
        video = torch.randn(n, 1, WIDTH, generator=generator).expand(-1, 16, -1)
        sound = 2 * video[..., :1].sign().expand(-1, -1, 128) * torch.where(kinds == 0, 1.0, -1.0)[:, None, None]
        t = process.schedule.draw(n, generator) * 0.5
        noisy = process.mix(sound, torch.randn(n, 16, 128, generator=generator), t)
        return judge(noisy, t, judge.net.tokens(video)), (kinds == 0).float()

    for _ in range(150):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(*batch(32)).backward()
        optimiser.step()
    logits, wanted = batch(256)
    assert float(((logits > 0) == (wanted > 0)).float().mean()) > 0.9


def test_a_clip_of_any_length_is_cross_faded(run, corpus):
    """The tokens of a long clip come from windows, at every step; the features are those of the clip."""
    settings, parts = SYSTEM.load(run)
    data = ShardDataset(corpus["val"])
    clip = dataclasses.replace(data.load(data.clip_ids[0], audio=False), duration_s=3.2)
    make = _generator(settings, parts, BuildContext())._make
    windows = Windows.cover(100, settings.signal.n_tokens)
    assert len(windows.starts) > 1
    with torch.inference_mode():
        found = make([clip], windows, np.random.default_rng(0))
        sampled = guidance(parts["diffusion"], parts["judge"], nfe=2, judge_guidance=50.0)  # the settings of the run
    with torch.no_grad():
        noise = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 100, 128), dtype=np.float32))
        conditions = clip_conditions(parts, settings, "cpu")([clip], 100)
        torch.testing.assert_close(found, sampled(noise, conditions, windows))
