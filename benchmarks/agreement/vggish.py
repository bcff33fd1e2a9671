"""VGGish against torchvggish's own class: front-end and net."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights, two_tones

from foleybench.encoders import vggish_google
from foleybench.encoders._inputs.vggish_patches import log_mel_patches
from foleybench.encoders._nets import vggish

_UNUSED = ("resampy", "soundfile")


def _patches(checkout: Path) -> tuple[Array, Array]:
    sound = two_tones(8.0, 16000)
    with peer_modules(checkout, absent=_UNUSED):
        from torchvggish import vggish_input

        theirs = vggish_input.waveform_to_examples(sound.astype(np.float64), 16000, return_tensor=False)
    return log_mel_patches(sound).astype(np.float32), theirs.astype(np.float32)


def _net(checkout: Path) -> tuple[Array, Array]:
    ours = random_weights(vggish.new_net(), scale=1.4)
    patches = torch.from_numpy(log_mel_patches(two_tones(4.0, 16000)).astype(np.float32))
    with peer_modules(checkout, absent=_UNUSED):
        from torchvggish.vggish import VGGish

        theirs = VGGish(urls=None, device=torch.device("cpu"), pretrained=False, preprocess=False, postprocess=False)
    theirs.load_state_dict(ours.state_dict())
    # The last ReLU is left out, as av-benchmark and audioldm_eval do.
    theirs.embeddings = theirs.embeddings[:-1]
    with torch.inference_mode():  # as the encoder runs it
        return array(ours(patches)), array(theirs.eval()(patches[:, None]))


def _google(checkout: Path) -> tuple[Array, Array]:
    sound = two_tones(4.2, 16000)
    with peer_modules(checkout, absent=_UNUSED):
        from torchvggish import vggish_input

        loud = vggish_google.loud(sound)
        seconds = [loud[start : start + 16000] for start in range(0, len(loud) - 15999, 8000)]
        theirs = [vggish_input.waveform_to_examples(part, 16000, return_tensor=False) for part in seconds]
    return vggish_google.google_patches(sound).astype(np.float32), np.concatenate(theirs).astype(np.float32)


CASES = (
    Case(encoder="vggish", what="log-mel patches", peer="harritaylor/torchvggish", measure=_patches),
    Case(encoder="vggish", what="net", peer="harritaylor/torchvggish", measure=_net),
    Case(encoder="vggish_google", what="patches of seconds", peer="harritaylor/torchvggish", measure=_google),
)
