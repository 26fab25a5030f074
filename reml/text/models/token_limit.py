"""How many tokens a model takes, and settings that ask for more."""

from __future__ import annotations

from torch import nn

from reml.files.model_location import ModelError
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase


def token_limit(model: PreTrainedModel, tokeniser: PreTrainedTokenizerBase) -> int:
    """Give the tokens that a model and its tokeniser take, special ones with them: the lower of both.

    A tokeniser that names no limit has one of 10^30, and so has a model of relative positions.
    """
    return min([int(tokeniser.model_max_length), *_positions(model)])


def allowed(asked: int | None, default: int, limit: int, *, model: str, setting: str) -> int:
    """Give what a setting asks for; without it a default, or what the model takes if that is less.

    `ModelError` names model and setting if more is asked for than the model takes.
    """
    if asked is None:
        return min(default, limit)
    if asked > limit:
        raise ModelError(
            f"{setting} is {asked}, but the model takes {limit} tokens ({model!r}): ask for at most {limit}."
        )
    return asked


def _positions(model: PreTrainedModel) -> list[int]:
    """Give how many positions a model knows, nothing if they are relative."""
    known = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(known, int) or known < 1:
        return []
    return [known - _before_the_first(model)]


def _before_the_first(model: PreTrainedModel) -> int:
    """RoBERTa and its like count positions from the one after padding's."""
    for name, part in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding) and part.padding_idx is not None:
            return part.padding_idx + 1
    return 0
