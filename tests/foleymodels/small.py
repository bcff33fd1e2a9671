"""Networks small enough to train in a fraction of a second, on the toy corpus."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from foleybench import registry
from foleybench.api.model import BatchGenerator, BuildContext, TrainContext
from foleybench.generation.folder import generate_one, generate_together
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.settings import field_names
from foleymodels.foleyflow.settings import FoleyFlowSettings, resolve_foleyflow
from tests.foleymodels.toy import toy_clip

PNG = b"\x89PNG\r\n\x1a\n"

SMALL = {
    "window_s": "1.28",
    "flow_crop_s": "1.28",
    "vama_crop_s": "0.96",
    "vama_dim": "16",
    "vama_heads": "2",
    "vama_blocks": "1",
    "vama_batch": "4",
    "vama_steps": "6",
    "video_channels_1": "8",
    "video_channels_2": "8",
    "video_channels_3": "8",
    "flow_dim": "16",
    "flow_heads": "2",
    "flow_blocks": "1",
    "flow_hidden": "16",
    "refine_channels": "4",
    "flow_batch": "4",
    "flow_steps": "6",
    "head_steps": "4",
    "head_batch": "4",
    "reflow_pairs": "6",
    "reflow_nfe": "2",
    "cavp_window_s": "0.48",
    "cavp_windows": "2",
    "contrast_dim": "8",
    "encoder_steps": "3",
    "encoder_batch": "4",
    "encoder_dim": "16",
    "vocoder_iterations": "2",
    "nfe": "2",
}


_ALIGNMENT = ("vama", "video", "cavp", "contrast", "encoder")
_FLOW = ("flow", "refine", "nfe")
_LEFT_OUT = {"nearest": (*_FLOW, "head", "reflow"), "constant_flow": (*_ALIGNMENT, "head", "reflow")}


def small_settings(**more: str) -> FoleyFlowSettings:
    """Return the settings of a small network, with some changed."""
    return settings_of({**SMALL, **more})


def settings_of(overrides: dict[str, str], size: str = "tiny", **asked) -> FoleyFlowSettings:
    """Return what a training run with some overrides would be trained with."""
    nowhere = Path("nowhere")
    return resolve_foleyflow(TrainContext(data=nowhere, val=None, out=nowhere, size=size, settings=overrides, **asked))[
        0
    ]


@contextlib.contextmanager
def figures(drawn):
    """Let figures be drawn, or leave it at their first bytes: drawing one costs as much as training a small network."""
    with pytest.MonkeyPatch.context() as patch:
        if not drawn:
            patch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **settings: file.write(PNG))
        yield


def context_of(name, corpus, out, *, asked=None, **settings):
    """Return the command that trains a model on the toy corpus, with what else is asked for."""
    known = {key: text for key, text in SMALL.items() if not key.startswith(_LEFT_OUT.get(name, "-"))}
    return TrainContext(
        data=corpus["train"], val=corpus["val"], out=out, settings={**known, **settings}, **(asked or {})
    )


def train(name, corpus, out, *, drawn=False, asked=None, **settings):
    """Train a model on the toy corpus, see ``context_of``; returns the checkpoint."""
    with figures(drawn):
        return registry.load("models", name).train(context_of(name, corpus, out, asked=asked, **settings))


def names_and_lengths(names, lengths):
    """Return (name, seconds, frames a second) as parameters; the fast set has all lengths of the first name alone.

    Models of a family share their windows and the cut to the exact length: the others are fast at the first length.
    """
    slow = pytest.mark.slow
    return [
        pytest.param(name, *length, marks=() if name == next(iter(names)) or length == lengths[0] else slow)
        for length in lengths
        for name in names
    ]


def first_is_fast(names):
    """Return names as parameters, the fast set having the first alone: of a family that shares what is checked."""
    first, *others = names
    return [first, *(pytest.param(name, marks=pytest.mark.slow) for name in others)]


SMALL_SYSTEM = {
    **SMALL,
    "codec_dim": "16",
    "codec_blocks": "1",
    "latent_dim": "8",
    "codec_levels": "2",
    "codebook_size": "16",
    "patch_channels": "8",
    "patch_dim": "8",
    "patch_codes": "16",
    "rate_dim": "16",
    "rate_blocks": "1",
    "rate_latent": "8",
    "rate_codes": "16",
    "up_dim": "16",
    "up_blocks": "1",
    "codec_crop_s": "0.96",
    "codec_steps": "6",
    "codec_batch": "4",
    "net_dim": "16",
    "net_heads": "2",
    "net_blocks": "1",
    "net_hidden": "16",
    "net_crop_s": "0.96",
    "net_steps": "6",
    "net_batch": "4",
    "vector_dim": "8",
    "sound_dim": "16",
    "sound_crop_s": "0.96",
    "sound_steps": "4",
    "sound_batch": "4",
    "text_dim": "16",
    "text_blocks": "1",
    "text_heads": "2",
    "text_words": "16",
    "mapper_dim": "16",
    "mapper_blocks": "1",
    "mapper_heads": "2",
    "mapper_steps": "5",
    "mapper_batch": "4",
    "mapper_nfe": "2",
    "aligner_dim": "16",
    "aligner_steps": "5",
    "aligner_batch": "4",
    "captions_most": "8",
    "ascent_nfe": "3",
    "judge_dim": "16",
    "judge_blocks": "1",
    "judge_heads": "2",
    "judge_steps": "4",
    "judge_batch": "4",
    "net_refine": "4",
}


def system_context(system, corpus, out, *, asked=None, **settings):
    """Return the command that trains a system of parts on the toy corpus, with what it knows of ``SMALL_SYSTEM``."""
    known = {key: text for key, text in SMALL_SYSTEM.items() if key in field_names(system.settings)}
    given = {"data": corpus["train"], "val": corpus["val"], **(asked or {})}
    return TrainContext(out=out, settings={**known, **settings}, **given)


def train_system(system, corpus, out, *, drawn=False, asked=None, **settings):
    """Train a system made of parts on the toy corpus, small, see ``system_context``."""
    with figures(drawn):
        return system.train(system_context(system, corpus, out, asked=asked, **settings))


def assert_same_in_a_batch(name, run, corpus):
    """Check that clips of several lengths, one of them cut in windows, get in a batch what each gets alone."""
    model, data = registry.load("models", name), ShardDataset(corpus["val"])
    generator = model.build(BuildContext(checkpoint=run))
    assert isinstance(generator, BatchGenerator)
    clips = []
    for clip_id, duration_s in zip(data.clip_ids, (0.64, 1.6, 0.64, 0.32), strict=False):  # a window has 1.28 s
        frames, _, _ = toy_clip(np.random.default_rng(len(clips)), "click", duration_s, 25.0, side=48)
        times_s = np.arange(len(frames)) / 25.0
        clip = data.load(clip_id)
        clips.append(dataclasses.replace(clip, frames=frames, frame_times_s=times_s, duration_s=duration_s))
    assert len(clips) == 4
    together = generate_together(model, generator, clips, seed=3)
    for clip, audio in zip(clips, together, strict=True):
        alone = generate_one(model, generator, clip, seed=3)
        np.testing.assert_allclose(audio, alone, rtol=0, atol=1e-3 * np.abs(alone).max())
    pairs = zip(together[:1], generate_together(model, generator, clips[:1], seed=4), strict=True)
    # Codes of a hardly trained codec change little, but more than rounding does.
    assert max(np.abs(one - other).max() / np.abs(one).max() for one, other in pairs) > 5e-3
