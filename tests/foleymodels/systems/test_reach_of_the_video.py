"""How far pixels reach: from the frames of a video to what systems read of it, and to the codes they would write."""

import numpy as np
import pytest
import torch

from foleybench.clips import Clip
from foleymodels._alignment.network import Alignment
from foleymodels._codecs.codec import ResidualCodec
from foleymodels._parts.causal import Memory
from foleymodels._parts.settings import field_names, flat, of_size, replaced
from foleymodels._systems.features import clip_conditions
from foleymodels.foleygen.system import FoleyGenSettings, FoleyGenWriter
from foleymodels.vab.network import Vab, VabSettings
from tests.foleymodels.small import SMALL_SYSTEM

N_FRAMES, SWAPPED = 50, 35  # 2 s at 25 frames a second; frames 35 and 36 change places
WIDTH, N_TOKENS = 16, 62
# A feature has six frames to each side in it.
REACH = 6
NOISE = 1e-4


def settings_of(kind, **changed):
    """Small networks, one window of 2.08 s at least."""
    plain = of_size(kind, "tiny")
    kinds = {key: type(value) for key, value in flat(plain).items()}
    known = {key: kinds[key](text) for key, text in SMALL_SYSTEM.items() if key in field_names(kind)}
    return replaced(plain, **{**known, "window_s": 4.0, "net_crop_s": 2.08, **changed})


def video():
    return np.random.default_rng(0).integers(0, 255, (N_FRAMES, 64, 64, 3)).astype(np.uint8)


def with_two_frames_exchanged():
    """Mean picture and strength of motion stay, so that only what is near in time can tell."""
    frames = video()
    frames[[SWAPPED, SWAPPED + 1]] = frames[[SWAPPED + 1, SWAPPED]]
    return frames


def with_a_dark_end():
    frames = video()
    frames[SWAPPED:] //= 4
    return frames


def conditions(frames, settings):
    """Features of every token, from pixels, by a network with random weights."""
    torch.manual_seed(0)
    alignment = Alignment(settings.signal, settings.alignment).eval()
    times_s = np.arange(N_FRAMES) / 25.0
    clip = Clip(
        clip_id="a", source_id="a", label="", split="test", duration_s=2.0, frames=frames, frame_times_s=times_s,
        audio=None, rate_hz=16000,
    )  # fmt: skip
    with torch.no_grad():
        return clip_conditions({"alignment": alignment}, settings, "cpu")([clip], N_TOKENS)


def moved(first, second):
    """Tokens whose features differ."""
    return ((first - second).abs().amax((0, 2)) > NOISE).nonzero()[:, 0]


def test_the_video_feature_reaches_six_frames_and_the_audio_plan_the_whole_clip():
    settings = settings_of(VabSettings)
    plain, other = (conditions(frames, settings) for frames in (video(), with_two_frames_exchanged()))
    # A token lies between the middles of two frames and has something of both.
    between = (torch.arange(N_TOKENS) + 0.5) / 31.25 * 25.0 - 0.5
    reached = (between > SWAPPED - REACH - 1) & (between < SWAPPED + 1 + REACH + 1)
    assert torch.equal(moved(plain[..., :WIDTH], other[..., :WIDTH]), reached.nonzero()[:, 0])
    assert len(moved(plain[..., WIDTH:], other[..., WIDTH:])) == N_TOKENS


def test_a_later_mean_picture_is_in_every_video_feature():
    settings = settings_of(VabSettings)
    plain, other = (conditions(frames, settings) for frames in (video(), with_a_dark_end()))
    assert len(moved(plain[..., :WIDTH], other[..., :WIDTH])) == N_TOKENS


def first_step_that_differs(frames, **changed):
    """First step at which FoleyGen's core says other probabilities for another video, the codes before being equal."""
    settings = settings_of(FoleyGenSettings, **changed)
    plain, other = (conditions(one, settings)[..., :WIDTH] for one in (video(), frames))
    torch.manual_seed(1)
    codec = ResidualCodec(settings.codec, settings.signal.mel)
    writer = FoleyGenWriter(settings, WIDTH, codec).eval()
    writer.scale.measure(plain[0])
    codes = torch.randint(0, codec.n_codes, (1, N_TOKENS, codec.levels), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        memories = [writer.memory(features, torch.zeros(1, dtype=torch.bool)) for features in (plain, other)]
        visible = writer.visible(N_TOKENS, N_FRAMES)
        first, second = (writer(codes, Memory(memory, None, visible)) for memory in memories)
    return int(((first - second).abs().amax((0, 2, 3)) > NOISE).nonzero()[0])


@pytest.mark.parametrize("mask", ["causal", "frame"])
def test_a_mask_of_frames_hides_later_pixels_but_six_frames_and_the_mean_picture(mask):
    """The first step that differs is that of frame 29, six before the exchange."""
    step = first_step_that_differs(with_two_frames_exchanged(), visual_mask=mask)
    assert step == 36
    assert int((step + 0.5) / 31.25 * 25.0) == SWAPPED - REACH
    assert first_step_that_differs(with_a_dark_end(), visual_mask=mask) == 0


def test_all_frames_are_seen_from_the_first_step_on():
    assert first_step_that_differs(with_two_frames_exchanged(), visual_mask="all") == 0


def test_one_feature_a_second_tells_of_frames_a_second_away():
    """VAB's prefix has the audio plan in it: its first vector, of 0.5 s, changes with frames at 1.4 s."""
    settings = settings_of(VabSettings)
    torch.manual_seed(1)
    network = Vab(settings, ResidualCodec(settings.codec, settings.signal.mel), 2 * WIDTH).eval()
    kept = torch.zeros(1, dtype=torch.bool)
    with torch.no_grad():
        plain, other = (
            network.frames(conditions(frames, settings), kept) for frames in (video(), with_two_frames_exchanged())
        )
    assert plain.shape[1] == 2
    assert (plain - other)[0, 0].abs().max() > NOISE
