"""The true sound at half its level."""

from foleybench.api.model import Model
from foleybench.clips import Clock
from foleybench.media.audio import fit_length


class _Half:
    nfe = 0
    guidance = None
    rate_hz = None

    def generate(self, clips, rng):
        return [fit_length(clip.audio * 0.5, Clock(clip.duration_s).samples(clip.rate_hz)) for clip in clips]


def make_model():
    return Model(
        title="Half as loud",
        kind="control",
        sees=frozenset({"audio"}),
        licence="MIT",
        description="The true sound at half its level.",
        build=lambda context: _Half(),
    )
