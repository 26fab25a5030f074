"""Open-domain QA: one relation of one country, asked in one wording; the answer is a span of the country's page."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Draft, Split, choose
from reml.tasks.factbook.names import in_sentence
from reml.tasks.factbook.pages import Part
from reml.tasks.factbook.relations import Fact, Wording, facts
from reml.tasks.factbook.splits import subjects


def questions(split: Split) -> Iterator[Draft]:
    """Draft one question for each fact of the split's countries.

    `meta` names the relation and the kind of wording: `questions` in training; elsewhere `held_out`, unseen in
    training, or `oblique`, which is unseen and shares no word with the field that holds the answer.
    """
    for page in subjects(split):
        for fact in facts(page.page.id).values():
            example_id = f"qa_{page.page.id}_{slug(fact.relation.name)}"
            yield Draft(example_id, (page.page.id,), functools.partial(_question, example_id, fact, split))


def _question(example_id: str, fact: Fact, split: Split) -> Example:
    kind, wording = choose_wording(fact, split)
    return Example(
        id=example_id,
        input=sentence(wording, x=name_in_sentence(fact.part)),
        output=answers(fact),
        meta={"relation": fact.relation.name, "wording": kind},
    )


def choose_wording(fact: Fact, split: Split) -> tuple[Wording, str]:
    """Choose how a fact is asked for in a split: one third plain, two thirds oblique, outside training."""
    kinds: tuple[Wording, ...] = ("questions",) if split == "train" else ("held_out", "oblique")
    wordings = [(kind, wording) for kind in kinds for wording in fact.relation.wordings[kind]]
    return choose(wordings, "question", fact.part.page_id, fact.relation.name)


def answers(fact: Fact) -> tuple[Answer, ...]:
    """Give the right answers, that of the page first, each with the span of the page that holds the value."""
    evidence = fact.part.evidence(fact.start, fact.end)
    return tuple(Answer(value, (evidence,)) for value in fact.values)


def name_in_sentence(part: Part) -> str:
    """Give the country of a part as it stands within a sentence."""
    return in_sentence(part.page_id, part.title)


def sentence(template: str, *, x: str, y: str = "") -> str:
    """Fill in the country and the value, with a capital at the start."""
    text = template.format(x=x, y=y)
    return text[0].upper() + text[1:]


def slug(name: str) -> str:
    """Make a part of an id out of a relation's name."""
    return name.lower().replace(" ", "_")
