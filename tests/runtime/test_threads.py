"""One thread for torch and for every BLAS, and afterwards as many as before."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits

from foleybench.runtime.threads import one_thread


def blas_threads():
    assert scipy.linalg.det(np.eye(2)) == 1.0  # SciPy's BLAS is there, too
    found = [library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"]
    return set(found), torch.get_num_threads()


def test_one_thread_inside_as_before_outside():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(limits=2, user_api="blas"):
            assert blas_threads() == ({2}, 2)
            with one_thread():
                assert blas_threads() == ({1}, 1)
            assert blas_threads() == ({2}, 2)
    finally:
        torch.set_num_threads(before)


TO_COME = """
import os, sys
from foleybench.runtime.threads import one_thread

with one_thread():
    assert "torch" not in sys.modules
assert os.environ.get("OMP_NUM_THREADS") == (sys.argv[1] or None)
with one_thread():
    import torch
    inside = torch.get_num_threads()
with one_thread():
    again = torch.get_num_threads()
print(inside, again, torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS", ""))
"""


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["", "0", "3", "2,1"])
def test_torch_is_not_imported_for_it_and_begins_with_one_thread_inside(asked):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {"OMP_NUM_THREADS": asked} if asked else {}
    words = [sys.executable, "-c", TO_COME, asked]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = {"": usual(), "0": usual(), "3": "3", "2,1": "2"}[asked]
    assert done.stdout.split() == ["1", "1", after, *filter(None, [asked])]


def usual():
    return str(len(os.sched_getaffinity(0)))
