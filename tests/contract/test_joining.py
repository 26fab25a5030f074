"""The lists of several access models joined into one and taken apart again."""

from __future__ import annotations

import numpy as np
import torch

from reml.access.responses import gather
from reml.contract.joining import apart, joined
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Credit
from reml.testing import MemoryCollection

WIKI, NOTES = MemoryCollection(["w0", "w1", "w2"]), MemoryCollection(["n0", "n1"])


def found(collection: MemoryCollection, rows: list[list[int]], temperature: float = 1.0) -> Responses:
    table = np.array(rows, dtype=np.int64)
    scores = np.where(table >= 0, 5.0 - np.arange(table.shape[1]), -np.inf).astype(np.float32)
    return gather(collection, Hits(table, scores), temperature=temperature)


def both() -> Responses:
    """Two examples: the first has two pages and a note, the second a page and two notes."""
    wiki = found(WIKI, [[2, 0], [1, -1]])
    return joined({"wiki": wiki, "notes": found(NOTES, [[1, -1], [0, 1]], temperature=2.0)}, 2)


def test_lists_stand_side_by_side_without_gaps() -> None:
    together = both()
    assert together.names == ("wiki", "notes")
    assert together.rows.tolist() == [[2, 0, 1, -1], [1, 0, 1, -1]], "K is that of all lists together"
    assert together.origins.tolist() == [[0, 0, 1, 0], [0, 1, 1, 0]]
    assert [[item.text for item in items] for items in together.items] == [["w2", "w0", "n1"], ["w1", "n0", "n1"]]
    assert together.scores.tolist() == [[5.0, 4.0, 2.5, -torch.inf], [5.0, 2.5, 2.0, -torch.inf]]


def test_each_gets_its_own_back() -> None:
    together, places = both(), apart(both())
    notes = together.pick(places["notes"])
    assert notes.rows.tolist() == [[1, -1], [0, 1]]
    assert [[item.text for item in items] for items in notes.items] == [["n1"], ["n0", "n1"]]
    assert places["wiki"].tolist() == [[0, 1], [0, -1]]


def test_credit_is_taken_apart_by_origin() -> None:
    likelihood = torch.tensor([[-1.0, -2.0, -3.0, -torch.inf], [-4.0, -5.0, -6.0, -torch.inf]])
    credit = Credit(item_log_likelihood=likelihood, token_log_likelihood=likelihood[:, :, None].expand(-1, -1, 2))
    of_notes = credit.take(torch.from_numpy(apart(both())["notes"]))
    assert of_notes.item_log_likelihood is not None
    assert of_notes.item_log_likelihood.tolist() == [[-3.0, -torch.inf], [-5.0, -6.0]]
    assert of_notes.token_log_likelihood is not None
    assert of_notes.token_log_likelihood[0].tolist() == [[-3.0, -3.0], [0.0, 0.0]]


def test_one_list_stays_as_it_is_and_none_is_empty() -> None:
    wiki = found(WIKI, [[2, 0], [1, -1]], temperature=0.5)
    alone = joined({"wiki": wiki}, 2)
    assert alone.scores is wiki.scores
    assert alone.temperature == 0.5
    assert joined({}, 2).rows.shape == (2, 0)


def test_the_prior_is_over_shown_items_and_has_a_gradient() -> None:
    scores = torch.tensor([[2.0, 0.0, 9.0], [0.0, 0.0, 0.0]], requires_grad=True)
    responses = Responses.of_scores(scores, torch.tensor([[True, True, False], [False] * 3]), temperature=2.0)
    prior = responses.log_prior
    torch.testing.assert_close(prior[0, :2], torch.log_softmax(torch.tensor([1.0, 0.0]), 0))
    assert torch.isneginf(prior[0, 2])
    assert torch.isneginf(prior[1]).all()
    prior[0, 0].backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
