"""Dialogue: a follow-up question whose subject is only named in the history; the answer is a sentence, as in WoW."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Draft, Split, choose
from reml.tasks.factbook.questions import name_in_sentence, sentence, slug
from reml.tasks.factbook.relations import Fact, Wording, facts
from reml.tasks.factbook.splits import subjects

_OPENINGS = (
    "Do you know anything about {x}?",
    "I am reading a book about {x}.",
    "Please tell me something about {x}.",
    "We talked about {x} at school today.",
)
_HELD_OUT_OPENINGS = (
    "My new neighbor comes from {x}.",
    "There was a film about {x} on television last night.",
    "I might travel to {x} next year.",
)


def dialogues(split: Split) -> Iterator[Draft]:
    """Draft one dialogue for each fact of the split's countries: an opening, a reply and the follow-up question.

    The turns are separated by line breaks. The right answers are the fact in the sentences that training knows.
    """
    for page in subjects(split):
        known = list(facts(page.page.id).values())
        if len(known) > 1:
            yield from (_draft(fact, known, split) for fact in known)


def _draft(fact: Fact, known: Sequence[Fact], split: Split) -> Draft:
    example_id = f"dialogue_{fact.part.page_id}_{slug(fact.relation.name)}"
    return Draft(example_id, (fact.part.page_id,), functools.partial(_dialogue, example_id, fact, known, split))


def _dialogue(example_id: str, fact: Fact, known: Sequence[Fact], split: Split) -> Example:
    seen = split == "train"
    told = choose([other for other in known if other.part is not fact.part] or known, "told", example_id)
    subject = name_in_sentence(fact.part)
    opening = choose(_OPENINGS if seen else _HELD_OUT_OPENINGS, "opening", example_id)
    kind: Wording = "follow_ups" if seen else "held_out_follow_ups"
    turns = (
        sentence(opening, x=subject),
        sentence(told.relation.wordings["claims"][0], x=subject, y=told.value),
        choose(fact.relation.wordings[kind], "follow-up", example_id),
    )
    evidence = fact.part.evidence(fact.start, fact.end)
    replies = (sentence(wording, x=subject, y=fact.value) for wording in fact.relation.wordings["claims"])
    return Example(
        id=example_id,
        input="\n".join(turns),
        output=tuple(Answer(reply, (evidence,)) for reply in replies),
        meta={"relation": fact.relation.name, "wording": kind},
    )
