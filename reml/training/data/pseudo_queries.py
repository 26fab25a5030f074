"""Queries made from the items of a collection, so that a teacher reaches all of it and not only what was asked before.

A run of words of an item, drawn at random as in Lee, Chang and Toutanova, "Latent Retrieval for Weakly Supervised Open
Domain Question Answering", ACL 2019, section 4, https://arxiv.org/abs/1906.00300, where sentences are drawn. There the
item is the answer; here a teacher says which items are useful, and no label is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reml.collection.passages import words_of
from reml.contract.arguments.checked import checked
from reml.contract.collections import Collection
from reml.contract.examples import Example, Item
from reml.contract.vectors import Int64Array


@checked()
@dataclass(frozen=True, kw_only=True)
class PseudoQueries:
    """How many queries are made, and of what.

    shortest, longest: words in a run. title: the chance that the item's title stands before it.
    """

    count: int = 20_000
    shortest: int = 2
    longest: int = 8
    title: float = 0.7

    def __post_init__(self) -> None:
        if self.count < 1 or not 1 <= self.shortest <= self.longest or not 0 <= self.title <= 1:
            raise ValueError(
                "count and shortest must be 1 or more, longest no less than shortest and title a chance of 0 to 1, not "
                f"{self!r}."
            )

    def examples(self, collection: Collection, seed: int) -> list[Example]:
        """Draw items with replacement and make a query of each; examples without an answer."""
        return self.drawn(collection, seed)[0]

    def drawn(self, collection: Collection, seed: int) -> tuple[list[Example], Int64Array]:
        """Do the same, and give the row of the item that each is made of."""
        generator = np.random.default_rng(seed)
        rows = generator.choice(collection.rows(), self.count)
        made = (self._query(item, generator) for item in collection.get(rows))
        return [Example(f"pseudo-query-{number}", query) for number, query in enumerate(made)], rows

    def _query(self, item: Item, generator: np.random.Generator) -> str:
        text, words = item.text, words_of(item.text)
        size = int(generator.integers(self.shortest, self.longest + 1))
        start = int(generator.integers(max(1, len(words) - size + 1)))
        drawn = words[start : start + size]
        run = " ".join(text[drawn[0][0] : drawn[-1][1]].split()) if drawn else ""
        return f"{item.title} {run}" if generator.random() < self.title else run
