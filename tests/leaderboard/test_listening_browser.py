"""The listening page in a real browser: what people press is what they hear."""

import numpy as np
import pytest

from foleybench.leaderboard.report import ReportRequest, make_report
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset
from tests.leaderboard.browser import NEEDS_BROWSER

CLIP_S = 5.0

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def listening(make_clicks, tmp_path_factory):
    """Three clips, the real audio, a late one, noise, and a system without audio for the first clip."""
    home = tmp_path_factory.mktemp("listening")
    clicks = make_clicks(home / "data", 3, duration_s=CLIP_S)
    data = ShardDataset(clicks)
    draw = np.random.default_rng(0)
    audio = {name: home / name for name in ("late", "noise", "holes")}
    request = ReportRequest(data=clicks, audio=audio, n_clips=3, seed=1)
    shown = make_ids(request, data, home, draw)
    path = home / "report.html"
    path.write_text(make_report(request).html, encoding="utf-8")
    return path, shown


def make_ids(request, data, home, draw):
    from foleybench.pages.template import choose_clips

    shown = choose_clips(data.clip_ids, request.n_clips, request.seed)
    for clip_id in shown:
        audio = data.load(clip_id, video=False).audio
        write_wav(home / "late" / f"{clip_id}.wav", np.roll(audio, 3200), 16000)
        write_wav(home / "noise" / f"{clip_id}.wav", draw.normal(0, 0.1, len(audio)).astype(np.float32), 16000)
        if clip_id != shown[0]:
            write_wav(home / "holes" / f"{clip_id}.wav", audio, 16000)
    (home / "holes").mkdir(exist_ok=True)
    return shown


VISIBLE = ".clip:not([hidden])"


def media(tab):
    return tab.evaluate(
        f"""[...document.querySelectorAll('{VISIBLE} video, {VISIBLE} audio')].map(m => ({{
        tag: m.tagName, at: m.currentTime, paused: m.paused, muted: m.muted,
        name: m.closest('.track')?.dataset.name ?? null }}))"""
    )


def heard(tab):
    return [m["name"] for m in media(tab) if m["tag"] == "AUDIO" and not m["muted"]]


def wait_until(tab, at_s):
    tab.wait_for_function(f"document.querySelector('{VISIBLE} video').currentTime > {at_s}")


def test_keys_switch_the_sound_at_the_same_instant(visit, listening):
    tab = visit(listening[0])
    assert heard(tab) == ["real audio"]
    tab.keyboard.press(" ")
    wait_until(tab, 0.2)
    for key, name in (("2", "late"), ("3", "noise"), ("1", "real audio")):
        before = media(tab)[0]["at"]
        tab.keyboard.press(key)
        assert heard(tab) == [name]
        assert media(tab)[0]["at"] >= before  # goes on, does not start again
        assert not any(m["paused"] for m in media(tab))
    tab.keyboard.press(" ")
    assert all(m["paused"] for m in media(tab))


def test_every_sound_runs_on_the_clock_of_the_picture(visit, listening):
    tab = visit(listening[0])
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press(" ")
    wait_until(tab, 0.5)
    spreads = []
    while media(tab)[0]["at"] < 4.0:
        times = [m["at"] for m in media(tab)]
        assert len(times) == 5
        spreads.append(max(times) - min(times))
    assert len(spreads) > 5
    # Measured 0.016 s with eight times as many processes as cores; a busy machine may stumble, and then catches up.
    assert np.median(spreads) < 0.06
    left = tab.evaluate(f"parseFloat(document.querySelector('{VISIBLE} .playhead').style.left)")
    assert left == pytest.approx(100 * media(tab)[0]["at"] / CLIP_S, abs=8)


FAKE_STAGE = """async (at) => {
    let tick;
    window.requestAnimationFrame = (next) => { tick = next; };
    const make = (muted) => ({ currentTime: 1, paused: true, ended: false, error: null, seeking: false,
        readyState: 4, muted, playbackRate: 1,
        async play() { this.paused = false; }, pause() { this.paused = true; } });
    const video = make(true), audios = [make(true), make(false)];
    const stage = { video: () => video, audios: () => audios, clock: () => video, duration: () => 9 };
    await makePlayback({ ...stage, onTime() {}, onPlaying() {} }).play();
    const read = () => [video, ...audios].map((one) => [one.currentTime, one.playbackRate]);
    const rows = [];
    for (const [times, change] of at) {
        [video, ...audios].forEach((one, i) => { one.currentTime = times[i]; Object.assign(one, (change || {})[i]); });
        tick();
        rows.push(read());
    }
    return rows;
}"""


def test_what_is_heard_keeps_its_rate_and_the_rest_follows_it(visit, listening):
    """Times of video, muted track, heard track; then the heard one waits for data or ends, and the video leads."""
    steps = [
        ([2.0, 2.0, 2.0], None),
        ([2.03, 1.97, 2.0], None),
        ([2.5, 2.103, 2.1], None),
        ([3.0, 3.2, 2.9], {"2": {"readyState": 2}}),
        ([3.5, 3.7, 2.9], {"2": {"readyState": 4, "paused": True}}),
        ([4.0, 4.2, 2.9], {"2": {"paused": False, "ended": True}}),
    ]
    rows = visit(listening[0]).evaluate(FAKE_STAGE, steps)
    assert rows[0] == [[2.0, 1], [2.0, 1], [2.0, 1]]
    assert [rate for _, rate in rows[1]] == pytest.approx([0.9, 1.1, 1.0])
    assert rows[2] == [[2.1, 1], [2.103, 1], [2.1, 1]]  # far ahead: jumps back
    assert [row[0] for row in rows[3:]] == [[3.0, 1], [3.5, 1], [4.0, 1]]
    assert [row[1] for row in rows[3:]] == [[at, pytest.approx(0.6)] for at in (3.2, 3.7, 4.2)]


def test_playing_ends_and_starts_again(visit, listening):
    tab = visit(listening[0], fragment=f"#clip={listening[1][0]}&track=0&t=4.5")
    tab.keyboard.press(" ")
    tab.wait_for_function(f"document.querySelector('{VISIBLE} video').ended")
    tab.wait_for_function(f"document.querySelector('{VISIBLE} .play').textContent === 'Play'")
    tab.keyboard.press(" ")
    tab.wait_for_function(f"document.querySelector('{VISIBLE} video').currentTime < 1")


def test_click_on_a_spectrogram_seeks(visit, listening):
    tab = visit(listening[0])
    lane = tab.locator(f"{VISIBLE} .track[data-name=noise] .lane")
    box = lane.bounding_box()
    lane.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    assert heard(tab) == ["noise"]
    assert [m["at"] for m in media(tab)] == pytest.approx([CLIP_S / 2] * 4, abs=0.02)


def test_missing_sound_is_said_and_cannot_be_chosen(visit, listening):
    tab = visit(listening[0])
    assert "no file for this clip" in tab.locator(f"{VISIBLE} .track[data-name=holes]").inner_text()
    tab.keyboard.press("4")
    assert heard(tab) == ["real audio"]
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("4")
    assert heard(tab) == ["holes"]
    tab.keyboard.press("ArrowLeft")
    assert len(heard(tab)) == 1  # falls back to a track that is there


def test_blind_hides_names_and_shuffles(visit, listening):
    tab = visit(listening[0])
    names = f"{VISIBLE} .track .name"
    tab.keyboard.press("b")
    assert tab.locator(names).all_inner_texts() == ["Audio 1", "Audio 2", "Audio 3", "Audio 4"]
    for attribute in ("real audio", "late", "noise"):
        assert attribute not in tab.locator("body").inner_text()
    assert tab.locator(f"{VISIBLE} .ticks").first.is_hidden()
    tab.keyboard.press("2")
    order = tab.eval_on_selector_all(f"{VISIBLE} .track", "found => found.map(t => t.dataset.name)")
    assert heard(tab) == [order[1]] or order[1] == "holes"
    tab.keyboard.press("b")
    assert tab.locator(names).all_inner_texts() == ["real audio", "late", "noise", "holes"]


def test_state_is_in_the_address(visit, listening):
    path, shown = listening
    tab = visit(path)
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("3")
    # Not tab.url, which hears of a changed address a little later.
    assert f"clip={shown[1]}&track=2" in tab.evaluate("location.hash")
    again = visit(path, fragment=f"#clip={shown[2]}&track=1&t=0.50&blind=7")
    assert again.locator(VISIBLE).get_attribute("data-id") == shown[2]
    assert heard(again) == ["late"]
    assert media(again)[0]["at"] == pytest.approx(0.5, abs=0.02)
    assert again.locator("body.is-blind").count() == 1
    order = "found => found.map(t => t.dataset.name)"
    third = visit(path, fragment=f"#clip={shown[2]}&blind=7")
    orders = [t.eval_on_selector_all(f"{VISIBLE} .track", order) for t in (again, third)]
    assert orders[0] == orders[1]


@pytest.mark.parametrize("fragment", ["#clip=nowhere&track=99&t=-5", "#t=NaN&blind=x", "#%%%"])
def test_nonsense_in_the_address(visit, listening, fragment):
    path, shown = listening
    tab = visit(path, fragment=fragment)
    assert tab.locator(VISIBLE).get_attribute("data-id") == shown[0]
    assert heard(tab) == ["real audio"]


def test_a_phone_shows_no_keys_and_no_broken_words(visit, listening):
    tab = visit(listening[0], has_touch=True, is_mobile=True)
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.locator(f"{VISIBLE} .keys").is_hidden()
    assert tab.locator(f"{VISIBLE} .pick kbd").first.is_hidden()
    assert tab.locator(f"{VISIBLE} .play").is_visible()
    assert visit(listening[0]).locator(f"{VISIBLE} .keys").is_visible()


def test_an_address_can_name_the_system(visit, listening):
    tab = visit(listening[0], fragment="#system=noise")
    assert heard(tab) == ["noise"]


def test_the_listening_page_fits_narrow_screens(visit, listening):
    tab = visit(listening[0], color_scheme="dark")
    for width in (390, 800, 1280):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
