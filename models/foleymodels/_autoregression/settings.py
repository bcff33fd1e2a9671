"""Define the settings of a network that writes codes."""

from __future__ import annotations

import dataclasses

from foleybench.errors import UnknownNameError
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._systems.settings import GeneratorSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class WriterSettings(GeneratorSettings):
    """Size, training and sampling of a network that writes codes; systems subclass it for what is theirs.

    ``net_crop_s`` is also the longest stretch that is written at once.

    Attributes:
        guidance: Default guidance scale; 1 is none.
        temperature: Divides the logits.
        top_k: Number of most probable codes to draw from; 0 for all.
        top_p: Probability that the codes to draw from have together at least; 1 for all.
    """

    guidance: float = 3.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    @property
    def sampling(self) -> CodeSampling:
        """How codes are drawn."""
        return CodeSampling(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def check(self) -> None:
        """Refuse a way to draw without a meaning, and guidance of a network that never trains without the video."""
        _ = self.sampling
        if self.guidance != 1.0 and not self.net_drop_p:
            raise UnknownNameError(
                f"guidance={self.guidance} needs a network that also trained without the video: set net_drop_p above "
                "0, or guidance=1."
            )
