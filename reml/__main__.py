"""The command line: `reml COMMAND [options]`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads collapse where cores are shared
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # reml shows how far its work is
# oneDNN and torch's use of it each keep what they make for the shape of a matrix, by default 1,024 times; texts of all
# lengths have many shapes, whose up to 0.9 GB save no time.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give the exit status: 0, or 2 with one line on what is wrong and what to do."""
    # Classes, pages and examples are made by the hundred thousand, and stay: to look them through for circles after
    # every 700 objects, as Python does, takes seconds.
    gc.set_threshold(20_000)
    try:
        from reml.cli.dispatch import execute
    except KeyboardInterrupt:
        return 130
    with suppress(OSError):  # a folder that was deleted
        sys.path.insert(0, str(Path.cwd()))  # so that a configuration can name classes in files beside it
    return execute(list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    sys.exit(main())
