"""Token ids of every item of a collection, computed once and mapped into memory.

A folder holds ragged arrays as raw files. Item i, in row order, owns two stretches of `ids`: its title from
`bounds[2 * i]` to `bounds[2 * i + 1]`, its text from there to `bounds[2 * i + 2]`. No special tokens, no truncation:
each predictor frames and cuts its input itself. `checks` holds a checksum of each item's words, so that an item whose
text was changed on the way (compressed, say) is never read as what it once was.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import several
from reml.contract.collections import Collection
from reml.contract.examples import Item, canonical
from reml.contract.vectors import Int64Array
from reml.files.atomic import CorruptError, StaleError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.text.models.transformers_types import PreTrainedTokenizerFast

KIND = "token table"
MADE = Made(("manifest.json", "rows.bin", "bounds.bin", "ids.bin", "checks.bin"), KIND)
Ids = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class ItemTokens:
    """Token ids of an item's title and of its text, without special tokens."""

    title: Ids
    text: Ids


def tokeniser_fingerprint(tokeniser: PreTrainedTokenizerFast) -> str:
    """Give a digest of all that decides token ids: normaliser, vocabulary, merges."""
    return digest(tokeniser.backend_tokenizer.to_str())


def token_ids(tokeniser: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Give the token ids of each text in canonical form, in order: no special tokens, no truncation."""
    if not several(texts, "texts"):
        return []
    encoded = tokeniser(
        list(map(canonical, texts)), add_special_tokens=False, return_attention_mask=False, verbose=False
    )
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def tokenise(tokeniser: PreTrainedTokenizerFast, items: Sequence[Item]) -> list[ItemTokens]:
    """Give the tokens of items, in order, afresh."""
    titles = token_ids(tokeniser, [item.title for item in items])
    texts = token_ids(tokeniser, [item.text for item in items])
    return [
        ItemTokens(np.asarray(title, dtype=np.int64), np.asarray(text, dtype=np.int64))
        for title, text in zip(titles, texts, strict=True)
    ]


@dataclass(frozen=True, eq=False, slots=True)
class TokenTable:
    """The tokens of a collection's items, read from disk as they are needed."""

    rows: Int64Array
    bounds: Int64Array
    ids: Ids
    checks: npt.NDArray[np.uint32]
    tokeniser: PreTrainedTokenizerFast

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    @takes_paths
    def build_or_open(
        cls, collection: Collection, tokeniser: PreTrainedTokenizerFast, folder: Path, *, batch_size: int = 4096
    ) -> Self:
        """Open the table in `folder`; build it if it is missing or was made for something else."""
        try:
            return cls.open(collection, tokeniser, folder)
        except (CorruptError, StaleError):
            _build(collection, tokeniser, folder, batch_size)
        return cls.open(collection, tokeniser, folder)

    @classmethod
    @takes_paths
    def open(cls, collection: Collection, tokeniser: PreTrainedTokenizerFast, folder: Path) -> Self:
        """Map a table; `StaleError` if it is of another collection or tokeniser, `CorruptError` if it is damaged."""
        manifest = read_manifest(folder, KIND)
        for name, now in _origin(collection, tokeniser).items():
            if manifest.get(name) != now:
                raise StaleError(
                    f"{folder} holds tokens made with {name} {manifest.get(name)}, not {now}. "
                    "Delete it, or call TokenTable.build_or_open, to have it made anew."
                )
        check_sealed(folder, manifest, again="Call TokenTable.build_or_open to have it made again.")
        items, tokens = manifest.get("items"), manifest.get("tokens")
        if not isinstance(items, int) or not isinstance(tokens, int):
            raise CorruptError(f"{folder} does not say how much it holds. Delete it to have it made again.")
        return cls(
            rows=_mapped(folder / "rows.bin", np.dtype(np.int64), items),
            bounds=_mapped(folder / "bounds.bin", np.dtype(np.int64), 2 * items + 1),
            ids=_mapped(folder / "ids.bin", _id_type(tokeniser), tokens),
            checks=_mapped(folder / "checks.bin", np.dtype(np.uint32), items),
            tokeniser=tokeniser,
        )

    def take(self, rows: Int64Array) -> list[ItemTokens]:
        """Give the tokens of these rows, in this order, duplicates included; `KeyError` for a row it does not hold."""
        places = self._places(rows)
        if (places < 0).any():
            raise KeyError(f"rows {rows[places < 0][:5].tolist()} are not in the token table of {len(self)} items.")
        return [self._at(int(place)) for place in places]

    def of(self, items: Sequence[Item]) -> list[ItemTokens]:
        """Give the tokens of these items, in order; an item that the table does not know as it is, is tokenised now."""
        return tokens_of(items, [self], self.tokeniser)

    def known(self, items: Sequence[Item]) -> list[ItemTokens | None]:
        """Give the tokens of those items that the table knows as they are."""
        places = self._places(np.array([item.row for item in items], dtype=np.int64))
        return [
            self._at(int(place)) if place >= 0 and _check(item) == self.checks[place] else None
            for place, item in zip(places, items, strict=True)
        ]

    def _places(self, rows: Int64Array) -> Int64Array:
        if not len(self):
            return np.full(len(rows), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self) - 1)
        return np.where(self.rows[places] == rows, places, -1)

    def _at(self, place: int) -> ItemTokens:
        first, middle, last = self.bounds[2 * place : 2 * place + 3]
        return ItemTokens(self.ids[first:middle], self.ids[middle:last])


def tokens_of(
    items: Sequence[Item], tables: Sequence[TokenTable], tokeniser: PreTrainedTokenizerFast
) -> list[ItemTokens]:
    """Give the tokens of items, in order, from the first table that knows each as it is; others are tokenised now."""
    found: list[ItemTokens | None] = [None] * len(items)
    for table in tables:
        left = [place for place, tokens in enumerate(found) if tokens is None]
        for place, tokens in zip(left, table.known([items[place] for place in left]), strict=True):
            found[place] = tokens
    fresh = iter(tokenise(tokeniser, [item for item, tokens in zip(items, found, strict=True) if tokens is None]))
    return [tokens if tokens is not None else next(fresh) for tokens in found]


def _origin(collection: Collection, tokeniser: PreTrainedTokenizerFast) -> dict[str, str]:
    return {"collection": collection.fingerprint, "tokeniser": tokeniser_fingerprint(tokeniser)}


def _id_type(tokeniser: PreTrainedTokenizerFast) -> np.dtype[np.integer[Any]]:
    return np.dtype(np.uint16 if len(tokeniser) <= 2**16 else np.int32)


def _check(item: Item) -> int:
    # Of what is tokenised: a table made when texts were taken as they came still knows those in canonical form.
    return zlib.crc32(canonical(f"{item.title}\0{item.text}").encode())


def _mapped(path: Path, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    size = path.stat().st_size if path.is_file() else -1
    if size != count * dtype.itemsize:
        raise CorruptError(f"{path} has {size} bytes, not {count * dtype.itemsize}. Delete its folder to rebuild it.")
    # An empty file cannot be mapped.
    return np.memmap(path, dtype=dtype, mode="r", shape=(count,)) if count else np.zeros(0, dtype=dtype)


def _build(collection: Collection, tokeniser: PreTrainedTokenizerFast, folder: Path, batch_size: int) -> None:
    origin = _origin(collection, tokeniser)
    with atomic_folder(folder, MADE) as draft:
        items, tokens = _write(draft, collection.batches(batch_size), tokeniser)
        write_manifest(draft, KIND, {**origin, "items": items, "tokens": tokens, FILES: sealed(draft)})


def _write(draft: Path, batches: Iterable[list[Item]], tokeniser: PreTrainedTokenizerFast) -> tuple[int, int]:
    items = tokens = 0
    with ExitStack() as stack:
        rows, bounds, ids, checks = (
            stack.enter_context((draft / f"{name}.bin").open("wb")) for name in ("rows", "bounds", "ids", "checks")
        )
        bounds.write(np.zeros(1, dtype=np.int64).tobytes())
        for batch in batches:
            stretches = list(_stretches(tokenise(tokeniser, batch)))
            ends = tokens + np.cumsum([len(stretch) for stretch in stretches], dtype=np.int64)
            bounds.write(ends.tobytes())
            ids.write(np.concatenate(stretches).astype(_id_type(tokeniser)).tobytes())
            rows.write(np.array([item.row for item in batch], dtype=np.int64).tobytes())
            checks.write(np.array([_check(item) for item in batch], dtype=np.uint32).tobytes())
            items, tokens = items + len(batch), int(ends[-1])
    return items, tokens


def _stretches(batch: Iterable[ItemTokens]) -> Iterator[Ids]:
    for tokens in batch:
        yield tokens.title
        yield tokens.text
