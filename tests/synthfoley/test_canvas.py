"""Painting: areas, places and motion to a fraction of a pixel."""

import numpy as np
import pytest

from foleybench.synthesis import shapes
from foleybench.synthfoley.canvas import Canvas, blank, develop, film

WHITE = np.ones(3, dtype=np.float32)
BLACK = np.zeros(3, dtype=np.float32)


def canvas(n_frames=1, side=64, camera=None):
    shift = np.zeros((n_frames, 2), dtype=np.float32) if camera is None else np.asarray(camera, dtype=np.float32)
    return Canvas(pixels=np.zeros((n_frames, 3, side, side), dtype=np.float32), side_px=side, camera=shift)


def centroid(picture):
    weight = picture / picture.sum()
    grid = np.arange(picture.shape[0]) + 0.5
    return float((weight.sum(0) * grid).sum()), float((weight.sum(1) * grid).sum())


def test_a_disc_covers_its_area_at_its_place():
    page = canvas()
    page.paint(shapes.disc, WHITE, reach=0.2, x=0.31, y=0.62, r=0.15)
    assert page.pixels[0, 0].sum() == pytest.approx(np.pi * (0.15 * 64) ** 2, rel=0.01)
    assert centroid(page.pixels[0, 0]) == pytest.approx((0.31 * 64, 0.62 * 64), abs=0.02)


def test_a_box_is_exact_on_whole_and_half_pixels():
    page = canvas()
    page.paint(shapes.box, WHITE, reach=0.2, x=0.5, y=0.5, hw=4 / 64, hh=2.5 / 64)
    assert page.pixels[0, 0].sum() == pytest.approx(8 * 5)
    assert page.pixels[0, 0, 32, 28:36].tolist() == [1.0] * 8
    assert page.pixels[0, 0, 32, 27] == pytest.approx(0.0, abs=1e-5)
    assert page.pixels[0, 0, 29, 30] == pytest.approx(0.5, abs=1e-5)


def test_motion_is_smooth_below_a_pixel():
    page = canvas(n_frames=11)
    page.paint(shapes.disc, WHITE, reach=0.1, x=0.5 + np.arange(11) * 0.1 / 64, y=0.5, r=0.06)
    places = [centroid(frame[0])[0] for frame in page.pixels]
    np.testing.assert_allclose(np.diff(places), 0.1, atol=0.02)


def test_what_is_outside_is_cut_and_costs_nothing():
    page = canvas(n_frames=3)
    page.paint(shapes.disc, WHITE, reach=0.1, x=np.asarray([-0.5, 0.0, 1.5]), y=0.5, r=0.1)
    sums = page.pixels[:, 0].sum(axis=(1, 2))
    assert sums[0] == sums[2] == 0.0
    assert sums[1] == pytest.approx(0.5 * np.pi * 6.4**2, rel=0.02)


def test_opacity_is_per_frame():
    page = canvas(n_frames=2)
    page.paint(shapes.box, WHITE, reach=0.5, x=0.5, y=0.5, alpha=np.asarray([0.25, 1.0]), hw=1.0, hh=1.0)
    assert page.pixels[0].max() == pytest.approx(0.25)
    assert page.pixels[1].min() == 1.0


def test_rotation_turns_clockwise_on_screen():
    page = canvas()
    page.at(0.5, 0.5).paint(shapes.capsule, WHITE, reach=0.3, angle=np.pi / 2, hx=0.2, hy=0.0, r=0.02)
    upright = page.pixels[0, 0]
    assert (upright.max(axis=1) > 0.5).sum() > 5 * (upright.max(axis=0) > 0.5).sum()


def test_at_composes_moves_and_scales():
    page = canvas().at(0.5, 0.5, 0.5).at(0.2, 0.0, 0.5)
    assert (page.x, page.y, page.scale) == pytest.approx((0.6, 0.5, 0.25))


def test_the_camera_shifts_backdrop_and_actors_together():
    back = blank(64, BLACK, margin=0.1)
    back.paint(shapes.disc, WHITE, reach=0.1, x=0.5, y=0.5, r=0.06)
    moved = np.asarray([[0.0, 0.0], [2.5 / 64, -1.25 / 64]], dtype=np.float32)
    page = film(back, moved)
    assert centroid(page.pixels[1, 0]) == pytest.approx((34.5, 30.75), abs=0.05)
    page.paint(shapes.disc, BLACK, reach=0.2, x=0.5, y=0.5, r=0.09)
    assert page.pixels.sum(axis=(1, 2, 3)).tolist() == [0.0, 0.0]


def test_sprinkled_specks_keep_frame_place_and_amount():
    page = canvas(n_frames=2)
    page.sprinkle(np.asarray([1]), np.asarray([0.25]), np.asarray([0.75]), (1 / 64, 2 / 64), WHITE, 1.0)
    assert page.pixels[0].sum() == 0.0
    assert page.pixels[1, 0].sum() == pytest.approx(2 * 4, rel=0.01)
    assert centroid(page.pixels[1, 0]) == pytest.approx((16.0, 48.0), abs=0.05)


def test_specks_off_the_edge_do_not_wrap_round():
    page = canvas(n_frames=1)
    page.sprinkle(
        np.zeros(4, int), np.asarray([-0.2, 1.2, 0.5, 0.5]), np.asarray([0.5, 0.5, -0.2, 1.2]), (0.02, 0.02), WHITE, 1
    )
    assert page.pixels.sum() == 0.0


def test_develop_rounds_and_clips():
    page = canvas(side=2)
    page.pixels[0, :, 0, 0] = [-1.0, 0.5, 2.0]
    assert develop(page)[0, 0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("shape", "inside", "outside"),
    [
        (lambda u, v: shapes.ring(u, v, 1.0, 0.2), (1.0, 0.0), (0.0, 0.0)),
        (lambda u, v: shapes.ellipse(u, v, 2.0, 1.0), (1.9, 0.0), (0.0, 1.1)),
        (lambda u, v: shapes.trapezoid(u, v, 0.5, 1.0, 1.0), (0.9, 0.95), (0.9, -0.95)),
        (lambda u, v: shapes.gear(u, v, 1.0, 0.5, 4.0, 0.0), (0.8, 0.8), (1.3, 0.05)),
        (lambda u, v: shapes.blades(u, v, 1.0, 3.0, 0.0, 0.4), (0.5, 0.0), (-0.5, 0.0)),
        (lambda u, v: shapes.bell(u, v, 0.5, 1.0), (0.45, 0.99), (0.45, 0.5)),
    ],
)
def test_shapes_tell_inside_from_outside(shape, inside, outside):
    assert shape(np.asarray(inside[0]), np.asarray(inside[1])) < 0
    assert shape(np.asarray(outside[0]), np.asarray(outside[1])) > 0
