"""The best passage of a page stands for the page: MaxP.

Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019,
https://arxiv.org/abs/1905.09217: the score of a document is that of its best passage.
"""

from __future__ import annotations

from collections.abc import Sequence

from reml.access.presenting.processors import keep
from reml.contract.examples import Item
from reml.contract.retrieved import Queries, Responses


class MaxPassage:
    """Keeps the item of largest score of each page, and orders pages by these scores; ties keep their places.

    An item without a page is a page by itself. Scores keep their gradient.
    """

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Drop every item of a page that has a better one, and give the others best first."""
        scores = responses.scores.detach().cpu().tolist()
        return keep(responses, [_best(items, row) for items, row in zip(responses.items, scores, strict=True)])


def _best(items: Sequence[Item], scores: Sequence[float]) -> list[int]:
    """Give the place of the best item of each page, best first."""
    ranked = sorted(range(len(items)), key=lambda place: -scores[place])
    first: dict[str | int, int] = {}
    for place in ranked:
        first.setdefault(items[place].page_id or items[place].row, place)
    return list(first.values())
