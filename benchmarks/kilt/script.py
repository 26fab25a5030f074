"""A function as a command of its own, whose errors are told as `reml` tells them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli

from reml.cli.failures import told


def run_script(function: Callable[..., Any], arguments: list[str] | None = None) -> None:
    """Run a function on the options of the command line, and print the files or folders that it gives."""
    try:
        made = auto_cli(function, args=arguments, as_positional=False)
    except Exception as error:  # what can be mended is a sentence, anything else lies in a log
        text, status = told(error, arguments if arguments is not None else sys.argv[1:])
        sys.stderr.write(f"{text}\n")
        raise SystemExit(status) from None
    for path in [made] if isinstance(made, Path) else made:
        sys.stdout.write(f"{path}\n")
