"""Vectors are those that a model's folder says, computed here by hand from the model and one text at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    BertModel,
)

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.files.atomic import MANIFEST, CorruptError
from reml.files.model_location import ModelError
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.testing import MemoryCollection
from tests.damage import flip
from tests.text.models import folders
from tests.text.models.folders import WIDTH, bert, modules, put, tokeniser

TEXTS = ["what is the capital of chad", "river", "a city of france is what (949)"]
FULL = Encoding(precision="float32", batch_size=2)
Pool = Callable[[Tensor], Tensor]
# Of one text's states [L, D].
BY_HAND: dict[str, Pool] = {
    "cls_token": lambda states: states[0],
    "max_tokens": lambda states: states.max(0).values,
    "mean_tokens": lambda states: states.mean(0),
    "mean_sqrt_len_tokens": lambda states: states.sum(0) / len(states) ** 0.5,
    "weightedmean_tokens": lambda states: (
        sum((place + 1) * state for place, state in enumerate(states)) / sum(range(1, len(states) + 1))
    ),
    "lasttoken": lambda states: states[-1],
}
torch.manual_seed(1)
SMALL, SMALL_BIAS, SQUARE = torch.randn(16, WIDTH), torch.randn(16), torch.randn(WIDTH, WIDTH)
NORM, NORM_BIAS = torch.rand(WIDTH) + 0.5, torch.randn(WIDTH)


def states_of(model: nn.Module, text: str) -> Tensor:
    ids = torch.tensor([tokeniser()(text)["input_ids"]])
    with torch.no_grad():
        states: Tensor = model(input_ids=ids).last_hidden_state[0]
    return states


def mean(model: nn.Module, text: str) -> Tensor:
    return states_of(model, text).mean(0)


def pooled_by(way: str) -> Callable[[nn.Module, str], Tensor]:
    return lambda model, text: BY_HAND[way](states_of(model, text))


def unit(vector: Tensor) -> Tensor:
    return vector.div(vector.norm())


def pooling(*modes: str, **more: object) -> dict[str, object]:
    return {"word_embedding_dimension": WIDTH, **{f"pooling_mode_{way}": way in modes for way in BY_HAND}, **more}


def dense(rows: int, activation: str | None, **more: object) -> dict[str, object]:
    return {"in_features": WIDTH, "out_features": rows, "bias": True, "activation_function": activation, **more}


TANH, IDENTITY = "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"


@dataclass(frozen=True)
class Case:
    """What a folder says, its weights beside the model, and each text's vector by hand."""

    kinds: tuple[str, ...]
    files: dict[str, object]
    by_hand: Callable[[nn.Module, str], Tensor]
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    pooled: tuple[str, ...] = ("mean_tokens",)

    def write(self, folder: Path) -> str:
        said = {"modules.json": modules(*self.kinds), "1_Pooling/config.json": pooling(*self.pooled), **self.files}
        name = put(folder, bert(), files=said)
        for path, weights in self.weights.items():
            save_file({key: value.contiguous() for key, value in weights.items()}, folder / path)
        return name


PLAIN = ("Transformer", "Pooling")
LINEAR = {"linear.weight": SMALL, "linear.bias": SMALL_BIAS}
CASES: dict[str, Case] = {
    **{way: Case(PLAIN, {}, pooled_by(way), pooled=(way,)) for way in BY_HAND},
    "three ways side by side, in the order of the package": Case(
        PLAIN,
        {},
        lambda m, t: torch.cat([states_of(m, t)[0], states_of(m, t).max(0).values, mean(m, t)]),
        pooled=("mean_tokens", "cls_token", "max_tokens"),
    ),
    "pooling named by words, in their order": Case(
        PLAIN,
        {"1_Pooling/config.json": {"embedding_dimension": WIDTH, "pooling_mode": ["lasttoken", "mean"]}},
        lambda m, t: torch.cat([states_of(m, t)[-1], mean(m, t)]),
    ),
    "no way marked is the mean": Case(PLAIN, {}, mean, pooled=()),
    "normalised": Case((*PLAIN, "Normalize"), {}, lambda m, t: unit(mean(m, t))),
    "a projection with tanh": Case(
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": dense(16, TANH)},
        lambda m, t: torch.tanh(SMALL @ mean(m, t) + SMALL_BIAS),
        {"2_Dense/model.safetensors": LINEAR},
    ),
    "a projection that says no activation has tanh": Case(
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": {"in_features": WIDTH, "out_features": 16, "bias": True}},
        lambda m, t: torch.tanh(SMALL @ mean(m, t) + SMALL_BIAS),
        {"2_Dense/model.safetensors": LINEAR},
    ),
    "a projection without bias, then length 1": Case(
        (*PLAIN, "Dense", "Normalize"),
        {"2_Dense/config.json": dense(16, IDENTITY, bias=False)},
        lambda m, t: unit(SMALL @ mean(m, t)),
        {"2_Dense/model.safetensors": {"linear.weight": SMALL}},
    ),
    "a projection with its input added, of gelu": Case(
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": dense(WIDTH, "torch.nn.modules.activation.GELU", use_residual=True, bias=False)},
        lambda m, t: nn.functional.gelu(SQUARE @ mean(m, t)) + mean(m, t),
        {"2_Dense/model.safetensors": {"linear.weight": SQUARE}},
    ),
    "two projections with a length of 1 between, and a dropout": Case(
        (*PLAIN, "Dropout", "Dense", "Normalize", "Dense"),
        {
            "2_Dropout/config.json": {"dropout": 0.5},
            "3_Dense/config.json": dense(WIDTH, None, bias=False),
            "4_Normalize/config.json": {},
            "5_Dense/config.json": dense(16, TANH),
        },
        lambda m, t: torch.tanh(SMALL @ unit(SQUARE @ mean(m, t)) + SMALL_BIAS),
        {"3_Dense/model.safetensors": {"linear.weight": SQUARE}, "5_Dense/model.safetensors": LINEAR},
    ),
    "a layer norm": Case(
        (*PLAIN, "LayerNorm"),
        {"2_LayerNorm/config.json": {"dimension": WIDTH}},
        lambda m, t: nn.functional.layer_norm(mean(m, t), (WIDTH,), NORM, NORM_BIAS),
        {"2_LayerNorm/model.safetensors": {"norm.weight": NORM, "norm.bias": NORM_BIAS}},
    ),
    "a length": Case(
        PLAIN,
        {"sentence_bert_config.json": {"max_seq_length": 5, "do_lower_case": False}},
        lambda m, t: mean(m, " ".join(t.split()[:3])),  # [CLS] and [SEP] are two of five
    ),
    "a prompt for queries": Case(
        PLAIN,
        {"config_sentence_transformers.json": {"prompts": {"query": "question: ", "document": "the "}}},
        lambda m, t: mean(m, f"question: {t}"),
    ),
    "a prompt for all": Case(
        PLAIN,
        {"config_sentence_transformers.json": {"prompts": {"any": "what "}, "default_prompt_name": "any"}},
        lambda m, t: mean(m, f"what {t}"),
    ),
    "a prompt that is read and not pooled": Case(
        PLAIN,
        {
            "config_sentence_transformers.json": {"prompts": {"query": "question: "}},
            "1_Pooling/config.json": pooling("mean_tokens", include_prompt=False),
        },
        lambda m, t: states_of(m, f"question: {t}")[3:].mean(0),  # [CLS] question :
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_vectors_are_as_the_folder_says(case: str, tmp_path: Path) -> None:
    folder = CASES[case].write(tmp_path / "model")
    encoder = DenseEncoder.load(folder, FULL)
    model = BertModel.from_pretrained(folder)
    texts = [" ".join(text.split()[:3]) for text in TEXTS] if case == "a length" else TEXTS
    expected = torch.stack([CASES[case].by_hand(model, text) for text in texts]).numpy()
    shown = [f"{text} the river" if case == "a length" and len(text.split()) == 3 else text for text in texts]
    np.testing.assert_allclose(encoder.encode_queries(shown).values, expected, rtol=1e-4, atol=1e-5)
    assert encoder.width == expected.shape[1]
    encoder.save(tmp_path / "saved")
    again = DenseEncoder.load(str(tmp_path / "saved"), FULL)
    assert again.fingerprint() == encoder.fingerprint(), "saved with all that makes its vectors"
    np.testing.assert_allclose(again.encode_queries(shown).values, expected, rtol=1e-4, atol=1e-5)


def test_a_flipped_bit_in_a_saved_encoder_is_told_and_a_change_of_ones_own_can_be_let_in(tmp_path: Path) -> None:
    encoder = DenseEncoder.load(next(iter(CASES.values())).write(tmp_path / "model"), FULL)
    encoder.save(folder := tmp_path / "saved")
    flip(folder / "model.safetensors", -2)
    with pytest.raises(
        CorruptError, match=r"model\.safetensors is not what was written.* `files` and `signature` out of"
    ):
        DenseEncoder.load(str(folder), FULL)
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"], manifest["signature"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert DenseEncoder.load(str(folder), FULL).fingerprint() != encoder.fingerprint()


def test_no_two_of_these_folders_have_one_fingerprint(tmp_path: Path) -> None:
    made = {case: DenseEncoder.load(one.write(tmp_path / case), FULL).fingerprint() for case, one in CASES.items()}
    alike = {"mean_tokens", "no way marked is the mean"}
    tanh = {"a projection with tanh", "a projection that says no activation has tanh"}
    assert len({value for case, value in made.items()}) == len(made) - 2
    for group in (alike, tanh):
        assert len({made[case] for case in group}) == 1


def test_a_projection_that_was_saved_is_read_by_its_own_files(tmp_path: Path) -> None:
    """Without our manifest the folder says the same, as sentence-transformers reads it."""
    case = "two projections with a length of 1 between, and a dropout"
    encoder = DenseEncoder.load(CASES[case].write(tmp_path / "model"), FULL)
    encoder.save(tmp_path / "saved")
    (tmp_path / "saved" / "manifest.json").unlink()
    again = DenseEncoder.load(str(tmp_path / "saved"), FULL)
    np.testing.assert_allclose(again.encode_queries(TEXTS).values, encoder.encode_queries(TEXTS).values, atol=1e-5)


def test_a_setting_wins_over_the_folder(tmp_path: Path) -> None:
    folder = CASES["normalised"].write(tmp_path / "model")
    model = BertModel.from_pretrained(folder)
    asked = Encoding(pooling="lasttoken+cls", normalise=False, query_prefix="what ", precision="float32")
    expected = [torch.cat([states_of(model, f"what {text}")[place] for place in (-1, 0)]) for text in TEXTS]
    np.testing.assert_allclose(
        DenseEncoder.load(folder, asked).encode_queries(TEXTS).values, torch.stack(expected).numpy(), atol=1e-5
    )


def test_texts_are_lower_cased_where_the_folder_says_so(tmp_path: Path) -> None:
    words = tokeniser()
    words.backend_tokenizer.normalizer = None
    for name in ("cased", "lower"):
        put(tmp_path / name, bert(), words, {"sentence_bert_config.json": {"do_lower_case": name == "lower"}})
    cased, lower = (DenseEncoder.load(str(tmp_path / name), FULL) for name in ("cased", "lower"))
    small = cased.encode_queries(["the river"]).values
    np.testing.assert_allclose(lower.encode_queries(["The River"]).values, small, atol=1e-6)
    assert np.abs(cased.encode_queries(["The River"]).values - small).max() > 0.01
    assert cased.fingerprint() != lower.fingerprint()


def test_items_have_a_prompt_of_their_own(tmp_path: Path) -> None:
    for name in ("document", "passage", "corpus"):
        said = {"prompts": {"query": "what ", name: "the "}, "similarity_fn_name": "cosine"}
        folder = put(tmp_path / name, bert(), files={"config_sentence_transformers.json": said})
        encoder = DenseEncoder.load(folder, FULL)
        vector = encoder.encode_items([Item(0, "river", "")]).values[0]
        expected = unit(mean(BertModel.from_pretrained(folder), "the river"))
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("said", "normalised", "similarity"),
    [
        ({}, False, "cosine"),
        ({"similarity_fn_name": None}, False, "cosine"),
        ({"similarity_fn_name": "cosine"}, False, "cosine"),
        ({"similarity_fn_name": "dot"}, False, "dot"),
        ({"similarity_fn_name": "euclidean"}, False, "l2"),
        ({"similarity_fn_name": "cosine"}, True, "dot"),
        ({"similarity_fn_name": "dot"}, True, "dot"),
    ],
)
def test_items_are_found_by_the_similarity_that_the_folder_names(
    said: dict[str, object], normalised: bool, similarity: str, tmp_path: Path
) -> None:
    kinds = (*PLAIN, "Normalize") if normalised else PLAIN
    folder = Case(kinds, {"config_sentence_transformers.json": said}, mean).write(tmp_path / "model")
    collection = MemoryCollection(TEXTS)
    retriever = Dense(folder, encoding=Encoding(precision="float32", title=False)).index(collection, tmp_path / "index")
    model = BertModel.from_pretrained(folder)
    query, items = mean(model, "what river"), torch.stack([mean(model, text) for text in TEXTS])
    if normalised or similarity == "cosine":
        query, items = unit(query), torch.stack([unit(item) for item in items])
    scores = -(items - query).square().sum(1) if similarity == "l2" else items @ query
    hits = retriever.search(Queries.of(["what river"]), 3)
    assert hits.rows[0].tolist() == scores.argsort(descending=True).tolist()
    np.testing.assert_allclose(hits.scores[0], scores.sort(descending=True).values.numpy(), rtol=1e-4, atol=1e-4)
    assert DenseEncoder.load(folder, FULL).similarity == similarity


def test_an_old_folder_keeps_its_model_in_a_part(tmp_path: Path) -> None:
    put(tmp_path / "m" / "0_Transformer", bert(), files={"sentence_bert_config.json": {"max_seq_length": 4}})
    listed = modules("Transformer", "Pooling")
    listed[0]["path"] = "0_Transformer"
    (tmp_path / "m" / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "m" / "1_Pooling").mkdir()
    (tmp_path / "m" / "1_Pooling" / "config.json").write_text(json.dumps(pooling("cls_token")))
    encoder = DenseEncoder.load(str(tmp_path / "m"), FULL)
    model = BertModel.from_pretrained(tmp_path / "m" / "0_Transformer")
    expected = states_of(model, "what is")[0].numpy()
    np.testing.assert_allclose(encoder.encode_queries(["what is the city"]).values[0], expected, atol=1e-5)


NO_TANH = dense(16, "os.system")
UNKNOWN: dict[str, tuple[tuple[str, ...], dict[str, object], str]] = {
    "a module": ((*PLAIN, "CNN"), {}, "modules.json names a module 'CNN', which is not read here"),
    "no pooling": (("Transformer",), {}, "names a module '', which is not read here"),
    "words": (("WordEmbeddings", "Pooling"), {}, "names a module 'WordEmbeddings'"),
    "a sparse model": (("Transformer", "SpladePooling"), {}, "names a module 'SpladePooling'"),
    "code": (PLAIN, {"modules.json": [{"type": "custom_st.Transformer", "path": ""}]}, "'custom_st.Transformer', code"),
    "no list": (PLAIN, {"modules.json": {"0": "Transformer"}}, "modules.json is no list of modules"),
    "a way of pooling": (
        PLAIN,
        {"1_Pooling/config.json": {"embedding_dimension": WIDTH, "pooling_mode": "middle"}},
        "1_Pooling/config.json has the pooling_mode 'middle', which is not known here: known are cls, max, mean",
    ),
    "a mark of pooling": (
        PLAIN,
        {"1_Pooling/config.json": pooling(pooling_mode_middle=True)},
        "1_Pooling/config.json has pooling_mode_middle True, which is not known here",
    ),
    "no settings of pooling": (PLAIN, {"1_Pooling/config.json": {}}, "so that its pooling is not known"),
    "an activation": ((*PLAIN, "Dense"), {"2_Dense/config.json": NO_TANH}, "the activation 'os.system', which is none"),
    "no weights": (
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": dense(16, TANH)},
        "2_Dense/model.safetensors is not there",
    ),
    "another width": (
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": {**dense(16, TANH), "in_features": 8}},
        f"projects vectors of width 8, and those before it have {WIDTH}",
    ),
    **{
        f"pooled vectors of width {wrong!r}": (
            PLAIN,
            {"1_Pooling/config.json": {name: wrong, "pooling_mode": "mean"}},
            f"1_Pooling/config.json says that vectors of {wrong!r} numbers are pooled, and the model's have {WIDTH}",
        )
        for name, wrong in (
            ("word_embedding_dimension", 384),
            ("embedding_dimension", WIDTH - 1),
            ("embedding_dimension", 2 * WIDTH),
            ("word_embedding_dimension", str(WIDTH)),
            ("word_embedding_dimension", True),
            ("word_embedding_dimension", 0),
            ("word_embedding_dimension", WIDTH + 0.5),
        )
    },
    "another place": (
        (*PLAIN, "Dense"),
        {"2_Dense/config.json": dense(16, TANH, module_input_name="token_embeddings")},
        "module_input_name 'token_embeddings', which is not read here",
    ),
    "a similarity": (
        PLAIN,
        {"config_sentence_transformers.json": {"similarity_fn_name": "manhattan"}},
        "compares by 'manhattan', which no index here does",
    ),
    "a prompt": (
        PLAIN,
        {"config_sentence_transformers.json": {"prompts": {}, "default_prompt_name": "query"}},
        "has no prompt 'query', its default_prompt_name",
    ),
    "prompts": (PLAIN, {"config_sentence_transformers.json": {"prompts": {"query": 3}}}, "are not texts by name"),
    "cut vectors": (
        PLAIN,
        {"config_sentence_transformers.json": {"truncate_dim": 8}},
        "has truncate_dim 8, and vectors are not cut here",
    ),
    "a length": (PLAIN, {"sentence_bert_config.json": {"max_seq_length": "512"}}, "max_seq_length is '512', no number"),
    "a task": (PLAIN, {"sentence_bert_config.json": {"transformer_task": "fill-mask"}}, "transformer_task 'fill-mask'"),
    "arguments": (
        PLAIN,
        {"sentence_bert_config.json": {"tokenizer_args": {"add_prefix_space": True}}},
        "sentence_bert_config.json has tokenizer_args .*, which is not known here",
    ),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_not_known_is_never_passed_over(what: str, tmp_path: Path) -> None:
    kinds, files, said = UNKNOWN[what]
    folder = Case(kinds, files, mean).write(tmp_path / "the-model")
    with pytest.raises(ModelError, match=f"the-model.*{said}"):
        DenseEncoder.load(folder)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (
            {"linear.weight": SMALL},
            r"linear.bias of 2_Dense/model.safetensors is not there, and by its config.json \[16\]",
        ),
        ({**LINEAR, "more": SMALL.clone()}, r"more of 2_Dense/model.safetensors is \[16, 32\]"),
        ({**LINEAR, "linear.weight": SQUARE}, r"is \[32, 32\], and by its config.json \[16, 32\]"),
    ],
)
def test_weights_of_a_projection_are_all_there(weights: dict[str, Tensor], said: str, tmp_path: Path) -> None:
    files: dict[str, object] = {"2_Dense/config.json": dense(16, TANH)}
    case = Case((*PLAIN, "Dense"), files, mean, {"2_Dense/model.safetensors": weights})
    folder = case.write(tmp_path / "model")
    with pytest.raises(ModelError, match=said):
        DenseEncoder.load(folder)
    (tmp_path / "model" / "2_Dense" / "model.safetensors").write_text(folders.POINTER)
    with pytest.raises(ModelError, match="is a pointer of git-lfs"):
        DenseEncoder.load(folder)
