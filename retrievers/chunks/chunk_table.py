"""The rows of a collection of chunks: stretches of tokens of the documents of another collection.

A folder holds raw little-endian arrays, mapped into memory: `tokens.i32` [N, chunk], -1 behind the end of a document;
`document.i64` [N], the digest of its page id; `first.i64` [N], the row of the document's first item. No object is made
of a row until one is looked at, and the continuation of a row is the row after it, of the same document.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest, read_manifest, write_manifest
from reml.files.integrity.sealed import FILES, Verify, check_sealed, sealed
from reml.retrievers.mapped_table import mapped, rows_there
from reml.text.chunks import CONTINUATION, DOCUMENT, TOKENS, chunk_text, chunked, document_number
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import token_ids, tokeniser_fingerprint

KIND = "chunks"
COLUMNS = (TOKENS, CONTINUATION, DOCUMENT)
# Items of the source that are read at a time.
RUN = 256


@final
class ChunkTable:
    """A `Collection` of chunks: the item of a row is the text of its tokens, on the page that they stand in.

    `tokens` and `continuation` are token ids, [chunk], -1 where there is none; `document` is the number of the page
    (`reml.text.chunks.document_number`). `CorruptError` if a file is not what was written.
    """

    def __init__(
        self,
        source: Collection,
        tokeniser: PreTrainedTokenizerFast,
        folder: Path,
        *,
        verify: Verify | None = None,
    ) -> None:
        manifest = read_manifest(folder, KIND)
        check_sealed(folder, manifest, again=f"Delete {folder.parent} to have it built again.", verify=verify)
        count, chunk = int(str(manifest["count"])), int(str(manifest["chunk"]))
        self.source, self.tokeniser = source, tokeniser
        self._tokens = mapped(folder / "tokens.i32", "<i4", (count, chunk))
        self._documents = mapped(folder / "document.i64", "<i8", (count,))
        self._first = mapped(folder / "first.i64", "<i8", (count,))
        self._fingerprint = digest("chunks", source.fingerprint, tokeniser_fingerprint(tokeniser), chunk)

    @property
    def fingerprint(self) -> str:
        """A digest of the documents and of how they are cut."""
        return self._fingerprint

    @property
    def version(self) -> int:
        """The version of the documents."""
        return self.source.version

    def __len__(self) -> int:
        return len(self._tokens)

    def rows(self) -> Int64Array:
        """Give all rows."""
        return np.arange(len(self), dtype=np.int64)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the chunks of these rows as items, in this order; `KeyError` for one not there."""
        rows = self._there(np.asarray(rows, dtype=np.int64))
        firsts, places = np.unique(self._first[rows], return_inverse=True)
        pages = self.source.get(firsts)
        return [
            Item(row, self._text(row), pages[place].title, pages[place].page_id)
            for row, place in zip(rows.tolist(), places.ravel().tolist(), strict=True)
        ]

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from a row on, at most `size` at a time."""
        for low in range(start, len(self), size):
            yield self.get(np.arange(low, min(low + size, len(self)), dtype=np.int64))

    def values(self, column: str, rows: Int64Array) -> NDArray[Any]:
        """Give numbers of these rows, 0 for row -1, token ids -1; `KeyError` names the columns there are."""
        rows = np.asarray(rows, dtype=np.int64)
        there = rows != -1
        places = self._there(rows[there])
        if column in (TOKENS, CONTINUATION):
            found = np.full((*rows.shape, self._tokens.shape[1]), -1, dtype=np.int64)
            found[there] = self._tokens[places] if column == TOKENS else self._continuation(places)
            return found
        found = np.zeros(rows.shape, dtype=np.int64)
        if column == DOCUMENT:
            found[there] = self._documents[places]
        elif column == "page":
            found[there] = self.source.values("page", self._first[places])
        elif column == "words":
            found[there] = [len(self._text(row).split()) for row in places.tolist()]
        else:
            raise KeyError(f"chunks have no column {column!r}; they have page, words, {', '.join(COLUMNS)}.")
        return found

    def _continuation(self, rows: Int64Array) -> NDArray[Any]:
        following = np.minimum(rows + 1, len(self) - 1)
        same = (following > rows) & (self._first[following] == self._first[rows])
        return np.where(same[:, None], self._tokens[following], -1)

    def _text(self, row: int) -> str:
        tokens = self._tokens[row]
        return chunk_text(self.tokeniser, tokens[tokens >= 0].tolist())

    def _there(self, rows: Int64Array) -> Int64Array:
        return rows_there(rows, len(self), "collection of %s chunks")


def write_chunks(folder: Path, collection: Collection, tokeniser: PreTrainedTokenizerFast, chunk: int) -> None:
    """Cut every document, the items of one page that stand together, one after the other; `ValueError` if none is."""
    folder.mkdir()
    count = 0
    items = chain.from_iterable(collection.batches(RUN))
    with (
        (folder / "tokens.i32").open("wb") as tokens,
        (folder / "document.i64").open("wb") as documents,
        (folder / "first.i64").open("wb") as firsts,
    ):
        for page_id, page in groupby(items, key=lambda item: item.page_id):
            first, ids = _document(list(page), tokeniser)
            cut = [[*part, *[-1] * (chunk - len(part))] for part in chunked(ids, chunk)]
            tokens.write(np.array(cut, dtype="<i4").tobytes())
            documents.write(np.full(len(cut), document_number(page_id), dtype="<i8").tobytes())
            firsts.write(np.full(len(cut), first, dtype="<i8").tobytes())
            count += len(cut)
    if not count:
        raise ValueError("no page has a token, so that there are no chunks: give texts that say something.")
    write_manifest(folder, KIND, {"count": count, "chunk": chunk, FILES: sealed(folder)})


def _document(items: list[Item], tokeniser: PreTrainedTokenizerFast) -> tuple[int, list[int]]:
    """Give the first row of a document and its token ids; passages of a page are joined by a line's end."""
    return items[0].row, token_ids(tokeniser, ["\n".join(item.text for item in items)])[0]
