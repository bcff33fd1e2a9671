"""What the watch on a video says of its frames."""

import numpy as np
import pytest

from foleybench.prepare.normalise.video_track import STILL_LEVELS, STILL_SHARE, MotionWatch

FRAME = np.full((50, 40), 100, dtype=np.int16)


@pytest.mark.parametrize(
    ("n_pixels", "levels", "moves"),
    [
        (round(STILL_SHARE * FRAME.size), 50, False),  # as many as may flicker in a still video
        (round(STILL_SHARE * FRAME.size) + 1, 50, True),
        (FRAME.size, STILL_LEVELS, False),  # all of them, by as little as coding noise
        (FRAME.size, STILL_LEVELS + 1, True),
    ],
)
def test_a_video_moves_when_enough_pixels_change_enough(n_pixels, levels, moves):
    changed = FRAME.copy()
    changed.flat[:n_pixels] += levels
    watch = MotionWatch()
    watch.show(FRAME)
    watch.show(changed)
    watch.show(FRAME)
    assert watch.moves is moves


def test_motion_is_the_mean_change_from_frame_to_frame():
    watch = MotionWatch()
    watch.show(FRAME)
    watch.show(FRAME + 4)
    watch.hold()
    watch.show(FRAME)
    assert watch.motion == [0.0, 4.0, 0.0, 4.0]
