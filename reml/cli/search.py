"""Asking one query and showing what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import regex
from rich.console import Console

from reml.contract.examples import Example, Item, canonical
from reml.contract.retrievers import ExplainingRetriever
from reml.reporting.terminal import say, say_passage
from reml.text.words import LETTERS, is_paired, words

if TYPE_CHECKING:
    from reml.experiment.runner import Runner


def ask(runner: Runner, access: str, task: str, query: str, k: int) -> list[tuple[float, Item]]:
    """Give the k best items for a query with their scores, best first."""
    hits = runner.search(access, task, [Example(id="query", input=query)], k)
    scores = hits.scores[hits.mask].tolist()
    return list(zip(scores, runner.collection(task, access).get(hits.rows[hits.mask]), strict=True))


def why_nothing(runner: Runner, access: str, task: str, query: str) -> str:
    """Say why an access model finds nothing for a query, as far as its retrievers can tell."""
    names = runner.plan.access(access).fuse or [access]
    retrievers = [runner.retriever(name, task) for name in names if runner.plan.access(name).retrieves]
    said = [one.why_nothing(query) for one in retrievers if isinstance(one, ExplainingRetriever)]
    return "; ".join(dict.fromkeys(said)) or "no passage matches the query"


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
    """Print ranked passages, each with its page's id; words that begin as a word of the query does are highlighted."""
    for rank, (score, item) in enumerate(found, start=1):
        page = f"page {item.page_id}, " if item.page_id else ""
        say(console, (f"{rank:>3}  {score:.3f}  ", "dim"), (item.title, "bold"), f"  ({page}row {item.row})")
        say_passage(console, canonical(item.text), like(query))


def like(query: str) -> regex.Pattern[str] | None:
    """Give what finds the words that share a stem-like beginning with a word of the query, and its pairs of letters."""
    asked = set(words(query))
    pairs = [regex.escape(word) for word in sorted(asked) if is_paired(word)]
    stems = [regex.escape(word[: max(3, len(word) - 2)]) for word in sorted(asked) if len(word) > 2]
    if not (pairs or stems):
        return None
    beginning = rf"(?<![{LETTERS}])(?:{'|'.join(stems)})[{LETTERS}]*" if stems else "(?!)"
    return regex.compile("(?i)" + "|".join([beginning, *pairs]))
