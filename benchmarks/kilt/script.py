"""A function as a command of its own, whose errors are told as `reml` tells them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from jsonargparse import auto_cli
from rich.console import Console

from reml.cli.failures import told
from reml.reporting.terminal import say


def run_script(function: Callable[..., Sequence[Path]], arguments: list[str] | None = None) -> None:
    """Run a function on the options of the command line, and print the files or folders that it gives."""
    try:
        made = auto_cli(function, args=arguments, as_positional=False)
    except Exception as error:  # what can be mended is a sentence, anything else lies in a log
        text, status = told(error, arguments if arguments is not None else sys.argv[1:])
        for line in text.splitlines():
            say(Console(stderr=True), line)
        raise SystemExit(status) from None
    for path in made:
        say(Console(), str(path))
