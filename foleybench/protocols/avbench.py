"""Protocol ``avbench``: what av-benchmark computes, on the first 8 s."""

from __future__ import annotations

from foleybench.api.protocol import Frontend, Protocol

PROTOCOL = Protocol(
    title="av-benchmark",
    version=5,
    description=(
        "The numbers of hkchengrex/av-benchmark@050a5cd (MMAudio and after): first 8 s, channels averaged, DC removed "
        "(not before Synchformer and ImageBind), torchaudio's resampler (before ImageBind its function, whose filter "
        "is float32), KL without epsilon. Where it is faulty: a file that cannot be read is scored as its neighbour "
        "under the neighbour's name, ids are cut out of names by their length, KL on PaSST and on PANNs can cover "
        "different clips, and a failed matrix root counts as -1. Here broken and missing files are named and left out, "
        "ids match exactly, and every metric covers the same clips. ImageBind hears the mean of the channels here, the "
        "first one there. As there, the mean is taken over the whole file, up to the clip's end, which is "
        "then resampled, and last cut: audio of 8 s covers a clip of 10 s."
    ),
    metrics=(
        "fad_vggish",
        "fd_panns",
        "fd_passt",
        "kld_panns",
        "kld_passt",
        "is_panns",
        "is_passt",
        "imagebind_score",
        "clap_score",
        "desync",
    ),
    headline={"timing": "desync", "semantics": "kld_passt", "quality": "fd_passt"},
    quotes={
        "FAD (VGGish)": "fad_vggish",
        "FD (PANNs)": "fd_panns",
        "FD (PaSST)": "fd_passt",
        "KLD (PANNs)": "kld_panns",
        "KLD (PaSST)": "kld_passt",
        "IS (PANNs)": "is_panns",
        "IS (PaSST)": "is_passt",
        "IB-score (ImageBind)": "imagebind_score",
        "CLAP score (CLAP-LAION)": "clap_score",
        "DeSync (Synchformer)": "desync",
    },
    crop_s=8.0,
    cut_resampled=True,
    frontend=Frontend(
        remove_mean=True,
        own={"synchformer_audio": Frontend(), "imagebind_audio": Frontend(resampler="torchaudio_float32")},
    ),
    length_tolerance_s=0.25,
)
