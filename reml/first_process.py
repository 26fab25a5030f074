"""Whether this process was started by the user, or by Lightning to train with that one, as a copy of its command."""

from __future__ import annotations

import os


def leads() -> bool:
    """Tell whether this is the first process: the one that writes to disk and goes on after a training."""
    return local_place() == 0


def local_place() -> int:
    """Give the number of this process on its machine, from 0, as whoever started it says."""
    return int(os.environ.get("LOCAL_RANK", "0"))
