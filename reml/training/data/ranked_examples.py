"""What a retriever is taught on: for each example a few items and how useful each is, drawn anew at every visit.

From labels, an item that holds the evidence (1) and others (0). Under weak supervision, items of a teacher's list with
the teacher's scores, and items from anywhere in the collection (0), without which nothing would tell the list from the
rest. Random draws are a function of the examples that share a batch, so that any step of a run can be repeated.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

import numpy as np

from reml.access.responses import gather
from reml.collection.evidence import Pages, Region, evidence_rows
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.contract.vectors import Float32Array, Int64Array
from reml.files.atomic import digest
from reml.training.data.sets import DevSet, RetrievedExamples

Drawn = tuple[Int64Array, Float32Array]
_NOTHING = np.empty(0, dtype=np.int64)
# Times the items that are needed are drawn from the whole collection, as some are drawn already or excluded.
SPARE = 4


class PagedCollection(Collection, Pages, Protocol):
    """A collection whose items can be found by page, as those on disk."""


class ItemSampler(Protocol):
    """Draws items for one example of a list."""

    @property
    def fingerprint(self) -> str:
        """A digest of all that can be drawn."""

    def without_items(self) -> Int64Array:
        """Give the positions of examples that nothing can be learnt from, ascending."""

    def __call__(self, position: int, count: int, generator: np.random.Generator) -> Drawn:
        """Draw at most `count` distinct rows, a useful one among them; give them with their utilities."""


@dataclass(frozen=True, eq=False)
class FromTeacher:
    """Draws from a teacher's list, hits [n, depth] with its scores; `rows` are all those of the collection.

    random_negatives: the chance that an item after the first is drawn from the whole collection. What is not on the
    list has utility 0, or that of the list's last item where that is below 0.
    """

    hits: Hits
    rows: Int64Array
    random_negatives: float = 0.5

    @property
    def fingerprint(self) -> str:
        """A digest of the lists and the chance."""
        rows, scores = (np.ascontiguousarray(values).tobytes() for values in (self.hits.rows, self.hits.scores))
        return digest("teacher", rows, scores, self.random_negatives)

    def without_items(self) -> Int64Array:
        """Give the positions of examples without a hit."""
        return np.flatnonzero(~self.hits.mask.any(axis=1))

    def __call__(self, position: int, count: int, generator: np.random.Generator) -> Drawn:
        """Draw from the list and from anywhere."""
        listed = self.hits.rows[position][self.hits.mask[position]]
        known = dict(zip(listed.tolist(), self.hits.scores[position].tolist(), strict=False))
        floor = min(0.0, *known.values())
        anywhere = int(generator.binomial(count - 1, self.random_negatives))
        chosen = generator.choice(listed, min(len(listed), count - anywhere), replace=False)
        rows = _distinct(chosen, generator.choice(self.rows, SPARE * (count - len(chosen))))[:count]
        return rows, np.array([known.get(row, floor) for row in rows.tolist()], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class FromLabels:
    """Draws one right item and wrong ones.

    right: the rows that hold the evidence of each example. near: rows that are never wrong. hits: a list [n, depth]
    that wrong items come from, or nothing. random_negatives: the chance that one comes from `rows`, the whole
    collection, instead.
    """

    right: Sequence[Int64Array]
    near: Sequence[Int64Array]
    rows: Int64Array
    hits: Hits | None = None
    random_negatives: float = 0.5

    @property
    def fingerprint(self) -> str:
        """A digest of right rows, lists and the chance."""
        lists = b"" if self.hits is None else np.ascontiguousarray(self.hits.rows).tobytes()
        right, near = ([rows.tolist() for rows in every] for every in (self.right, self.near))
        return digest("labels", right, near, lists, self.random_negatives)

    @classmethod
    def of(
        cls,
        collection: PagedCollection,
        examples: Sequence[Example],
        hits: Hits | None,
        random_negatives: float = 0.5,
        *,
        page_negatives: bool = False,
        first_hop: bool = False,
    ) -> FromLabels:
        """Find the items that hold the evidence of examples, and the others of their pages.

        page_negatives: whether these are wrong. first_hop: whether of several places that an answer needs, only the one
        that the list has first is right; the others are not wrong either.
        """
        evidence = evidence_rows(collection, examples)
        every = [_joined(*chain.from_iterable(needed)) for needed in evidence]
        right = first_hops(evidence, hits) if first_hop and hits is not None else every
        pages = [() if page_negatives else _right_pages(example) for example in examples]
        near = [
            _joined(rows, *(_page_rows(collection, page) for page in some))
            for rows, some in zip(every, pages, strict=True)
        ]
        return cls(right, near, collection.rows(), hits, random_negatives)

    def without_items(self) -> Int64Array:
        """Give the positions of examples whose evidence no item holds."""
        return np.flatnonzero([len(rows) == 0 for rows in self.right])

    def __call__(self, position: int, count: int, generator: np.random.Generator) -> Drawn:
        """Draw a right item, then wrong ones."""
        right = generator.choice(self.right[position], 1)
        excluded = np.union1d(self.right[position], self.near[position])
        listed = self.rows[:0] if self.hits is None else self.hits.rows[position]
        hard = listed[(listed >= 0) & ~np.isin(listed, excluded)]
        anywhere = int(generator.binomial(count - 1, self.random_negatives))
        wrong = generator.choice(hard, min(len(hard), count - 1 - anywhere), replace=False)
        more = generator.choice(self.rows, SPARE * (count - len(wrong)))
        rows = _distinct(right, wrong, more[~np.isin(more, excluded)])[:count]
        return rows, (rows == right[0]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RankedExamples:
    """Examples of one task, each taught on `count` items that a sampler draws: a part of a `TrainSet`.

    places: those of the examples that are learnt from, ascending. hits: what was found for each example, [n, depth],
    where anything was: a sampler of batches may ask (`reml.training.data.samplers`).
    """

    collection: Collection
    examples: Sequence[Example]
    sampler: ItemSampler
    count: int
    places: Int64Array
    hits: Hits | None = None

    @classmethod
    def of(
        cls,
        collection: Collection,
        examples: Sequence[Example],
        sampler: ItemSampler,
        count: int = 2,
        *,
        hits: Hits | None = None,
    ) -> RankedExamples:
        """Take all examples that the sampler has items for."""
        if count < 2:
            raise ValueError(f"an example is taught on 2 items or more, not {count}: one alone has no rank.")
        places = np.setdiff1d(np.arange(len(examples), dtype=np.int64), sampler.without_items())
        return cls(collection, examples, sampler, count, places, hits)

    def found(self, k: int) -> Hits:
        """Give the k best hits of the examples that are learnt from, [B, k]; `ValueError` where nothing searched."""
        if self.hits is None:
            raise ValueError(
                "the sampler asks what was found for the examples, and labels alone teach: name an access model under "
                "train.negatives (with train.random_negatives: 1.0 its hits choose no wrong items), or let rounds find "
                "lists."
            )
        best = self.hits.first(k).take(self.places)
        return Hits.ranked(best.rows, best.scores, k)

    def only(self, positions: Int64Array) -> RankedExamples:
        """Take the examples at these positions."""
        return replace(self, places=self.places[positions])

    def __len__(self) -> int:
        return len(self.places)

    @property
    def fingerprint(self) -> str:
        """A digest of the examples and of all that can be drawn for them."""
        texts = [[self.examples[place].id, self.examples[place].input] for place in self.places]
        return digest(texts, self.sampler.fingerprint, self.count, self.collection.fingerprint)

    def check_learnable(self) -> None:
        """Raise `ValueError` if there is an example that the sampler has nothing for."""
        bare = np.intersect1d(self.sampler.without_items(), self.places)
        if len(bare):
            raise ValueError(
                f"example {self.examples[bare[0]].id!r} has no item to learn from: leave it out of the training set."
            )

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions; the scores of their items are the utilities."""
        places = self.places[positions]
        hits = self._drawn(places, np.random.default_rng([int(place) for place in places]))
        return Batch.of([self.examples[place] for place in places], gather(self.collection, hits))

    def dev_set(self, name: str, count: int = 20) -> DevSet:
        """Judge training by these examples: each has `count` items, of which the most useful is the right one.

        The score is the mean reciprocal rank of the right one.
        """
        hits = replace(self, count=count)._drawn(self.places, np.random.default_rng(0))
        best = self.collection.get(hits.rows[:, 0])
        examples = [
            replace(self.examples[place], output=(Answer(None, (Provenance.of(item),)),))
            for place, item in zip(self.places, best, strict=True)
        ]
        return DevSet(
            name, RetrievedExamples.of(self.collection, examples, _by_row(hits)), reciprocal_rank, lambda: "RR"
        )

    def _drawn(self, places: Int64Array, generator: np.random.Generator) -> Hits:
        rows = np.full((len(places), self.count), -1, dtype=np.int64)
        utilities = np.full((len(places), self.count), -np.inf, dtype=np.float32)
        for number, place in enumerate(places):
            drawn, useful = self.sampler(int(place), self.count, generator)
            rows[number, : len(drawn)], utilities[number, : len(drawn)] = drawn, useful
        return Hits.ranked(rows, utilities, self.count)


def right_rows(pages: Pages, examples: Sequence[Example]) -> list[Int64Array]:
    """Give for each example the rows that hold evidence of a right answer, ascending."""
    return [_joined(*chain.from_iterable(places)) for places in evidence_rows(pages, examples)]


def first_hops(evidence: Sequence[Sequence[Sequence[Int64Array]]], hits: Hits) -> list[Int64Array]:
    """Give for each example the rows of the place that its list has first, of each right answer; ascending.

    evidence: the rows of each place of each right answer, by example (`reml.collection.evidence.evidence_rows`). No
    label of KILT tells the order of hops: what is found first is taken for the first.
    """
    ranks = [{row: rank for rank, row in enumerate(rows.tolist())} for rows in hits.rows]
    return [
        _joined(*(min(places, key=functools.partial(_rank, known), default=_NOTHING) for places in needed))
        for needed, known in zip(evidence, ranks, strict=True)
    ]


def _rank(ranks: Mapping[int, int], rows: Int64Array) -> int:
    """Give the best rank of a place's rows."""
    return min((ranks.get(row, len(ranks)) for row in rows.tolist()), default=len(ranks))


def reciprocal_rank(examples: Sequence[Example], answers: Sequence[Answer]) -> float:
    """Give the mean over examples of 1 / the rank of the right answer's item; 0 where it is not among the items."""
    return float(np.mean([_reciprocal_rank(*pair) for pair in zip(examples, answers, strict=True)]))


def _reciprocal_rank(example: Example, answer: Answer) -> float:
    right = [Region.of(place) for output in example.output for place in output.provenance]
    for place, found in enumerate(answer.provenance, start=1):
        if any(Region.of(found).overlaps(region) for region in right):
            return 1 / place
    return 0.0


def _by_row(hits: Hits) -> Hits:
    """Order hits by row, padding last: a tie in scores must not look like a right answer."""
    order = np.argsort(np.where(hits.rows < 0, np.iinfo(np.int64).max, hits.rows), axis=1)
    return Hits(np.take_along_axis(hits.rows, order, 1), np.take_along_axis(hits.scores, order, 1))


def _right_pages(example: Example) -> list[str]:
    return sorted({place.wikipedia_id for output in example.output for place in output.provenance})


def _page_rows(pages: Pages, page: str) -> Int64Array:
    return np.array([item.row for item in pages.by_page(page)], dtype=np.int64)


def _joined(*rows: Int64Array) -> Int64Array:
    """Join rows, each once, ascending."""
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *rows]))


def _distinct(*rows: Int64Array) -> Int64Array:
    """Join rows, each once, in the order they come."""
    return np.array(list(dict.fromkeys(np.concatenate(rows).tolist())), dtype=np.int64)
