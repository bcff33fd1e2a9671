"""Every way to make audio worse: right length, repeatable, nested, stronger means farther from the truth."""

import itertools

import numpy as np
import pytest
import soundfile

from foleybench.sanity.codec import opus
from foleybench.sanity.degradations import DEGRADATIONS, Sounds
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import FolderDataset, list_folder
from tests.made_media import click


@pytest.fixture
def sounds(clicks):
    data = ShardDataset(clicks)
    return Sounds(data, data.clip_ids, seed=3)


@pytest.fixture
def two_channels(tmp_path):
    """Five clips of two channels."""
    (tmp_path / "two").mkdir()
    for number in range(5):
        both = 0.2 * np.random.default_rng(number).standard_normal((2000, 2))
        soundfile.write(tmp_path / "two" / f"c{number}.wav", both, 8000, subtype="FLOAT")
    listed = list_folder(tmp_path / "two", dataset_name="two", home=tmp_path / "home")
    return FolderDataset(listed.manifest)


def error(sounds, key, level):
    made = [DEGRADATIONS[key].change(sounds, clip_id, level) for clip_id in sounds.clip_ids]
    owned = [sounds.own(clip_id)[0] for clip_id in sounds.clip_ids]
    assert [len(x) for x in made] == [len(x) for x in owned]
    assert all(x.dtype == np.float32 and np.isfinite(x).all() for x in made)
    return sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(made, owned, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(DEGRADATIONS))
def test_stronger_is_farther_from_the_truth(sounds, two_channels, key):
    if DEGRADATIONS[key].of_sides:
        sounds = Sounds(two_channels, two_channels.clip_ids, seed=3).one_side(1)
    errors = [error(sounds, key, level) for level in DEGRADATIONS[key].levels]
    assert errors[-1] > 0
    if key == "far_shift":
        return  # A curve of the chance level: beyond the nearest neighbour, later is not worse.
    # Where two clicks lie over each other by chance a later step can be a little nearer.
    assert all(after >= 0.7 * before for before, after in itertools.pairwise(errors)), errors
    assert errors[-1] > errors[0] or key in {"shift", "clipping"}
    assert error(sounds, key, DEGRADATIONS[key].levels[0]) == errors[0]


def test_swaps_are_nested_and_of_another_class(sounds):
    few, many = set(sounds.chosen("x", 30)), set(sounds.chosen("x", 70))
    assert few < many
    assert len(many) == 4
    for clip_id in sounds.clip_ids:
        assert sounds._labels[sounds.other_class(clip_id)] != sounds._labels[clip_id]


def test_shuffling_keeps_the_set_of_sounds(sounds):
    change = DEGRADATIONS["shuffled"].change
    made = sorted(change(sounds, clip_id, 100).tobytes() for clip_id in sounds.clip_ids)
    owned = sorted(sounds.own(clip_id)[0].tobytes() for clip_id in sounds.clip_ids)
    assert made == owned
    assert all((change(sounds, c, 100) != sounds.own(c)[0]).any() for c in sounds.clip_ids)


def test_narrowed_ends_in_the_mean_and_exchanged_in_the_other_side(two_channels):
    mixed = Sounds(two_channels, two_channels.clip_ids, seed=3)
    right = mixed.one_side(1)
    for clip_id in right.clip_ids:
        samples = two_channels.sides(clip_id)
        np.testing.assert_array_equal(right.own(clip_id)[0], samples[1])
        np.testing.assert_allclose(mixed.own(clip_id)[0], samples.mean(axis=0), atol=1e-7)
        narrowed = [DEGRADATIONS["narrowed"].change(right, clip_id, percent) for percent in (50, 100)]
        np.testing.assert_allclose(narrowed[0], 0.25 * samples[0] + 0.75 * samples[1], atol=1e-6)
        np.testing.assert_allclose(narrowed[1], samples.mean(axis=0), atol=1e-6)
        np.testing.assert_array_equal(DEGRADATIONS["sides_swapped"].change(right, clip_id, 100), samples[0])


def test_a_change_of_what_was_read_changes_no_later_reading(two_channels):
    """Clips are kept between readings, so a degradation that writes into its array must not reach the next."""
    left = Sounds(two_channels, two_channels.clip_ids, seed=3).one_side(0)
    first = left.own("c0")[0]
    before = first.copy()
    first[:] = 0.0
    np.testing.assert_array_equal(left.own("c0")[0], before)


def test_audio_of_one_channel_has_no_other_side(clicks):
    data = ShardDataset(clicks)
    clip_id = data.clip_ids[0]
    left = Sounds(data, data.clip_ids, seed=3).one_side(0)
    for key in ("narrowed", "sides_swapped"):
        np.testing.assert_array_equal(DEGRADATIONS[key].change(left, clip_id, 100), left.mixed(clip_id))


def test_noise_has_the_asked_level_and_the_low_pass_cuts(sounds):
    own, rate_hz = sounds.own(sounds.clip_ids[0])
    added = DEGRADATIONS["noise"].change(sounds, sounds.clip_ids[0], 10) - own
    assert 10 * np.log10(np.square(own).mean() / np.square(added).mean()) == pytest.approx(10, abs=0.2)
    power = np.abs(np.fft.rfft(DEGRADATIONS["low_pass"].change(sounds, sounds.clip_ids[0], 300))) ** 2
    assert power[np.fft.rfftfreq(len(own), 1 / rate_hz) > 310].sum() < 1e-6 * power.sum()


def test_overdrive_cuts_at_full_scale_whatever_the_level_of_before(sounds):
    own, _ = sounds.own(sounds.clip_ids[0])
    for level in DEGRADATIONS["overdrive"].levels:
        made = DEGRADATIONS["overdrive"].change(sounds, sounds.clip_ids[0], level)
        beyond = np.abs(own) >= np.abs(own).max() * 10 ** (-level / 20)
        assert np.abs(made).max() == 1.0
        np.testing.assert_array_equal(np.abs(made) > 0.999999, beyond)


@pytest.mark.parametrize("kbps", [64, 12, 6])
def test_opus_keeps_time(kbps):
    sound = sum(click(at, 2.0, level=0.4) for at in (0.4, 1.1))
    found = opus(sound, 16000, kbps)
    lags = np.fft.irfft(np.fft.rfft(found) * np.conj(np.fft.rfft(sound)))
    lag = int(np.argmax(lags))
    assert min(lag, len(sound) - lag) < 80  # 5 ms
    assert (opus(sound, 16000, kbps) == found).all()
    with pytest.raises(ValueError, match="Opus has no 3"):
        opus(sound, 16000, 3)
    assert len(opus(sound[:0], 16000, 12)) == 0
