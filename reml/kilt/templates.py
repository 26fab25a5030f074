"""KILT's inputs in the form that its T5 baseline reads them: the kind of task, a colon, the input.

As in KILT's code (kilt/readers/t5/data.py): zero-shot RE is called relation extraction, the turns of a dialogue are
joined by `[SEP]`, and a document in which an entity is mentioned is cut to a window around the mention. Deviation: the
window is counted in words, since no tokeniser is at hand here; KILT's counts T5's tokens, half of its input length on
either side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reml.access.querying.query_generators import MENTION
from reml.contract.examples import Example
from reml.contract.retrieved import Queries
from reml.kilt.catalogue import Dataset

_NAMES = {
    "fact checking": "Fact Checking",
    "entity linking": "Entity Linking",
    "slot filling": "Slot Filling",
    "open domain QA": "Question Answering",
    "dialogue": "Dialogue",
}
_RELATION_EXTRACTION = "Relation Extraction"
_PREFIX = re.compile(rf"(?:{'|'.join([*_NAMES.values(), _RELATION_EXTRACTION])}): ")


def t5_input(dataset: Dataset, text: str, words: int = 128) -> str:
    """Give an input as T5 reads it; `words` are kept on either side of a mention."""
    name = _RELATION_EXTRACTION if dataset.name == "structured_zeroshot" else _NAMES[dataset.kind]
    if dataset.kind == "dialogue":
        text = text.replace("\n", "[SEP]")
    if dataset.kind == "entity linking":
        text = _window(text, words)
    return f"{name}: {text}"


class PlainQuery:
    """A query generator for such inputs: the query is the input without the kind of task."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each example."""
        return Queries.of([plain_input(example.input) for example in examples])


def plain_input(text: str) -> str:
    """Give the input that a templated one was made of, as far as it was kept; any other text as it is."""
    prefix = _PREFIX.match(text)
    if prefix is None:
        return text
    rest = text[prefix.end() :]
    return rest.replace("[SEP]", "\n") if prefix[0] == "Dialogue: " else rest


def _window(text: str, words: int) -> str:
    mention = MENTION.search(text)
    if mention is None:
        return text
    left, right = text[: mention.start()].split(), text[mention.end() :].split()
    return " ".join([*left[max(0, len(left) - words) :], mention[0], *right[:words]])
