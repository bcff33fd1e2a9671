"""The picture: painted exactly, and giving nothing away but geometry and motion."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from foleybench.synthesis.shapes import box, disc
from foleybench.synthfoley import ClipSpec, class_names, compose, load_class, render_clip
from foleybench.synthfoley.camera import camera_path
from foleybench.synthfoley.difficulty import preset
from foleybench.synthfoley.draw import draw
from foleybench.synthfoley.motion import course, lifted, to_and_fro, turned
from foleybench.synthfoley.render import frame_times
from foleybench.synthfoley.view import View, develop, film, still
from tests.synthfoley.each_class import each_class

GREY = np.full(3, 0.25, dtype=np.float32)
WHITE = np.ones(3, dtype=np.float32)
ONSETS = [name for name in class_names() if load_class(name).kind == "onset"]


def spec(label="bounce_tin", source="a", **changes):
    fields = {"duration_s": 2.0, **changes}
    return ClipSpec(clip_id=f"{source}_000000", source_id=source, label=label, split="train", **fields)


def frames_of(scene, wanted):
    return draw(scene, frame_times(wanted), wanted.pixels, wanted.dice, preset(wanted.difficulty))


@pytest.mark.parametrize("label", each_class("mechanism"))
def test_whether_it_sounds_changes_no_pixel(label):
    """The same contacts, called silent: contact is drawn by geometry and motion alone."""
    wanted = spec(label, difficulty="hard")
    scene = compose(wanted)
    mute = tuple(dataclasses.replace(event, audible=False, strength=0.1, pitch_hz=None) for event in scene.events)
    assert any(event.audible for event in scene.events)
    silent = dataclasses.replace(scene, events=mute)
    assert frames_of(silent, wanted).tobytes() == frames_of(scene, wanted).tobytes()


@pytest.mark.parametrize("label", each_class("mechanism"))
def test_a_silent_mover_is_drawn_with_the_colours_of_one_that_sounds(label):
    """Only where things are differs between a source and its look-alike that misses: same colours, same shapes."""
    wanted = spec(label, difficulty="easy", pixels=96)
    scene = compose(wanted)
    missing = dataclasses.replace(scene.actors[0], silent="miss")
    shown = [frames_of(dataclasses.replace(scene, actors=(actor,)), wanted) for actor in (scene.actors[0], missing)]
    histograms = [np.histogram(f[..., c], bins=16, range=(0, 256))[0] for f in shown for c in range(3)]
    n = shown[0].size / 3
    for sounding, silent in zip(histograms[:3], histograms[3:], strict=True):
        assert np.abs(sounding - silent).sum() / n < 0.03


def actor_and_course(label, source, silent=""):
    scene = compose(spec(label, source, difficulty="easy", duration_s=6.0))
    actor, events = scene.actors[0], scene.of(scene.actors[0])
    return events, course(actor, events)


@pytest.mark.parametrize("label", ["bounce_bar", "hammer_bell", "pendulum_tin"])
def test_impact_is_the_speed_at_contact_and_soft_ones_come_to_rest(label):
    checked = {True: 0, False: 0}
    for source in "abcdefgh":
        events, known = actor_and_course(label, source)
        for event in events:
            at = event.factors["contact_s"]
            heights = known.height(np.asarray([at - 2e-4, at - 1e-4, at - 1e-7]))
            assert abs(heights[2]) < 1e-3
            speed = (heights[0] - heights[1]) / 1e-4
            if event.factors["soft"]:
                assert abs(speed) < 0.05
            else:
                assert speed == pytest.approx(2 * 0.5 * event.factors["impact"] / 0.2, rel=0.02)
            checked[event.factors["soft"]] += 1
    assert min(checked.values()) > 3


@pytest.mark.parametrize("label", each_class("mechanism", among=ONSETS))
def test_motion_never_goes_through_and_never_jumps(label):
    for source in "abcd":
        _, known = actor_and_course(label, source)
        times = np.arange(0.0, 6.0, 0.001)
        # Each foot has a course of its own; a hand passes its pegs without rising or stopping.
        for own in [known.pick(0, 2), known.pick(1, 2)] if label.startswith("step") else [known]:
            height, across, slide = own.height(times), own.across(times), own.slide(times)
            assert height.min() >= 0.0
            assert np.abs(np.diff(height)).max() < 0.02
            assert label.startswith("spin") or np.abs(np.diff(across)).max() < 0.05
            assert np.abs(slide).max() <= 1.0
            assert label.startswith("spin") or np.abs(np.diff(slide)).max() < 0.05


def test_slides_reach_the_right_stop_at_each_contact():
    for source in "abcd":
        events, known = actor_and_course("collide_tin", source)
        for k, event in enumerate(events):
            place = known.slide(np.asarray([event.factors["contact_s"]]))[0]
            assert place == pytest.approx(-1.0 if k % 2 == 0 else 1.0)


@pytest.mark.parametrize("label", ["scrape_rough", "bow_string", "wheel_reed"])
def test_strokes_touch_just_while_they_sound(label):
    scene = compose(spec(label, "d", difficulty="easy", duration_s=8.0))
    events = scene.of(scene.actors[0])
    for event in events:
        inside = event.factors["contact_s"] + np.linspace(0.02, 0.98, 9) * event.factors["whole_s"]
        assert np.all(lifted(events, inside) == (0.0 if event.audible else 1.0))
        path = to_and_fro(events, inside)
        assert np.all(np.diff(path) > 0) or np.all(np.diff(path) < 0)
        assert np.all(np.diff(turned(events, inside)) > 0)


def test_a_disc_is_painted_as_a_slow_loop_would():
    view = film(still(32, GREY, beyond=(0.1, 0.1)), np.asarray([[0.0, 0.0], [0.1, -0.05]]), np.asarray([1.0, 1.0]))
    view.at(0.4, 0.6, 0.5).paint(disc, WHITE, reach=0.3, x=np.asarray([0.0, 0.1]), y=0.05, r=0.25)
    for frame, (x, path) in enumerate(((0.0, (0.0, 0.0)), (0.1, (0.1, -0.05)))):
        for row in range(32):
            for column in range(32):
                u = (column + 0.5) / 32 - (0.4 + 0.5 * x - path[0])
                v = (row + 0.5) / 32 - (0.6 + 0.5 * 0.05 - path[1])
                cover = float(np.clip(0.5 - (np.hypot(u, v) - 0.125) * 32, 0.0, 1.0))
                want = 0.25 + cover * 0.75
                assert view.pixels[frame, row, column, 0] == pytest.approx(want, abs=0.006)


def test_the_camera_moves_and_enlarges_what_stands_still_and_what_moves_alike():
    path, zoom = np.asarray([[0.0, 0.0], [0.11, 0.07], [-0.05, 0.02]]), np.asarray([1.0, 1.3, 1.15])
    backdrop = still(64, GREY, beyond=(0.3, 0.3))
    backdrop.at(0.6, 0.4, 1.0).paint(box, WHITE, reach=0.2, hw=0.15, hh=0.1)
    standing = film(backdrop, path, zoom)
    moving = film(still(64, GREY, beyond=(0.3, 0.3)), path, zoom)
    moving.at(0.6, 0.4, 1.0).paint(box, WHITE, reach=0.2, hw=0.15, hh=0.1)
    # Edges of what was painted before zooming are a pixel softer.
    apart = np.abs(standing.pixels - moving.pixels)
    assert apart.mean() < 0.01
    assert apart[0].max() < 1e-5
    assert standing.pixels[1].mean() > standing.pixels[0].mean()


@pytest.mark.parametrize("zoom", [1.0, 1.25])
def test_what_lies_between_pixels_is_interpolated(zoom):
    """As SciPy does it; the last frame looks at whole pixels."""
    backdrop = still(16, GREY, beyond=(0.5, 0.5))
    backdrop.pixels[...] = np.random.default_rng(0).random(backdrop.pixels.shape, dtype=np.float32)
    path = np.asarray([[0.03, -0.11], [-0.14, 0.05], [0.0, 0.0]])
    found = film(backdrop, path, np.full(3, zoom)).pixels
    steps = (np.arange(16) + 0.5 - 8.0) / zoom - 0.5
    for frame, (across, down) in zip(found, path, strict=True):
        places = np.meshgrid(16.0 + down * 16 + steps, 16.0 + across * 16 + steps, indexing="ij")
        for channel in range(3):
            wanted = ndimage.map_coordinates(backdrop.pixels[0, :, :, channel], places, order=1)
            assert frame[:, :, channel] == pytest.approx(wanted, abs=1e-5)


def test_mirroring_turns_a_shape_round_its_own_origin():
    view = View(
        pixels=np.zeros((1, 32, 32, 3), dtype=np.float32),
        side_px=32,
        path=np.zeros((1, 2)),
        zoom=np.ones(1),
        centre_px=(16.0, 16.0),
    )
    view.at(0.5, 0.5, 1.0, mirror=-1).paint(box, WHITE, reach=0.2, x=0.2, hw=0.1, hh=0.05)
    bright = np.argwhere(view.pixels[0, :, :, 0] > 0.5)
    assert bright[:, 1].mean() / 31 == pytest.approx(0.3, abs=0.02)
    assert develop(view).max() == 255


def test_pictures_at_other_sizes_show_the_same_scene():
    small, large = (render_clip(spec("step_drum", pixels=pixels, difficulty="easy")).frames for pixels in (64, 128))
    halved = large.reshape(len(large), 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(halved.mean(axis=(1, 2)) - small.mean(axis=(1, 2))).max() < 6.0


def test_a_board_hides_what_is_behind_it_from_the_moment_that_the_list_says():
    for k in range(200):
        wanted = spec("hammer_bar", f"c{k}", duration_s=4.0)
        scene = compose(wanted)
        # One that stays, over a camera that does not zoom.
        if scene.covers and scene.covers[0].back_s > 4.0 and scene.camera.zoom[0] == scene.camera.zoom[1]:
            break
    cover, frames, times_s = scene.covers[0], frames_of(scene, wanted), frame_times(wanted)
    path, _ = camera_path(scene.camera, times_s)
    centre = np.clip(np.asarray([cover.x, cover.y]) - path, 0.1, 0.9) * 64
    spread = []
    for frame, (x, y) in zip(frames, centre.round().astype(int), strict=True):
        spread.append(frame[y - 4 : y + 4, x - 4 : x + 4].astype(float).std(axis=(0, 1)).mean())
    after = times_s > cover.from_s + cover.move_s
    # Nothing but sensor noise is left there: 2 % of 255.
    assert np.max(np.asarray(spread)[after]) < 9.0
    hidden = [event for event in scene.events if event.factors["where"] == "occluded"]
    assert all(event.factors["contact_s"] + 0.5 * event.duration_s > cover.from_s for event in hidden)


def test_near_things_are_in_front_of_far_ones():
    wanted = spec("scrape_rough", difficulty="easy", pixels=64)
    scene = compose(wanted)
    main = scene.actors[0]
    events = scene.of(main)
    twin = dataclasses.replace(main, name="b", tint=(0.05, 0.9, 0.05))
    theirs = tuple(dataclasses.replace(event, source="b") for event in events)

    def moved(distance_m):
        """Return how much another one in the same place changes of the picture, from so far."""
        actors = (main, dataclasses.replace(twin, distance_m=distance_m))
        both = frames_of(dataclasses.replace(scene, actors=actors, events=(*events, *theirs)), wanted)
        return np.abs(both.astype(int) - alone).mean()

    alone = frames_of(dataclasses.replace(scene, actors=(main,)), wanted)
    # Behind, it only shows through the soft edges.
    assert moved(main.distance_m + 10.0) < 0.3 * moved(main.distance_m - 0.5)


@pytest.mark.parametrize(
    "label", each_class("mechanism", among=[name for name in ONSETS if not name.startswith("spin")])
)
def test_what_is_missed_stands_visibly_apart(label):
    """The body of a look-alike that misses has been moved away by some pixels; what moves has not."""
    wanted = spec(label, difficulty="easy", pixels=96)
    scene = compose(wanted)
    missing = dataclasses.replace(scene.actors[0], silent="miss")
    plain, apart = (
        frames_of(dataclasses.replace(scene, actors=(actor,)), wanted).astype(int)
        for actor in (scene.actors[0], missing)
    )
    assert (np.abs(plain - apart).max(axis=-1) > 25).mean() > 0.003
