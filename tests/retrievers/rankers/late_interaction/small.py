"""A token encoder over the smallest BERT, with a mask token and without markers."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer

from reml.retrievers.rankers.late_interaction import TokenReading
from tests.predictors.conftest import UNK
from tests.small_cross_encoder import write_cross_encoder

PLAIN = TokenReading(query_marker="", item_marker="", augment=False, precision="float32", item_tokens=32)
# The tiny vocabulary has no mask token, nor unused ones: others stand for them.
PAPER = TokenReading(
    query_tokens=16, item_tokens=24, query_marker="country", item_marker="supports", precision="float32", batch_size=2
)


def write_bert(folder: Path) -> str:
    """Write a BERT of random weights; give the folder."""
    model = write_cross_encoder(folder, labels=None)
    tokeniser = AutoTokenizer.from_pretrained(model)
    tokeniser.mask_token = UNK
    tokeniser.save_pretrained(model)
    return model
