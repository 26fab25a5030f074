"""Loading a model with its tokeniser, whole or refused: the one place that asks transformers for weights.

What a folder lacks is not left to chance, and what it says that is not known here is not passed over: weights that are
missing or left over, a tokeniser that is not there or does not fit, code of its own. Always float32 from safetensors.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import torch

from reml.files.model_location import ModelError
from reml.text.models.kinds import POOLER, Kind
from reml.text.models.model_folder import ModelFolder, not_loaded, refuse_foreign_code, said
from reml.text.models.token_limit import token_limit
from reml.text.models.transformers_types import (
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from reml.text.models.weight_report import refuse_unfit
from reml.text.models.without_bars import without_bars

# Embeddings are padded by a few rows; a tokeniser that knows less than this share of many is another model's.
SHARE, MANY = 0.5, 1000


@final
@dataclass(frozen=True, eq=False)
class Loaded:
    """A model with its tokeniser. limit: the tokens that both take, special ones with them."""

    folder: ModelFolder
    model: PreTrainedModel
    tokeniser: PreTrainedTokenizerBase
    limit: int

    @property
    def fast(self) -> PreTrainedTokenizerFast:
        """The tokeniser that knows character offsets; `ModelError` if the model has only a slow one."""
        return as_fast(self.tokeniser, self.folder.name)


def as_fast(tokeniser: PreTrainedTokenizerBase, model: str) -> PreTrainedTokenizerFast:
    """Give a tokeniser back as one that knows character offsets; `ModelError` if it is a slow one. model: its name."""
    from transformers import PreTrainedTokenizerFast

    if not isinstance(tokeniser, PreTrainedTokenizerFast):
        raise ModelError(f"{model!r} has no fast tokeniser (tokenizer.json). Name a model that has one.")
    return tokeniser


def config_of(folder: ModelFolder, kind: Kind, *, trust_remote_code: bool | None) -> PreTrainedConfig:
    """Read config.json; `ModelError` if transformers does not know such a model, or it needs code of its own."""
    from transformers import AutoConfig

    refuse_foreign_code(folder, ("AutoConfig", kind.loader), trusted=trust_remote_code)
    with _told(folder, kind.wanted):
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder.source, trust_remote_code=bool(trust_remote_code))
    wrong = [made for made in config.architectures or [] if made.endswith(kind.never or " ")]
    if kind.types and config.model_type not in kind.types:
        wrong = [config.model_type]
    if wrong:
        raise ModelError(f"{folder.name!r} is a {wrong[0]} by its config.json, no {kind.wanted}: {kind.advice}.")
    return config


def load(
    folder: ModelFolder,
    kind: Kind,
    config: PreTrainedConfig,
    *,
    attention: str | None = None,
    trust_remote_code: bool | None = False,
    new: str = "(?!)",
) -> Loaded:
    """Load the model of a folder with its tokeniser, in float32.

    attention: the implementation that transformers is to use. trust_remote_code: whether code of the folder is run;
    None where it cannot be. new: a pattern of weights that are made new where they are missing. `ModelError` names what
    is missing, left over or does not fit.
    """
    import transformers

    tokeniser = load_tokeniser(folder, config, kind.wanted, trust_remote_code=trust_remote_code)
    with _told(folder, kind.wanted):
        model, report = getattr(transformers, kind.loader).from_pretrained(
            folder.source,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **({"attn_implementation": attention} if attention else {}),
            **({"trust_remote_code": True} if trust_remote_code else {}),
        )
    refuse_unfit(folder, kind, report, new)
    if POOLER in kind.absent:
        _without_chance_pooler(model, report["missing_keys"])
    _refuse_unfit_tokeniser(folder, model, tokeniser)
    return Loaded(folder, model, tokeniser, token_limit(model, tokeniser))


def load_tokeniser(
    folder: ModelFolder, config: PreTrainedConfig, wanted: str, *, trust_remote_code: bool | None = False
) -> PreTrainedTokenizerBase:
    """Load the tokeniser of a folder; `ModelError` if it has none: transformers would make one of a few tokens."""
    from transformers import AutoTokenizer

    refuse_foreign_code(folder, ("AutoTokenizer",), trusted=trust_remote_code)
    with _told(folder, wanted, "tokeniser"):
        tokeniser: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder.source, config=config, trust_remote_code=bool(trust_remote_code)
        )
        tokeniser("a word")  # some read their files and then know no text
    files = {"tokenizer.json", *type(tokeniser).vocab_files_names.values()}
    if type(tokeniser).vocab_files_names and not any((folder.weights / file).is_file() for file in files):
        raise ModelError(
            f"{folder.name!r} has no tokeniser: none of {', '.join(sorted(files))} is in {folder.weights}. Get it from "
            "where the model comes from."
        )
    return tokeniser


@contextlib.contextmanager
def _told(folder: ModelFolder, wanted: str, part: str = "") -> Iterator[None]:
    """Say in one sentence what transformers cannot load, whatever it raises, and keep its tables to ourselves."""
    import transformers

    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(logging.ERROR)
    try:
        with without_bars():
            yield
    except Exception as error:
        what = f"Its {part} cannot be read; " if part else ""
        raise not_loaded(folder.name, wanted, f"{what}transformers says: {said(error)}") from error
    finally:
        transformers.logging.set_verbosity(level)


def _without_chance_pooler(model: PreTrainedModel, missing: set[str]) -> None:
    """Take away a pooler that nothing was loaded for: it is not used, and chance would change the model's digest."""
    for name in {key.rpartition("pooler.")[0] for key in missing if "pooler." in key}:
        owner: Any = model.get_submodule(name.rstrip("."))
        owner.pooler = None


def _refuse_unfit_tokeniser(folder: ModelFolder, model: PreTrainedModel, tokeniser: PreTrainedTokenizerBase) -> None:
    rows = _embedded(model)
    if rows is None:
        return
    largest, known = max(tokeniser.get_vocab().values(), default=-1), len(tokeniser)
    if largest >= rows or (rows >= MANY and known < SHARE * rows):
        raise ModelError(
            f"{folder.name!r}: the tokeniser ({type(tokeniser).__name__}) knows {known} tokens, the last being "
            f"{largest}, and the model's embedding has {rows} rows: it is another model's. Get the tokeniser's files "
            "from where the model comes from."
        )


def _embedded(model: PreTrainedModel) -> int | None:
    """Give how many tokens a model has an embedding of, nothing if it has none by token."""
    try:
        part: Any = getattr(model, "text_model", model).get_input_embeddings()
    except NotImplementedError:
        return None
    weight = getattr(part, "weight", None)
    return int(weight.shape[0]) if isinstance(weight, torch.Tensor) else None
