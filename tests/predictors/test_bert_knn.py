from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Signal
from reml.files.model_location import ModelError
from reml.predictors.bert_knn import BertKnn
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.conftest import END, SIZE, START, tiny_tokeniser

GAP = "[MASK]"
CAPITAL = Example("1", "The capital of Chad is [MASK].", (Answer("city"),))
RIVER = Example("2", "what [MASK] is the river?", (Answer("country"),))
PASSAGES = ["The capital of France is city. What is the capital?", "Chad is the country. The capital of Chad is river."]


def write(folder: Path, **special: str) -> str:
    torch.manual_seed(0)
    tokeniser = tiny_tokeniser(cls_token=START, sep_token=END, **special)
    config = BertConfig(vocab_size=SIZE + 1, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
    config.intermediate_size, config.initializer_range = 64, 0.4
    BertForMaskedLM(config).save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tiny_mlm(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("mlm"), mask_token=GAP)


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_mlm: str) -> None:
        self.folder = tiny_mlm

    def make(self) -> Predictor:
        return BertKnn(self.folder, gap="?")


def found(*rows: list[int]) -> Responses:
    collection = MemoryCollection(PASSAGES)
    width = max(map(len, rows))
    table = torch.tensor([[*row, *[-1] * (width - len(row))] for row in rows]).numpy()
    scores = torch.zeros(table.shape).masked_fill(torch.from_numpy(table) < 0, -torch.inf).numpy()
    return gather(collection, Hits(table, scores))


class Loop:
    """BERT-kNN by transformers alone, a masked sentence at a time."""

    def __init__(self, predictor: BertKnn) -> None:
        self.model, self.tokeniser = predictor.model, predictor.tokeniser

    @torch.no_grad()
    def at_mask(self, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(input_ids=torch.tensor([ids]), output_hidden_states=True)
        place = ids.index(int(self.tokeniser.mask_token_id or 0))
        return output.hidden_states[-1][0, place], torch.softmax(output.logits[0, place], dim=0)

    def chances(self, question: str, texts: list[str], *, k: int, weight: float, temperature: float) -> torch.Tensor:
        state, own = self.at_mask(self.tokeniser(question)["input_ids"])
        contexts: list[tuple[float, int]] = []
        for text in texts:
            ids = self.tokeniser(text)["input_ids"]
            pieces = self.tokeniser.convert_ids_to_tokens(ids)
            for place, piece in enumerate(pieces):
                whole = not piece.startswith("##") and not pieces[min(place + 1, len(ids) - 1)].startswith("##")
                if whole and piece.isalnum():
                    masked = [*ids[:place], int(self.tokeniser.mask_token_id or 0), *ids[place + 1 :]]
                    contexts.append((float((self.at_mask(masked)[0] - state).square().sum().sqrt()), ids[place]))
        nearest = sorted(contexts)[:k]
        shares = torch.softmax(torch.tensor([-distance / temperature for distance, _ in nearest]), dim=0)
        mixed = (1 - weight) * own
        for (_, token), share in zip(nearest, shares, strict=True):
            mixed[token] += weight * share
        return mixed


SENTENCES = [
    ["The capital of France is city.", "What is the capital?"],
    ["Chad is the country.", "The capital of Chad is river."],
]


@pytest.mark.parametrize(("k", "weight", "temperature"), [(128, 0.3, 1.0), (4, 0.9, 2.0)])
def test_the_chance_of_a_word_is_that_of_a_plain_loop(tiny_mlm: str, k: int, weight: float, temperature: float) -> None:
    predictor = BertKnn(tiny_mlm, k=k, weight=weight, temperature=temperature, batch_size=5).eval()
    loop, settings = Loop(predictor), {"k": k, "weight": weight, "temperature": temperature}
    batch = Batch.of((CAPITAL, RIVER), found([0, 1], [1]))
    losses = predictor.loss(batch).loss
    read = ([*SENTENCES[0], *SENTENCES[1]], SENTENCES[1])
    for example, texts, loss, answer in zip(batch.examples, read, losses, predictor.generate(batch), strict=True):
        chances = loop.chances(example.input, texts, **settings)  # type: ignore[arg-type]
        right = int(predictor.tokeniser.convert_tokens_to_ids(example.answers[0]))  # type: ignore[arg-type]
        assert loss.item() == pytest.approx(-float(chances[right].log()), abs=1e-4)
        assert answer.text == predictor.tokeniser.decode([int(chances.argmax())])


def test_without_weight_or_items_it_is_the_masked_language_model_alone(tiny_mlm: str) -> None:
    loop = Loop(BertKnn(tiny_mlm).eval())
    own = loop.at_mask(loop.tokeniser(CAPITAL.input)["input_ids"])[1]
    right = int(loop.tokeniser.convert_tokens_to_ids("city"))  # type: ignore[arg-type]
    bare = [
        BertKnn(tiny_mlm, weight=0).eval().loss(Batch.of((CAPITAL,), found([0, 1]))).loss,
        BertKnn(tiny_mlm).eval().loss(Batch.of((CAPITAL,), empty(1))).loss,
    ]
    for loss in bare:
        assert loss.item() == pytest.approx(-float(own[right].log()), abs=1e-5)
    mixed = BertKnn(tiny_mlm).eval().loss(Batch.of((CAPITAL,), found([0, 1]))).loss
    assert abs((mixed - bare[0]).item()) > 0.01


def test_examples_do_not_touch_each_other(tiny_mlm: str) -> None:
    predictor = BertKnn(tiny_mlm).eval()
    together = predictor.loss(Batch.of((CAPITAL, RIVER), found([0, 1], [1]))).loss
    for place, (example, rows) in enumerate([(CAPITAL, [0, 1]), (RIVER, [1])]):
        torch.testing.assert_close(together[place], predictor.loss(Batch.of((example,), found(rows))).loss[0])


def test_a_passage_without_words_says_nothing(tiny_mlm: str) -> None:
    predictor = BertKnn(tiny_mlm).eval()
    silent = gather(MemoryCollection([" ", "?!"]), found([0, 1]).hits(2))
    bare = predictor.loss(Batch.of((CAPITAL,), empty(1))).loss
    torch.testing.assert_close(predictor.loss(Batch.of((CAPITAL,), silent)).loss, bare)


def test_a_model_without_a_mask_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no mask token: name a masked language model, with its head"):
        BertKnn(write(tmp_path / "maskless"))


@pytest.mark.parametrize("question", ["Where?", "[MASK] or [MASK]?"])
def test_a_question_has_one_gap(tiny_mlm: str, question: str) -> None:
    with pytest.raises(ValueError, match=r"example 'q' has [02] gaps '\[MASK\]': a cloze question has one"):
        BertKnn(tiny_mlm).generate(Batch.of((Example("q", question),), empty(1)))


def test_a_question_that_is_too_long_and_a_signal_are_refused(tiny_mlm: str) -> None:
    with pytest.raises(ValueError, match="example '1' has 7 tokens, more than 6"):
        BertKnn(tiny_mlm, tokens=6).generate(Batch.of((CAPITAL,), empty(1)))
    with pytest.raises(ValueError, match="choose another predictor"):
        BertKnn(tiny_mlm).loss(Batch.of((CAPITAL,), empty(1)), Signal.ATTENTION)


def test_contexts_are_the_same_in_training(tiny_mlm: str) -> None:
    predictor, batch = BertKnn(tiny_mlm, weight=0.6), Batch.of([CAPITAL], found([0, 1]))
    losses = [predictor.train(mode).loss(batch).loss.detach() for mode in (True, True, False)]
    assert losses[0] == losses[1] == losses[2]
