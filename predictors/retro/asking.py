"""What is asked for the chunks of texts, and the token ids of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.access import Session
from reml.contract.collections import Collection
from reml.contract.examples import OWN_PAGE, Example
from reml.contract.retrieved import Queries, Rows
from reml.contract.vectors import Int64Array
from reml.text.chunks import CONTINUATION, DOCUMENT, TOKENS, chunk_text, document_number
from reml.text.models.transformers_types import PreTrainedTokenizerFast


class Documents:
    """Knows the rows of every document of a collection of chunks."""

    def __init__(self, collection: Collection) -> None:
        rows = collection.rows()
        numbers = collection.values(DOCUMENT, rows)
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._rows = numbers[order], rows[order]

    def rows_of(self, page_id: str) -> Int64Array:
        """Give the rows of a page's chunks, ascending; none if it is not there."""
        number = document_number(page_id)
        low, high = (int(np.searchsorted(self._numbers, number, side)) for side in ("left", "right"))
        return self._rows[low:high]


def documents_of(collection: Collection) -> Documents | None:
    """Give the documents of a collection of chunks; nothing of what has none, a closed book's."""
    try:
        return Documents(collection)
    except KeyError:
        return None  # what it is asked for that it has not, it names itself


@dataclass(frozen=True, eq=False, slots=True)
class Asking:
    """Asks a session for the neighbours of chunks. k: of each. chunk: its tokens. vocabulary: of who reads them.

    session: nothing is found where there is none. own: the rows of each example's own document, which are not found;
    none where no example names one.
    """

    session: Session | None
    tokeniser: PreTrainedTokenizerFast
    own: Sequence[Int64Array] | None
    k: int
    chunk: int
    vocabulary: int

    @property
    def places(self) -> int:
        """The places K that the neighbours of a chunk have."""
        return 0 if self.session is None else self.k

    def neighbours(self, texts: Mapping[int, Sequence[int]], start: int = 0) -> Tensor:
        """Give the neighbours of all chunks that end in texts, by one ask: [B, U, K, 2 * chunk], -1 behind the last.

        texts: token ids of the examples, by their position in the batch, ascending; B are these, U the chunks that end
        in the longest. start: chunks of each that are passed over, as theirs were asked for before.
        """
        whole = [max(0, len(ids) // self.chunk - start) for ids in texts.values()]
        found = torch.full((len(texts), max(whole, default=0), self.places, 2 * self.chunk), -1)
        if self.session is None or not any(whole):
            return found
        there = torch.arange(found.shape[1]) < torch.tensor(whole)[:, None]  # [B, U]
        owners = np.repeat(np.fromiter(texts, np.int64), whole)
        chunks = [
            ids[place * self.chunk : (place + 1) * self.chunk]
            for ids, count in zip(texts.values(), whole, strict=True)
            for place in range(start, start + count)
        ]
        found[there] = self._asked(self.session, owners, chunks)
        return found

    def _asked(self, session: Session, owners: Int64Array, chunks: Sequence[Sequence[int]]) -> Tensor:
        """Ask for the neighbours of Q chunks, [Q, K, 2 * chunk]."""
        only = None if self.own is None else Rows.of([self.own[owner] for owner in owners], excluded=True)
        texts = tuple(chunk_text(self.tokeniser, ids) for ids in chunks)
        found = session.ask(Queries(owners, texts, only=only), self.k)
        if not found.k:  # a closed book, whose collection has no tokens
            return torch.full((len(chunks), self.k, 2 * self.chunk), -1)
        try:
            tokens = torch.cat([session.values(TOKENS, found), session.values(CONTINUATION, found)], dim=2).cpu()
        except KeyError as error:
            raise ValueError(
                f"Retro reads chunks, and the items that it is given are none ({error.args[0]}). Give it an access "
                "model whose retriever is reml.retrievers.chunks.Chunks."
            ) from error
        self._check(tokens)
        tokens = tokens.masked_fill(~found.mask.cpu()[:, :, None], -1)
        return functional.pad(tokens, (0, 0, 0, self.k - found.k), value=-1)

    def _check(self, tokens: Tensor) -> None:
        if tokens.shape[2] != 2 * self.chunk:
            raise ValueError(
                f"the collection has chunks of {tokens.shape[2] // 2} tokens and the predictor reads chunks of "
                f"{self.chunk}: give both the same `chunk` (Chunks, CrossAttention)."
            )
        if tokens.numel() and int(tokens.max()) >= self.vocabulary:
            raise ValueError(
                f"the collection holds token {int(tokens.max())}, and the model knows {self.vocabulary}: cut the "
                "chunks with the tokeniser of this model (`model` of Chunks)."
            )


def page_of(example: Example) -> str | None:
    """Give the page that the text of an example stands in, nothing if it does not say."""
    page = example.meta.get(OWN_PAGE)
    return None if page is None else str(page)
