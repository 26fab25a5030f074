"""monoT5 on a small random T5 with a tokeniser of its kind: words with their space, and an end."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.feedback.contrastive import Contrastive
from reml.retrievers.rankers.mono_t5 import MonoT5
from reml.retrievers.rankers.windows import Windows
from reml.testing import MemoryCollection, ScorerContract
from reml.training.data.ranked_examples import FromLabels, RankedExamples
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.settings import Training
from tests.training.regimes.test_ranking_pairs import COLLECTION, EXAMPLES, WORDS

LETTERS = [chr(code) for code in range(32, 127)]
PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
PIECES = [PAD, END, UNKNOWN, "▁", "▁true", "▁false", "▁Query:", "▁Document:", "▁Relevant:", "▁the", "▁river"]
PIECES += [piece for piece in LETTERS if piece not in PIECES] + [
    f"▁{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"
]
TEXTS = ["the capital of chad", "a river", "the river " * 40, ""]
ITEMS = MemoryCollection(TEXTS, ["chad", "", "", "nothing"])
QUERIES = Queries.of(["the capital", "river"])
POSITIONS = np.array([[0, 3, -1], [2, 1, 0]])


def t5_tokeniser(pieces: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0 - 0.01 * len(piece)) for piece in pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN
    )


def write_t5(folder: Path, pieces: list[str] = PIECES) -> str:
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(pieces), d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4)
    config.pad_token_id, config.eos_token_id, config.decoder_start_token_id, config.dropout_rate = 0, 1, 0, 0.0
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(30)
    model.save_pretrained(folder)
    t5_tokeniser(pieces).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_t5(tmp_path_factory.mktemp("t5") / "model")


def items(*places: int) -> list[Item]:
    return ITEMS.get(np.array(places or (0, 1, 2, 3)))


def by_hand(folder: str, query: str, text: str, limit: int) -> float:
    """The log of the probability of "true" over that of "false", one prompt alone."""
    model = T5ForConditionalGeneration.from_pretrained(folder)
    tokeniser = PreTrainedTokenizerFast.from_pretrained(folder)
    ids = tokeniser(f"Query: {query} Document: {text} Relevant:")["input_ids"]
    ids = ids if len(ids) <= limit else [*ids[: limit - 2], *ids[-2:]]
    with torch.no_grad():
        said = (
            model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[0]]))
            .logits[0, 0]
            .double()
            .softmax(dim=0)
        )
    return float((said[PIECES.index("▁true")] / said[PIECES.index("▁false")]).log())


@pytest.mark.parametrize("limit", [512, 24])
def test_scores_are_log_odds_of_the_two_words_and_the_end_of_the_prompt_is_never_cut(folder: str, limit: int) -> None:
    scores = MonoT5(folder, max_tokens=limit, batch_size=2, precision="float32").score(QUERIES, items(), POSITIONS)
    spread = set()
    for query, places in enumerate(POSITIONS):
        for column, place in enumerate(places):
            if place >= 0:
                item = items(place)[0]
                expected = by_hand(folder, QUERIES.texts[query], f"{item.title} {item.text}".strip(), limit)
                assert scores[query, column].item() == pytest.approx(expected, abs=1e-4)
                spread.add(round(expected, 2))
    assert len(spread) >= 4, "the model says the same of all"


def test_a_cut_is_said_once_and_windows_read_all(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    model = MonoT5(folder, max_tokens=32)
    for _ in range(2):
        model.score(QUERIES, items(), POSITIONS)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == 1
    assert "reads 32 tokens" in said[0]
    assert "the end is not read. Set `windows`" in said[0]
    caplog.clear()
    windows = Windows(words=4, stride=4)
    scores = MonoT5(folder, max_tokens=64, windows=windows).score(QUERIES, items(), POSITIONS)
    assert scores.isfinite().tolist() == (POSITIONS >= 0).tolist()
    assert not caplog.records


def test_what_cannot_say_true_or_false_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'maybe' is not one token of .* but .*: name the words"):
        MonoT5(folder, true="maybe").score(QUERIES, items(), POSITIONS)
    with pytest.raises(ValueError, match="max_tokens is 8: the prompt needs 16 or more"):
        MonoT5(folder, max_tokens=8)
    with pytest.raises(ValueError, match="both 'yes': name two words"):
        MonoT5(folder, true="yes", false="yes")


def test_it_comes_back_and_its_fingerprint_is_of_what_it_reads(folder: str, tmp_path: Path) -> None:
    model = MonoT5(folder)
    model.save(tmp_path / "saved")
    again = MonoT5(str(tmp_path / "saved"))
    torch.testing.assert_close(again.score(QUERIES, items(), POSITIONS), model.score(QUERIES, items(), POSITIONS))
    assert again.fingerprint() == model.fingerprint() == MonoT5(folder, batch_size=3).fingerprint()
    others = [MonoT5(folder, title=False), MonoT5(folder, windows=Windows()), MonoT5(folder, max_tokens=64)]
    assert len({one.fingerprint() for one in (model, *others)}) == 4


def test_it_learns_from_labels(folder: str, tmp_path: Path) -> None:
    right = [np.arange(3 * number, 3 * number + 3) for number in range(len(WORDS))]
    sampler = FromLabels(right, [np.empty(0, dtype=np.int64)] * len(WORDS), COLLECTION.rows())
    part = RankedExamples.of(COLLECTION, EXAMPLES, sampler, 4)
    scorer = MonoT5(folder, precision="float32")
    regime = Ranking(scorer, RankingObjective(Contrastive(in_batch=False)), len(COLLECTION))
    settings = Training(steps=100, batch_size=4, rate=3e-3, weight_decay=0.0, precision="32-true", save_every=1000)
    before = first_right(scorer)
    fit(regime, TrainSet.of(part), dev=[], settings=settings, folder=tmp_path / "fit")
    assert before < 0.8
    assert first_right(scorer) == 1.0


def first_right(scorer: MonoT5) -> float:
    """Give the share of queries whose best item of all is right."""
    everything = np.tile(COLLECTION.rows(), (len(WORDS), 1))
    with torch.no_grad():
        best = scorer.score(Queries.of(WORDS), COLLECTION.get(COLLECTION.rows()), everything).argmax(dim=1)
    return float((best // 3 == torch.arange(len(WORDS))).float().mean())


class TestMonoT5(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return MonoT5(self.folder, precision="float32")
