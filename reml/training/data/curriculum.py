"""Groups of a teacher's list whose order a retriever learns, from coarse to fine, as in CL-DRD.

Zeng, Zamani and Vinay, "Curriculum Learning for Dense Retrieval Distillation", SIGIR 2022,
https://arxiv.org/abs/2204.13679. A teacher re-ranks the 200 items that the retriever finds. The first ones are to be
told apart (labels 1, 1/2, 1/3, ...), hard ones come after them (-1/4), semi-hard ones last (-1/2). Four rounds, each
from the weights of the one before (`reml.training.data.rounds`), with the loss `reml.feedback.cldrd`:

    round   top   hard   semi-hard   rate   epochs
    1         5     12          13   7e-6        4
    2        10     10          10   3e-6        2
    3        20      5           5   3e-6        2
    4        30      0           0   3e-6        2

MS MARCO dev, MRR@10, published: .382 from TAS-B. Not run here. It refines what the retriever finds already: one that
finds nothing yet is trained in other ways first, since nothing tells what is on the lists from what is not.

Deviations: hard and semi-hard items are drawn anew at every visit, where the public code draws them once. An item that
holds the evidence is never hard, however many there are; the public code keeps one for each query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from reml.contract.arguments.checked import checked
from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest
from reml.training.data.ranked_examples import Drawn, PagedCollection, right_rows

HARD, SEMI_HARD = -0.25, -0.5


@checked()
@dataclass(frozen=True, kw_only=True)
class Curriculum:
    """How many items of a teacher's list are learnt from, and how finely.

    Args:
        top: first items, each better than the next.
        hard: items drawn from those after them, up to position `hard_until`, all alike.
        semi_hard: items drawn from the rest of the list, all alike and worse.
        hard_until: the last position of a hard item.
        evidence_first: items that hold the evidence of a right answer stand at the top, whatever the teacher says.
    """

    top: int = 5
    hard: int = 12
    semi_hard: int = 13
    hard_until: int = 50
    evidence_first: bool = True

    def __post_init__(self) -> None:
        if self.top < 1 or self.hard < 0 or self.semi_hard < 0 or self.size < 2:
            raise ValueError(
                f"a curriculum of {self.top}, {self.hard} and {self.semi_hard} items: top must be 1 or more, hard and "
                "semi_hard 0 or more, and all together 2 or more."
            )
        if self.hard and self.hard_until <= self.top:
            raise ValueError(
                f"there is no place for hard items between top ({self.top}) and hard_until ({self.hard_until}): raise "
                "hard_until, or leave them out with hard: 0."
            )

    @property
    def size(self) -> int:
        """How many items an example is taught on."""
        return self.top + self.hard + self.semi_hard


@dataclass(frozen=True, eq=False)
class FromCurriculum:
    """Draws the groups of a teacher's list, hits [n, depth] in the teacher's order.

    right: the rows of each example that stand first; none if the teacher alone says.
    """

    hits: Hits
    curriculum: Curriculum
    right: Sequence[Int64Array]

    @classmethod
    def of(
        cls, collection: PagedCollection, examples: Sequence[Example], hits: Hits, curriculum: Curriculum
    ) -> FromCurriculum:
        """Find the items that hold the evidence of examples, if they are to stand first."""
        nothing = np.empty(0, dtype=np.int64)
        right = right_rows(collection, examples) if curriculum.evidence_first else [nothing] * len(examples)
        return cls(hits, curriculum, right)

    @property
    def fingerprint(self) -> str:
        """A digest of lists, right rows and sizes."""
        lists = np.ascontiguousarray(self.hits.rows).tobytes()
        return digest("groups", lists, [rows.tolist() for rows in self.right], asdict(self.curriculum))

    def without_items(self) -> Int64Array:
        """Give the positions of examples with fewer than two items: nothing can be told apart."""
        short = np.flatnonzero(self.hits.mask.sum(axis=1) < 2)
        return np.array(
            [place for place in short.tolist() if len(np.concatenate(self._order(place))) < 2], dtype=np.int64
        )

    def __call__(self, position: int, count: int, generator: np.random.Generator) -> Drawn:
        """Draw hard and semi-hard items beside the top ones; all with their labels, the best first."""
        right, rest = self._order(position)
        sizes, order = self.curriculum, np.concatenate([right, rest])
        start = max(sizes.top, len(right))  # an item that is right has no place among the hard ones
        stop = max(start, sizes.hard_until)
        top = order[: sizes.top]
        hard = _drawn(order[start:stop], sizes.hard, generator)
        semi_hard = _drawn(order[stop:], sizes.semi_hard, generator)
        labels = [1 / np.arange(1, len(top) + 1), np.full(len(hard), HARD), np.full(len(semi_hard), SEMI_HARD)]
        return np.concatenate([top, hard, semi_hard])[:count], np.concatenate(labels).astype(np.float32)[:count]

    def _order(self, position: int) -> tuple[Int64Array, Int64Array]:
        """Give the right rows, in the order of the list and then those off it; and the rest of the list."""
        listed, right = self.hits.rows[position][self.hits.mask[position]], self.right[position]
        known = np.isin(listed, right)
        return np.concatenate([listed[known], right[~np.isin(right, listed)]]), listed[~known]


def _drawn(rows: Int64Array, count: int, generator: np.random.Generator) -> Int64Array:
    return generator.choice(rows, min(len(rows), count), replace=False)
