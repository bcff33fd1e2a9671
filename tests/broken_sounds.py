"""Sounds broken in every way that `eval --audio` names, one way a file."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.made_faults import with_gap
from tests.made_media import write_video

RATE_HZ, SECONDS = 16000, 2.0


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _with_sample(value: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        samples = np.full(round(SECONDS * RATE_HZ), 0.1, dtype=np.float32)
        samples[777] = value
        soundfile.write(path, samples, RATE_HZ, subtype="FLOAT", format="WAV")

    return write


def _read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path) -> None:
    path.unlink()
    home = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 107 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(home)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere.wav"))


def _jump(path: Path) -> None:
    """The next sample comes after eleven days."""
    whole = write_video(path.with_suffix(".mka.tmp.mka"), None, audio=_read(path), rate_hz=RATE_HZ, audio_codec="flac")
    with_gap(whole, path.with_suffix(".mka"), 1e6, after_s=1.0)
    whole.unlink()
    path.unlink()


def _adts(path: Path) -> None:
    write_video(path.with_suffix(".aac"), None, audio=_read(path), rate_hz=RATE_HZ, audio_codec="aac")
    path.unlink()


def _flac_bit(path: Path) -> None:
    soundfile.write(path.with_suffix(".flac"), _read(path), RATE_HZ, subtype="PCM_16")
    path.unlink()
    data = bytearray(path.with_suffix(".flac").read_bytes())
    data[len(data) // 2] ^= 4
    path.with_suffix(".flac").write_bytes(bytes(data))


def _stereo(path: Path) -> None:
    audio = _read(path)
    soundfile.write(path, np.stack([audio, -audio], axis=1), RATE_HZ, subtype="PCM_16")


WAYS: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: path.unlink(),
    "empty file": lambda path: path.write_bytes(b"") and None,
    "header only": lambda path: _rewrite(path, lambda data: data[:30]),
    "text": lambda path: _rewrite(path, lambda data: b"<html>404</html>"),
    "garbled header": lambda path: _rewrite(path, lambda data: b"\0" * 44 + data[44:]),
    "NaN": _with_sample(np.nan),
    "infinite": _with_sample(np.inf),
    "1e38": _with_sample(1e38),
    "integers as floats": _with_sample(32767.0),
    "unknown codec": lambda path: _rewrite(path, lambda data: data[:20] + b"\xee\xee" + data[22:]),
    "absurd rate": lambda path: _rewrite(path, lambda data: data[:24] + b"\xff\xff\xff\x7f" + data[28:]),
    "no samples": lambda path: soundfile.write(path, np.zeros(0), RATE_HZ, subtype="PCM_16", format="WAV"),
    "cut": lambda path: _rewrite(path, lambda data: data[: len(data) // 2]),
    "short": lambda path: soundfile.write(path, _read(path)[:RATE_HZ], RATE_HZ, subtype="PCM_16"),
    "silent": lambda path: soundfile.write(path, 0 * _read(path), RATE_HZ, subtype="PCM_16"),
    "channels that cancel": _stereo,
    "a folder": _folder,
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": _device,
    "a link to nowhere": _nowhere,
    "a jump of eleven days": _jump,
    "ADTS": _adts,
    "a bit of a FLAC": _flac_bit,
}
# What is scored all the same; the others are not.
SCORED = frozenset({"cut", "short", "silent", "channels that cancel", "a jump of eleven days", "ADTS"})


def make_folder(folder: Path, sounds: dict[str, np.ndarray], *, every: int = 20) -> dict[str, str]:
    """Write the sounds and break one in so many; return clip id -> way in which it is broken."""
    folder.mkdir(parents=True)
    names, broken = list(WAYS), {}
    for index, (clip_id, audio) in enumerate(sounds.items()):
        path = folder / f"{clip_id}.wav"
        soundfile.write(path, audio, RATE_HZ, subtype="PCM_16")
        if index % every == every // 2:
            broken[clip_id] = names[(index // every) % len(names)]
            WAYS[broken[clip_id]](path)
    return broken
