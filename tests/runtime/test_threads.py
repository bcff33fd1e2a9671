"""One thread for torch and for every BLAS, and afterwards as many as before."""

import numpy as np
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
