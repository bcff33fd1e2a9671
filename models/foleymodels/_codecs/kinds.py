"""Read a trained codec of any kind from its folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

from foleybench.errors import FoleyError
from foleymodels._codecs.codec import Codec
from foleymodels._codecs.patches import PATCH_CODEC, PATCH_TAG
from foleymodels._codecs.stage import FOLDER, RESIDUAL_CODEC, TAG
from foleymodels._codecs.two_rates import TWO_RATE_CODEC, TWO_RATE_TAG
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import read_settings
from foleymodels._parts.signal import SignalSettings

# Parts that are codecs, by the kind of their checkpoints.
CODECS = {TAG: RESIDUAL_CODEC, PATCH_TAG: PATCH_CODEC, TWO_RATE_TAG: TWO_RATE_CODEC}


class TrainedCodec(NamedTuple):
    """A codec, and the signal that it is for.

    Attributes:
        codec: The codec.
        signal: Settings of mel tokens and of the vocoder without training.
    """

    codec: Codec
    signal: SignalSettings


def read_codec(folder: Path) -> TrainedCodec:
    """Read a codec: from its own folder, or from the run folder of a system that trained it.

    Raises:
        FoleyError: There is none, or it does not fit.
    """
    inside = folder / FOLDER
    folder = inside if (inside / checkpoint.CONFIG).is_file() else folder
    kind = checkpoint.kind_of(folder)
    if kind not in CODECS:
        raise FoleyError(
            f"{folder} holds a checkpoint of {kind!r}, wanted a codec ({', '.join(sorted(CODECS))}). Name the run "
            "folder of a system of codes, or its codec's."
        )
    tensors, config = checkpoint.read_checkpoint(folder, kind)
    codec = CODECS[kind].rebuilt(tensors, config["settings"], {}, folder)
    assert isinstance(codec, Codec)
    return TrainedCodec(codec, read_settings(_Signal, config["settings"], folder, beside=True).signal)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Signal:
    """The subject of a codec's settings that is read here."""

    signal: SignalSettings
