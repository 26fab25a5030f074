"""The types of transformers that annotations name, without transformers, which takes seconds to import.

A type checker sees the classes; at run time each is `Any`. What makes such an object, or asks whether something is one,
imports transformers where it does so. A block for type checkers in each file would not do: jsonargparse runs those of
files that a configuration names classes of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import (
        Cache,
        CLIPImageProcessorPil,
        CLIPModel,
        PreTrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
        PreTrainedTokenizerFast,
    )
    from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput
else:
    Cache = CLIPImageProcessorPil = CLIPModel = PreTrainedConfig = PreTrainedModel = Any
    PreTrainedTokenizerBase = PreTrainedTokenizerFast = BaseModelOutput = Seq2SeqLMOutput = Any

__all__ = [
    "BaseModelOutput",
    "CLIPImageProcessorPil",
    "CLIPModel",
    "Cache",
    "PreTrainedConfig",
    "PreTrainedModel",
    "PreTrainedTokenizerBase",
    "PreTrainedTokenizerFast",
    "Seq2SeqLMOutput",
]
