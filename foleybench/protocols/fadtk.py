"""Protocol ``fadtk``: FAD and KAD as fadtk and kadtk."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="fadtk and kadtk",
    version=2,
    description=(
        "microsoft/fadtk@ec74b1f and YoonjinXD/kadtk@8bda71d: channels averaged, a long Kaiser filter, 16 bits. Where "
        "they are faulty: a file with one patch makes fadtk's covariance NaN, and with it the whole distance; kadtk "
        "takes the bandwidth from the evaluated set although it says reference; both keep embeddings in 16 bits. Here "
        "single patches count like others, kad_panns follows the documentation, kad_panns_eval the shipped code, and "
        "nothing is rounded. Both feed VGGish with DC left in; ours removes it."
    ),
    metrics=("fad_vggish", "kad_vggish", "kad_panns", "kad_panns_eval"),
    headline={"quality": "fad_vggish"},
    quotes={"FAD (VGGish)": "fad_vggish", "KAD (PANNs)": "kad_panns_eval"},
    frontend=Frontend(resampler="kaiser_best", int16=True),
    length_tolerance_s=0.25,
)
