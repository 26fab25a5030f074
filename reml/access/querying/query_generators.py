"""Query generators: from the input of an example to queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from reml.access.querying.descriptions import description
from reml.contract.access import QueryExpansion, QueryGenerator
from reml.contract.arguments.checked import checked
from reml.contract.examples import Example
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Retriever

MENTION = re.compile(r"\[START_ENT\]\s*(.*?)\s*\[END_ENT\]", re.DOTALL)


class InputQuery:
    """The whole input is the query; where it is blank, each of the example's media is one."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each example, several for one with several media and no text."""
        return Queries.of_inputs(examples)


class ExpandedQuery:
    """The queries of a generator, expanded by what a first search finds (`reml.access.querying.relevance_feedback`)."""

    def __init__(self, generator: QueryGenerator, expansion: QueryExpansion, retriever: Retriever) -> None:
        self.generator = generator
        self.expansion = expansion
        self.retriever = retriever

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make the queries of the generator and expand each."""
        return self.expansion(self.generator(examples), self.retriever)


@checked()
class MentionQuery:
    """Entity linking: the mention between `[START_ENT]` and `[END_ENT]` and `window` words on either side of it.

    An input without a mention is its own query, so that one access model serves every KILT task. Words around the
    mention drown it: BM25's R-precision on minikilt's aidayago2 is 0.38 without them, 0.23 with 4 on either side, 0.18
    with 8, and 0.07 with the whole input.
    """

    def __init__(self, window: int = 0) -> None:
        if window < 0:
            raise ValueError(f"window is a number of words, 0 or more, not {window}.")
        self.window = window

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each example."""
        return Queries.of([self._query(example.input) for example in examples])

    def _query(self, text: str) -> str:
        mention = MENTION.search(text)
        if mention is None:
            return text
        left = text[: mention.start()].split()
        right = text[mention.end() :].split()[: self.window]
        return " ".join([*left[max(0, len(left) - self.window) :], mention.group(1), *right])


@checked()
class KiltQuery:
    """What to search for by the form of an input, so that one access model serves every KILT task.

    Of a marked mention, as of `MentionQuery`; of a dialogue, whose turns are lines, the first `first` and the last
    `last` turns, which name the topic and ask (the first turn is put before the last one as a baseline of TREC CAsT
    2019, https://arxiv.org/abs/2003.13624); of any other input, all. descriptions: of a question that describes what it
    asks about, the description alone (`reml.access.querying.descriptions`), for a predictor that asks again.
    """

    def __init__(self, window: int = 0, *, first: int = 1, last: int = 1, descriptions: bool = False) -> None:
        if first < 0 or last < 1:
            raise ValueError(f"first and last are numbers of turns, 0 or more and 1 or more, not {first} and {last}.")
        self.window, self.first, self.last, self.descriptions = window, first, last, descriptions
        self._mention = MentionQuery(window)

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each example."""
        return self._mention([replace(example, input=self._asked(example.input)) for example in examples])

    def _asked(self, text: str) -> str:
        return (self.descriptions and description(text)) or turns(text, self.first, self.last)


def turns(text: str, first: int = 1, last: int = 1) -> str:
    """Give the first and the last turns of a dialogue, a line each; all of another input, and of a marked mention."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) <= first + last or MENTION.search(text):
        return text
    return "\n".join([*lines[:first], *lines[-last:]])


def one_query_each(queries: QueryGenerator, examples: Sequence[Example]) -> Queries:
    """Make one query for each example; `ValueError` for a generator that makes another number."""
    made = queries(examples)
    if len(made) != len(examples):
        raise ValueError(
            f"{type(queries).__name__} made {len(made)} queries for {len(examples)} examples; "
            "a retriever learns from exactly one for each: choose another query generator for training."
        )
    return made
