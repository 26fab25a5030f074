"""The order in which what is handed over is read.

    best_first   as it was ranked
    best_last    the other way round: what stands last in a prompt stands next to what is asked
    by_page      items of one page together, as they stand in it; pages by their best item

Liu et al., "Lost in the Middle: How Language Models Use Long Contexts", TACL 2024, https://arxiv.org/abs/2307.03172:
models use best what stands at either end of a long prompt. Here: not measured.

It is put on after the cut to k, when a session hands items over (`Limits.order`): what is searched, kept and measured
stays best first, and however few are asked for, they are the best ones. Several access models are each ordered by
itself: their lists are laid side by side (`reml.contract.joining`), not interleaved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from reml.access.limits import Order
from reml.access.presenting.processors import keep
from reml.contract.examples import Item
from reml.contract.retrieved import Responses


def in_order(responses: Responses, order: Order) -> Responses:
    """Give responses that are best first in another order, padding at the end; scores keep their gradient."""
    if order == "best_first":
        return responses
    if order == "best_last":
        return keep(responses, [list(range(len(items)))[::-1] for items in responses.items])
    return keep(responses, [_by_page(items) for items in responses.items])


def _by_page(items: Sequence[Item]) -> list[int]:
    """Give the places of items by the best item of their page, then by span; ties as they stand."""
    first: dict[str | int, int] = {}
    for place, item in enumerate(items):
        first.setdefault(item.page_id or item.row, place)
    return sorted(
        range(len(items)), key=lambda place: (first[items[place].page_id or items[place].row], _at(items[place]))
    )


def _at(item: Item) -> tuple[int, ...]:
    return astuple(item.span) if item.span is not None else ()
