"""Asking one query and showing what comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from reml.types import Example, Item

if TYPE_CHECKING:
    from reml.runner import Runner

WORD = re.compile(r"\w{3,}")


def ask(runner: Runner, access: str, task: str, query: str, k: int) -> list[tuple[float, Item]]:
    """Give the k best items for a query with their scores, best first."""
    hits = runner.retrieval.search(access, task, [Example(id="query", input=query)], k)
    scores = hits.scores[hits.mask].tolist()
    return list(zip(scores, runner.retrieval.collection(task).get(hits.rows[hits.mask]), strict=True))


def show(console: Console, query: str, found: Sequence[tuple[float, Item]]) -> None:
    """Print ranked passages; words that begin as a word of the query does are highlighted."""
    if not found:
        console.print("nothing found: the query is empty or holds only words that are not indexed.")
    for rank, (score, item) in enumerate(found, start=1):
        console.print(Text.assemble((f"{rank:>3}  {score:.3f}  ", "dim"), (item.title, "bold"), f"  (row {item.row})"))
        console.print(highlighted(query, item.text), soft_wrap=False)


def highlighted(query: str, text: str) -> Text:
    """Mark the words of a text that share a stem-like beginning with a word of the query."""
    stems = sorted({word.casefold()[: max(3, len(word) - 2)] for word in WORD.findall(query)})
    shown = Text("     " + text.replace("\n", "\n     "))
    if stems:
        shown.highlight_regex(re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, stems))})\w*"), "bold yellow")
    return shown
