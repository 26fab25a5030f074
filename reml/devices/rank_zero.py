"""Whether this process was started by the user, or by Lightning to train with that one, as a copy of its command."""

from __future__ import annotations

import os
from pathlib import Path

# Where the first process trains, for those that it starts.
TRAINS_IN = "REML_TRAINS_IN"


def is_rank_zero() -> bool:
    """Tell whether this is the first process: the one that writes to disk and goes on after a training."""
    return local_rank() == 0


def local_rank() -> int:
    """Give the number of this process on its machine, from 0, as whoever started it says."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def check_rank(folder: Path) -> None:
    """Raise `RuntimeError` unless this process was started to train in `folder`, or below it."""
    wanted = os.environ.get(TRAINS_IN)
    if wanted is None or not Path(wanted).is_relative_to(folder.resolve()):
        raise RuntimeError(
            f"this process, number {local_rank()}, was started to train with another one in {wanted or 'no folder'}, "
            f"but came to {folder}: the code or the configuration was changed since, or another launcher than reml "
            "started it. Start the command anew, by itself; it starts a process for each device."
        )
