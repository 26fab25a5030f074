"""Bars of work at the bottom of a terminal; apart from `terminal`, since rich's take time to load and few need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from reml.devices.plain import plain
from reml.devices.work import Row

ROOMY, WIDE, NARROW = 100, 20, 10  # columns of a terminal that has room, and of bars in it and in others


@final
class Bars:
    """Bars of work at the bottom of a terminal, which go when they are stopped."""

    def __init__(self, console: Console) -> None:
        bar = BarColumn(WIDE if console.width >= ROOMY else NARROW)
        made = (_Words("{task.description}", console.encoding), bar, _Words("{task.fields[said]}", console.encoding))
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

    def __init__(self, template: str, encoding: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._template, self._encoding = template, encoding

    def render(self, task: Task) -> Text:
        """Fill in the template."""
        return Text(plain(self._template.format(task=task), self._encoding))
