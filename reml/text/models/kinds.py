"""The kinds of models that are loaded, and which weights each may have or lack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Buffers that are computed anew in any case; older versions of transformers wrote them, and masks beside them.
COMPUTED: Final = r"(^|\.)(position_ids|token_type_ids|(rotary_emb\.)?inv_freq|final_logits_bias)$"
BUFFERS: Final = rf"{COMPUTED}|(^|\.)attn\.(masked_)?bias$"
# What stands on an encoder for a task: an encoder alone does not use it.
HEADS: Final = (
    r"(^|\.)(cls|lm_head|embed_out|mlm_head|mlm|head|classifier|pre_classifier|score|qa_outputs|predictions|"
    r"sop_classifier|vocab_(transform|layer_norm|projector)|discriminator_predictions|generator_(predictions|lm_head)|"
    r"lm_predictions|mask_predictions|pred_layer|logits_proj|sequence_summary|summary|pooler)\.|"
    r"(^|\.)decoder\.(bias|weight)$"
)
POOLER: Final = r"(^|\.)pooler\."


@dataclass(frozen=True)
class Kind:
    """What is wanted of a folder.

    wanted: its name in messages. loader: the class of transformers that loads it, by name. unused: a pattern of weights
    that may be there and are not used; absent: of those that may be missing, as nothing is computed with them. never:
    endings of the classes that no such folder was made by, although its weights may fit. types: the only model types,
    any if there are none. advice: what to name instead.
    """

    wanted: str
    loader: str
    advice: str
    unused: str = BUFFERS
    absent: str = COMPUTED
    never: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


ENCODER = Kind(
    "model", "AutoModel", "name the model of an encoder, such as a BERT", f"{BUFFERS}|{HEADS}", f"{COMPUTED}|{POOLER}"
)
# An encoder-decoder whose encoder is taken.
ENCODER_PART = Kind(
    "model",
    "AutoModelForTextEncoding",
    "name the model of an encoder, such as a BERT",
    rf"{BUFFERS}|{HEADS}|^(lm_head|decoder)\b",
)
MASKED = Kind(
    "masked language model",
    "AutoModelForMaskedLM",
    "name a masked language model, with its head",
    rf"{BUFFERS}|{POOLER}|^cls\.seq_relationship\.|(^|\.)sop_classifier\.",
)
CLASSIFIER = Kind(
    "model",
    "AutoModelForSequenceClassification",
    "name a cross-encoder, with its classifier",
)
# A classifier whose head is new: all that does not stand in the model below it, beside what is never used.
NEW_CLASSIFIER = Kind("model", "AutoModelForSequenceClassification", CLASSIFIER.advice, f"{BUFFERS}|{HEADS}")
ENCODER_DECODER = Kind(
    "encoder-decoder", "AutoModelForSeq2SeqLM", "name an encoder-decoder with its language modelling head, such as a T5"
)
LANGUAGE_MODEL = Kind(
    "language model",
    "AutoModelForCausalLM",
    "name a causal language model, such as a GPT-2",
    never=("ForMaskedLM", "ForPreTraining"),
)
CLIP = Kind("CLIP", "CLIPModel", "name a CLIP", types=("clip",))


def matches(pattern: str, key: str) -> bool:
    """Tell whether the name of a weight has a part of this pattern."""
    return re.search(pattern, key) is not None
