"""Cross-encoders of sentence-transformers: their activation and length as the folder says.

Where sentence-transformers is installed, scores are those of its own `CrossEncoder.predict`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from tests.small_cross_encoder import write_cross_encoder

TEXTS = ["the capital of chad", "a river", "france " * 60, "", "what is the city of the country"]
QUERY = "what is the capital"
TANH = "torch.nn.modules.activation.Tanh"


def scores(folder: str, **changes: Any) -> torch.Tensor:
    model = CrossEncoder(folder, precision="float32", **changes)
    made = [Item(row, text) for row, text in enumerate(TEXTS)]
    return model.score(Queries.of([QUERY]), made, np.arange(len(TEXTS))[None])[0].detach()


def write(folder: Path, files: dict[str, dict[str, Any]]) -> str:
    """Write a cross-encoder, and further settings into files."""
    write_cross_encoder(folder)
    for name, settings in files.items():
        if name == "config_sentence_transformers.json":
            (folder / "modules.json").write_text(json.dumps([STEP]))
        known = json.loads((folder / name).read_text()) if (folder / name).is_file() else {}
        (folder / name).write_text(json.dumps({**known, **settings}))
    return str(folder)


STEP = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}
FORMS: dict[str, dict[str, dict[str, Any]]] = {
    "nothing": {},
    "version 6": {
        "config_sentence_transformers.json": {"activation_fn": TANH, "model_type": "CrossEncoder"},
        "sentence_bert_config.json": {
            "transformer_task": "sequence-classification",
            "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
            "module_output_name": "scores",
        },
    },
    "version 4": {"config.json": {"sentence_transformers": {"activation_fn": TANH, "version": "4.1.0"}}},
    "older": {"config.json": {"sbert_ce_default_activation_function": TANH}},
    "cut": {"tokenizer_config.json": {"model_max_length": 12}},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_activation_is_the_folders_or_a_sigmoid(form: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", FORMS[form])
    logits = scores(folder)
    expected = torch.tanh(logits) if form in {"version 6", "version 4", "older"} else torch.sigmoid(logits)
    torch.testing.assert_close(scores(folder, activation="declared"), expected)


@pytest.mark.parametrize("form", FORMS)
def test_scores_are_those_of_sentence_transformers(form: str, tmp_path: Path) -> None:
    theirs = pytest.importorskip("sentence_transformers")
    folder = write(tmp_path / "model", FORMS[form])
    CrossEncoder(folder).save(tmp_path / "saved")
    for place in (folder, str(tmp_path / "saved")):
        expected = theirs.CrossEncoder(place, device="cpu").predict([(QUERY, text) for text in TEXTS])
        found = scores(place, activation="declared")
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, rtol=0)
    theirs.CrossEncoder(folder, device="cpu").save_pretrained(str(tmp_path / "theirs"))
    np.testing.assert_allclose(scores(str(tmp_path / "theirs"), activation="declared"), found, atol=1e-5, rtol=0)


def test_what_it_saves_says_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", FORMS["version 6"])
    CrossEncoder(folder).save(tmp_path / "saved")
    torch.testing.assert_close(
        scores(str(tmp_path / "saved"), activation="declared"), scores(folder, activation="declared")
    )


def test_the_length_that_a_folder_names_is_the_most(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {"sentence_bert_config.json": {"max_seq_length": 12}})
    torch.testing.assert_close(scores(folder), scores(write(tmp_path / "cut", FORMS["cut"])))
    with pytest.raises(ValueError, match="max_tokens is 13, but the model takes 12 tokens"):
        scores(folder, max_tokens=13)


def test_the_activation_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {})
    assert CrossEncoder(folder).fingerprint() != CrossEncoder(folder, activation="declared").fingerprint()


@pytest.mark.parametrize(
    ("file", "settings", "said"),
    [
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "has default_prompt_name 'query', whi"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "has do_lower_case True, which is not read here"),
        (
            "sentence_bert_config.json",
            {"transformer_task": "text-generation"},
            "has transformer_task 'text-generation'",
        ),
        ("sentence_bert_config.json", {"max_seq_length": -1}, "max_seq_length of .* is -1, no number of tokens"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, file: str, settings: dict[str, Any], said: str) -> None:
    folder = write(tmp_path / "model", {file: settings})
    with pytest.raises(ValueError, match=said):
        scores(folder)


def test_an_activation_that_is_none_or_of_two_logits_is_refused(tmp_path: Path) -> None:
    foreign = {"config_sentence_transformers.json": {"activation_fn": "os.system"}}
    with pytest.raises(ValueError, match=r"names the activation 'os\.system', which is none of torch\.nn"):
        scores(write(tmp_path / "model", foreign), activation="declared")
    two = write_cross_encoder(tmp_path / "two", labels=2)
    assert AutoConfig.from_pretrained(two).num_labels == 2
    with pytest.raises(ValueError, match=r"has 2 logits, .* leave `activation` out"):
        scores(two, activation="declared")
