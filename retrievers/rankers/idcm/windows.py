"""The windows of tokens that IDCM cuts items into, each with some tokens of its neighbours on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.text.models.transformers_types import PreTrainedTokenizerFast


@final
@checked()
@dataclass(frozen=True, kw_only=True)
class Form:
    """How items are cut, and how many windows count.

    window: tokens that a window has for itself. overlap: tokens of either neighbour that it has too. tokens: of an
    item, what follows is not read. top: the best windows whose scores make an item's. title: whether an item's title
    stands before its text.
    """

    window: Count = 50
    overlap: Size = 7
    tokens: Count = 2000
    top: Count = 3
    title: bool = True

    def windows(self, tokens: int) -> int:
        """Count the windows of so many tokens: one at least, though it be empty."""
        return max(1, -(-tokens // self.window))


@final
@dataclass(frozen=True, eq=False)
class Document:
    """The tokens of an item, and the texts of its windows. whole: how many tokens it has, the cut ones with them."""

    ids: list[int]
    windows: list[str]
    whole: int


def documents(texts: Sequence[str], tokeniser: PreTrainedTokenizerFast, form: Form) -> list[Document]:
    """Cut texts into windows; a window's text reaches from its first to its last token."""
    if not texts:
        return []
    read = tokeniser(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [_document(*one, form) for one in zip(texts, read["input_ids"], read["offset_mapping"], strict=True)]


def _document(text: str, ids: list[int], places: list[tuple[int, int]], form: Form) -> Document:
    kept = places[: form.tokens]
    parts = [
        kept[max(0, start - form.overlap) : start + form.window + form.overlap]
        for start in range(0, form.windows(len(kept)) * form.window, form.window)
    ]
    return Document(ids[: form.tokens], [text[part[0][0] : part[-1][1]] if part else "" for part in parts], len(ids))
