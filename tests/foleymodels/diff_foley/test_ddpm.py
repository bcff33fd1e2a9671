"""Diff-Foley without its second guidance is a denoising diffusion model: against the papers' own formulas.

The noise schedule and the steps are written anew from Ho, Jain, Abbeel 2020 (DDPM) and Song, Meng, Ermon 2021 (DDIM),
with the betas of Diff-Foley (0.00085 to 0.012, their roots linear, 1000 steps); only the networks are the repository's.
"""

import numpy as np
import pytest
import torch

from foleymodels._diffusion.process import Process
from foleymodels._diffusion.samplers import denoise
from foleymodels._parts.windows import Windows
from tests.foleymodels.diff_foley.test_diff_foley import guidance, noise_and_conditions, random_networks

BETAS = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
# Step t of the papers counts from 1; the product of no factors is 1.
ALPHAS_BAR = np.concatenate([[1.0], np.cumprod(1 - BETAS)])
N = 16


def networks():
    denoiser, judge = random_networks()
    return denoiser.double(), judge.double()


def noise_and_features():
    noise, conditions = noise_and_conditions(N)
    return noise.double(), conditions.double()


def guided_noise(denoiser, x, step, video):
    """Classifier-free guidance by 4.5: the noise without the video, and 4.5 times what the video changes in it."""
    at = torch.full((len(x),), step / 1000, dtype=x.dtype)
    with_video, without = denoiser(x, at, video), denoiser(x, at, torch.zeros_like(video))
    return without + 4.5 * (with_video - without)


def ddim(x, noise, step, earlier):
    """Song et al., Eq. 12 with sigma = 0: predicted data, and the direction that points to x."""
    now, then = ALPHAS_BAR[step], ALPHAS_BAR[earlier]
    data = (x - (1 - now) ** 0.5 * noise) / now**0.5
    return then**0.5 * data + (1 - then) ** 0.5 * noise


def ddpm_mean(x, noise, step):
    """Ho et al., Eq. 11: the mean of the step from ``step`` to the one before."""
    beta = BETAS[step - 1]
    return (x - beta / (1 - ALPHAS_BAR[step]) ** 0.5 * noise) / (1 - beta) ** 0.5


def test_without_the_judge_it_takes_the_steps_of_the_paper():
    """Three steps from 1000 to 1: 1000, 667, 334, 1."""
    denoiser, judge = networks()
    x, conditions = noise_and_features()
    with torch.no_grad():
        found = guidance(denoiser, judge, sampler="ddim")(x, conditions, Windows.cover(N, N))
        video = denoiser.net.tokens(conditions)
        for step, earlier in ((1000, 667), (667, 334), (334, 1)):
            x = ddim(x, guided_noise(denoiser, x, step, video), step, earlier)
        assert not torch.allclose(x, noise_and_features()[0], atol=0.1)
    torch.testing.assert_close(found, x, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sampler", ["dpm", "ddim"])
def test_a_single_step_is_the_same_with_both_samplers(sampler):
    denoiser, judge = networks()
    x, conditions = noise_and_features()
    with torch.no_grad():
        found = guidance(denoiser, judge, sampler=sampler, nfe=1)(x, conditions, Windows.cover(N, N))
        noise = guided_noise(denoiser, x, 1000, denoiser.net.tokens(conditions))
    torch.testing.assert_close(found, ddim(x, noise, 1000, 1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("step", [1000, 500, 2, 1])
def test_its_estimate_of_the_data_gives_the_mean_of_a_step_of_ddpm(step):
    """Eq. 11 from the noise is Eq. 7 from the data: the posterior of the step before, given x and the data."""
    denoiser, _ = networks()
    x, conditions = noise_and_features()
    at = torch.full((len(x),), step / 1000, dtype=x.dtype)
    with torch.no_grad():
        noise = denoiser(x, at, denoiser.net.tokens(conditions))
        data = Process.of("scaled_linear", "noise").ends(x, noise, at).data
    beta, now, before = BETAS[step - 1], ALPHAS_BAR[step], ALPHAS_BAR[step - 1]
    posterior = before**0.5 * beta / (1 - now) * data + (1 - beta) ** 0.5 * (1 - before) / (1 - now) * x
    torch.testing.assert_close(posterior, ddpm_mean(x, noise, step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["dpm", "ddim"])
def test_the_last_step_to_the_data_is_that_of_ddpm(method):
    """Algorithm 2 of Ho et al. adds no noise in step 1, so there all samplers agree."""
    denoiser, _ = networks()
    x, conditions = noise_and_features()
    with torch.no_grad():
        video = denoiser.net.tokens(conditions)
        process = Process.of("scaled_linear", "noise")
        found = denoise(process, lambda at, t: denoiser(at, t, video), x, nfe=1, method=method, times=[0.001, 0.0])
        noise = denoiser(x, torch.full((len(x),), 0.001, dtype=x.dtype), video)
    torch.testing.assert_close(found, ddpm_mean(x, noise, 1), rtol=1e-6, atol=1e-6)


def test_it_is_trained_on_the_simple_loss():
    """Ho et al., Eq. 14: the squared error of the noise at a random step of 1 to 1000."""
    denoiser, _ = networks()
    tokens, conditions = noise_and_features()
    with torch.no_grad():
        video = denoiser.net.tokens(conditions)
        found = Process.of("scaled_linear", "noise").loss(
            lambda at, t: denoiser(at, t.double(), video), tokens, torch.Generator().manual_seed(0)
        )
        same = torch.Generator().manual_seed(0)
        steps = torch.randint(1, 1001, (len(tokens),), generator=same)
        noise = torch.randn(tokens.shape, generator=same).double()
        kept = torch.from_numpy(ALPHAS_BAR)[steps][:, None, None]
        noisy = kept**0.5 * tokens + (1 - kept) ** 0.5 * noise
        wanted = (denoiser(noisy, steps.double() / 1000, video) - noise).square().mean()
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=0)
