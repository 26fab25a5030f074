"""Tiny models of random weights in the layouts that users meet, and ways to spoil them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from tokenizers import processors
from torch import nn
from transformers import (
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

from tests.predictors.conftest import END, PAD, PIECES, SIZE, START, byte_tokeniser, tiny_tokeniser
from tests.small_clip import write_clip
from tests.small_cross_encoder import write_cross_encoder

Model = TypeVar("Model", bound=PreTrainedModel)
WIDTH = 32
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 90868376\n"
WEIGHTS = "model.safetensors"
BERT: dict[str, Any] = {
    "vocab_size": SIZE,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.4,
}
PACKAGE = "sentence_transformers.models"


def tokeniser() -> PreTrainedTokenizerFast:
    """One that writes [CLS] before a text and [SEP] after it, without case."""
    made = tiny_tokeniser(cls_token=START, sep_token=END)
    marks = [(mark, PIECES.index(mark)) for mark in (START, END)]
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=marks
    )
    return made


def put(
    folder: Path,
    model: PreTrainedModel,
    words: PreTrainedTokenizerFast | None = None,
    files: Mapping[str, object] | None = None,
) -> str:
    """Write a model, its tokeniser and JSON files by their paths."""
    model.save_pretrained(folder)
    (words or tokeniser()).save_pretrained(folder)
    for path, value in (files or {}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(value))
    return str(folder)


def bert(**changes: Any) -> BertModel:
    torch.manual_seed(0)
    return still(BertModel(BertConfig(**{**BERT, **changes})))


def still(model: Model) -> Model:
    """Without dropout."""
    nn.Module.eval(model)
    return model


def modules(*kinds: str) -> list[dict[str, object]]:
    """modules.json of steps, each but the first in a folder called by place and kind."""
    return [
        {"idx": place, "name": str(place), "path": f"{place}_{kind}" if place else "", "type": f"{PACKAGE}.{kind}"}
        for place, kind in enumerate(kinds)
    ]


def write_masked(folder: Path) -> str:
    torch.manual_seed(0)
    return put(folder, BertForMaskedLM(BertConfig(**BERT)))


def write_plain(folder: Path) -> str:
    return put(folder, bert())


def write_classifier(folder: Path) -> str:
    return write_cross_encoder(folder)


def write_t5(folder: Path) -> str:
    torch.manual_seed(0)
    config = T5Config(vocab_size=SIZE, d_model=WIDTH, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    config.pad_token_id, config.eos_token_id, config.decoder_start_token_id = PIECES.index(PAD), PIECES.index(END), 0
    return put(folder, T5ForConditionalGeneration(config), tiny_tokeniser(eos_token=END))


def write_llama(folder: Path) -> str:
    torch.manual_seed(0)
    words = byte_tokeniser()
    config = LlamaConfig(vocab_size=len(words), hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=2)
    config.num_attention_heads = config.num_key_value_heads = 4
    config.head_dim, config.max_position_embeddings = 8, 128
    config.pad_token_id, config.bos_token_id, config.eos_token_id = 0, 1, 2
    return put(folder, LlamaForCausalLM(config), words)


def write_images(folder: Path) -> str:
    return write_clip(folder)


# Ways to spoil a folder, each with what is said of it.


def no_tokeniser(folder: Path) -> str:
    for path in [*folder.glob("*tok*"), *folder.glob("vocab*"), *folder.glob("special*")]:
        path.unlink()
    return r"has no tokeniser: none of .*tokenizer\.json.* is in .*|Its tokeniser cannot be read"


def settings_of_a_tokeniser_alone(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    return r"has no tokeniser: none of .*tokenizer\.json|Its tokeniser cannot be read"


def pointer_to_the_tokeniser(folder: Path) -> str:
    (folder / "tokenizer.json").write_text(POINTER)
    return r"tokenizer\.json is a pointer of git-lfs, not the file itself: run `git lfs pull`"


def pointer_to_the_weights(folder: Path) -> str:
    (folder / WEIGHTS).write_text(POINTER)
    return r"model\.safetensors is a pointer of git-lfs"


def pointer_to_the_settings(folder: Path) -> str:
    (folder / "config.json").write_text(POINTER)
    return r"config\.json is a pointer of git-lfs"


def cut_weights(folder: Path) -> str:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])
    return r"model\.safetensors is cut or damaged \(.*\)\. Get it anew"


def empty_weights(folder: Path) -> str:
    (folder / WEIGHTS).write_bytes(b"")
    return r"model\.safetensors is cut or damaged"


def cut_tokeniser(folder: Path) -> str:
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text[: len(text) // 2])
    return r"tokenizer\.json is no readable JSON"


def web_page_for_settings(folder: Path) -> str:
    (folder / "config.json").write_text("<!doctype html><title>404</title>")
    return r"config\.json is no readable JSON"


def no_settings(folder: Path) -> str:
    (folder / "config.json").unlink()
    return r"has no config\.json"


def pickled_weights(folder: Path) -> str:
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    return r"has no model\.safetensors \(pickled weights are never read\)"


def lost_shard(folder: Path) -> str:
    (folder / WEIGHTS).rename(folder / "model-00001-of-00002.safetensors")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": weights}))
    return r"model-00002-of-00002\.safetensors, named in model\.safetensors\.index\.json, is not there"


def _rewritten(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def _last_layer(key: str) -> bool:
    return any(part in key for part in (".layer.1.", ".layers.1.", ".block.1.", "encoder.layers.0."))


def lost_layer(folder: Path) -> str:
    weights = load_file(folder / WEIGHTS)
    _rewritten(folder, {key: value for key, value in weights.items() if not _last_layer(key)})
    return r"model\.safetensors lacks .* and \d+ more weights, which would be left to chance\. Get the whole model anew"


def layer_too_many(folder: Path) -> str:
    weights = load_file(folder / WEIGHTS)
    more = {key.replace("1.", "7.").replace("layers.0.", "layers.7."): value for key, value in weights.items()}
    _rewritten(folder, {**{key: value.clone() for key, value in more.items() if "7." in key}, **weights})
    return r"model\.safetensors holds .*, for which the model of its config\.json has no place"


def other_width(folder: Path) -> str:
    weights = load_file(folder / WEIGHTS)
    name = next(key for key in sorted(weights) if _last_layer(key) and weights[key].ndim == 2)
    _rewritten(folder, {**weights, name: torch.zeros(3, 5)})
    return r"\[3, 5\] there and \[\d+, \d+\] by config\.json"


def tokeniser_of_another(folder: Path) -> str:
    table = json.loads((folder / "tokenizer.json").read_text())
    model = table["model"]
    model["vocab"] = {**model["vocab"], **{f"more{number}": 400 + number for number in range(3)}}
    (folder / "tokenizer.json").write_text(json.dumps(table))
    return r"the tokeniser \(\w+\) knows \d+ tokens, the last being 402, and the model's embedding has \d+ rows"


def code_of_its_own(folder: Path) -> str:
    settings = json.loads((folder / "config.json").read_text())
    names = dict.fromkeys(("AutoConfig", "AutoModel"), "modeling_x.X")
    (folder / "config.json").write_text(json.dumps({**settings, "model_type": "unheard_of", "auto_map": names}))
    (folder / "modeling_x.py").write_text("raise SystemExit('code was run')")
    return r"config\.json names code of its own \(modeling_x\.py\), which is not run"


def tokeniser_with_code(folder: Path) -> str:
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, "auto_map": {"AutoTokenizer": ["words_x.X", None]}}))
    (folder / "words_x.py").write_text("raise SystemExit('code was run')")
    return r"tokenizer_config\.json names code of its own \(.*words_x"


def unheard_of(folder: Path) -> str:
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "model_type": "unheard_of"}))
    return r"cannot be loaded: .* transformers says: .*unheard_of"


def adapter(folder: Path) -> str:
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "x"}))
    return r"adapter_config\.json says that it is an adapter, which is not applied here: merge it"


SPOILT = (
    no_tokeniser,
    settings_of_a_tokeniser_alone,
    pointer_to_the_tokeniser,
    pointer_to_the_weights,
    pointer_to_the_settings,
    cut_weights,
    empty_weights,
    cut_tokeniser,
    web_page_for_settings,
    no_settings,
    pickled_weights,
    lost_shard,
    lost_layer,
    layer_too_many,
    other_width,
    tokeniser_of_another,
    code_of_its_own,
    tokeniser_with_code,
    unheard_of,
    adapter,
)


def copied(base: Path, name: Path) -> Path:
    shutil.copytree(base, name)
    return name
