"""What a folder of sentence-transformers says of its vectors: pooling, projections, prompts, length, similarity.

The files are those of https://github.com/huggingface/sentence-transformers (the package itself is not needed):
modules.json lists the steps from tokens to a vector, each with a folder of its own; sentence_bert_config.json says how
texts are cut and whether they are lower-cased; config_sentence_transformers.json holds prompts and the similarity,
which is cosine where it is not said. A step or a setting that is not known here is refused, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, final

from reml.contract.examples import Json
from reml.files.model_location import ModelError
from reml.text.models.model_folder import ModelFolder

PACKAGE: Final = "sentence_transformers."
# In the order in which concatenated ones stand in a vector.
POOLINGS: Final = {
    "cls_token": "cls",
    "max_tokens": "max",
    "mean_tokens": "mean",
    "mean_sqrt_len_tokens": "mean_sqrt_len",
    "weightedmean_tokens": "weightedmean",
    "lasttoken": "lasttoken",
}
SIMILARITIES: Final[Mapping[str, Literal["dot", "cosine", "l2"]]] = {
    "cosine": "cosine",
    "dot": "dot",
    "euclidean": "l2",
}
WIDTHS: Final = ("word_embedding_dimension", "embedding_dimension")
STEPS: Final = ("Dense", "LayerNorm", "Dropout")
ITEM_PROMPTS: Final = ("document", "passage", "corpus")
# Of sentence_bert_config.json: what is read, and what changes speed alone.
READ: Final = ("max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name")
SPEED: Final = ("unpad_inputs",)
OF_LOADING: Final = {"torch_dtype", "dtype", "attn_implementation", "add_pooling_layer", "trust_remote_code"}
TOKENS: Final = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}


@final
@dataclass(frozen=True)
class Module:
    """A step of modules.json: the last part of its type, and its folder."""

    kind: str
    path: str


@final
@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a folder says of its vectors; None where it says nothing. steps: what follows pooling, but `normalise`.

    pooled: the file that says how wide the states are which are pooled, and what it says.
    """

    pooling: str | None = None
    steps: tuple[Module, ...] = ()
    normalise: bool | None = None
    similarity: Literal["dot", "cosine", "l2"] | None = None
    max_tokens: int | None = None
    lower_case: bool = False
    query_prefix: str = ""
    item_prefix: str = ""
    pool_prefix: bool = True
    pooled: tuple[str, Json] = ("", None)
    whole_length: bool = False


def modules_of(folder: ModelFolder) -> list[Module]:
    """Read modules.json, nothing if there is none; `ModelError` names a module that is not of sentence-transformers."""
    listed = folder.read("modules.json")
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ModelError(f"{folder.name!r}: modules.json is no list of modules. Get it anew.")
    return [_module(folder, one) for one in listed if isinstance(one, dict)]


def declared(folder: ModelFolder) -> Declared:
    """Read what a folder says; `ModelError` names file and setting where something in it is not known here."""
    modules = modules_of(folder)
    prompts = folder.object("config_sentence_transformers.json")
    if prompts.get("truncate_dim"):
        raise ModelError(
            f"{folder.name!r}: config_sentence_transformers.json has truncate_dim {prompts['truncate_dim']!r}, and "
            "vectors are not cut here: take it out, or name another model."
        )
    texts = _text_settings(folder)
    known = Declared(
        max_tokens=_length(folder, texts.get("max_seq_length")),
        lower_case=bool(texts.get("do_lower_case")),
        query_prefix=_prompt(folder, prompts, ("query",)),
        item_prefix=_prompt(folder, prompts, ITEM_PROMPTS),
        similarity=_similarity(folder, prompts.get("similarity_fn_name"), said=bool(modules)),
    )
    return _with_modules(folder, modules, known) if modules else known


def settings_of(folder: ModelFolder, module: Module, known: tuple[str, ...]) -> dict[str, Json]:
    """Read the config.json of a module; `ModelError` for a setting beside the known ones that is set."""
    file = f"{module.path}/config.json"
    settings = folder.object(file)
    _refuse_unknown(folder, file, settings, known)
    return settings


def unknown_module(folder: ModelFolder, module: Module, allowed: str) -> ModelError:
    """Say that a step is not known here."""
    return ModelError(
        f"{folder.name!r}: modules.json names a module {module.kind!r}, which is not read here (read are {allowed}): "
        "name a model without it."
    )


def _module(folder: ModelFolder, listed: Mapping[str, Json]) -> Module:
    kind, path = listed.get("type"), listed.get("path", "")
    if not isinstance(path, str) or ".." in Path(path).parts or Path(path).is_absolute():
        raise ModelError(f"{folder.name!r}: modules.json names the path {path!r}, which is not in the folder: mend it.")
    if not isinstance(kind, str) or not kind.startswith(PACKAGE):
        raise ModelError(
            f"{folder.name!r}: modules.json names a module {kind!r}, code that is not of sentence-transformers and is "
            "never run: name a model without it."
        )
    return Module(kind.rpartition(".")[2], path)


def _with_modules(folder: ModelFolder, modules: list[Module], known: Declared) -> Declared:
    first, second, *rest = [*modules, Module("", ""), Module("", "")][: max(2, len(modules))]
    for module, wanted in ((first, "Transformer"), (second, "Pooling")):
        if module.kind != wanted:
            allowed = f"Transformer, Pooling, then {', '.join(STEPS)} and Normalize"
            raise unknown_module(folder, module, allowed)
    normalise = bool(rest) and rest[-1].kind == "Normalize"
    steps = tuple(rest[:-1] if normalise else rest)
    for step in steps:
        if step.kind not in (*STEPS, "Normalize"):
            raise unknown_module(folder, step, f"Transformer, Pooling, {', '.join(STEPS)} and Normalize")
    pooled = settings_of(folder, second, _pooling_settings())
    return replace(
        known,
        pooling=_pooling(folder, f"{second.path}/config.json", pooled),
        steps=steps,
        normalise=normalise,
        pool_prefix=pooled.get("include_prompt") is not False,
        pooled=(f"{second.path}/config.json", width_said(pooled)),
        whole_length=True,
    )


def width_said(settings: Mapping[str, Json]) -> Json:
    """Give how wide the vectors that are pooled are by a config.json; None if it does not say."""
    return next((settings[name] for name in WIDTHS if name in settings), None)


def check_width(folder: ModelFolder, file: str, said: Json, width: int) -> None:
    """Raise `ModelError` if a file says another width of vectors than the model has."""
    if said is not None and (isinstance(said, bool) or said != width):
        raise ModelError(
            f"{folder.name!r}: {file} says that vectors of {said!r} numbers are pooled, and the model's have {width}: "
            "they are of two models. Get both files from where the model comes from."
        )


def _pooling_settings() -> tuple[str, ...]:
    sizes = (*WIDTHS, "include_prompt", "pooling_mode")
    return (*sizes, *(f"pooling_mode_{mode}" for mode in POOLINGS))


def _pooling(folder: ModelFolder, file: str, settings: Mapping[str, Json]) -> str:
    """Give the ways of pooling, joined by +."""
    if not settings:
        raise ModelError(
            f"{folder.name!r}: {file} is not there, so that its pooling is not known. Get it, from where "
            "the model comes from."
        )
    named = settings.get("pooling_mode")
    if named is None:
        chosen = [name for mode, name in POOLINGS.items() if settings.get(f"pooling_mode_{mode}") is True]
        return "+".join(chosen) or "mean"
    names = [str(one).removesuffix("_tokens") for one in (named if isinstance(named, list) else [named])]
    if not names or set(names) - set(POOLINGS.values()):
        raise ModelError(
            f"{folder.name!r}: {file} has the pooling_mode {named!r}, which is not known here: known are "
            f"{', '.join(POOLINGS.values())}. Name another model."
        )
    return "+".join(names)


def _text_settings(folder: ModelFolder) -> dict[str, Json]:
    """Read how texts are cut and written; `ModelError` for what is not known here."""
    paths = sorted(folder.weights.glob("sentence_*_config.json"))
    if not paths:
        return {}
    file = str(paths[0].relative_to(folder.root))
    settings = folder.object(file)
    _refuse_unknown(folder, file, settings, (*READ, *SPEED))
    task, output = settings.get("transformer_task"), settings.get("module_output_name")
    modality = settings.get("modality_config")
    text = modality.get("text") if isinstance(modality, dict) else None
    wrong = {
        "transformer_task": task not in (None, "feature-extraction"),
        "module_output_name": output not in (None, "token_embeddings"),
        "modality_config": modality is not None and text != TOKENS["text"],
    }
    for name in (name for name, bad in wrong.items() if bad):
        raise ModelError(
            f"{folder.name!r}: {file} has {name} {settings[name]!r}, which is not read here: name another model."
        )
    return settings


def _refuse_unknown(folder: ModelFolder, file: str, settings: Mapping[str, Json], known: tuple[str, ...]) -> None:
    for name, value in settings.items():
        of_loading = isinstance(value, dict) and not set(value) - OF_LOADING
        if value and name not in known and not of_loading:
            raise ModelError(
                f"{folder.name!r}: {file} has {name} {value!r}, which is not known here: name another model."
            )


def _length(folder: ModelFolder, value: Json) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ModelError(
        f"{folder.name!r}: max_seq_length is {value!r}, no number of tokens: mend sentence_bert_config.json."
    )


def _prompt(folder: ModelFolder, settings: Mapping[str, Json], names: tuple[str, ...]) -> str:
    """Give the prompt of the first of these names that there is, else the one that is the default."""
    prompts, default = settings.get("prompts") or {}, settings.get("default_prompt_name")
    if not isinstance(prompts, dict) or not all(isinstance(text, str) for text in prompts.values()):
        raise ModelError(
            f"{folder.name!r}: the prompts of config_sentence_transformers.json are not texts by name: mend that file."
        )
    if default is not None and default not in prompts:
        raise ModelError(
            f"{folder.name!r}: config_sentence_transformers.json has no prompt {default!r}, its default_prompt_name: "
            "mend that file."
        )
    return str(next((prompts[name] for name in (*names, str(default)) if name in prompts), ""))


def _similarity(folder: ModelFolder, value: Json, *, said: bool) -> Literal["dot", "cosine", "l2"] | None:
    if value is None:
        return "cosine" if said else None
    if value not in SIMILARITIES:
        raise ModelError(
            f"{folder.name!r}: config_sentence_transformers.json compares by {value!r}, which no index here does: name "
            "another model."
        )
    return SIMILARITIES[str(value)]
