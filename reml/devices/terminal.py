"""The terminal: what is shown in it goes to rich as `Text` of `plain`, in which nothing is markup or an emoji."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from reml.devices.plain import plain
from reml.devices.work import Row


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


@final
class Bars:
    """Bars of work at the bottom of a terminal, which go when they are stopped."""

    def __init__(self, console: Console) -> None:
        made = (_Words("{task.description}", console.encoding), BarColumn(20), _Words("{task.fields[said]}"))
        self._progress = Progress(*made, console=console, transient=True, auto_refresh=False)
        self._progress.start()

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows, in place of those before."""
        while len(self._progress.tasks) > len(rows):
            self._progress.remove_task(self._progress.task_ids[-1])
        while len(self._progress.tasks) < len(rows):
            self._progress.add_task("", said="")
        for task, row in zip(self._progress.task_ids, rows, strict=True):
            self._progress.update(
                task, description=row.what, total=row.total, completed=row.done, said=row.said, refresh=False
            )
        self._progress.refresh()

    def stop(self) -> None:
        """Take them away."""
        self._progress.stop()


@final
class _Words(ProgressColumn):
    """Shows fields of a task by a template."""

    def __init__(self, template: str, encoding: str = "utf-8") -> None:
        super().__init__(Column(no_wrap=True))
        self._template, self._encoding = template, encoding

    def render(self, task: Task) -> Text:
        """Fill in the template."""
        return Text(plain(self._template.format(task=task), self._encoding))
