"""Protocol ``foleybench``: what we recommend to report, with reasons."""

from __future__ import annotations

from foleybench.api.protocol import Protocol

PROTOCOL = Protocol(
    title="foleybench",
    version=2,
    description=(
        "What we recommend. Meaning: KLD on PaSST without epsilon, which no constant bounds. Realism: KAD on PaSST, "
        "unbiased at any number of clips and without the Gaussian assumption; the Fréchet distances that the field "
        "quotes stand beside it with corrected values. Timing: Synchformer's expected offset, "
        "which has no steps, and onsets matched one to one; Align Acc and DeSync because papers quote them. "
        "Video and audio in one space by PE-AV, whose weights are free. Plain agreement of level, loudness, spectrum "
        "and band, clipping and silence, and speed. Whole clips, mean of channels, every failure named, and control "
        "rows beside every number (`--controls`)."
    ),
    metrics=(
        *("kld_passt", "kad_passt", "fd_passt", "fad_vggish", "is_passt", "align_acc", "desync", "desync_expected"),
        *("pe_av_score", "onset_agreement", "onset_f1", "level_correlation", "level_difference"),
        *("loudness_difference", "mel_profile_distance", "bandwidth_difference", "clipping_share", "silence_share"),
        *("seconds_per_clip", "real_time_factor"),
    ),
    headline={
        "timing": "desync_expected",
        "semantics": "kld_passt",
        "quality": "kad_passt",
        "speed": "real_time_factor",
    },
    quotes={
        "FAD (VGGish)": "fad_vggish",
        "FD (PaSST)": "fd_passt",
        "KLD (PaSST)": "kld_passt",
        "IS (PaSST)": "is_passt",
        "KAD (PaSST)": "kad_passt",
        "Align Acc (Diff-Foley)": "align_acc",
        "DeSync (Synchformer)": "desync",
    },
    length_tolerance_s=0.25,
)
