"""The terminal: what is shown in it goes to rich as `Text` of `plain`, in which nothing is markup or an emoji."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar, final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from reml.devices.plain import plain

Value = TypeVar("Value")


def line(console: Console, *parts: str | tuple[str, str]) -> Text:
    """Make a line of texts, or of texts with their styles, for a console."""
    pairs = ((part, "") if isinstance(part, str) else part for part in parts)
    return Text.assemble(*((plain(text, console.encoding), style) for text, style in pairs))


def progress_bar(
    *columns: ProgressColumn | str, console: Console | None = None, shown: bool, passing: bool = False
) -> Progress:
    """Make a progress bar of columns; a text among them is filled in with the fields of the task.

    console: where it is shown, the standard error stream if left out. passing: whether it goes when it is done.
    """
    where = console if console is not None else Console(stderr=True)
    made = (_Words(column, where.encoding) if isinstance(column, str) else column for column in columns)
    return Progress(*made, console=where, transient=passing, disable=not shown)


def tracked(
    values: Iterable[Value], what: str, console: Console | None = None, total: int | None = None
) -> Iterator[Value]:
    """Go through values under a bar that says what is done and goes when it is; on a console that is no terminal, none.

    total: how many are expected, where they cannot be counted.
    """
    where = console if console is not None else Console(stderr=True)
    columns = ("{task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with progress_bar(*columns, console=where, shown=where.is_terminal, passing=True) as bar:
        yield from bar.track(values, total=total, description=what)


@contextmanager
def busy(console: Console) -> Iterator[Callable[[str], None]]:
    """Show what is being done until the block ends; what is yielded says what that is now."""
    with console.status("") as status:
        yield lambda what: status.update(line(console, what))


@final
class _Words(ProgressColumn):
    """Shows fields of a task by a template."""

    def __init__(self, template: str, encoding: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._template, self._encoding = template, encoding

    def render(self, task: Task) -> Text:
        """Fill in the template."""
        return Text(plain(self._template.format(task=task), self._encoding))
