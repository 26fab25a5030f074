"""A writer replaces or sweeps only what it made itself, whichever writer it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.indexing import index_encoded
from reml.access.storing import CollectionMemory
from reml.collection.disk import DiskCollection, build_collection, create_collection
from reml.collection.overlays import begin_overlay
from reml.collection.passages import Passage
from reml.collection.segments import passage_batch, write_segment
from reml.contract.examples import Media
from reml.contract.vectors import DenseVectors
from reml.files.atomic import CorruptError, atomic_folder, write_manifest
from reml.files.integrity.owned import Made, refuse_others
from reml.files.origin import build_once
from reml.index.encoded_shards import encode_collection
from reml.index.faiss import Faiss, FaissIndex
from reml.index.impact import ImpactIndex
from reml.index.segment import Segment
from reml.retrievers.bm25 import BM25
from reml.retrievers.bm25.counts import KeptCounts, Statistics, compact_counts, keep_counts
from reml.retrievers.bm25.folder import BM25Folder
from reml.retrievers.bm25.state import write_state
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.idcm import IDCM
from reml.retrievers.splade import SpladeNetwork
from reml.text.analysis import Analyser, Vocabulary
from reml.text.token_table import TokenTable
from reml.training.loop.checkpoint import SafeCheckpoints
from tests.index.test_encoded_shards import COLLECTION, ORIGIN, NumberEncoder
from tests.index.vectors import random_matrix, sparse
from tests.memory_pages import numbered_pages
from tests.predictors.conftest import tiny_tokeniser
from tests.retrievers.snrm.test_snrm import counting_network
from tests.small_cross_encoder import write_cross_encoder
from tests.text.models import folders

ROWS = np.arange(20, dtype=np.int64)
VECTORS = sparse(random_matrix(20, 6, density=0.5, seed=1))
ANALYSER = Analyser(stemmer="none")


def dense() -> FaissIndex:
    index = FaissIndex(4)
    index.add(ROWS, DenseVectors(np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)))
    return index


def passages(folder: Path) -> DiskCollection:
    return build_collection(numbered_pages(4), folder, words=3, segment_rows=4)


def impacts(folder: Path) -> None:
    ImpactIndex.build(folder, 6, [(ROWS, VECTORS)])


def joined(folder: Path) -> None:
    made = Segment.invert(ROWS, VECTORS)
    Segment.join([made], [np.ones(20, dtype=np.bool_)], folder)


def memory(folder: Path) -> None:
    base = passages(folder.parent / "base")
    CollectionMemory().open(BM25().index(base, folder.parent / "bm25"), folder)


def states(folder: Path) -> None:
    nothing = np.empty(0, dtype=np.int64)
    write_state(folder, [], Statistics(nothing, 0, 0), nothing)


def checkpoint(folder: Path) -> None:
    SafeCheckpoints().save_checkpoint({"global_step": 1, "weight": torch.ones(2)}, folder)


def overlay(folder: Path) -> None:
    begin_overlay(passages(folder.parent / "base"), folder)


def counts(folder: Path) -> None:
    batches = [COLLECTION.get(COLLECTION.rows())]
    keep_counts(folder, batches, Vocabulary(ANALYSER), title=False, fields=False)


def compacted(folder: Path) -> None:
    keep_counts(
        folder.parent / "counts", [COLLECTION.get(COLLECTION.rows())], Vocabulary(ANALYSER), title=False, fields=False
    )
    files = sorted((folder.parent / "counts").iterdir())
    compact_counts(folder, KeptCounts(files, np.empty(0, dtype=np.int64), fields=False))


def segment(folder: Path) -> None:
    """Write a segment of a collection under the name that its rows give it."""
    named = folder.with_name(f"{0:012d}-{1:012d}")
    folder.rename(named)
    try:
        write_segment(named.parent, 0, [passage_batch([Passage("page", "Title", "text", None)])])
    finally:
        named.rename(folder)


def cross_encoder(folder: Path) -> None:
    CrossEncoder(write_cross_encoder(folder.parent / "start"), precision="float32").save(folder)


def idcm(folder: Path) -> None:
    IDCM(write_cross_encoder(folder.parent / "start"), precision="float32").save(folder)


def splade(folder: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM

    tokeniser = tiny_tokeniser()
    sizes = BertConfig(vocab_size=len(tokeniser), hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    SpladeNetwork(BertForMaskedLM(sizes), tokeniser).save(folder)


def dense_encoder(folder: Path) -> None:
    DenseEncoder.load(folders.put(folder.parent / "start", folders.bert())).save(folder)


def snrm(folder: Path) -> None:
    counting_network(["red", "green"]).save(folder)


def _folder(folder: Path) -> None:
    with atomic_folder(folder) as draft:
        (draft / "part").touch()


def _inner_memory(folder: Path) -> None:
    """Open a memory in a folder whose items are somebody's files."""
    outer = folder.parent / "memory"
    outer.mkdir()
    folder.rename(outer / "items")
    try:
        memory(outer)
    finally:
        (outer / "items").rename(folder)


def _nothing(draft: Path) -> None:
    """Build nothing."""


class Numbers(NumberEncoder):
    """With queries, of which the vectors are zero."""

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        return DenseVectors(np.zeros((len(contents), 1), dtype=np.float32))


WRITERS: dict[str, Callable[[Path], object]] = {
    "atomic_folder": _folder,
    "FaissIndex": lambda folder: dense().save(folder),
    "ImpactIndex": impacts,
    "Segment.save": lambda folder: Segment.invert(ROWS, VECTORS).save(folder),
    "Segment.join": joined,
    "TokenTable": lambda folder: TokenTable.build_or_open(COLLECTION, tiny_tokeniser(), folder),
    "training state": checkpoint,
    "remove training state": lambda folder: SafeCheckpoints().remove_checkpoint(folder),
    "build_collection": passages,
    "create_collection": create_collection,
    "segment of a collection": segment,
    "overlay": overlay,
    "memory": memory,
    "items of a memory": _inner_memory,
    "build_once": lambda folder: build_once(folder, ORIGIN, _nothing),
    "index_encoded": lambda folder: index_encoded(Numbers(), Faiss(), COLLECTION, folder),
    "encode_collection": lambda folder: encode_collection(COLLECTION, NumberEncoder(), folder, origin=ORIGIN),
    "BM25": lambda folder: BM25().index(COLLECTION, folder),
    "BM25's folder": lambda folder: BM25Folder(folder, ANALYSER, title=False).follow(COLLECTION),
    "counts": counts,
    "compacted counts": compacted,
    "state": states,
    "SNRM": snrm,
    "cross-encoder": cross_encoder,
    "IDCM": idcm,
    "SPLADE": splade,
    "dense encoder": dense_encoder,
}


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "mydocs"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "cat.jpg").write_text("a cat")
    (folder / "thesis.tex").write_text("ten years")
    return folder


def intact(folder: Path) -> bool:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != ".lock"}
    return (
        found == {"photos", "photos/cat.jpg", "thesis.tex"}
        and (folder / "thesis.tex").read_text() == "ten years"
        and (folder / "photos" / "cat.jpg").read_text() == "a cat"
    )


@pytest.mark.parametrize("name", WRITERS)
def test_no_writer_touches_a_folder_with_files_of_somebody(name: str, documents: Path) -> None:
    with pytest.raises((FileExistsError, CorruptError)) as refused:
        WRITERS[name](documents)
    assert intact(documents)
    if not isinstance(refused.value, CorruptError):
        assert re.search(r"holds other files \(photos, thesis.tex\)\. Name an empty folder\.", str(refused.value))
    assert not [path for path in documents.parent.iterdir() if path.name.startswith(".mydocs.")], "a draft"


@pytest.mark.parametrize("name", [one for one in WRITERS if one not in {"remove training state", "items of a memory"}])
def test_every_writer_takes_an_empty_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".lock").touch()
    if name in {"build_once", "index_encoded", "BM25", "BM25's folder"}:
        (tmp_path / "new" / ".lock").unlink()
    WRITERS[name](tmp_path / "new")
    assert [path for path in (tmp_path / "new").iterdir() if path.name != ".lock"]


@pytest.mark.parametrize(
    "name", ["FaissIndex", "ImpactIndex", "training state", "SNRM", "cross-encoder", "IDCM", "SPLADE"]
)
def test_a_writer_replaces_what_it_made_but_not_with_a_file_of_the_users_in_it(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    WRITERS[name](folder)
    WRITERS[name](folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds other files \(notes.txt\)"):
        WRITERS[name](folder)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_commit_sweeps_segments_and_drafts_alone(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = ImpactIndex.build(folder, 6, [(ROWS, VECTORS)])
    left = [folder / "segment-0123456789ab", folder / "segment-0123456789ab-deleted-1.npy", folder / ".m.0123abcd"]
    left[0].mkdir()
    for path in left[1:]:
        path.touch()
    mine = [folder / "notes.txt", folder / ".git", folder / "segment-of-a-talk.mp4", folder / "segments"]
    for path in mine:
        path.mkdir()
    index.delete(ROWS[:3])
    index.commit()
    assert not [path for path in left if path.exists()]
    assert all(path.exists() for path in mine)


def test_vectors_that_somebody_wrote_with_faiss_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vectors.faiss").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds other files \(vectors.faiss\)"):
        dense().save(tmp_path / "own")
    write_manifest(tmp_path / "own", "another kind", {})
    with pytest.raises(FileExistsError, match="holds other files"):
        dense().save(tmp_path / "own")
    assert (tmp_path / "own" / "vectors.faiss").read_text() == "mine"


def test_a_damaged_manifest_among_our_names_may_be_replaced(tmp_path: Path) -> None:
    dense().save(tmp_path / "index")
    (tmp_path / "index" / "manifest.json").write_text("{")
    dense().save(tmp_path / "index")
    assert len(FaissIndex.open(tmp_path / "index")) == 20


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("ten years")
    with pytest.raises(FileExistsError, match="is not a folder"):
        dense().save(tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "ten years"


def test_hidden_files_of_others_and_empty_folders_of_others_count(tmp_path: Path) -> None:
    made = Made(("part", "inner/*"))
    for name in (".lock", ".part.0123abcd", ".part.0123abcd.old", ".nfs0123"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    refuse_others(tmp_path, made)
    for name in (".git", "album", "inner-album"):
        (tmp_path / name).mkdir()
        with pytest.raises(FileExistsError, match=name):
            refuse_others(tmp_path, made)
        (tmp_path / name).rmdir()
