"""Measure what the systems that write codes cost: parameters, a training step, a clip.

CPU seconds of one thread at size tiny, with random weights and made data: how long a step or a clip takes does not
depend on what was learned.

    python benchmarks/writer_cost.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from foleymodels._autoregression.writer import Writing
from foleymodels._codecs.codec import ResidualCodec
from foleymodels._codecs.patches import PatchCodec
from foleymodels._codecs.two_rates import TwoRateCodec
from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import of_size
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.loop import n_parameters
from foleymodels.foleygen.system import FoleyGenSettings, FoleyGenWriter
from foleymodels.im2wav.system import Im2WavSettings, Im2WavWriter
from foleymodels.specvqgan.system import SpecVqganSettings, SpecVqganWriter

SYSTEMS = {
    "specvqgan": (SpecVqganSettings, SpecVqganWriter, PatchCodec),
    "im2wav": (Im2WavSettings, Im2WavWriter, TwoRateCodec),
    "foleygen": (FoleyGenSettings, FoleyGenWriter, ResidualCodec),
}
FEATURES, BATCH, CLIP_TOKENS, REPEATS = 96, 16, 125, 3


def cpu_s(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, the least of some."""
    found = []
    for _ in range(REPEATS):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return min(found)


def measured(name: str) -> str:
    """Return the costs of a system."""
    kind, network, new_codec = SYSTEMS[name]
    settings = of_size(kind, "tiny")
    codec = new_codec(settings.codec, settings.signal.mel)
    writer = network(settings, FEATURES, codec)
    tokens, generator = torch.randn(BATCH, writer.longest, 128), torch.Generator()
    features, dropped = torch.randn(BATCH, writer.longest, FEATURES), torch.zeros(BATCH, dtype=torch.bool)
    clip = torch.randn(1, CLIP_TOKENS, FEATURES)
    how = Writing(sampling=settings.net.sampling, guidance=settings.net.guidance)

    def codec_step() -> None:
        codec.losses(tokens, generator)["loss"].backward()

    def writer_step() -> None:
        writer.losses(codec.encode(tokens), features, dropped)["loss"].backward()

    @torch.inference_mode()
    def write() -> None:
        writer.eval().write(clip, how, np.random.default_rng(0))

    return (
        f"{name}: writer {n_parameters(writer)} parameters, {cpu_s(writer_step):.3f} s a step; codec "
        f"{n_parameters(codec)}, {cpu_s(codec_step):.3f} s a step; 4 s of codes {cpu_s(write):.2f} s, "
        f"{writer.evaluations(CLIP_TOKENS)} evaluations"
    )


def main() -> None:
    """Print a row for every system."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print(f"flow: {n_parameters(Flow(FlowSettings(), SignalSettings().mel, 2 * FEATURES))} parameters")
    for name in SYSTEMS:
        print(measured(name))


if __name__ == "__main__":
    main()
