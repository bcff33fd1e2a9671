"""Tones whose peak is known: 0.1, 0.2 and so on of full scale."""

import numpy as np

from foleybench.api.dataset import Dataset, Item, Sample
from foleybench.media.audio import flac_bytes
from foleybench.media.read import encode_mp4

RATE_HZ = 8000
SECONDS = 1.0


def _add_arguments(parser):
    parser.add_argument("--clips", type=int, default=4, help="number of tones")


def _items(options):
    return [
        Item(
            clip_id=f"tone{index:02d}_000000",
            source=f"tone {index}",
            source_id=f"tone{index:02d}",
            label="tone",
            split="test",
            spec={"level": 0.1 * (index + 1)},
        )
        for index in range(options.clips)
    ]


def _make(item):
    # One sample of the tone lies on its peak: a quarter of the rate.
    audio = item.spec["level"] * np.sin(np.arange(round(SECONDS * RATE_HZ)) * np.pi / 2)
    frames = np.full((round(25 * SECONDS), 32, 32, 3), 90, dtype=np.uint8)
    return Sample(
        mp4=encode_mp4(frames, 25.0),
        flac=flac_bytes(audio.astype(np.float32), RATE_HZ),
        events=None,
        facts={"duration_s": SECONDS, "rate_hz": RATE_HZ},
        factors={},
    )


DATASET = Dataset(
    title="Tones",
    version=1,
    licence="MIT",
    description="Tones of known peak.",
    add_arguments=_add_arguments,
    items=_items,
    make=_make,
    fingerprint=lambda options: {},
)
