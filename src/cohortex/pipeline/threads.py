"""One thread for every library, because sums in another order have other bits."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import SimpleITK as sitk
from threadpoolctl import threadpool_limits

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
}
"""What a worker process is started with: these count only before the libraries are loaded."""


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Hold BLAS, OpenMP, ITK and Numba to one thread, and give back what was there before."""
    itk_threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    numba = sys.modules.get("numba")  # only where something has loaded it: loading takes a second
    numba_threads = numba.get_num_threads() if numba else None
    with threadpool_limits(1):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        if numba:
            numba.set_num_threads(1)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(itk_threads)
            if numba:
                numba.set_num_threads(numba_threads)
