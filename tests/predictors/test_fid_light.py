"""FiD-Light over tiny encoder-decoders, and the same two ideas in the copying variant."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.predictors.copying.quoting import Case, Written
from reml.predictors.fid import FiD
from reml.predictors.fid_copy import CopyFiD
from reml.predictors.fid_light import FiDLight
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract, learn


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_t5: str) -> None:
        self.folder = tiny_t5

    def make(self) -> Predictor:
        return FiDLight(self.folder, vectors=24, input_tokens=64, answer_tokens=20)


class TestContractOfCopying(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return CopyFiD(
            self.folder, frozen_layers=0, vectors=24, input_tokens=64, answer_tokens=20, provenance="pointed"
        )


class TestFewVectors(ReaderContract):
    """All that a reader must do, of what the first vectors say."""

    @pytest.fixture
    def predictor(self, tiny_t5: str) -> Predictor:
        return FiDLight(tiny_t5, vectors=24, pointers=False, input_tokens=64, answer_tokens=12).eval()


class TestFewCopiedVectors(ReaderContract):
    per_token = True

    @pytest.fixture
    def predictor(self, tiny_bert: str) -> Predictor:
        torch.manual_seed(0)
        return CopyFiD(tiny_bert, frozen_layers=0, vectors=24, input_tokens=64, answer_tokens=12).eval()


@pytest.fixture
def located(examples: list[Example]) -> list[Example]:
    """The examples with the page that each answer stands on: rows 0, 1 and 3."""
    pages = ("0", "1", "3")
    return [
        Example(one.id, one.input, (Answer(one.answers[0], (Provenance(page),)),))
        for one, page in zip(examples, pages, strict=True)
    ]


def test_as_many_vectors_as_tokens_are_fusion_in_decoder(
    tiny_t5: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    batch = Batch.of(examples, gather(collection, hits))
    light = FiDLight(tiny_t5, vectors=64, pointers=False, input_tokens=64, answer_tokens=12).eval()
    fid = FiD(tiny_t5, input_tokens=64, answer_tokens=12).eval()
    assert torch.equal(light.loss(batch).loss, fid.loss(batch).loss)
    assert light.generate(batch) == fid.generate(batch)
    light.fid.vectors = 20
    assert not torch.allclose(light.loss(batch).loss, fid.loss(batch).loss)


def test_the_decoder_reads_the_first_vectors_alone(tiny_t5: str, collection: MemoryCollection) -> None:
    """By hand: number two inputs, encode them apart, keep four states of each, decode the pointer and the answer."""
    predictor = FiDLight(tiny_t5, vectors=4, input_tokens=64).eval()
    tokeniser, model = predictor.fid.tokeniser, predictor.fid.model
    example = Example("a", "what", (Answer("chad", (Provenance("1"),)),))
    responses = gather(collection, Hits(np.array([[0, 1]]), np.zeros((1, 2), np.float32)))
    states = []
    for number, item in enumerate(responses.items[0], start=1):
        text = f"question: what index: {number} title: {item.title} context: {item.text}"
        ids = tokeniser(text, add_special_tokens=False)["input_ids"]
        inputs = torch.tensor([[*ids, tokeniser.eos_token_id]])
        states.append(model.get_encoder()(input_ids=inputs).last_hidden_state[:, :4])
    said = tokeniser("index: 2 text: chad", add_special_tokens=False)["input_ids"]
    labels = torch.tensor([[*said, tokeniser.eos_token_id]])
    expected = model(encoder_outputs=(torch.cat(states, 1),), labels=labels).loss
    torch.testing.assert_close(predictor.loss(Batch.of([example], responses)).loss[0], expected * labels.shape[1])


def test_the_copying_decoder_reads_and_copies_the_first_vectors_alone(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    torch.manual_seed(0)
    predictor = CopyFiD(tiny_bert, frozen_layers=0, vectors=64, input_tokens=64, answer_tokens=12).eval()
    batch = Batch.of(examples, gather(collection, hits))
    few = predictor.loss(batch).loss
    predictor.vectors = None
    assert torch.equal(predictor.loss(batch).loss, few)
    predictor.vectors = 16
    assert not torch.allclose(predictor.loss(batch).loss, few)


def test_it_learns_to_point_and_what_it_points_to_comes_first(
    tiny_t5: str, located: list[Example], collection: MemoryCollection
) -> None:
    torch.manual_seed(0)
    predictor = FiDLight(tiny_t5, input_tokens=64, answer_tokens=24)
    rows = np.array([[2, 1, 0], [3, 1, 2], [1, 0, 3]])
    batch = Batch.of(located, gather(collection, Hits(rows, np.zeros((3, 3), np.float32))))
    learn(predictor, located, batch.read, steps=80, rate=1e-2)
    answers = predictor.generate(batch)
    assert answers[1].text == "paris"  # its tokeniser loses case
    ranked = [[one.wikipedia_id for one in answer.provenance] for answer in answers]
    assert ranked == [["0", "2", "1"], ["1", "3", "2"], ["3", "1", "0"]]


@pytest.mark.parametrize(
    ("said", "first", "left"),
    [
        ("index: 2,1 text: paris text: a", (1, 0), "paris text: a"),
        ("index: text: paris", (), "paris"),
        ("index: 7 text: paris", (), "paris"),
        ("index: 2 paris", (), "index: 2 paris"),
        ("text: paris", (), "text: paris"),
        ("index: 1 text:", (0,), ""),
        ("", (), ""),
    ],
)
def test_tokens_that_a_copying_decoder_said_are_taken_apart(
    said: str, first: tuple[int, ...], left: str, tiny_bert: str
) -> None:
    predictor = CopyFiD(tiny_bert, input_tokens=64, frozen_layers=0, provenance="pointed")
    ids = predictor.tokeniser(said, add_special_tokens=False)["input_ids"]
    written = [Written(token, copied=True, case=Case.LOWER) for token in ids]
    pointed, kept = predictor._pointed(written, range(3))
    expected = predictor.tokeniser(left, add_special_tokens=False)["input_ids"]
    assert (pointed, [one.id for one in kept]) == (first, expected)
    predictor.pointers = False
    assert predictor._pointed(written, range(3)) == ((), written)


def test_right_outputs_point_to_the_evidence(
    tiny_t5: str, tiny_bert: str, located: list[Example], collection: MemoryCollection
) -> None:
    rows = np.array([[2, 0], [1, 2], [2, 1]])  # of the third example no evidence is read
    batch = Batch.of(located, gather(collection, Hits(rows, np.zeros((3, 2), np.float32))))
    made: list[FiDLight | CopyFiD] = [
        FiDLight(tiny_t5, input_tokens=64, answer_tokens=16),
        CopyFiD(tiny_bert, input_tokens=64, frozen_layers=0, answer_tokens=16, provenance="pointed"),
    ]
    for predictor in made:
        samples = predictor.eval().loss(batch, Signal.SAMPLES).read_credit.samples
        assert samples is not None
        pages = [[one.wikipedia_id for one in outputs[0].provenance] for outputs in samples]
        assert pages == [["0", "2"], ["1", "2"], ["2", "1"]]


def test_an_output_without_evidence_points_to_nothing(tiny_t5: str, tiny_bert: str) -> None:
    """The loss is that of `index: text: ...`, longer than the answer alone by what stands before it."""
    collection = MemoryCollection(["Paris is the capital."], ["France"])
    responses = gather(collection, Hits(np.array([[0]]), np.zeros((1, 1), np.float32)))
    example = Example("b", "what", (Answer("Paris"),))
    light = FiDLight(tiny_t5, input_tokens=64).eval().fid
    said = light.tokeniser("index: text: Paris", add_special_tokens=False)["input_ids"]
    targets = light._targets([example], light._read([example], responses))
    assert targets.tolist() == [[*said, light.tokeniser.eos_token_id]]
    copying = CopyFiD(tiny_bert, input_tokens=64, frozen_layers=0, provenance="pointed").eval()
    mask = copying.loss(Batch.of([example], responses), Signal.TOKEN_LIKELIHOOD).read_credit.target_mask
    assert mask is not None
    assert mask.sum() == len(said) + 1
