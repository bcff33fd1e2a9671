"""EVA02-CLIP B/16: the practical EVA-CLIP. For models, not for scores.

Layers:
    frames: (T, 512) float32: the image embedding of one frame, 8 frames a second.

The image tower alone (86 million numbers), in timm, trained on Merged-2B. Frames as open_clip prepares images: short
side to 224 (PIL, bicubic), middle square, CLIP's mean and deviation. Frames go in alone: nothing in a feature is
motion.

Sources: Sun et al., "EVA-CLIP", 2023; open_clip ``EVA02-B-16`` / ``merged2b_s8b_b131k``; timm
``eva02_base_patch16_clip_224.merged2b``.
"""

from __future__ import annotations

from foleybench.api.weights import Weights
from foleybench.encoders._nets.image_trunks import OPENAI_MEAN, OPENAI_STD, Trunk, card

TRUNK = Trunk(
    name="eva02_clip_b16",
    architecture="eva02_base_patch16_clip_224",
    options={"num_classes": 512},
    weights=Weights(
        filename="eva02_base_patch16_clip_224.merged2b.safetensors",
        url="https://huggingface.co/timm/eva02_base_patch16_clip_224.merged2b/resolve/main/model.safetensors",
        sha256=None,
        size_bytes=None,
        licence="MIT",
    ),
    resize_px=224,
    crop_px=224,
    mean=OPENAI_MEAN,
    std=OPENAI_STD,
)

ENCODER = card(TRUNK, dim=512, source="open_clip EVA02-B-16 merged2b_s8b_b131k")
