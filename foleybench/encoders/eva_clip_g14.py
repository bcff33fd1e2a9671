"""EVA-CLIP g/14, trained on LAION-400M. For models, not for scores.

Layers:
    frames: (T, 1024) float32: the image embedding of one frame, 8 frames a second.

The only EVA-CLIP that fits the paper's words. The image tower alone (1.0 billion numbers), in timm, prepared and fed as
encoder ``eva02_clip_b16``.

Sources: Sun et al., "EVA-CLIP", 2023; open_clip ``EVA01-g-14`` / ``laion400m_s11b_b41k``; timm
``eva_giant_patch14_clip_224.laion400m``.
"""

from __future__ import annotations

from foleybench.api.weights import Weights
from foleybench.encoders._nets.image_trunks import OPENAI_MEAN, OPENAI_STD, Trunk, card

TRUNK = Trunk(
    name="eva_clip_g14",
    architecture="eva_giant_patch14_clip_224",
    options={"num_classes": 1024},
    weights=Weights(
        filename="eva_giant_patch14_clip_224.laion400m.safetensors",
        url="https://huggingface.co/timm/eva_giant_patch14_clip_224.laion400m/resolve/main/model.safetensors",
        sha256=None,
        size_bytes=None,
        licence="MIT",
    ),
    resize_px=224,
    crop_px=224,
    mean=OPENAI_MEAN,
    std=OPENAI_STD,
)

ENCODER = card(TRUNK, dim=1024, source="open_clip EVA01-g-14 laion400m_s11b_b41k")
