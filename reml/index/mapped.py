"""Files that are mapped into memory: their pages count as the process's until it lets them go."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt


def let_go(*arrays: npt.NDArray[Any]) -> None:
    """Count no page of the files that arrays are mapped from as the process's; what was written is not lost.

    A page that is read again is mapped again. Nothing happens to other arrays, and where the system takes no advice.
    """
    for array in arrays:
        held: object = array
        while isinstance(held, np.ndarray):
            held = held.base
        if isinstance(held, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            held.madvise(mmap.MADV_DONTNEED)
