from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from reml.contract.tasks import Task
from reml.tasks.cloze import Cloze
from reml.tasks.factbook.relations import relations
from reml.tasks.factbook.splits import split_of
from reml.testing import TaskContract

WORDS = ["paris", "sofia", "oslo", "london", "euros", "petroleum", "arabic", "french"]
UNKNOWN = "[UNK]"
PIECES = [UNKNOWN, "[MASK]", "[PAD]", *WORDS, *"abcdefghijklmnopqrstuvwxyz"]
PIECES += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def write(folder: Path, pieces: list[str]) -> str:
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = {"unk_token": UNKNOWN, "mask_token": "[MASK]", "pad_token": "[PAD]"}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]
    made.save_pretrained(folder)
    config = BertConfig(vocab_size=len(pieces), hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    BertForMaskedLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("tokeniser"), PIECES)


class TestCloze(TaskContract):
    @pytest.fixture(autouse=True)
    def _folder(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Task:
        return Cloze(self.folder)


def test_a_relation_becomes_a_sentence_with_a_gap(folder: str) -> None:
    examples = [one for split in ("train", "dev", "test") for one in Cloze(folder).examples(split)]
    capitals = {one.input: one.answers for one in examples if one.meta["relation"] == "capital"}
    assert capitals["The capital of Norway is [MASK]."] == ("Oslo",)
    first = {relation.name: relation.wordings["claims"][0].split("{y}")[-1] for relation in relations()}
    for example in examples:
        assert example.input.count("[MASK]") == 1
        assert example.input.endswith(first[str(example.meta["relation"])])


def test_all_answers_are_single_tokens_of_the_vocabulary(folder: str, tmp_path: Path) -> None:
    examples = [one for split in ("train", "dev", "test") for one in Cloze(folder).examples(split)]
    assert {answer.lower() for one in examples for answer in one.answers} <= {*WORDS}
    larger = Cloze(write(tmp_path, [*PIECES, "tirana"]))
    wider = [one for split in ("train", "dev", "test") for one in larger.examples(split)]
    added = {one.id for one in wider} - {one.id for one in examples}
    assert "cloze_al_capital" in added


def test_evidence_stands_on_the_page_of_the_split(folder: str) -> None:
    for split in ("train", "dev"):
        for example in Cloze(folder).examples(split):
            (page,) = {place.wikipedia_id for answer in example.output for place in answer.provenance}
            assert split_of(page) == split
