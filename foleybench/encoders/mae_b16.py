"""MAE ViT-B/16 on single frames. For models, not for scores.

Layers:
    frames: (T, 768) float32: the class token of one frame, 8 frames a second.

Frames as timm prepares images for these weights: short side to 248 (PIL, bicubic), middle square of 224, ImageNet's
mean and deviation. No feature holds motion.

Sources: He et al., "Masked autoencoders are scalable vision learners", CVPR 2022; timm ``vit_base_patch16_224.mae``.
"""

from __future__ import annotations

from foleybench.api.weights import Weights
from foleybench.encoders._nets.image_trunks import IMAGENET_MEAN, IMAGENET_STD, Trunk, card

TRUNK = Trunk(
    name="mae_b16",
    architecture="vit_base_patch16_224",
    options={"num_classes": 0, "global_pool": "token"},
    weights=Weights(
        filename="vit_base_patch16_224.mae.safetensors",
        url="https://huggingface.co/timm/vit_base_patch16_224.mae/resolve/main/model.safetensors",
        sha256=None,
        size_bytes=None,
        licence="CC-BY-NC-4.0",
    ),
    resize_px=248,
    crop_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
)

ENCODER = card(TRUNK, dim=768, source="timm vit_base_patch16_224.mae")
