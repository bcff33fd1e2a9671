"""Rendering has the same bits on every processor: functions, products, whole clips, the published test set."""

import argparse
import ast
import functools
import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import foleybench
from foleybench.datasets.synthfoley import DATASET
from foleybench.synthesis.portable import angle, exponential, power, power32
from foleybench.synthesis.product import product
from foleybench.synthesis.splits import CorpusOptions
from foleybench.synthfoley import render_clip
from foleybench.synthfoley.splits import split_specs

PUBLISHED = Path(__file__).parents[2] / "shards/synthfoley/test.manifest.jsonl"
# NumPy's routines for AVX-512 and OpenBLAS's kernels are chosen when they are loaded.
NO_AVX512 = " ".join(
    name for name in np._core._multiarray_umath.__cpu_dispatch__ if name.startswith(("AVX512", "X86_V4"))
)
PROCESSORS = {
    "no AVX-512": {"NPY_DISABLE_CPU_FEATURES": NO_AVX512},
    "kernels for AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "kernels for AVX": {"OPENBLAS_CORETYPE": "Sandybridge"},
}
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the published bytes are those of x86-64 processors")


def options(*arguments):
    parser = argparse.ArgumentParser()
    DATASET.add_arguments(parser)
    return parser.parse_args(list(arguments))


@functools.cache
def hash_of_clips():
    """Return a hash of a clip of every class, before any encoding."""
    digest = hashlib.sha256()
    for spec in split_specs("test", CorpusOptions())[:27]:
        clip = render_clip(spec)
        digest.update(clip.frames.tobytes() + clip.audio.tobytes())
    return digest.hexdigest()


@on_x86
@pytest.mark.parametrize(
    "processor",  # the fast set takes the one that is another processor everywhere
    [pytest.param(name, marks=() if name == "kernels for AVX" else pytest.mark.slow) for name in PROCESSORS],
)
def test_clips_are_the_same_on_other_processors(processor):
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {Path(__file__).stem} as test"
    code += "; print(test.hash_of_clips())"
    environment = {**os.environ, **PROCESSORS[processor]}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hash_of_clips()


@on_x86
def test_clips_are_those_of_the_published_set():
    lines = [json.loads(line) for line in PUBLISHED.read_text().splitlines()[1:28]]
    published = {line["clip_id"]: (line["audio_sha256"], line["video_sha256"]) for line in lines}
    items = [item for item in DATASET.items(options("--splits", "test")) if item.clip_id in published]
    made = {}
    for item in items:
        sample = DATASET.make(item)
        made[item.clip_id] = hashlib.sha256(sample.flac).hexdigest(), hashlib.sha256(sample.mp4).hexdigest()
    assert made == published


def test_functions_are_right():
    rng = np.random.default_rng(0)
    base, exponent = rng.uniform(0, 5, (7, 1)), rng.normal(0, 2, (1, 9))
    np.testing.assert_allclose(power(base, exponent), base**exponent, rtol=1e-14)
    assert power(3, 2).shape == ()
    np.testing.assert_allclose(power32([0.0, 2.0, 5.0], 6), [0.0, 64.0, 15625.0], rtol=1e-7)
    assert power32([2.0], 0.07).dtype == np.float32
    np.testing.assert_allclose(exponential(np.array([-1.0, 0.0, 2.0])), [0.36787944117144233, 1.0, 7.38905609893065])
    v, u = rng.normal(size=(5, 1)).astype(np.float32), rng.normal(size=(1, 6)).astype(np.float32)
    np.testing.assert_allclose(angle(v, u), np.arctan2(v, u), rtol=3e-7)
    corners = np.array([0.0, 0.0, 1.0, -1.0], dtype=np.float32), np.array([0.0, -1.0, 0.0, 0.0], dtype=np.float32)
    np.testing.assert_allclose(angle(*corners), [0.0, np.pi, np.pi / 2, -np.pi / 2], rtol=1e-7)


@pytest.mark.parametrize("exponent", [6.0, -6.0, 0.11, -0.07, 1.0, 0.0])
def test_single_powers_are_those_of_the_c_library(exponent):
    k = np.arange(1, 40001, dtype=np.float32)
    for base in (
        k / np.float32(16000),
        np.float32(240.7) / k,
        k * k,
        np.array([0.0, 1.0, 2.0, 1e-30, 1e30], dtype=np.float32),
    ):
        found = power32(base, exponent)
        with np.errstate(all="ignore"):
            expected = [number ** np.float32(exponent) for number in base]
        assert found.tobytes() == np.array(expected, dtype=np.float32).tobytes()


def test_angles_have_the_bits_of_the_published_corpus():
    """Of all pairs of numbers of two sizes, and of points where one rule meets another; made beside glibc 2.36."""
    k = np.arange(-300, 301, dtype=np.float32)
    few = [0.0, -0.0, 1.0, -1.0, 0.4375, 0.6875, 1.1875, 2.4375, 2.0**25, -(2.0**26), 1e-30, -1e-30, 3e38, -3e38]
    few = np.array(few, dtype=np.float32)
    found = angle(few[:, None], few[None]), angle(k[:, None] / np.float32(7), k[None] * np.float32(0.375))
    assert hashlib.sha256(found[0].tobytes() + found[1].tobytes()).hexdigest()[:16] == "9258487616234bc6"
    np.testing.assert_array_max_ulp(found[0], np.arctan2(few[:, None], few[None]), maxulp=2)


@pytest.mark.parametrize("n", [1, 3, 4, 11, 12, 18, 29])
@pytest.mark.parametrize("n_terms", [2, 8, 14])
def test_a_product_is_right(n, n_terms):
    rng = np.random.default_rng(n)
    left, right = (rng.standard_normal((3, *shape)).astype(np.float32) for shape in ((n, n_terms), (n_terms, 128)))
    out = product(left, right)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, left.astype(float) @ right.astype(float), atol=3e-6)


def test_a_product_sums_in_the_order_of_the_published_corpus():
    """Terms of 1, 2**-24 ... tell the orders apart: alone, each small term is lost beside 1; two of them are not."""
    left = np.ones((1, 16, 8), dtype=np.float32)
    right = np.full((1, 8, 128), 2.0**-24, dtype=np.float32)
    right[0, 0] = 1.0
    out = product(left, right)[0]
    in_order, in_halves = 1.0, np.float32(1.0) + np.float32(4 * 2.0**-24)
    halves = np.zeros((16, 128), dtype=bool)
    halves[12:], halves[:6, :8], halves[:6, 120:] = True, True, True
    np.testing.assert_array_equal(out, np.where(halves, in_halves, np.float32(in_order)))


# Functions of NumPy whose bits depend on the processor, the C library or NumPy's version, and where they are taken.
_DIFFER = {"arccos", "arcsin", "arctan", "arctan2", "cosh", "dot", "einsum", "exp", "exp2", "expm1", "fft", "log"}
_DIFFER |= {"log10", "log1p", "log2", "matmul", "power", "sinh", "tan", "tensordot"}
_DRAWN = {"exponential", "gamma", "lognormal", "normal", "standard_exponential", "standard_gamma", "standard_normal"}
_ALLOWED = {
    ("portable.py", "power"),  # to tell which single number is nearest
    ("modes.py", "exp"),  # of complex numbers
    ("noise.py", "exp"),  # of complex numbers
    ("noise.py", "fft"),  # in double precision, then rounded to single
    ("room.py", "exp"),  # of float32: one routine for AVX2 and AVX-512
    ("contact_sheet.py", "log10"),  # a picture for people
    ("contact_sheet.py", "scipy.signal"),
    ("normal.py", "standard_normal of a dtype"),  # in single precision; its tail is computed again
    # Normal numbers in double precision; the tail (one in 4,000) takes the C library's logarithm.
    ("room.py", "standard_normal"),  # then rounded to single
    ("ladders.py", "standard_normal"),
    ("struck.py", "normal"),
    ("rubbed.py", "normal"),
}


def _is_other_library(name):
    return name.split(".")[0] == "scipy" or (name.startswith("numpy.") and name != "numpy.typing")


def _imported(node):
    """Return what an import or a string names of SciPy and NumPy, but for ``import numpy as np``."""
    if isinstance(node, ast.Import):
        renamed = {alias.name for alias in node.names if alias.name == "numpy" and alias.asname != "np"}
        return renamed | {alias.name for alias in node.names if _is_other_library(alias.name)}
    if isinstance(node, ast.ImportFrom):
        return {node.module} if node.module == "numpy" or _is_other_library(node.module or "") else set()
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return {text} if text.startswith("scipy") or _is_other_library(text) else set()


def _spread(call):
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def calls_whose_bits_differ(source):
    """Return names of functions and libraries; a draw that may be of single precision is "of a dtype"."""
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    in_double = {id(call.func) for call in calls if len(call.args) <= 1 and not call.keywords and not _spread(call)}
    found = set().union(*map(_imported, nodes))
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
            found |= {node.attr} & _DIFFER
        elif isinstance(node, ast.Attribute) and node.attr in _DRAWN:
            typed = node.attr.startswith("standard_") and id(node) not in in_double
            found.add(f"{node.attr} of a dtype" if typed else node.attr)
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            found.add("@")
    return found


def test_rendering_takes_no_function_whose_bits_differ():
    """A last bit of float64 rarely reaches a clip, so a few rendered clips would not show such a call."""
    found = set()
    for folder in ("synthesis", "synthfoley"):
        for path in (Path(foleybench.__file__).parent / folder).rglob("*.py"):
            found |= {(path.name, name) for name in calls_whose_bits_differ(path.read_text())}
    assert found == _ALLOWED


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import scipy.fft as sf", "scipy.fft"),
        ("from scipy import fft", "scipy"),
        ("importlib.import_module('scipy.fft')", "scipy.fft"),
        ("__import__('numpy.fft')", "numpy.fft"),
        ("from numpy.fft import irfft", "numpy.fft"),
        ("from numpy import exp", "numpy"),
        ("import numpy", "numpy"),
        ("np.fft.irfft(s)", "fft"),
        ("rng.standard_normal(3, 'float32')", "standard_normal of a dtype"),
        ("rng.standard_normal(3, np.float32)", "standard_normal of a dtype"),
        ("rng.standard_normal(3, dtype='float32')", "standard_normal of a dtype"),
        ("rng.standard_normal(dtype='f4')", "standard_normal of a dtype"),
        ("rng.standard_normal(*two)", "standard_normal of a dtype"),
        ("draw = rng.standard_normal; draw(3, 'f4')", "standard_normal of a dtype"),
        ("rng.standard_normal(3)", "standard_normal"),
        ("self.rng.normal(0.0, 1.0, 3)", "normal"),
        ("a @ b", "@"),
        ("a @= b", "@"),
    ],
)
def test_calls_whose_bits_differ_are_seen(source, name):
    assert calls_whose_bits_differ(source) == {name}


def test_calls_whose_bits_are_the_same_are_not_named():
    source = "import numpy as np\nimport numpy.typing as npt\nfrom math import exp\nexp(2)\nrng.uniform(3)\nnp.cos(1)"
    assert calls_whose_bits_differ(source) == set()
