"""What any language model is asked, looked at first, and what is made of its texts: the same here and at a server."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from reml.contract.access import Written
from reml.contract.arguments.checked import checked_call
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.several import several

_LOG = logging.getLogger(__name__)


def cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """Give a text up to the stop that is complete first, and that stop; the whole text and nothing if none is there.

    Of stops that end at the same letter the longest counts: so a text that comes letter by letter ends the same.
    """
    found = [(at + len(stop), at, stop) for stop in stops if (at := text.find(stop)) >= 0]
    if not found:
        return text, ""
    _, at, stop = min(found)
    return text[:at], stop


def to_blank_line(text: str) -> str:
    """Give the first paragraph of what a model that does not chat goes on with."""
    return text.strip().partition("\n\n")[0].strip()


def check_stops(stops: Sequence[str]) -> tuple[str, ...]:
    """Give the stops; `ValueError` for an empty one, at which every text would end."""
    if not all(isinstance(stop, str) and stop for stop in several(stops, "stops")):
        raise ValueError(f"stops are {list(stops)!r}, but each must be a text of one letter or more.")
    return tuple(stops)


@checked_call
def most_tokens(max_tokens: Count | None, own: int) -> int:
    """Give how many tokens a text may have: its own number where none is asked for."""
    return own if max_tokens is None else max_tokens


def pairs(prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
    """Put prompts and texts side by side; `ValueError` where they are not as many."""
    if len(several(prompts, "prompts")) != len(several(texts, "texts")):
        raise ValueError(f"{len(prompts)} prompts but {len(texts)} texts: give one text for each prompt.")
    return list(zip(prompts, texts, strict=True))


def warn_of_cut(model: str, written: Sequence[Written], max_tokens: int) -> None:
    """Say how many texts did not end within the tokens that were allowed."""
    cut = sum(not one.whole for one in written)
    if cut:
        _LOG.warning(
            "%d of %d texts of %s did not end within max_tokens (%d) and are cut: raise it.",
            cut,
            len(written),
            model,
            max_tokens,
        )
