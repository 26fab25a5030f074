"""Low-rank adapters: of a large model a few small matrices are trained, saved and resumed, and nothing else.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, https://arxiv.org/abs/2106.09685, by peft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, final

from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.extras import install_hint
from reml.contract.arguments.numbers import Count
from reml.text.models.transformers_types import PreTrainedModel

_OF_ADAPTERS = ".lora_"


@final
@checked()
@dataclass(frozen=True)
class Lora:
    """Settings of the adapters: what is added to a matrix W is (alpha / rank) B A, with B zero at first.

    targets: the names of the matrices, such as q_proj; left out, those that peft knows for a model of its type.
    """

    rank: Count = 8
    alpha: Count = 16
    targets: Sequence[str] | None = None


def add_adapters(model: PreTrainedModel, lora: Lora) -> None:
    """Put adapters into a model and freeze all else; its `state_dict` has the adapters alone from now on.

    A state without the frozen weights is loaded over those it has. `ModuleNotFoundError` with the command to run where
    peft is not installed; `ValueError` for targets that the model has not.
    """
    try:
        import peft
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}. Install what makes adapters: {install_hint('lora')}.") from error
    targets = None if lora.targets is None else [*lora.targets]
    settings = peft.LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=targets)
    peft.inject_adapter_in_model(settings, model)
    frozen = [name for name in model.state_dict() if _OF_ADAPTERS not in name]
    module: Any = model
    module.register_state_dict_post_hook(partial(_without, frozen))
    module.register_load_state_dict_pre_hook(partial(_with, frozen))


def _without(frozen: Sequence[str], _module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    for name in frozen:
        del state[prefix + name]


def _with(frozen: Sequence[str], module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Give a state what it lacks of the frozen weights: those that are there already."""
    for name in frozen:
        state.setdefault(prefix + name, attrgetter(name)(module).detach())
