"""Asking again: a span of what was found first is searched for with the question.

Qi et al., "Answering complex open-domain questions through iterative query generation" (GoldEn Retriever), EMNLP 2019,
https://arxiv.org/abs/1910.07000: the query of the next hop is a span of what the last one found. Here it is the title
of the page that comes next, where an item names it, learnt from the pages of the evidence as answers are: a pattern
that asks. It takes the place of the description in the question (`reml.access.querying.descriptions`), or stands before
it. What a page is called in another one is often not its title; nothing is learnt from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reml.access.querying.descriptions import description, named
from reml.collection.evidence import holds
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.predictors.late.templates import ASK, Fit, fits


def chain(example: Example) -> Sequence[Provenance]:
    """Give the evidence of the first right answer that needs several pages, none where no answer does."""
    places = (answer.provenance for answer in example.output)
    return next((several for several in places if len({place.wikipedia_id for place in several}) > 1), ())


def fits_of_chain(answers: Sequence[str], places: Sequence[Provenance], item: Item | None) -> list[list[Fit]]:
    """Give the patterns that say a right answer, or ask for one of the pages, with an item that holds evidence.

    One list for each answer, then one for each page; all are empty with other items, in which answers stand by chance.
    """
    titles = dict.fromkeys((place.wikipedia_id, place.title or "") for place in places)
    if item is None or not any(holds(item, place) for place in places):
        return [[] for _ in (*answers, *titles)]
    asked = [[] if page == item.page_id or not title else fits(title, item.title, item.text) for page, title in titles]
    said = [fits(answer, item.title, item.text) for answer in answers]
    return said + [[Fit(ASK + fit.pattern, fit.span) for fit in found if fit.span] for found in asked]


def shortened(example: Example) -> Example:
    """Give the example as it is read first: the description in its question alone, where there is one."""
    described = description(example.input)
    return replace(example, input=described) if described else example


def again(example: Example, title: str) -> Example:
    """Give the example whose question names what was asked for."""
    return replace(example, input=named(example.input, title))


def after(first: Answer, answer: Answer) -> Answer:
    """Give an answer whose evidence begins with what it was asked by, the first of its asker's."""
    ordered = dict.fromkeys((*first.provenance[:1], *answer.provenance, *first.provenance))
    return replace(answer, provenance=tuple(ordered))
