"""``foleybench doctor``: what works on this machine, what is missing."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING

from foleybench import registry
from foleybench.errors import EXIT_ERROR, EXIT_OK, FoleyError, WeightsMissingError

if TYPE_CHECKING:
    from foleybench.scoring.weights_catalogue import WeightsFile

HELP = "say what works on this machine and what is missing"
EXAMPLE = "foleybench doctor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb has no options."""


def run(args: argparse.Namespace) -> int:
    """Print a line for each check; 1 when a basic part does not work."""
    import torch

    from foleybench.runtime.provenance import package_versions
    from foleybench.scoring.weights_catalogue import weights_files

    lines = [f"{name} {version}" for name, version in package_versions().items()]
    lines += _what_decides_bytes()
    lines.append(f"cores {os.cpu_count()}, torch threads {torch.get_num_threads()}")
    lines.append(f"GPU: {torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'none, and none is needed'}")
    encode = _check_video()
    lines.append(f"video encoding and decoding: {encode or 'works'}")
    lines.append(f"ffmpeg on PATH (yt-dlp needs it for ranges): {'yes' if shutil.which('ffmpeg') else 'no'}")
    lines += [f"weights {_weights_state(file)}" for file in weights_files()]
    lines += [f"protocol {name}: {_protocol_state(name)}" for name in registry.names("protocols")]
    sys.stdout.write("\n".join(lines) + "\n")
    return EXIT_ERROR if encode else EXIT_OK


def _what_decides_bytes() -> list[str]:
    """Return what else decides a clip's bytes, for those whom ``prepare`` told that theirs are not those published."""
    import torch

    from foleybench.prepare.tool_versions import tool_versions

    tools = tool_versions()
    return [
        f"libavcodec {tools['libavcodec']}, libsndfile {tools['libsndfile']}",
        f"processor {platform.machine()} ({torch.backends.cpu.get_cpu_capability()}), "
        f"C library {' '.join(platform.libc_ver()) or 'unknown'}",
    ]


def _check_video() -> str:
    import numpy as np

    from foleybench.media.read import decode_mp4, encode_mp4

    try:
        frames, _ = decode_mp4(encode_mp4(np.zeros((3, 32, 32, 3), dtype=np.uint8), 25.0))
    except FoleyError as error:
        return str(error)
    return "" if len(frames) == 3 else f"3 frames became {len(frames)}"


def _weights_state(file: WeightsFile) -> str:
    from foleybench.api.weights import require
    from foleybench.scoring.weights_catalogue import size_text

    state = "here"
    try:
        require(file.encoders[0], file.weights)
    except WeightsMissingError:
        state = "absent"
    except FoleyError as error:
        state = f"wrong: {error}"
    return f"{file.weights.filename}: {state} ({size_text(file.weights)}, {file.weights.licence})"


def _protocol_state(name: str) -> str:
    from foleybench.api.weights import require
    from foleybench.scoring.weights_catalogue import encoders_of_protocol

    fetched: dict[str, str] = {}
    made: set[str] = set()
    for encoder in sorted(encoders_of_protocol(name)):
        weights = registry.load("encoders", encoder).weights
        try:
            _ = require(encoder, weights) if weights else None
        except FoleyError:
            if weights.made_by:
                made.add(weights.made_by)
            else:
                fetched.setdefault(weights.filename, encoder)
    commands = [f"foleybench weights fetch {' '.join(sorted(fetched.values()))}"] if fetched else []
    commands += sorted(made)
    return f"needs {' and '.join(f'`{command}`' for command in commands)}" if commands else "ready"
