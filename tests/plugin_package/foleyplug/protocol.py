"""Protocol ``plug``: the package's own metric beside one of foleybench."""

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="Plug",
    version=1,
    description="For a test.",
    metrics=("plug_peak_difference", "silence_share"),
    headline={"quality": "plug_peak_difference"},
    length_tolerance_s=0.25,
)
