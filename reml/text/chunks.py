"""Chunks of a text's tokens: what RETRO retrieves by, and what it retrieves.

Borgeaud et al., "Improving language models by retrieving from trillions of tokens", ICML 2022,
https://arxiv.org/abs/2112.04426, section 2.1: texts are cut into chunks of 64 tokens; a neighbour of a chunk is another
chunk together with the one that follows it in its document.

The names of columns that a collection of chunks has stand here, for those who keep them and those who read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from reml.text.models.transformers_types import PreTrainedTokenizerFast

CHUNK = 64
# Columns: token ids of a chunk and of the next one of its document, -1 behind their end; the number of the document.
TOKENS, CONTINUATION, DOCUMENT = "tokens", "continuation", "document"


def chunked(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Cut token ids into chunks; the last one may be shorter."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def chunk_text(tokeniser: PreTrainedTokenizerFast, ids: Sequence[int]) -> str:
    """Write the tokens of a chunk as text, in the one way in which chunks are found and asked for."""
    return str(tokeniser.decode(list(ids), skip_special_tokens=True))


def document_number(page_id: str) -> int:
    """Give the number, int64, that tells the chunks of a page, the same in every process; 64 bits of a digest."""
    return int.from_bytes(blake2b(page_id.encode(), digest_size=8).digest(), "little", signed=True)
