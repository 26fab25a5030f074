"""The bars of transformers, kept off: this project shows how far its work is, and a bar in a file is noise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Let transformers show no bars until the block ends; who has them on has them on again then."""
    import transformers

    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            transformers.logging.enable_progress_bar()  # type: ignore[no-untyped-call]
