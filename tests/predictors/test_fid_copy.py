from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.predictors.copying.copy_target import target_of
from reml.predictors.fid_copy import CopyFiD
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract, learn


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return CopyFiD(self.folder, frozen_layers=0, input_tokens=64, answer_tokens=12)


@pytest.fixture
def predictor(tiny_bert: str) -> Predictor:
    torch.manual_seed(0)
    return CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12).eval()


class TestCopyFiD(ReaderContract):
    per_token = True


def test_it_learns_to_quote_with_case_and_accents(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12)
    responses = gather(collection, hits)
    losses = learn(predictor, examples, responses, steps=100, rate=3e-3)
    assert losses[-1] < 0.2 * losses[0]
    assert [answer.text for answer in predictor.generate(Batch.of(examples, responses))] == [
        "N'Djamena",
        "Paris",
        "Bogotá",
    ]


def test_it_learns_labels_that_no_item_says(tiny_bert: str, collection: MemoryCollection) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12)
    claims = [Example("a", "France", (Answer("SUPPORTS"),)), Example("b", "Chad", (Answer("REFUTES"),))]
    responses = gather(collection, Hits(np.array([[0], [1]]), np.zeros((2, 1), np.float32)))
    learn(predictor, claims, responses, steps=60, rate=3e-3)
    assert [answer.text for answer in predictor.generate(Batch.of(claims, responses))] == ["SUPPORTS", "REFUTES"]


def test_answers_that_all_end_at_once_are_empty(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12).eval()
    with torch.no_grad():
        predictor.bias[predictor.tokeniser.sep_token_id] = 1e4
        predictor.decoder.gate.bias.fill_(-1e4)  # never copy
    answers = predictor.generate(Batch.of(examples, gather(collection, hits)))
    assert [answer.text for answer in answers] == [""] * len(examples)


def test_the_same_seed_gives_the_same_numbers(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    runs = []
    for _ in range(2):
        torch.manual_seed(3)
        predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12)
        runs.append(learn(predictor, examples, gather(collection, hits), steps=4, rate=1e-3))
    assert runs[0] == runs[1]


def test_dropout_is_drawn_while_training_only(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12)
    responses = gather(collection, hits)
    assert not torch.equal(
        predictor.loss(Batch.of(examples, responses)).loss, predictor.loss(Batch.of(examples, responses)).loss
    )
    predictor.eval()
    assert torch.equal(
        predictor.loss(Batch.of(examples, responses)).loss, predictor.loss(Batch.of(examples, responses)).loss
    )


def test_preparing_changes_no_number(
    predictor: CopyFiD, examples: list[Example], collection: MemoryCollection, hits: Hits, tmp_path: Path
) -> None:
    responses = gather(collection, hits)
    before = predictor.loss(Batch.of(examples, responses)).loss
    predictor.prepare({"": collection}, tmp_path)
    assert torch.equal(predictor.loss(Batch.of(examples, responses)).loss, before)
    assert len(list(tmp_path.glob("tokens-*/manifest.json"))) == 1


def test_only_the_upper_layers_are_trained(tiny_bert: str) -> None:
    predictor = CopyFiD(tiny_bert, frozen_layers=1, input_tokens=64)
    trained = {name for name, parameter in predictor.encoder.named_parameters() if parameter.requires_grad}
    assert trained
    assert all(".layer.1." in name for name in trained)
    with pytest.raises(ValueError, match="frozen_layers must be from 0 to 2"):
        CopyFiD(tiny_bert, frozen_layers=3)


def test_the_item_copied_from_comes_first_where_asked(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection
) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=12, provenance="copied")
    responses = gather(collection, Hits(np.array([[2, 1, 0], [3, 2, 1], [1, 0, 3]]), np.zeros((3, 3), np.float32)))
    learn(predictor, examples, responses, steps=60, rate=3e-3)
    ranked = [[one.title for one in answer.provenance] for answer in predictor.generate(Batch.of(examples, responses))]
    assert ranked == [["Chad", "Rivers", "France"], ["France", "Colombia", "Rivers"], ["Colombia", "France", "Chad"]]
    predictor.provenance = "retrieved"
    kept = predictor.generate(Batch.of(examples, responses))[0]
    assert [one.title for one in kept.provenance] == ["Rivers", "France", "Chad"]


def test_attention_is_of_items_only(
    predictor: CopyFiD, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    attention = predictor.loss(Batch.of(examples, gather(collection, hits)), Signal.ATTENTION).read_credit.attention
    assert attention is not None
    assert torch.equal(attention > 0, torch.from_numpy(hits.mask))
    assert not attention.requires_grad


def test_the_answer_that_stands_in_an_item_is_the_target(tiny_bert: str, collection: MemoryCollection) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, input_tokens=64, frozen_layers=0).eval()
    responses = gather(collection, Hits(np.array([[0]]), np.zeros((1, 1), np.float32)))
    both = Example("a", "What?", (Answer("what is it"), Answer("N'Djamena")))
    one = Example("a", "What?", (Answer("N'Djamena"),))
    assert torch.equal(
        predictor.loss(Batch.of([both], responses)).loss, predictor.loss(Batch.of([one], responses)).loss
    )


def test_too_little_room_is_refused(tiny_bert: str) -> None:
    with pytest.raises(ValueError, match="input_tokens must be at least 16, not 8"):
        CopyFiD(tiny_bert, frozen_layers=0, input_tokens=8)


def test_examples_and_responses_must_fit(
    predictor: CopyFiD, examples: list[Example], collection: MemoryCollection
) -> None:
    responses = gather(collection, Hits(np.array([[0]]), np.zeros((1, 1), np.float32)))
    with pytest.raises(ValueError, match="3 examples but 1 responses"):
        predictor.loss(Batch.of(examples, responses))


def test_outputs_are_drawn_as_often_as_they_are_likely(tiny_bert: str, collection: MemoryCollection) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=1).eval()
    with torch.no_grad():
        predictor.case[1].get_parameter("bias").copy_(torch.tensor([50.0, 0.0, 0.0]))  # always lower case
    examples = [Example(str(number), "what river", (Answer("chad"),)) for number in range(150)]
    responses = gather(collection, Hits(np.full((150, 1), 2), np.zeros((150, 1), np.float32)))
    found = predictor.loss(Batch.of(examples, responses), Signal.SAMPLES)
    assert found.read_credit.samples is not None
    assert found.read_credit.sample_log_likelihood is not None
    # Single tokens, told apart by their likelihoods: some are parts of one word, and quoted as that word.
    drawn = found.read_credit.sample_log_likelihood[:, 1:].flatten().detach().numpy().round(3).tolist()
    assert len(set(drawn)) > 10
    for likelihood in sorted(set(drawn), key=drawn.count)[-3:]:
        expected = np.exp(likelihood)
        assert drawn.count(likelihood) / len(drawn) == pytest.approx(expected, abs=4 * np.sqrt(expected / len(drawn)))


def test_what_was_decoded_is_learnt_up_to_its_first_end() -> None:
    ids, cases = torch.tensor([[5, 6, 3, 3], [7, 8, 9, 4]]), torch.ones(2, 4)
    longer = target_of(ids, cases, end=3, limit=6)
    assert longer.ids.tolist() == [[5, 6, 3, 3, 3], [7, 8, 9, 4, 3]]
    assert longer.mask.tolist() == [[True, True, True, False, False], [True] * 5]
    full = target_of(ids, cases, end=3, limit=4)
    assert full.mask.tolist() == [[True, True, True, False], [True] * 4]
    nothing = target_of(ids[:, :0], cases[:, :0], end=3, limit=4)
    assert (nothing.ids.tolist(), nothing.mask.tolist()) == ([[3], [3]], [[True], [True]])
