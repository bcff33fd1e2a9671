"""Every measured ratio in one run, with what the machine can do beside it: one table a part, by the part's own command.

    python benchmarks/ratios.py --peers PEERS --before CHECKOUT

``--peers`` has checkouts of the peers' repositories (``owner+name``), ``--before`` is a checkout of an earlier state of
this one, which takes its turn where a part can time it. A part that lacks what it needs is named and left out. Each
part is kept in ``--state`` as soon as it is there, so a run that was stopped goes on; ``--only`` makes some of them
(again). Parts run one after the other on one thread, and nearly all count CPU seconds (each says what it counts); the
load of the machine and the rate of a large product of matrices, both at the start of a part, stand below it. A part
that fails is named, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np

HERE = Path(__file__).resolve().parent
SIDE = 1536


class Part(NamedTuple):
    """One table.

    Attributes:
        title: Heading.
        words: Its command after ``python benchmarks/``; ``{peers}`` and the like stand for options of this command.
        against: Options that are added where they are given.
    """

    title: str
    words: str
    against: tuple[str, ...] = ()


PARTS = {
    "roofline": Part("What the machine can do", "roofline.py"),
    "frechet": Part("Fréchet distance", "frechet_speed.py --dims 768 2048 --rounds 2"),
    "kad": Part("Kernel audio distance against kadtk", "kad_speed.py --peers {peers} --rounds 2"),
    "cache": Part(
        "Evaluation from cached features against av-benchmark", "cache_speed.py --peers {peers} --rounds 2", ("before",)
    ),
    "growth": Part("Growth with the number of clips", "growth.py"),
    "signal": Part("`eval` under `signal`, cold and warm", "eval_signal.py --clips 150", ("before",)),
    "decode": Part("Decoding and resampling once", "decode_once.py --clips 20"),
    "passt": Part("PaSST against its package", "passt_speed.py --clips 2 --rounds 3"),
    "vggish": Part("Where the time of VGGish goes", "vggish_limit.py"),
    "vggish_fad": Part(
        "VGGish FAD against frechet-audio-distance",
        "vggish_fad.py --peer-python {peer_python} --torchvggish {torchvggish} --clips 60 --rounds 1 --jobs 1",
    ),
    "train": Part("A training step of the alignment stage", "train_step.py --rounds 2", ("before",)),
    "generation": Part("Generation", "generation_speed.py --checkpoint {checkpoint} --data {data}"),
    "synthfoley": Part("Rendering of SynthFoley", "synthfoley_speed.py --clips 2"),
    "prepare": Part("Normalising against the FFmpeg command line", "prepare_speed.py {media} --limit 6 --rounds 2"),
}
OPTIONS = {
    "peers": "checkouts of the peers' repositories",
    "before": "a checkout of an earlier state of this repository",
    "peer_python": "a Python with frechet-audio-distance",
    "torchvggish": "a checkout of harritaylor/torchvggish",
    "checkpoint": "a trained foleyflow",
    "data": "a prepared split for it",
    "media": "a folder of real clips",
}


def lacking(part: Part, given: dict[str, str]) -> list[str]:
    """Return the options that a part needs and that were not given."""
    return [name for name in OPTIONS if "{" + name + "}" in part.words and name not in given]


def words_of(part: Part, given: dict[str, str]) -> list[str]:
    """Return the part's command."""
    more = [word for name in part.against if name in given for word in (f"--{name}", given[name])]
    return [word.format(**given) for word in part.words.split()] + more


def rate() -> float:
    """Return the GFLOP a CPU second of a product of float64 matrices: the better of two."""
    square, taken = np.random.default_rng(0).standard_normal((SIDE, SIDE)), []
    for _ in range(3):
        began = time.process_time()
        np.matmul(square, square)
        taken.append(time.process_time() - began)
    return 2e-9 * SIDE**3 / min(taken[1:])


def run(part: Part, given: dict[str, str]) -> str:
    """Run a part; return its section.

    Raises:
        subprocess.CalledProcessError: It failed; what it said stands on standard error.
    """
    load, before, began = os.getloadavg()[0], rate(), time.monotonic()
    words = words_of(part, given)
    done = subprocess.run(
        [sys.executable, str(HERE / words[0]), *words[1:]],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    took = f"{time.monotonic() - began:.0f} s by the clock"
    places = {name: name.upper() for name in OPTIONS}
    shown = " ".join([part.words.format(**places), *(f"--{name} CHECKOUT" for name in part.against if name in given)])
    told = f"Load {load:.1f} on {os.cpu_count()} processors, {before:.0f} GFLOP/s in a float64 product, {took}."
    return f"## {part.title}\n\n`OMP_NUM_THREADS=1 python benchmarks/{shown}`. {told}\n\n{done.stdout.strip()}\n"


def page(sections: dict[str, str], given: dict[str, str]) -> str:
    """Return the whole page from the sections that are there, and why the others are not."""
    told = "Made by `python benchmarks/ratios.py`, each by its own command, on one thread. Targets: `speed.md`."
    out = [f"# Speed: ratios, and what the machine can do\n\n{told}\n"]
    out += [sections[name] for name in PARTS if name in sections]
    for name, part in PARTS.items():
        if name not in sections:
            needs = ", ".join(f"--{option.replace('_', '-')}" for option in lacking(part, given))
            out.append(f"Not made: {part.title} ({'needs ' + needs if needs else 'not run'}).\n")
    return "\n".join(out)


def main() -> None:
    """Run what is not there yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="PATH", help=text)
    only = "make these parts, whether they are there or not; without a name just write the page"
    parser.add_argument("--only", nargs="*", choices=PARTS, metavar="PART", help=f"{only} ({', '.join(PARTS)})")
    parser.add_argument(
        "--state", type=Path, default=Path("out/ratios"), help="where parts are kept (default: out/ratios)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page here (default: print it)")
    args = parser.parse_args()
    given = {name: str(Path(value).absolute()) for name in OPTIONS if (value := getattr(args, name))}
    args.state.mkdir(parents=True, exist_ok=True)
    for name, part in PARTS.items():
        kept = args.state / f"{name}.md"
        wanted = not kept.is_file() if args.only is None else name in args.only
        if wanted and not lacking(part, given):
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                kept.write_text(run(part, given), encoding="utf-8")
            except subprocess.CalledProcessError as error:
                print(f"{name} failed with exit code {error.returncode}", file=sys.stderr, flush=True)
    sections = {
        name: path.read_text(encoding="utf-8") for name in PARTS if (path := args.state / f"{name}.md").is_file()
    }
    text = page(sections, given)
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
