"""Loading an encoder of texts, of whichever family: BERT and its like, the encoder of a T5, either encoder of a DPR.

DPR (Karpukhin et al. 2020, https://arxiv.org/abs/2004.04906): a text's vector is that of [CLS], projected where the
model has a projection, and vectors are compared by their products as they are.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final, final

from torch import nn

from reml.files.model_location import ModelError
from reml.text.models.declared import Declared, check_width, declared
from reml.text.models.kinds import BUFFERS, ENCODER, ENCODER_PART, POOLER, Kind
from reml.text.models.loading import Loaded, config_of, load
from reml.text.models.model_folder import ModelFolder, opened
from reml.text.models.transformers_types import PreTrainedConfig

_LOG = logging.getLogger(__name__)
# Encoder-decoders of which transformers has the encoder as a class of its own.
WITH_ENCODER: Final = ("t5", "mt5", "umt5")
DPR: Final = {"DPRContextEncoder": "ctx_encoder", "DPRQuestionEncoder": "question_encoder"}  # and what is inside
OF_BERT: Final = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "max_position_embeddings",
    "type_vocab_size",
    "initializer_range",
    "layer_norm_eps",
    "pad_token_id",
)


@final
@dataclass(frozen=True, eq=False)
class LoadedEncoder:
    """An encoder with what its folder says of its vectors. projection: of a DPR that has one."""

    loaded: Loaded
    declared: Declared
    projection: nn.Linear | None = None


def load_encoder(
    name: str, *, attention: str | None = None, trust_remote_code: bool = False, beside: str = "(?!)"
) -> LoadedEncoder:
    """Load a hub id, a folder or `package:NAME/PATH`; `ModelError` names what is missing, or not known here.

    beside: a pattern of weights that may be there, which the caller reads.
    """
    folder = opened(name)
    said = declared(folder)
    config = config_of(folder, ENCODER, trust_remote_code=trust_remote_code)
    if config.model_type == "dpr":
        return _dpr(folder, config, said, attention)
    kind = _kind(folder, config)
    kind = replace(kind, unused=f"{kind.unused}|{beside}")
    check_width(folder, *said.pooled, config.hidden_size)
    return LoadedEncoder(load(folder, kind, config, attention=attention, trust_remote_code=trust_remote_code), said)


def _kind(folder: ModelFolder, config: PreTrainedConfig) -> Kind:
    if config.model_type in WITH_ENCODER:
        if config.is_encoder_decoder:
            _LOG.warning("%s: its encoder is taken; the decoder is not used.", folder.name)
        return ENCODER_PART
    if config.is_encoder_decoder:
        raise ModelError(f"{folder.name!r} has a decoder: {ENCODER.advice}, or a T5, whose encoder is taken.")
    if hasattr(config, "vision_config"):
        raise ModelError(
            f"{folder.name!r} ({config.model_type}) reads images too: name it under reml.retrievers.clip.Clip if it is "
            f"a CLIP, or {ENCODER.advice}."
        )
    return ENCODER


def _dpr(folder: ModelFolder, config: PreTrainedConfig, said: Declared, attention: str | None) -> LoadedEncoder:
    from transformers import BertConfig, BertModel

    check_width(folder, *said.pooled, config.hidden_size)
    made = next((one for one in config.architectures or [] if one in DPR), None)
    if made is None:
        raise ModelError(
            f"{folder.name!r} is a {', '.join(config.architectures or ['DPR'])} by its config.json: name one of "
            f"{', '.join(DPR)}."
        )
    loaded = load(folder, Kind("model", made, ENCODER.advice, f"{BUFFERS}|{POOLER}"), config)
    inner = loaded.model.get_submodule(DPR[made])
    plain = BertConfig(**{name: getattr(config, name) for name in OF_BERT})
    plain._attn_implementation = attention
    bert = BertModel(plain, add_pooling_layer=False)
    bert.load_state_dict(inner.get_submodule("bert_model").state_dict())
    projection = getattr(inner, "encode_proj", None)
    said = said if said.pooling else replace(said, pooling="cls", normalise=False)
    return LoadedEncoder(replace(loaded, model=bert), said, projection)
