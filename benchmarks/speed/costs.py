"""What a piece of work costs this process: wall time, CPU time, memory; and files out of the page cache."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from reml.benchmarks.speed.figures import Cost

STATUS = Path("/proc/self/status")


class Meter:
    """Counts from the moment it is made. Peak memory is that of the whole process, so make one work a process."""

    def __init__(self) -> None:
        self._base = _kilobytes("VmRSS") * 1024
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Cost:
        """Give the cost up to now. The kernel counts a peak in steps, so that it may say less than there was before."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Cost(wall, cpu, peak=max(_kilobytes("VmHWM") * 1024, self._base), base=self._base)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Do work once; give its seconds of wall time and of CPU time, all threads together."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - wall) / 1e9, (time.process_time_ns() - cpu) / 1e9


def size_of(folder: Path) -> int:
    """Add up the sizes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def drop_from_cache(folder: Path) -> None:
    """Have the system forget the pages of a folder's files, so that opening them reads the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)  # pages that are not written yet cannot be forgotten
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def _kilobytes(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
