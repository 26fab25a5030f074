from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.predictors.late_reader import FLOOR, LateReader
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract
from tests.predictors.test_kept_states import in_another_process

TEXTS = ["the capital is n'djamena", "its capital is lima", "rivers run to the sea", "the capital is oslo"]
TITLES = ["Chad", "Peru", "Water", "Norway"]


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return taught(LateReader(self.folder, size=8, item_tokens=32, question_tokens=16, template_examples=1))


@pytest.fixture
def predictor(tiny_bert: str) -> Predictor:
    torch.manual_seed(0)
    return taught(LateReader(tiny_bert, size=8, item_tokens=32, question_tokens=16, template_examples=1)).eval()


class TestLateReader(ReaderContract):
    pass


def taught(reader: LateReader) -> LateReader:
    """Let it know some templates, as a training would."""
    collection = MemoryCollection(TEXTS, TITLES)
    examples = [Example("a", "capital of chad", (Answer("n'djamena"),)), Example("b", "which", (Answer("Peru"),))]
    reader.train().loss(Batch.of(examples, gather(collection, _hits([[0, 2], [1, 2]]))))
    return reader


def _hits(rows: list[list[int]]) -> Hits:
    return Hits(np.array(rows), np.zeros((len(rows), len(rows[0])), np.float32))


def _responses(rows: list[list[int]]) -> Responses:
    return gather(MemoryCollection(TEXTS, TITLES), _hits(rows))


def _train(reader: LateReader, examples: list[Example], rows: list[list[int]], steps: int) -> list[float]:
    optimizer = torch.optim.Adam(reader.network.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        loss = reader.train().loss(Batch.of(examples, _responses(rows))).loss.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_spans_titles_labels_and_sentences_are_learnt_together(tiny_bert: str) -> None:
    torch.manual_seed(0)
    reader = LateReader(tiny_bert, size=32, item_tokens=32, question_tokens=16, template_examples=2)
    capitals = {"Chad": (0, "n'djamena"), "Peru": (1, "lima"), "Norway": (3, "oslo")}
    examples: list[Example] = []
    rows = []
    for country, (row, capital) in capitals.items():
        right = f"The capital of {country} is {capital}."
        asked = [(f"capital {country}", capital), (f"which page {country}", country)]
        asked += [(f"true {country} {capital}", "SUPPORTS"), (f"tell me of {country}", right)]
        for text, answer in asked:
            examples.append(Example(text, text, (Answer(answer),)))
            rows.append([2, row])
    losses = _train(reader, examples, rows, 150)
    answers = [answer.text for answer in reader.eval().generate(Batch.of(examples, _responses(rows)))]
    assert losses[-1] < losses[0] / 4
    assert answers == [example.output[0].text for example in examples]


def test_the_item_that_gave_the_answer_comes_first_in_the_provenance(tiny_bert: str) -> None:
    torch.manual_seed(0)
    reader = LateReader(tiny_bert, size=32, item_tokens=32, question_tokens=16, template_examples=2)
    examples = [Example("a", "capital of chad", (Answer("n'djamena"),)), Example("b", "peru", (Answer("lima"),))]
    _train(reader, examples, [[2, 0], [2, 1]], 60)
    answers = reader.eval().generate(Batch.of(examples, _responses([[2, 0], [2, 1]])))
    assert [answer.text for answer in answers] == ["n'djamena", "lima"]
    assert [answer.provenance[0].title for answer in answers] == ["Chad", "Peru"]


def test_templates_are_saved_with_the_weights(tiny_bert: str) -> None:
    reader = taught(LateReader(tiny_bert, size=8, item_tokens=32, template_examples=1))
    other = LateReader(tiny_bert, size=8, item_tokens=32, template_examples=1)
    other.load_state_dict(reader.state_dict())
    assert list(other.templates.known) == list(reader.templates.known) != []
    batch = Batch.of([Example("a", "capital of chad", (Answer("x"),))], _responses([[0, 1]]))
    assert other.eval().generate(batch) == reader.eval().generate(batch)


def test_an_example_counts_once_however_often_it_comes(tiny_bert: str) -> None:
    reader = LateReader(tiny_bert, size=8, item_tokens=32, template_examples=2)
    one, other = (Example(name, "what", (Answer("SUPPORTS"),)) for name in ("a", "b"))
    _train(reader, [one], [[0]], 3)
    assert list(reader.templates.known) == []
    _train(reader, [other], [[0]], 1)
    assert list(reader.templates.known) == ["SUPPORTS"]


def test_the_encoder_is_no_part_of_what_is_trained_and_saved(tiny_bert: str) -> None:
    reader = LateReader(tiny_bert, size=8, item_tokens=32)
    assert {name.partition(".")[0] for name in reader.state_dict()} == {"network", "templates"}


def test_without_items_labels_are_all_that_can_be_said(tiny_bert: str) -> None:
    torch.manual_seed(0)
    reader = LateReader(tiny_bert, size=8, item_tokens=32, template_examples=2)
    assert [one.text for one in reader.eval().generate(_closed("true"))] == [""]
    titled = [Example(f"c{number}", f"which {number}", (Answer("Peru"),)) for number in range(4)]
    labels = [Example(f"a{number}", "true", (Answer("SUPPORTS"),)) for number in range(2)]
    spans = [Example("b", "lima", (Answer("lima"),)), Example("d", "sea", (Answer("sea"),))]
    _train(reader, [*titled, *labels, *spans], [[1], [1], [1], [1], [2], [2], [1], [2]], 3)
    assert {"\ue000", "\ue001"} <= set(reader.templates.known)  # a title alone and a span alone
    with torch.no_grad():  # the title and a span would be likelier than the label
        reader.network.templates.weight.zero_()
        reader.network.templates.bias.copy_(torch.tensor([0.0 if one == "SUPPORTS" else 5.0 for one in _rows(reader)]))
    assert [one.text for one in reader.eval().generate(_closed("true"))] == ["SUPPORTS"]


def _rows(reader: LateReader) -> list[str]:
    known = list(reader.templates.known)
    return known + [""] * (reader.templates.capacity - len(known))


def _closed(text: str) -> Batch:
    return Batch.of([Example("a", text, (Answer("SUPPORTS"),))], empty(1))


def test_what_no_item_and_no_template_gives_teaches_nothing(tiny_bert: str) -> None:
    reader = LateReader(tiny_bert, size=8, item_tokens=32)
    loss = reader.loss(Batch.of([Example("a", "what", (Answer("nowhere"),))], _responses([[0]]))).loss
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert loss.tolist() == [-FLOOR]
    assert all(one.grad is None or one.grad.abs().sum() == 0 for one in reader.parameters())


def test_readers_of_a_process_share_what_was_made(tiny_bert: str) -> None:
    one, other = LateReader(tiny_bert, size=8), LateReader(tiny_bert, size=16)
    assert one.states is other.states


def test_states_are_made_once_and_found_by_the_next(tiny_bert: str, tmp_path: Path) -> None:
    batch = Batch.of([Example("a", "capital of chad", (Answer("x"),))], _responses([[0, 1]]))
    reader = taught(LateReader(tiny_bert, size=8, item_tokens=32, template_examples=1)).eval()
    reader.prepare({}, tmp_path)
    before = reader.generate(batch)
    reader.states.save()
    in_another_process()
    other = LateReader(tiny_bert, size=8, item_tokens=32, template_examples=1).eval()
    other.load_state_dict(reader.state_dict())
    other.prepare({}, tmp_path)
    assert other.states is not reader.states
    assert other.generate(batch) == before
    assert other.states.made == 0


def test_a_reader_that_asks_for_more_tokens_than_the_encoder_takes_is_refused(tiny_bert: str) -> None:
    with pytest.raises(ValueError, match=r"takes \d+ tokens"):
        LateReader(tiny_bert, item_tokens=100_000)
