"""Tiny models with random weights and a tokeniser that loses case and accents, as MiniLM's does."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Hits
from reml.testing import MemoryCollection

PAD, UNK, START, END, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
WORDS = [
    "the",
    "capital",
    "of",
    "is",
    "what",
    "city",
    "country",
    "river",
    "question",
    "chad",
    "france",
    "supports",
    "refutes",
]
PIECES = [PAD, UNK, START, END, *string.ascii_lowercase, *string.digits, *"'.,:?()[]_%-", *WORDS]
PIECES += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
SIZE = len(PIECES)


def tiny_tokeniser(**special: str) -> PreTrainedTokenizerFast:
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNK))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNK, **special
    )


def byte_tokeniser() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: number for number, piece in enumerate([PAD, START, END, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END
    )


def _saved(folder: Path, model: PreTrainedModel, tokeniser: PreTrainedTokenizerFast) -> str:
    model.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=SIZE, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    tokeniser = tiny_tokeniser(cls_token=START, sep_token=END)
    tokeniser.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return _saved(tmp_path_factory.mktemp("bert"), BertModel(config), tokeniser)


@pytest.fixture(scope="session")
def tiny_masked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random BERT with a head; its last token is the mask."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("masked")
    tokeniser = tiny_tokeniser(cls_token=START, sep_token=END, mask_token=MASK)
    config = BertConfig(
        vocab_size=SIZE + 1, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    BertForMaskedLM(config).save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = T5Config(vocab_size=SIZE, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    config.pad_token_id, config.eos_token_id, config.decoder_start_token_id = 0, 3, 0
    return _saved(tmp_path_factory.mktemp("t5"), T5ForConditionalGeneration(config), tiny_tokeniser(eos_token=END))


@pytest.fixture(scope="session")
def tiny_bart(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = BartConfig(vocab_size=SIZE, encoder_layers=1, decoder_layers=1, d_model=32, forced_eos_token_id=None)
    config.encoder_attention_heads = config.decoder_attention_heads = 4
    config.encoder_ffn_dim = config.decoder_ffn_dim = 64
    config.pad_token_id, config.bos_token_id, config.eos_token_id, config.decoder_start_token_id = 0, 2, 3, 3
    model = BartForConditionalGeneration(config)
    return _saved(tmp_path_factory.mktemp("bart"), model, tiny_tokeniser(bos_token=START, eos_token=END))


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    tokeniser = byte_tokeniser()
    config = LlamaConfig(vocab_size=len(tokeniser), hidden_size=32, intermediate_size=64, num_hidden_layers=2)
    config.num_attention_heads = config.num_key_value_heads = 4
    config.head_dim, config.max_position_embeddings = 8, 1024
    config.pad_token_id, config.bos_token_id, config.eos_token_id = 0, 1, 2
    return _saved(tmp_path_factory.mktemp("llama"), LlamaForCausalLM(config), tokeniser)


@pytest.fixture(scope="session")
def collection() -> MemoryCollection:
    texts = [
        "The capital is N'Djamena.",
        "Paris is the capital.",
        "The river Chari, 949 km.",
        "Bogotá is the city of Colombia.",
    ]
    return MemoryCollection(texts, ["Chad", "France", "Rivers", "Colombia"])


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    return [
        Example("a", "What is the capital of Chad?", (Answer("N'Djamena"),)),
        Example("b", "What is the capital of France?", (Answer("Paris"),)),
        Example("c", "What is the city?", (Answer("Bogotá"), Answer("Bogota"))),
    ]


@pytest.fixture(scope="session")
def hits() -> Hits:
    """The second example has two items, the third one."""
    rows = np.array([[0, 1, 2], [2, 1, -1], [3, -1, -1]])
    return Hits(rows, np.where(rows >= 0, 1.0, -np.inf).astype(np.float32))
