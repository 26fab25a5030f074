"""Dense vectors in FAISS: any index that its factory strings name, over inner products or distances.

    Flat                exact; what every approximate index is measured against
    HNSW32              a graph; fast where the vectors fit in memory
    IVF1024,Flat        lists around centroids; needs training, which the first `add` does if nobody did
    IVF1024,PQ48        the same with compressed vectors, 48 bytes each

FAISS knows vectors by place, 0 to n - 1; the row ids are kept beside it, so that deletion works for every kind (HNSW
has none of its own): a deleted place is passed over while searching, and its memory comes back with the next build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal, get_args

import faiss
import numpy as np
import numpy.typing as npt

from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Index
from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, Representations, Similarity
from reml.devices.disk import save_array
from reml.devices.progress import tracked
from reml.devices.turns import Turns
from reml.files.atomic import MANIFEST, CorruptError, StaleError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.digests import state_of
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.index.encoded_shards import sample

KIND = "faiss index"
AGAIN = "The index in {} has to be built again from its vectors."
VECTORS, ROWS, ALIVE = "vectors.faiss", "rows.npy", "alive.npy"
MADE = Made((MANIFEST, VECTORS, ROWS, ALIVE), KIND)
# FAISS computes batches below this size one query at a time, ten times slower than as a matrix product.
faiss.cvar.distance_compute_blas_threshold = 1
# Fetched beyond k, so that a tie at the k-th place is seen and broken by row.
MARGIN = 16
# At most so many numbers of candidates are held at a time.
NUMBERS = 2**23
# How far two ways to sum a product in float32 may lie apart, as a share of the lengths of the vectors.
ROUNDING = 4e-6
# FAISS looks into one list and at 16 neighbours unless told, which misses too much.
LISTS_PROBED = 16
NEIGHBOURS_KEPT = 64
# Vectors that IVF and PQ learn their centroids and codes from: 200 MB of width 384.
TRAINING_VECTORS = 2**17
Measured = Literal["dot", "cosine", "l2"]
METRICS = {"dot": faiss.METRIC_INNER_PRODUCT, "cosine": faiss.METRIC_INNER_PRODUCT, "l2": faiss.METRIC_L2}


class FaissIndex:
    """Finds the items with the largest inner products, or with the smallest distances.

    width: dimensions of a vector. factory: what FAISS builds, see above. parameters: FAISS's search-time parameters,
    `nprobe=32` (lists looked into, 16 unless given) or `efSearch=128` (neighbours kept, 64 unless given). similarity:
    `dot`, `cosine`, or `l2`, whose scores are negative squared distances. `ValueError` if FAISS does not know the
    parameters or cannot build this.
    """

    def __init__(
        self, width: int, factory: str = "Flat", *, parameters: str = "", similarity: Measured = "dot"
    ) -> None:
        self.width = width
        self.factory = factory
        self.parameters = parameters
        self.similarity = _known(similarity)
        self._faiss = _built(width, factory, similarity)
        _tune(self._faiss, parameters)
        self._rows: Int64Array = np.empty(0, dtype=np.int64)
        self._alive: npt.NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        # The file, and its size, inode and time.
        self._mapped: tuple[Path, tuple[int, ...]] | None = None
        self._turns = Turns()

    def __len__(self) -> int:
        return int(self._alive.sum())

    @property
    def trained(self) -> bool:
        """Whether it can take vectors: IVF and PQ must first see a sample of them."""
        return bool(self._faiss.is_trained)

    def train(self, sample: Representations) -> None:
        """Learn centroids and codes from a sample, the same from the same; `ValueError` if it is too small."""
        values = self._checked(sample)
        with self._turns.alone():
            self._train(values)

    def add(self, rows: Int64Array, vectors: Representations) -> None:
        """Add items under new row ids; what needs training and had none is trained on these vectors first."""
        values = self._checked(vectors)
        with self._turns.alone():
            self._check_new(rows, len(values))
            if not len(rows):
                return
            if not self.trained:
                self._train(values)
            self._own()
            self._faiss.add(values)
            self._rows = np.concatenate([self._rows, rows])
            self._alive = np.concatenate([self._alive, np.ones(len(rows), dtype=np.bool_)])

    def delete(self, rows: Int64Array) -> None:
        """Forget these items; `KeyError` for a row it does not hold."""
        with self._turns.alone():
            places = np.flatnonzero(np.isin(self._rows, rows) & self._alive)
            missing = np.setdiff1d(rows, self._rows[places])
            if len(missing):
                raise KeyError(f"the index does not hold rows {missing[:5].tolist()}.")
            self._alive[places] = False

    def search(self, queries: Representations, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; exact, ties by row, for Flat; what FAISS finds for others."""
        if k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {k}.")
        values = self._checked(queries)
        with self._turns.shared():
            return self._best(values, k)

    def _best(self, values: Float32Array, k: int) -> Hits:
        rows = np.full((len(values), k), -1, dtype=np.int64)
        scores = np.full((len(values), k), -np.inf, dtype=np.float32)
        fetch, pending = k + MARGIN, np.arange(len(values) if len(self) else 0)
        while len(pending):
            fetch = min(fetch, len(self._rows))
            settled = np.zeros(len(pending), dtype=np.bool_)
            size = max(1, NUMBERS // (fetch * self.width))
            starts = range(0, len(pending), size)
            for start in tracked(starts, "search", unit="batches of queries"):
                part = pending[start : start + size]
                hits, settled[start : start + size] = self._nearest(values[part], k, fetch)
                rows[part], scores[part] = hits.rows, hits.scores
            pending, fetch = pending[~settled], 2 * fetch
        return Hits(rows, scores)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write the index to a folder that is whole or not there."""
        with self._turns.shared(), atomic_folder(folder, MADE) as draft:
            faiss.write_index(self._faiss, str(draft / VECTORS))
            save_array(draft / ROWS, self._rows, folder)
            save_array(draft / ALIVE, self._alive, folder)
            made: dict[str, Json] = {"width": self.width, "factory": self.factory, "similarity": self.similarity}
            size = (draft / VECTORS).stat().st_size
            write_manifest(draft, KIND, {**made, "made": digest(made), "bytes": size, FILES: sealed(draft)})

    @classmethod
    @takes_paths
    def open(cls, folder: Path, *, parameters: str = "") -> FaissIndex:
        """Open what `save` wrote, memory-mapped.

        `CorruptError` if it cannot be read or is not what was written, so far as `REML_VERIFY` has it looked at
        (`reml.files.integrity.sealed`).
        """
        manifest, again = read_manifest(folder, KIND), AGAIN.format(folder)
        check_sealed(folder, manifest, again=again)
        index = _unfilled(folder, manifest, parameters)
        index._mapped = folder / VECTORS, state_of(folder / VECTORS)[:3]
        index._faiss = _read(folder / VECTORS, faiss.IO_FLAG_MMAP_IFC)
        with reading(folder, again):
            index._rows = np.load(folder / ROWS, allow_pickle=False)
            index._alive = np.load(folder / ALIVE, allow_pickle=False)
        if not index._fits():
            raise CorruptError(f"{folder / VECTORS} is not what was written. {again}")
        _tune(index._faiss, parameters)
        return index

    def _nearest(self, values: Float32Array, k: int, fetch: int) -> tuple[Hits, npt.NDArray[np.bool_]]:
        """Give the k best of `fetch` candidates, and for which queries no further candidate could be among them."""
        scores, places = self._faiss.search(values, fetch)
        scores = -scores if self.similarity == "l2" else scores
        everything, last = (fetch == len(self._rows)) | (places[:, -1] < 0), scores[:, -1]
        doubt = np.zeros(len(values), dtype=np.float32)
        if isinstance(faiss.downcast_index(self._faiss), faiss.IndexFlat):
            candidates = self._faiss.reconstruct_batch(places.ravel())
            scores, doubt = (_distances if self.similarity == "l2" else _products)(values, candidates)
        try:
            rows = np.where((places >= 0) & self._alive[places], self._rows[places], -1)
        except IndexError as error:
            raise CorruptError(f"the index names vectors that it does not have ({error}): build it again.") from error
        hits = Hits.ranked(rows, scores, k)
        return hits, everything | (hits.scores[:, -1] > last + doubt)

    def _fits(self) -> bool:
        """Tell whether what was read is of this index, and rows are known of all of it."""
        known = self._rows.dtype == np.int64 and self._alive.dtype == np.bool_
        made = self._faiss.d == self.width and self._faiss.metric_type == METRICS[self.similarity]
        return known and made and self._rows.shape == self._alive.shape == (self._faiss.ntotal,)

    def _train(self, values: Float32Array) -> None:
        try:
            self._faiss.train(values)
        except RuntimeError as error:
            raise ValueError(
                f"{len(values)} vectors are too few to train {self.factory!r}: it needs at least one for each list and "
                f"for each of the 256 codes of PQ. Use Flat, or fewer lists. FAISS says: {_reason(error)}"
            ) from error

    def _own(self) -> None:
        """Read a memory-mapped index into memory: FAISS ends the process when a mapped one grows."""
        if self._mapped is not None:
            path, state = self._mapped
            if not path.is_file() or state_of(path)[:3] != state:
                raise StaleError(f"the index in {path.parent} was written anew: open it again, then add.")
            self._faiss = _read(path, 0)
            self._mapped = None
            _tune(self._faiss, self.parameters)

    def _checked(self, vectors: Representations) -> Float32Array:
        if not isinstance(vectors, DenseVectors) or vectors.width != self.width:
            raise ValueError(
                f"the index takes dense vectors of width {self.width}, not {type(vectors).__name__} of "
                f"{vectors.width}: give those of the encoder that it was built with, or build it again with this one."
            )
        if not np.isfinite(vectors.values).all():
            raise ValueError("a vector holds a number that is not finite; look at what the encoder was given.")
        values = np.ascontiguousarray(vectors.values)
        return _of_length_one(values) if self.similarity == "cosine" else values

    def _check_new(self, rows: Int64Array, vectors: int) -> None:
        if len(rows) != vectors or len(np.unique(rows)) != vectors:
            raise ValueError(f"{len(rows)} rows for {vectors} vectors: give one row id for each, all distinct.")
        # Collections grow at the end, so the search through all rows is rare.
        if len(rows) and len(self._rows) and rows.min() <= self._rows.max():
            held = np.intersect1d(rows, self._rows[self._alive])
            if len(held):
                raise ValueError(f"the index holds rows {held[:5].tolist()} already; delete them first.")


@checked()
@dataclass(frozen=True)
class Faiss:
    """Settings of a FAISS index, for any encoder of dense vectors.

    factory: what FAISS builds (Flat, HNSW32, 'IVF1024,Flat', ...). parameters: how it is searched (nprobe=32,
    efSearch=128). similarity: what the encoder compares by, `dot`, `cosine` or `l2`.
    """

    factory: str = "Flat"
    _: KW_ONLY
    parameters: str = ""
    similarity: Measured = "dot"

    def __post_init__(self) -> None:
        _known(self.similarity)

    def fingerprint(self) -> str:
        """Digest all but the parameters of a search."""
        return digest("faiss", self.factory, self.similarity)

    def check(self, vectors: Representations, similarity: Similarity) -> None:
        """Raise `ValueError` for vectors that are not dense, another similarity, or what FAISS cannot build."""
        if not isinstance(vectors, DenseVectors):
            raise ValueError(
                f"FAISS takes DenseVectors, and the encoder gives {type(vectors).__name__}: name an index for these, "
                "such as reml.index.impact.Impact for sparse ones."
            )
        if similarity != self.similarity:
            raise ValueError(
                f"the encoder compares by {similarity!r} and this index by {self.similarity!r}: give both the same "
                "`similarity`, dot, cosine or l2."
            )
        self._empty(vectors.width)

    @takes_paths
    def make(self, folder: Path, width: int, shards: Iterable[tuple[Int64Array, Representations]]) -> None:
        """Train the index on a sample, if it needs that, fill it and write it to a folder."""
        index = self._empty(width)
        if not index.trained and any(len(rows) for rows, _ in shards):
            index.train(sample(shards, TRAINING_VECTORS))
        for rows, vectors in shards:
            index.add(rows, vectors)
        index.save(folder)

    @takes_paths
    def open(self, folder: Path) -> Index:
        """Open an index, memory-mapped; `CorruptError` if it cannot be read."""
        return FaissIndex.open(folder, parameters=self.parameters)

    def _empty(self, width: int) -> FaissIndex:
        return FaissIndex(width, self.factory, parameters=self.parameters, similarity=self.similarity)


def _products(queries: Float32Array, candidates: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Multiply each query [B, D] with its candidates [B * C, D] to [B, C], and bound what FAISS may differ by, [B].

    A matrix product rounds by where a vector stands in it: the same item would score differently from batch to batch,
    and two equal items would not tie. A sum for each pair rounds them all alike.
    """
    candidates = candidates.reshape(len(queries), -1, queries.shape[1])  # [B * C, D] -> [B, C, D]
    lengths = np.linalg.norm(candidates, axis=2).max(axis=1) * np.linalg.norm(queries, axis=1)
    return (candidates * queries[:, None, :]).sum(axis=2), (ROUNDING * lengths).astype(np.float32)


def _distances(queries: Float32Array, candidates: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Do as `_products` does with squared distances, negative."""
    candidates = candidates.reshape(len(queries), -1, queries.shape[1])  # [B * C, D] -> [B, C, D]
    lengths = (candidates**2).sum(axis=2).max(axis=1) + (queries**2).sum(axis=1)
    return -((candidates - queries[:, None, :]) ** 2).sum(axis=2), (2 * ROUNDING * lengths).astype(np.float32)


def _of_length_one(values: Float32Array) -> Float32Array:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    made: Float32Array = values / np.maximum(lengths, np.float32(1e-12))
    return made


def _known(similarity: str) -> Measured:
    for known in get_args(Measured):
        if known == similarity:
            measured: Measured = known
            return measured
    raise ValueError(f"FAISS finds by 'cosine', by 'dot' or by 'l2', not by {similarity!r}.")


def _built(width: int, factory: str, similarity: Measured):  # type: ignore[no-untyped-def] # FAISS has no types
    try:
        return faiss.index_factory(width, factory, METRICS[similarity])
    except RuntimeError as error:
        raise ValueError(
            f"FAISS cannot build {factory!r} for {similarity} over width {width}; Flat, HNSW32, 'IVF1024,Flat' and "
            f"'IVF1024,PQ48' are often used (PQ divides the width). FAISS says: {_reason(error)}"
        ) from error


def _tune(index, parameters: str) -> None:  # type: ignore[no-untyped-def] # FAISS has no types
    lists = faiss.try_extract_index_ivf(index)
    if lists is not None:
        lists.nprobe = min(LISTS_PROBED, lists.nlist)
    graph = faiss.downcast_index(index)
    if isinstance(graph, faiss.IndexHNSW):
        graph.hnsw.efSearch = NEIGHBOURS_KEPT
    if parameters:
        try:
            faiss.ParameterSpace().set_index_parameters(index, parameters)  # type: ignore[arg-type]
        except RuntimeError as error:
            raise ValueError(
                f"{parameters!r} does not fit this index: write nprobe=32 for IVF, efSearch=128 for HNSW. "
                f"FAISS says: {_reason(error)}"
            ) from error


def _read(path: Path, flags: int):  # type: ignore[no-untyped-def] # FAISS has no types
    """Read what FAISS wrote; it refuses links and lists that lead out of the index."""
    with path.open("rb"):
        pass  # so that the system's own error is raised where there is one: FAISS has one for all
    with reading(path, AGAIN.format(path.parent)):
        return faiss.read_index(str(path), flags)


def _unfilled(folder: Path, manifest: Mapping[str, Json], parameters: str) -> FaissIndex:
    """Make the empty index that a manifest describes; that of a former version has no digest of it."""
    made = {name: manifest.get(name) for name in ("width", "factory", "similarity")}
    width, factory, similarity = made["width"], made["factory"], made["similarity"] or "dot"
    known = isinstance(width, int) and isinstance(factory, str) and str(similarity) in METRICS
    if not known or manifest.get("made", digest(made)) != digest(made):
        raise CorruptError(f"{folder / MANIFEST} is not what was written. {AGAIN.format(folder)}")
    return FaissIndex(int(str(width)), str(factory), parameters=parameters, similarity=_known(str(similarity)))


def _reason(error: RuntimeError) -> str:
    """Cut FAISS's source positions off its message."""
    return str(error).rpartition(": ")[2]
