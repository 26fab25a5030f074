"""Queries that are media: what reads texts alone refuses them, and records name them by their paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.access.querying import RM3, InputQuery
from reml.access.querying.query_generators import one_query_each
from reml.contract.examples import Example, Media, texts_of
from reml.contract.retrieved import Queries
from reml.experiment.plan.collections import checksum
from reml.retrievers.bm25 import BM25
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.snrm import SNRM, Layers
from reml.testing import TEXTS, MemoryCollection

PICTURE, FILM = Media("image", "a.png"), Media("video", "b.mp4", 1.5, 4.0)


def test_records_name_media_by_their_paths() -> None:
    queries = Queries.of(["fox", PICTURE, FILM, " "])
    assert queries.texts == ("fox", "a.png", "b.mp4#t=1.5,4.0", " ")
    assert queries.said == ("fox", PICTURE, FILM, " ")
    assert queries.asking == [0, 1, 2]
    assert queries.take(np.array([1])).contents == (PICTURE,)


def test_an_example_without_text_asks_with_its_media() -> None:
    examples = [Example("1", "fox", media=(PICTURE,)), Example("2", " ", media=(PICTURE, FILM)), Example("3", "")]
    queries = InputQuery()(examples)
    assert queries.contents == ("fox", PICTURE, FILM, "")
    assert queries.owners.tolist() == [0, 1, 1, 2]
    with pytest.raises(ValueError, match="exactly one for each"):
        one_query_each(InputQuery(), examples)


def test_who_reads_texts_alone_says_so() -> None:
    assert texts_of(["fox", ""], RM3()) == ["fox", ""]
    with pytest.raises(ValueError, match=r"RM3 reads texts, and a query is the video 'b\.mp4#t=1\.5,4\.0': choose"):
        texts_of(["fox", FILM], RM3())


def test_retrievers_and_expansions_of_texts_refuse_a_picture(tmp_path: Path) -> None:
    collection, queries = MemoryCollection(TEXTS), Queries.of(["fox", PICTURE])
    bm25 = BM25().index(collection, tmp_path / "bm25")
    settings = SNRM(embeddings=None, min_count=1, layers=Layers(width=20))
    snrm = settings.index_with(settings.encoder(collection, tmp_path / "start"), collection, tmp_path / "snrm")
    for retriever, name in ((bm25, "BM25Encoder"), (snrm, "SparseEncoder")):
        with pytest.raises(ValueError, match=rf"{name} reads texts, and a query is the image 'a\.png'"):
            retriever.search(queries, 2)
        with pytest.raises(ValueError, match=f"{name} reads texts"):
            retriever.score(queries, np.zeros((2, 1), dtype=np.int64))
    with pytest.raises(ValueError, match="BM25Encoder reads texts"):
        RM3()(queries, bm25)
    with pytest.raises(ValueError, match="CrossEncoder reads texts"):
        CrossEncoder("no model").score(queries, collection.get(np.array([0])), np.zeros((2, 1), dtype=np.int64))


def test_examples_with_other_pictures_are_other_examples() -> None:
    digests = {checksum([Example("1", "", media=media)]) for media in ((), (PICTURE,), (FILM,))}
    assert len(digests) == 3
