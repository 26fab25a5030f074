"""The terminal: what is shown in it goes to rich as `Text` of `plain`, in which nothing is markup or an emoji."""

from __future__ import annotations

import functools
import os

from rich.console import Console
from rich.text import Text

from reml.devices.plain import plain


def line(console: Console, *parts: str | tuple[str, str]) -> Text:
    """Make a line of texts, or of texts with their styles, for a console."""
    pairs = ((part, "") if isinstance(part, str) else part for part in parts)
    return Text.assemble(*((plain(text, console.encoding), style) for text, style in pairs))


def progress_console(chosen: Console | None) -> Console:
    """Give where progress is shown: the console that was chosen, but the standard error stream for standard output.

    That stays so where somebody watches it; what is kept of it in a file, or read by a program, is free of progress.
    """
    if chosen is None or (chosen.file is _standard(error=False).file and not is_watched(chosen)):
        return _standard(error=True)
    return chosen


@functools.cache
def _standard(*, error: bool) -> Console:
    return Console(stderr=error)


def is_watched(console: Console) -> bool:
    """Tell whether a console is a terminal in which a line can be written over."""
    if "FORCE_COLOR" in os.environ:  # which makes rich take any stream for a terminal
        return console.file.isatty() and not console.is_dumb_terminal
    return console.is_terminal and not console.is_dumb_terminal


def say_progress(console: Console, text: str) -> None:
    """Write a line about work that goes on."""
    console.print(line(console, (text, "dim")), soft_wrap=True)
