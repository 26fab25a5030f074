"""What every predictor that reads items must do; the tests of each inherit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Signal
from reml.testing import MemoryCollection


def only(responses: Responses, owner: int, places: Sequence[int]) -> Responses:
    """Keep one example and some of its items."""
    return Responses(
        items=(tuple(responses.items[owner][place] for place in places),),
        rows=responses.rows[[owner]][:, places],
        scores=responses.scores[[owner]][:, places],
        mask=torch.ones((1, len(places)), dtype=torch.bool),
    )


def module(predictor: Predictor) -> nn.Module:
    assert isinstance(predictor, nn.Module)
    return predictor


class ReaderContract:
    """Give `predictor` as a fixture; `per_token` if its loss is the mean over the answer's tokens."""

    per_token = False

    def test_it_is_a_predictor_and_a_module(self, predictor: Predictor) -> None:
        assert isinstance(predictor, Predictor)
        assert isinstance(predictor, nn.Module)

    def test_the_likelihood_by_item_is_that_of_the_item_alone(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        responses = gather(collection, hits)
        found = predictor.loss(Batch.of(examples, responses), Signal.ITEM_LIKELIHOOD).read_credit.item_log_likelihood
        assert found is not None
        assert torch.equal(found == -torch.inf, ~responses.mask)
        for owner, place in np.argwhere(hits.mask).tolist():
            alone = self._likelihood(predictor, examples[owner], only(responses, owner, [place]))
            torch.testing.assert_close(found[owner, place], alone, rtol=1e-4, atol=1e-4)

    def test_the_likelihood_without_an_item_is_that_of_all_others(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        if Signal.LEAVE_ONE_OUT not in predictor.signals:
            return
        responses = gather(collection, hits)
        found = predictor.loss(Batch.of(examples, responses), Signal.LEAVE_ONE_OUT).read_credit.leave_one_out
        assert found is not None
        assert torch.equal(found == -torch.inf, ~responses.mask)
        for owner, place in np.argwhere(hits.mask).tolist():
            others = [one for one in range(int(hits.mask[owner].sum())) if one != place]
            left = only(responses, owner, others) if others else empty(1)
            expected = self._likelihood(predictor, examples[owner], left)
            torch.testing.assert_close(found[owner, place], expected, rtol=1e-4, atol=1e-4)

    def test_samples_are_the_right_answer_and_others_with_their_likelihood_by_item(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        if Signal.SAMPLES not in predictor.signals:
            return
        responses = gather(collection, hits)
        torch.manual_seed(0)
        found = predictor.loss(Batch.of(examples, responses), Signal.SAMPLES | Signal.ITEM_LIKELIHOOD)
        assert found.read_credit.samples is not None
        assert found.read_credit.sample_log_likelihood is not None
        assert found.read_credit.item_log_likelihood is not None
        count = len(found.read_credit.samples[0])
        assert count > 1
        assert found.read_credit.sample_log_likelihood.shape == (3, count, 3)
        assert torch.equal(
            found.read_credit.sample_log_likelihood == -torch.inf, ~responses.mask[:, None].expand(-1, count, -1)
        )
        assert [given[0].text for given in found.read_credit.samples] == ["N'Djamena", "Paris", "Bogotá"]
        torch.testing.assert_close(found.read_credit.sample_log_likelihood[:, 0], found.read_credit.item_log_likelihood)
        assert (found.read_credit.sample_log_likelihood[:, 1:] < 0).all()
        for given, rows in zip(found.read_credit.samples, hits.rows, strict=True):
            pages = {str(row) for row in rows if row >= 0}
            assert all({place.wikipedia_id for place in answer.provenance} == pages for answer in given)

    def test_masked_items_are_no_provenance(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection
    ) -> None:
        responses = gather(collection, Hits(np.array([[0, 1], [2, 1], [3, 0]]), np.zeros((3, 2), np.float32)))
        masked = replace(responses, mask=torch.tensor([[True, False]] * 3))
        answers = predictor.generate(Batch.of(examples, masked))
        assert [[place.wikipedia_id for place in answer.provenance] for answer in answers] == [["0"], ["2"], ["3"]]

    def test_places_of_padding_change_nothing(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection
    ) -> None:
        narrow = Hits(np.array([[0], [1], [3]]), np.zeros((3, 1), np.float32))
        wide = Hits.ranked(narrow.rows, narrow.scores, 4)
        losses = [predictor.loss(Batch.of(examples, gather(collection, hits))).loss for hits in (narrow, wide)]
        torch.testing.assert_close(losses[0], losses[1])
        by_item = predictor.loss(
            Batch.of(examples, gather(collection, wide)), Signal.ITEM_LIKELIHOOD
        ).read_credit.item_log_likelihood
        assert by_item is not None
        assert by_item.shape == (3, 4)

    def test_without_items_it_still_answers_and_has_a_loss(self, predictor: Predictor, examples: list[Example]) -> None:
        prediction = predictor.loss(Batch.of(examples, empty(3)), predictor.signals)
        assert prediction.loss.shape == (3,)
        assert torch.isfinite(prediction.loss).all()
        assert prediction.read_credit.item_log_likelihood is not None
        assert prediction.read_credit.item_log_likelihood.shape == (3, 0)
        answers = predictor.generate(Batch.of(examples, empty(3)))
        assert [answer.provenance for answer in answers] == [(), (), ()]
        assert all(isinstance(answer.text, str) for answer in answers)

    def test_it_gives_the_signals_asked_and_no_others(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        responses = gather(collection, hits)
        bare = predictor.loss(Batch.of(examples, responses))
        assert (
            bare.read_credit.item_log_likelihood
            is bare.read_credit.token_log_likelihood
            is bare.read_credit.attention
            is None
        )
        full = predictor.loss(Batch.of(examples, responses), predictor.signals)
        torch.testing.assert_close(full.loss, bare.loss)
        assert (full.read_credit.attention is not None) == (Signal.ATTENTION in predictor.signals)
        if Signal.TOKEN_LIKELIHOOD in predictor.signals:
            assert full.read_credit.token_log_likelihood is not None
            assert full.read_credit.item_log_likelihood is not None
            assert full.read_credit.target_mask is not None
            assert full.read_credit.token_log_likelihood.shape == (3, 3, full.read_credit.target_mask.shape[1])
            assert (full.read_credit.token_log_likelihood * ~full.read_credit.target_mask[:, None]).abs().sum() == 0
            summed = full.read_credit.token_log_likelihood.sum(2).masked_fill(~responses.mask, -torch.inf)
            torch.testing.assert_close(summed, full.read_credit.item_log_likelihood)

    def test_a_signal_it_cannot_give_is_refused(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        with pytest.raises(ValueError, match="cannot give ITEM_UTILITY: a judge gives it"):
            predictor.loss(Batch.of(examples, gather(collection, hits)), Signal.ITEM_UTILITY)

    def test_the_order_of_items_does_not_change_the_loss(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection
    ) -> None:
        losses = [
            predictor.loss(
                Batch.of(examples[:1], gather(collection, Hits(np.array([rows]), np.zeros((1, 3), np.float32))))
            ).loss
            for rows in ([0, 1, 2], [2, 0, 1])
        ]
        torch.testing.assert_close(losses[0], losses[1])

    def test_examples_do_not_touch_each_other(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        responses = gather(collection, hits)
        together = predictor.loss(Batch.of(examples, responses)).loss
        for owner, example in enumerate(examples):
            alone = predictor.loss(Batch.of([example], only(responses, owner, range(len(responses.items[owner]))))).loss
            torch.testing.assert_close(together[owner], alone[0], rtol=1e-4, atol=1e-4)

    def test_the_provenance_are_the_items_that_were_read(
        self, predictor: Predictor, examples: list[Example], collection: MemoryCollection, hits: Hits
    ) -> None:
        for answer, rows in zip(
            predictor.generate(Batch.of(examples, gather(collection, hits))), hits.rows, strict=True
        ):
            assert sorted(one.wikipedia_id for one in answer.provenance) == sorted(str(row) for row in rows if row >= 0)

    def test_an_example_without_answer_is_named(
        self, predictor: Predictor, collection: MemoryCollection, hits: Hits
    ) -> None:
        with pytest.raises(ValueError, match="example 'q7' has no answer"):
            predictor.loss(Batch.of([Example("q7", "What?", (Answer(),))], only(gather(collection, hits), 0, [0])))

    def _likelihood(self, predictor: Predictor, example: Example, responses: Responses) -> Tensor:
        prediction = predictor.loss(Batch.of([example], responses), predictor.signals)
        if not self.per_token:
            return -prediction.loss[0]
        assert prediction.read_credit.target_mask is not None
        return -prediction.loss[0] * prediction.read_credit.target_mask.sum()


def learn(
    predictor: Predictor, examples: list[Example], responses: Responses, *, steps: int, rate: float
) -> list[float]:
    """Train for some steps; give the mean loss before each."""
    torch.manual_seed(1)
    parameters = [parameter for parameter in module(predictor).parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    losses = []
    module(predictor).train()
    for _ in range(steps):
        loss = predictor.loss(Batch.of(examples, responses)).loss.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    module(predictor).eval()
    return losses
