"""What a folder of sentence-transformers says of a cross-encoder's scores: their activation, and how texts are cut.

config_sentence_transformers.json names `activation_fn`, as folders from before version 6 do in config.json, under
`sentence_transformers` or as `sbert_ce_default_activation_function`; where none is named, that of one logit is a
sigmoid there. sentence_bert_config.json may name `max_seq_length`. What is not known here is refused.
"""

from __future__ import annotations

from typing import Final

from torch import nn

from reml.contract.examples import Json
from reml.files.model_location import ModelError
from reml.retrievers.encoders.projection import activation_of
from reml.text.models.model_folder import ModelFolder
from reml.text.models.transformers_types import PreTrainedConfig

SETTINGS: Final = "config_sentence_transformers.json"
TEXTS: Final = "sentence_bert_config.json"
SIGMOID: Final = "torch.nn.modules.activation.Sigmoid"
KNOWN: Final = {
    "transformer_task": "sequence-classification",
    "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
    "module_output_name": "scores",
}


def declared_activation(folder: ModelFolder, config: PreTrainedConfig) -> nn.Module:
    """Make the activation of a cross-encoder's one logit; `ModelError` if it is not known here, or there are two."""
    if config.num_labels != 1:
        raise ModelError(
            f"{folder.name!r} has {config.num_labels} logits, of which sentence-transformers makes as many scores, not "
            "one: leave `activation` out, and the score is their difference."
        )
    return activation_of(folder, SETTINGS, _named(folder, config) or SIGMOID)


def note_activation(folder: ModelFolder, config: PreTrainedConfig) -> None:
    """Let config.json, where it is saved again, say which activation a folder names."""
    if named := _named(folder, config):
        config.sentence_transformers = {"activation_fn": named}


def _named(folder: ModelFolder, config: PreTrainedConfig) -> Json:
    """Give what a folder names; the file of version 6 counts only beside its modules.json, as there."""
    older = getattr(config, "sentence_transformers", None)
    settings = folder.object(SETTINGS) if folder.read("modules.json") else {}
    named = [settings, older if isinstance(older, dict) else {}]
    oldest: Json = getattr(config, "sbert_ce_default_activation_function", None)
    return next((one["activation_fn"] for one in named if one.get("activation_fn")), oldest)


def declared_length(folder: ModelFolder) -> int | None:
    """Give the tokens of a pair that a folder names, if any; `ModelError` for what is not known here."""
    texts, settings = folder.object(TEXTS), folder.object(SETTINGS)
    wrong: dict[str, Json] = {name: value for name, value in texts.items() if value and KNOWN.get(name, value) != value}
    wrong |= {name: texts[name] for name in set(texts) - {*KNOWN, "max_seq_length"} if texts[name]}
    if prompt := settings.get("default_prompt_name"):
        wrong["default_prompt_name"] = prompt
    for name, value in wrong.items():
        raise ModelError(f"{folder.name!r} has {name} {value!r}, which is not read here: name another model.")
    length = texts.get("max_seq_length")
    if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
        raise ModelError(f"{folder.name!r}: max_seq_length of {TEXTS} is {length!r}, no number of tokens: mend it.")
    return length
