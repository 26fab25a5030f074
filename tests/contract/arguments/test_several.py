"""One text is not several: wherever texts, examples, queries or names are wanted, a text alone is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reml
from reml.access.information_access import InformationAccess
from reml.collection.disk import create_collection
from reml.contract.access import Entries
from reml.contract.arguments.several import several
from reml.contract.retrieved import Queries
from reml.evaluation.kilt import evaluate
from reml.evaluation.metrics.bleu import corpus_bleu, sentence_bleu
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import rank_pages
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.retrievers.bm25 import BM25
from reml.retrievers.fusion import Fusion
from reml.study.plan import Study
from reml.tasks.factbook import Factbook
from reml.testing import MemoryCollection
from reml.text.analysis import Analyser, Vocabulary

ITEMS = MemoryCollection(["copper is mined", "rice is planted"])
EXPERIMENT = reml.Experiment([Factbook("qa")], {"a": reml.Access()})
EXAMPLES = [reml.Example("1", "copper")]


def retriever(folder: Path) -> Any:
    return BM25().index(ITEMS, folder / "index")


CALLS: dict[str, Callable[[Path], object]] = {
    "Queries.of": lambda _: Queries.of("abc"),
    "Queries": lambda _: Queries(Queries.of(["a", "b", "c"]).owners, "abc"),  # type: ignore[arg-type]
    "Queries.of_inputs": lambda _: Queries.of_inputs("abc"),  # type: ignore[arg-type]
    "Entries": lambda _: Entries(Queries.of(["a", "b", "c"]).owners, "abc"),  # type: ignore[arg-type]
    "encode_queries": lambda folder: retriever(folder).encoder.encode_queries("abc"),
    "search by a text": lambda folder: retriever(folder).search("abc", 2),
    "search by texts": lambda folder: retriever(folder).search(["abc"], 2),
    "search of a fusion": lambda folder: Fusion([BM25(), BM25()]).index(ITEMS, folder).search("abc", 2),  # type: ignore[arg-type]
    "access.search": lambda folder: InformationAccess(retriever(folder)).search("abc"),  # type: ignore[arg-type]
    "access.search of texts": lambda folder: InformationAccess(retriever(folder)).search(["abc"]),  # type: ignore[list-item]
    "access.open": lambda folder: InformationAccess(retriever(folder)).open("abc"),  # type: ignore[arg-type]
    "ask": lambda folder: InformationAccess(retriever(folder)).open(EXAMPLES).ask("abc"),  # type: ignore[arg-type]
    "append_texts": lambda folder: create_collection(folder / "items").append_texts("abc"),
    "MemoryCollection": lambda _: MemoryCollection("abc"),
    "learn": lambda _: Vocabulary(Analyser()).learn("abc"),
    "count": lambda _: Vocabulary(Analyser()).count("abc"),
    "sentence_bleu": lambda _: sentence_bleu("a b", "a b"),
    "corpus_bleu": lambda _: corpus_bleu("ab", ["a", "b"]),
    "rank_pages": lambda _: rank_pages("abc", [1, 2, 3]),
    "measures": lambda folder: ranked_measures(folder / "run", folder / "qrels", "nDCG@10"),
    "depths": lambda _: evaluate([], [], depths=5),  # type: ignore[arg-type]
    "seeds": lambda _: reml.run(EXPERIMENT, seeds=3),  # type: ignore[arg-type]
    "tasks": lambda _: reml.Experiment("nq", {"a": reml.Access()}),  # type: ignore[arg-type]
    "fuse": lambda _: reml.Access(fuse="bm25"),
    "System.access": lambda _: reml.System("predictor", "bm25"),
    "train_on.tasks": lambda _: reml.TrainOn("a", tasks="nq"),
    "train_on.predictors": lambda _: reml.TrainOn("a", predictors="fid"),
    "train.tasks": lambda _: RetrieverTraining(tasks="nq"),
    "feedback.beside": lambda _: AccessFeedback(learner="a", beside="bm25"),
    "study.learners": lambda _: Study(learners="dense", objectives={"a": {}}),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_text_is_not_several(name: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"one \w+, where several are wanted: give a list|give examples|Queries\.of\("):
        CALLS[name](tmp_path)


@pytest.mark.parametrize("values", [["abc"], ("abc",), {"abc"}, {"abc": 1}, iter(["abc"]), []])
def test_several_are_several(values: Any) -> None:
    assert several(values, "values") is values


def test_an_access_model_may_be_named_alone_where_one_is_enough() -> None:
    assert reml.TrainOn("bm25").names == ["bm25"]
