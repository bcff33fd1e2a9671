"""FoleyGen's core: the three visual masks, the delay pattern, and the loss by hand."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleymodels._autoregression.writer import Writing
from foleymodels._codecs.codec import ResidualCodec
from foleymodels._codecs.settings import CodecSettings
from foleymodels._parts.causal import Memory
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.settings import of_size, replaced
from foleymodels.foleygen.system import FoleyGenSettings, FoleyGenWriter

LEVELS, CODES, WIDTH, N = 3, 8, 5, 30  # 30 tokens are 24 frames
SMALL = {"net_dim": 16, "net_heads": 2, "net_blocks": 2, "net_hidden": 16, "net_crop_s": 0.96}
SEEN = torch.zeros(1, dtype=torch.bool)


def writer(**changed):
    torch.manual_seed(0)
    settings = replaced(of_size(FoleyGenSettings, "tiny"), **{**SMALL, **changed})
    codec = ResidualCodec(CodecSettings(codec_levels=LEVELS, codebook_size=CODES, codec_dim=16), settings.signal.mel)
    made = FoleyGenWriter(settings, WIDTH, codec)
    for value in made.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return made.eval()


def features(batch=1):
    return torch.randn(batch, N, WIDTH, generator=torch.Generator().manual_seed(1))


def some_codes(batch=1, n=N):
    return torch.randint(0, CODES, (batch, n, LEVELS), generator=torch.Generator().manual_seed(2))


def seen_frames(made, step):
    """Frames that the logits of a step depend on, by their gradient."""
    values = made.memory(features(), SEEN).detach().requires_grad_()
    steps = torch.full((1, N, LEVELS), CODES)
    visible = made.visible(N, values.shape[1])
    made(steps, Memory(values, None, visible))[0, step].sum().backward()
    return torch.nonzero(values.grad[0].abs().amax(-1) > 1e-7)[:, 0].tolist()


@pytest.mark.parametrize("step", [0, 7, 12, 29])
def test_the_masks_see_what_they_say(step):
    """Step 7 is the time 0.24 s, which frame 6 of 25 a second shows; earlier steps' frames come through the past."""
    own = int((step + 0.5) / 31.25 * 25.0)
    passed = sorted({int((before + 0.5) / 31.25 * 25.0) for before in range(step + 1)})
    assert seen_frames(writer(visual_mask="all"), step) == list(range(24))
    assert seen_frames(writer(visual_mask="causal"), step) == list(range(own + 1))
    assert seen_frames(writer(visual_mask="frame"), step) == passed


def test_a_step_of_the_frame_mask_looks_at_its_own_frame_alone():
    rows = writer(visual_mask="frame").visible(N + 2, 24)
    assert (rows.sum(1) == 1).all()
    assert [int(row.nonzero()) for row in rows][:8] == [0, 1, 2, 2, 3, 4, 5, 6]
    assert int(rows[-1].nonzero()) == 23, "steps after the last time have the last frame"


@pytest.mark.parametrize(("mask", "early_changes"), [("all", True), ("causal", False), ("frame", False)])
def test_later_features_do_not_change_what_a_causal_mask_writes(mask, early_changes):
    """Other features from token 20 on (frame 16): codes up to there stay. Of pixels: ``test_reach_of_the_video``."""
    made, how = writer(visual_mask=mask), Writing(sampling=CodeSampling(), guidance=2.0)
    changed = features()
    changed[:, 20:] *= -3.0
    first, second = (made.write(given, how, np.random.default_rng(0)) for given in (features(), changed))
    # Step s has codes of time s, s - 1 and s - 2; steps up to 19 see frames up to 15.
    assert torch.equal(first[:, :18], second[:, :18]) != early_changes
    assert not torch.equal(first, second)


def test_the_loss_is_the_mean_over_codebooks_of_the_cross_entropy_of_every_code():
    made, codes = writer(), some_codes(2)
    dropped = torch.tensor([False, True])
    found = made.losses(codes, features(2), dropped)
    memory = made.memory(features(2), dropped)
    steps = torch.full((2, N + 2, LEVELS), CODES)
    for level in range(LEVELS):
        steps[:, level : level + N, level] = codes[..., level]
    before = torch.cat([torch.full((2, 1, LEVELS), CODES), steps[:, :-1]], dim=1)
    logits = made(before, Memory(memory, None, made.visible(N + 2, 24)))
    each = [
        torch.stack(
            [-F.log_softmax(logits[:, t + level, level], -1).gather(1, codes[:, t, level, None]) for t in range(N)]
        )
        for level in range(LEVELS)
    ]
    for level in range(LEVELS):
        torch.testing.assert_close(found[f"level_{level}"], each[level].mean(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found["loss"], torch.stack(each).mean(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pattern", ["delay", "parallel"])
def test_written_codes_are_the_most_probable_of_the_whole_forward(pattern):
    """Greedy codes, written step by step with the cache, are the argmax of one forward over them."""
    made = writer(pattern=pattern)
    codes = made.write(features(), Writing(sampling=CodeSampling(temperature=0.0)), np.random.default_rng(0))
    assert codes.shape == (1, N, LEVELS)
    late = (0, 1, 2) if pattern == "delay" else (0, 0, 0)
    steps = torch.full((1, N + late[-1], LEVELS), CODES)
    for level in range(LEVELS):
        steps[:, late[level] : late[level] + N, level] = codes[..., level]
    before = torch.cat([torch.full((1, 1, LEVELS), CODES), steps[:, :-1]], dim=1)
    memory = Memory(made.memory(features(), SEEN), None, made.visible(N + late[-1], 24))
    best = made(before, memory).argmax(-1)
    for level in range(LEVELS):
        assert torch.equal(best[:, late[level] : late[level] + N, level], codes[..., level])


def test_without_the_video_no_frame_matters():
    made, dropped = writer(), torch.ones(1, dtype=torch.bool)
    assert torch.equal(made.memory(features(), dropped), made.memory(-features(), dropped))
    assert not torch.equal(made.memory(features(), SEEN), made.memory(-features(), SEEN))


def test_guidance_one_is_the_network_with_the_video():
    made = writer()
    how = Writing(sampling=CodeSampling(top_k=3))
    plain = made.write(features(), how, np.random.default_rng(0))
    near = made.write(features(), dataclasses.replace(how, guidance=1.0 + 1e-6), np.random.default_rng(0))
    assert torch.equal(plain, near)


def test_a_long_clip_is_written_in_windows_that_go_on():
    made, how = writer(), Writing(sampling=CodeSampling())
    given = torch.randn(2, 73, WIDTH, generator=torch.Generator().manual_seed(3))
    codes = made.write(given, how, np.random.default_rng(0))
    assert codes.shape == (2, 73, LEVELS)
    assert (codes < CODES).all()
    first = made.write(given[:, :30], how, np.random.default_rng(0))
    assert torch.equal(codes[:, :30], first), "the first window is that of a short clip, and stays"
    assert made.evaluations(73) == 3 * 32
    assert made.evaluations(10) == 12


def test_the_delay_is_that_of_the_pattern():
    assert writer().delays == (0, 1, 2)
    assert writer(pattern="parallel").delays == (0, 0, 0)
