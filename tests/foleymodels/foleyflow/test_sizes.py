import dataclasses

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext, TrainContext
from foleybench.shards.dataset import ShardDataset
from foleymodels._alignment.network import Alignment
from foleymodels._flow.training import flow_loss
from foleymodels._parts.frozen_encoders import VIDEO_ENCODERS
from foleymodels._parts.settings import SIZES, of_size
from foleymodels.foleyflow.checkpoints import new_flow
from foleymodels.foleyflow.settings import FoleyFlowSettings
from tests.foleymodels.small import figures
from tests.foleymodels.toy import toy_corpus


def test_the_paper_profile_is_the_papers():
    paper = of_size(FoleyFlowSettings, "paper")
    mel, flow = paper.signal.mel, paper.flow
    assert (mel.rate_hz, mel.window / mel.rate_hz, mel.hop / mel.rate_hz, mel.n_mels) == (8000, 0.05, 0.025, 128)
    # "128 x 128" is 3.2 s at a hop of 25 ms, and not the 10 s that the text says
    assert paper.signal.n_tokens * mel.frames_per_token == 128
    assert (paper.alignment.mask_ratio, flow.flow_rate, flow.flow_batch) == (0.8, 1e-4, 128)
    # 100 epochs of about 183 thousand clips
    assert flow.flow_steps * flow.flow_batch / 183_000 == pytest.approx(100, abs=2)
    assert (paper.loop.optimiser, paper.loop.schedule) == ("adam", "constant")
    assert paper.alignment.video_encoder == "eva_clip_g14"
    assert paper.alignment.audio_target == "audiomae"


def test_std16k_has_the_audio_of_the_field():
    std = of_size(FoleyFlowSettings, "std16k").signal
    assert (std.rate_hz, std.n_fft, std.hop, std.n_mels) == (16000, 1024, 256, 80)


@pytest.mark.parametrize("name", SIZES)
def test_windows_and_crops_are_whole_units(name):
    settings = of_size(FoleyFlowSettings, name)
    signal, alignment, flow = settings.signal, settings.alignment, settings.flow
    frames, tokens = settings.stage.cache.unit
    assert flow.flow_crop_s <= signal.window_s
    assert alignment.vama_crop_s <= signal.window_s
    assert signal.n_fft % signal.hop == 0
    assert alignment.vama_dim % alignment.vama_heads == flow.flow_dim % flow.flow_heads == 0
    assert frames / signal.grid_hz == pytest.approx(tokens / signal.mel.token_hz)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["std16k", "paper"])
def test_the_whole_network_takes_a_step(size, shapes_only):
    """At full width and depth, on tensors that have shapes and no values: a step of ``paper`` takes a second."""
    settings = of_size(FoleyFlowSettings, size)
    signal = settings.signal
    alignment = Alignment(signal, settings.alignment)
    flow = new_flow(settings, alignment.condition_dim)
    frames = torch.zeros(2, signal.frames(signal.window_s), VIDEO_ENCODERS[settings.alignment.video_encoder])
    tokens = torch.zeros(2, signal.n_tokens, signal.mel.token_dim)
    predicted, _, _ = alignment(frames, tokens, torch.ones(tokens.shape[:2], dtype=torch.bool), signal.n_tokens)
    assert predicted.shape == (2, signal.n_tokens, settings.alignment.target_dim(signal.mel))
    predicted.mean().backward()
    condition = alignment.condition(frames, signal.n_tokens).detach()
    flow_loss(flow, tokens, condition, torch.Generator()).backward()
    for network in (alignment, flow):
        assert all(value.grad is not None for value in network.parameters() if value.requires_grad)
        torch.optim.Adam(network.parameters()).step()


@pytest.mark.slow
def test_std16k_takes_a_step_is_saved_and_makes_sound(tmp_path):
    """Blocks of full width, one of each kind, on whole, untrained encoders."""
    pytest.importorskip("timm", reason="needs the extra `encoders`")
    manifest = toy_corpus(tmp_path / "toy", "train", 1, duration_s=0.4)
    steps = {"vama_steps": "1", "flow_steps": "1", "vama_batch": "1", "flow_batch": "1", "encoder_weights": "random"}
    blocks = {"vama_blocks": "1", "flow_blocks": "1"}
    context = TrainContext(
        data=manifest,
        val=None,
        out=tmp_path / "run",
        size="std16k",
        settings={**steps, **blocks, "jobs": "1", "vocoder_iterations": "1"},
    )
    model = registry.load("models", "foleyflow")
    with figures(drawn=False):
        checkpoint = model.train(context)
    generator = model.build(BuildContext(checkpoint=checkpoint, nfe=1))
    data = ShardDataset(manifest)
    clip = dataclasses.replace(data.load(data.clip_ids[0]), audio=None)
    (sound,) = generator.generate([clip], np.random.default_rng(0))
    assert sound.shape == (round(clip.duration_s * 16000),)
    assert np.isfinite(sound).all()
