"""The tags of Search-R1: what a text that stopped at one of them does, and how what was found is shown.

`<search>query</search>` asks and `<answer>text</answer>` ends; what was found comes between `<information>` and
`</information>`. A text that keeps to none of this has a defined meaning too, with notes of what was out of order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reml.contract.access import Written
from reml.contract.examples import Item

SEARCH, ANSWER, INFORMATION = "search", "answer", "information"
ACTIONS = (SEARCH, ANSWER)
TAG = re.compile(r"</?(?:think|search|information|answer)>")

NO_TAG = "neither a search nor an answer"
UNOPENED = "closed what was not opened"
UNCLOSED = "tag not closed"
NESTED = "tags within tags"
EMPTY_QUERY = "empty query"
EMPTY_ANSWER = "empty answer"
FORGED = "wrote information itself"


def opening(name: str) -> str:
    """Give the tag that begins."""
    return f"<{name}>"


def closing(name: str) -> str:
    """Give the tag that ends."""
    return f"</{name}>"


STOPS = tuple(map(closing, ACTIONS))


@dataclass(frozen=True, slots=True)
class Step:
    """What a text does: ask with a query, answer, or neither. notes: what was out of order."""

    query: str | None = None
    answer: str | None = None
    notes: tuple[str, ...] = ()


def step_of(written: Written) -> Step:
    """Read what a model did.

    The last tag that was opened counts, so that of tags within tags it is the innermost. Of one that was not closed the
    first line is taken. White space is single spaces; tags in a query or an answer are left out.
    """
    notes: tuple[str, ...] = (FORGED,) if opening(INFORMATION) in written.text else ()
    kind = next((name for name in ACTIONS if written.stop == closing(name)), "")
    if not kind:
        kind = max(ACTIONS, key=lambda name: written.text.rfind(opening(name)))
        notes += (UNCLOSED,) if opening(kind) in written.text else (NO_TAG,)
    before, opened, inside = written.text.rpartition(opening(kind))
    if not opened:
        return Step(notes=notes if NO_TAG in notes else (*notes, UNOPENED))
    if any(opening(name) in before for name in ACTIONS) or TAG.search(inside):
        notes += (NESTED,)
    if UNCLOSED in notes:
        inside = inside.strip().partition("\n")[0]
    said = " ".join(TAG.sub(" ", inside).split())
    if kind == SEARCH:
        return Step(query=said, notes=notes) if said else Step(notes=(*notes, EMPTY_QUERY))
    return Step(answer=said, notes=notes if said else (*notes, EMPTY_ANSWER))


def last_step_of(written: Written) -> Step:
    """Read what a model wrote behind an `<answer>` that was written for it: an answer, whatever it is."""
    closed = written.stop == closing(ANSWER)
    bare = TAG.sub(" ", written.text)
    step = step_of(replace(written, text=opening(ANSWER) + bare, stop=written.stop if closed else ""))
    nested = (NESTED,) if bare != written.text or written.stop not in ("", closing(ANSWER)) else ()
    return replace(step, notes=(*nested, *step.notes))


def information(items: Sequence[Item], left_out: int = 0) -> str:
    """Show items as Search-R1 does. left_out: how many others there were no room for."""
    shown = [f"Doc {rank}(Title: {item.title}) {item.text}" for rank, item in enumerate(items, 1)]
    shown += [f"({left_out} left out: the context is full.)"] if left_out else []
    return told("\n".join(shown) if shown else "Nothing was found.")


def told(text: str) -> str:
    """Give a text where information stands."""
    return f"\n\n{opening(INFORMATION)}{text}{closing(INFORMATION)}\n\n"
