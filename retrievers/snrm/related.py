"""Outputs that words of like meaning share, learnt from a dense encoder without any label, for SNRM to start with.

Outputs that a query and an item do not share have no gradient: from codes alone (`reml.retrievers.snrm.codes`), no
training learns that `wrote` has to do with `author`. So such words get outputs in common before it:

1. Words get vectors whose sum over an item is about the item's vector by the encoder, a ridge regression:

       min_S |A S - Y|^2 + penalty |S|^2      A: [items, stems and words], idf times log(1 + count), rows of length 1
                                              Y: what the encoder makes of the items, its first principal components

   A word's vector is its own row of S and that of its stem, so that a rare word takes after its stem. What stands in
   fewer than `LEAST` items has no row.
2. Outputs look in the directions a_j of some words, drawn by the square root of how often they stand.
3. Each word switches on those next to it, with a vector of outputs as long as its own vector is:

       output_j = idf_w c_w ReLU(a_j . s_w - t_w)      t_w: the next cosine after the `of_word` largest

That regression is convex, and its solution the same from the same. What static vectors of words take from a network of
attention is known from Model2Vec and WordLlama; here they become outputs of an inverted index, and learn from the
collection that is searched.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count
from reml.contract.collections import Collection
from reml.contract.retrievers import Encoder
from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, Representations
from reml.devices.progress import tracked
from reml.files.atomic import CorruptError, digest
from reml.files.replacing.unlinked import make_folder
from reml.files.shared_folder import shared_folder
from reml.index.encoded_shards import SHARD, read_shard, write_shard
from reml.retrievers.dense import Dense
from reml.retrievers.snrm.codes import loudness

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from reml.retrievers.snrm.lexicon import Lexicon

# Items that a stem or word must stand in to have a vector, and steps of the conjugate gradients.
LEAST, STEPS = 3, 30
# How loud such outputs are before log(1 + sum), which saturates the sooner.
LOUD = 16.0
# Words of an item that are read: all.
WHOLE = sys.maxsize
# What a vector of cosines above the threshold is taken to be long at least: all are equal where they are shorter.
NEAR = np.float32(0.05)
# How far above the next cosine the threshold lies, so that no rounding lifts that one over it.
EDGE = np.float32(1e-4)
# Where in a home the encoded items are.
ROOM = "related"
# What is not divided by less than.
TINY = np.float32(1e-12)


@checked()
@dataclass(frozen=True, kw_only=True)
class Related:
    """Outputs that related words share at the start (`reml.retrievers.snrm.related`).

    dense: whose vectors of items teach which words are related. outputs: how many of the network's outputs they are, at
    most one for each frequent word. of_word: on how many of them each word is. width: principal components of the
    encoder's vectors that are learnt. items: of a larger collection so many are read, evenly spread. penalty: on long
    vectors of words. weight: what these outputs count in a query, beside codes, before training.
    """

    dense: Dense = field(default_factory=Dense)
    outputs: Count = 8_000
    of_word: Count = 8
    width: Count = 100
    items: Count = 100_000
    penalty: Annotated[float, Bounds(above=0)] = 0.3
    weight: Annotated[float, Bounds(above=0)] = 0.03

    def __post_init__(self) -> None:
        if self.of_word >= self.outputs:
            raise ValueError(
                f"a word is on fewer outputs than there are, not on {self.of_word} of {self.outputs}: lower `of_word`, "
                "or raise `outputs`."
            )

    def fingerprint(self) -> str:
        """Digest what the start depends on."""
        return digest(asdict(replace(self, dense=Dense(self.dense.model, encoding=self.dense.encoding))))


@dataclass(frozen=True, eq=False)
class RelatedWords:
    """vectors: of each word, float32 [n, D + 1], the last number of which is its threshold. directions: float32 [M, D].

    weight: of such outputs in queries.
    """

    vectors: Float32Array
    directions: Float32Array
    weight: float


def related_words(
    wanted: Related,
    collection: Collection,
    lexicon: Lexicon,
    stems: Sequence[str],
    *,
    title: bool,
    folder: Path,
    seed: int,
) -> RelatedWords:
    """Learn them from a collection. stems: of each number of the lexicon, padding left out.

    folder: in whose home what is encoded is kept, for the next call, of whatever seed, after a killed one too.
    `ValueError` if too few words are frequent enough.
    """
    kept = shared_folder(folder, ROOM)
    encoder, rows = wanted.dense.encoder(collection, kept), collection.rows()
    rows = rows[:: -(-len(rows) // wanted.items)]
    distinct, stem_of = np.unique(np.array(stems, dtype=object).astype(str), return_inverse=True)
    counted = _counts(collection, rows, lexicon, stem_of, len(distinct), title=title)
    there = np.bincount(counted[1], minlength=len(distinct) + len(stems))
    frequent, words = np.flatnonzero(there >= LEAST), there[len(distinct) :]
    if np.count_nonzero(words >= LEAST) <= wanted.of_word:
        raise ValueError(
            f"{np.count_nonzero(words >= LEAST)} words stand in {LEAST} items or more, too few to learn which are "
            f"related, each to {wanted.of_word} of them: leave out `related`, or lower its `of_word`."
        )
    values = _components(_encoded(collection, rows, encoder, kept), wanted.width)
    learnt = np.zeros((len(there), values.shape[1]), dtype=np.float32)
    learnt[frequent] = ridge(_features(counted, there, frequent, len(rows)), values, wanted.penalty)
    both = learnt[stem_of] + learnt[len(distinct) :]
    vectors, directions = _outputs(both, np.where(words >= LEAST, words, 0), wanted, np.random.default_rng(seed))
    return RelatedWords(vectors, directions, wanted.weight)


def ridge(features: csr_array, targets: Float32Array, penalty: float) -> Float32Array:
    """Solve for S [F, D] by conjugate gradients, for features [n, F] and targets [n, D], each column of its own."""
    turned = features.T.tocsr()
    rest: Float32Array = turned @ targets
    solved, way, size = np.zeros_like(rest), rest.copy(), np.square(rest).sum(axis=0)
    for _ in tracked(range(STEPS), "learn related words", unit="steps", total=STEPS):
        ahead = turned @ (features @ way) + penalty * way
        step = size / np.maximum((way * ahead).sum(axis=0), TINY)
        solved += step * way
        rest -= step * ahead
        size, before = np.square(rest).sum(axis=0), size
        way = rest + size / np.maximum(before, TINY) * way
    return solved


def _encoded(collection: Collection, rows: Int64Array, encoder: Encoder, folder: Path) -> Float32Array:
    """Encode items, but for those that `folder` has."""
    kept = folder / digest(collection.fingerprint, encoder.fingerprint(), len(rows), SHARD)
    make_folder(kept)
    parts = [rows[start : start + SHARD] for start in range(0, len(rows), SHARD)]
    watched = tracked(parts, "encode for related words", unit="items", size=len, total=len(rows), of_parts=True)
    return np.concatenate([_shard(collection, some, encoder, kept) for some in watched])


def _shard(collection: Collection, rows: Int64Array, encoder: Encoder, folder: Path) -> Float32Array:
    path = folder / f"{rows[0]:012d}.safetensors"
    vectors = _read(path)
    if vectors is None:
        vectors = read_shard(write_shard(path, collection.get(rows), encoder))[1]
    assert isinstance(vectors, DenseVectors)  # noqa: S101 - `Dense` gives no others
    return vectors.values


def _read(path: Path) -> Representations | None:
    """Read a shard, if it is there and whole."""
    try:
        return read_shard(path)[1] if path.is_file() else None
    except CorruptError:
        return None


def _counts(
    collection: Collection, rows: Int64Array, lexicon: Lexicon, stem_of: Int64Array, stems: int, *, title: bool
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Say which stems and words stand in which items, by their place in `rows`, and how often.

    Three arrays: places; stems, and above them the words; counts.
    """
    pairs, parts = [], stems + len(stem_of)
    for start in range(0, len(rows), SHARD):
        for place, item in enumerate(collection.get(rows[start : start + SHARD]), start=start):
            numbers = np.array(lexicon.number(item.full_text(title=title), WHOLE), dtype=np.int64)
            pairs.extend([place * parts + stem_of[numbers - 1], place * parts + stems + numbers - 1])
    distinct, counts = np.unique(np.concatenate(pairs), return_counts=True)
    return distinct // parts, distinct % parts, counts


def _features(
    counted: tuple[Int64Array, Int64Array, Int64Array], there: Int64Array, frequent: Int64Array, items: int
) -> csr_array:
    """Weigh the counts of frequent stems and words by their idf; rows have length 1."""
    from scipy.sparse import csr_array

    places, parts, counts = counted
    column = np.full(len(there), -1, dtype=np.int64)
    column[frequent] = np.arange(len(frequent))
    known = column[parts] >= 0
    places, columns = places[known], column[parts[known]]
    weights = np.log1p(counts[known]) * loudness(there[frequent], items)[columns]
    weights /= np.sqrt(np.bincount(places, weights**2, minlength=items))[places]
    return csr_array((weights.astype(np.float32), (places, columns)), shape=(items, len(frequent)))


def _components(values: Float32Array, width: int) -> Float32Array:
    """Give the first principal components of vectors [n, D], at most `width`, in a scale that no encoder's changes."""
    centred = values - values.mean(axis=0)
    centred /= max(np.sqrt(np.square(centred).sum(axis=1).mean()), TINY)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    components: Float32Array = centred @ directions[:, :width]
    return components


def _outputs(
    vectors: Float32Array, frequencies: Int64Array, wanted: Related, generator: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Draw directions, and give each word's vector its threshold and scale: [n, D + 1] and [outputs, D].

    frequencies: by whose roots directions are drawn.
    """
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY)
    shares = np.sqrt(frequencies) / np.sqrt(frequencies).sum()
    towards = vectors / lengths
    count = min(wanted.outputs, int(np.count_nonzero(shares)))
    directions = towards[np.sort(generator.choice(len(vectors), count, replace=False, p=shares))]
    made = []
    for start in range(0, len(vectors), SHARD):
        some = towards[start : start + SHARD]
        nearest = np.partition(some @ directions.T, -wanted.of_word - 1, axis=1)[:, -wanted.of_word - 1 :]
        threshold = nearest[:, :1] + EDGE
        sizes = np.maximum(np.linalg.norm(nearest - threshold, axis=1, keepdims=True), NEAR)
        made.append(np.concatenate([some, threshold], axis=1) / sizes)
    scaled: Float32Array = (LOUD * lengths * np.concatenate(made)).astype(np.float32)
    return scaled, directions
