"""Asking one query and showing what comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from reml.contract.examples import Example, Item
from reml.reporting.terminal import say, say_passage

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

WORD = re.compile(r"\w{3,}")


def ask(runner: Runner, access: str, task: str, query: str, k: int) -> list[tuple[float, Item]]:
    """Give the k best items for a query with their scores, best first."""
    hits = runner.search(access, task, [Example(id="query", input=query)], k)
    scores = hits.scores[hits.mask].tolist()
    return list(zip(scores, runner.collection(task, access).get(hits.rows[hits.mask]), strict=True))


def open_access(runner: Runner, access: str, task: str) -> None:
    """Open what an access model searches with, saying so; `ValueError` if it retrieves nothing."""
    plan = runner.plan
    names = [name for name in plan.access(access).fuse or [access] if plan.access(name).retrieves]
    if not names:
        known = ", ".join(name for name, one in runner.experiment.access.items() if one.retrieves or one.fuse)
        raise ValueError(f"access model {access!r} retrieves nothing: ask another one, of {known}.")
    for name in names:
        say(runner.stages.console, (f"open {name} for {task}", "dim"))
        runner.retriever(name, task)


def show(console: Console, query: str, found: Sequence[tuple[float, Item]]) -> None:
    """Print ranked passages; words that begin as a word of the query does are highlighted."""
    if not found:
        say(console, _why_nothing(query))
    for rank, (score, item) in enumerate(found, start=1):
        say(console, (f"{rank:>3}  {score:.3f}  ", "dim"), (item.title, "bold"), f"  (row {item.row})")
        say_passage(console, item.text, like(query))


def like(query: str) -> re.Pattern[str] | None:
    """Give what finds the words that share a stem-like beginning with a word of the query; nothing if it has none."""
    stems = sorted({word.casefold()[: max(3, len(word) - 2)] for word in WORD.findall(query)})
    return re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, stems))})\w*") if stems else None


def _why_nothing(query: str) -> str:
    from reml.text.analysis import Analyser  # compiled where it is used: commands that do not search start at once

    if not query.strip():
        return "nothing found: the query is empty."
    if not Analyser()(query):
        return "nothing found: the query holds only stop words and signs, which are not searched for."
    return "nothing found: no passage matches the query."
