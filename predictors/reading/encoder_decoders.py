"""What every predictor over an encoder-decoder does alike: frame, targets, likelihoods."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from reml.predictors.reading.pairs import Frame
from reml.text.models.transformers_types import BaseModelOutput, PreTrainedTokenizerFast, Seq2SeqLMOutput
from reml.text.token_table import token_ids

# What transformers leaves out of a loss.
IGNORED = -100
INPUT_TOKENS = 250


def question_frame(tokeniser: PreTrainedTokenizerFast, end: int) -> Frame:
    """Frame an input as `question: ... title: ... context: ...` and the end, as Fusion-in-Decoder does."""
    before, title, text = (tuple(ids) for ids in token_ids(tokeniser, ("question:", " title:", " context:")))
    return Frame(before, title, text, (end,))


def padded_targets(rows: Sequence[Sequence[int]]) -> Tensor:
    """Pad targets behind their ends, [B, T]."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=IGNORED)


def encoder_output(states: Tensor) -> BaseModelOutput:
    """Give states as transformers takes them from an encoder."""
    from transformers.modeling_outputs import BaseModelOutput

    return BaseModelOutput(last_hidden_state=states)


def target_likelihood(output: Seq2SeqLMOutput, targets: Tensor) -> Tensor:
    """Give log p of each target token, [B, T], 0 past the end."""
    if output.logits is None:
        raise TypeError("the model gave no logits: it is not an encoder-decoder with a language modelling head.")
    logits = output.logits.float().transpose(1, 2)
    return -functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="none")
