"""Every argument of every class that a configuration names is looked at where the class is made, from Python too."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from reml import Access, Experiment, Reading, System, Training, TrainOn
from reml.cli.class_listing import KINDS, listed
from reml.contract.arguments.checked import ArgumentError, hints_of
from reml.contract.arguments.kinds import wrong
from reml.feedback.emdr2 import Emdr2
from reml.index.faiss import Faiss
from reml.predictors.asking_twice import AskingTwice
from reml.predictors.fid_copy import CopyFiD
from reml.predictors.first_title import FirstTitle
from reml.predictors.in_context import InContext
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.bm25 import BM25
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import Encoding
from reml.retrievers.fusion import Fusion
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.snrm import SNRM
from reml.tasks.beir import Beir
from reml.tasks.factbook import Factbook
from reml.tasks.jsonl import Jsonl

# Classes of further rooms that are made from a configuration: what is a part of a retriever, task or training.
PARTS = [
    "reml.retrievers.encoders.dense_encoder.Encoding",
    "reml.retrievers.encoders.sparse_encoder.TextCut",
    "reml.retrievers.snrm.Layers",
    "reml.retrievers.rankers.bi_encoder.BiEncoder",
    "reml.retrievers.rankers.cross_encoder.CrossEncoder",
    "reml.retrievers.rankers.idcm.Form",
    "reml.retrievers.rankers.idcm.IDCM",
    "reml.retrievers.rankers.mono_t5.MonoT5",
    "reml.retrievers.rankers.windows.Windows",
    "reml.retrievers.states.States",
    "reml.feedback.judges.DownstreamUtility",
    "reml.feedback.judges.TeacherScores",
    "reml.feedback.judges.answer_utility.AnswerUtility",
    "reml.feedback.judges.judges.Judges",
    "reml.feedback.judges.recorded_utility.RecordedUtility",
    "reml.access.querying.MentionQuery",
    "reml.access.querying.RM3",
    "reml.access.querying.Rocchio",
    "reml.access.presenting.First",
    "reml.access.presenting.Rerank",
    "reml.access.storing.CollectionMemory",
    "reml.index.faiss.Faiss",
    "reml.index.impact.Impact",
    "reml.collection.sources.IrDatasetsTexts",
    "reml.collection.sources.JsonlPages",
    "reml.collection.sources.TsvTexts",
    "reml.collection.sources.JsonlTexts",
    "reml.training.refresh.Asynchronous",
    "reml.training.refresh.MostRetrieved",
    "reml.training.refresh.Every",
    "reml.training.settings.Training",
    "reml.training.settings.Stretch",
    "reml.training.data.rounds.Round",
    "reml.training.data.curriculum.Curriculum",
    "reml.training.data.negatives.Denoising",
    "reml.training.data.neighbours.Neighbours",
    "reml.training.data.pseudo_queries.PseudoQueries",
    "reml.training.regimes.sparsity.L1",
    "reml.training.regimes.sparsity.Flops",
    "reml.text.analysis.Analyser",
    "reml.experiment.settings.access.Access",
    "reml.experiment.settings.access.Budget",
    "reml.experiment.settings.access.Lent",
    "reml.experiment.settings.access_feedback.AccessFeedback",
    "reml.experiment.settings.experiment.Reading",
    "reml.experiment.settings.experiment.Experiment",
    "reml.experiment.settings.retriever_training.RetrieverTraining",
    "reml.experiment.settings.system.Passages",
    "reml.experiment.settings.system.System",
    "reml.experiment.settings.train_on.Phase",
    "reml.experiment.settings.train_on.TrainOn",
    "reml.study.plan.Study",
    "reml.tasks.factbook.misleading.MisleadingQuestions",
]


class Nothing:
    """What no argument of ours is."""


RIGHT: tuple[object, ...] = ("x", 1, {}, [], Nothing(), Emdr2(), int)
WRONG: tuple[object, ...] = (Nothing(), 3, "x", None)


def loose(cls: Any) -> Any:
    """A class that a type checker lets be given anything."""
    return cls


def classes() -> list[str]:
    every = [(one, methods) for room, methods in KINDS.values() for one in listed(room) if not one.abstract]
    named = [
        one.path for one, methods in every if methods <= one.methods or all(hasattr(of(one.path), m) for m in methods)
    ]
    return sorted({*PARTS, *named})


def of(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def arguments(path: str) -> Iterator[tuple[Any, str, object, dict[str, object]]]:
    """Each argument of a class, a value that is wrong for it, and values that are right for all others it needs."""
    cls = of(path)
    parameters = inspect.signature(cls).parameters.values()
    hints = hints_of(inspect.unwrap(cls.__init__), cls)
    wanted: dict[str, object] = {
        one.name: next(value for value in RIGHT if fits(value, hints[one.name]))
        for one in parameters
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    }
    for one in parameters:
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
            value = next(value for value in WRONG if not fits(value, hints[one.name]))
            yield cls, one.name, value, wanted


def fits(value: object, hint: object) -> bool:
    try:
        return not any(wrong(value, hint, ""))
    except TypeError:
        return False


@pytest.mark.parametrize("path", classes())
def test_a_wrong_argument_is_named_with_its_class(path: str) -> None:
    for cls, name, value, others in arguments(path):
        with pytest.raises((ArgumentError, TypeError), match=rf"\.{name} is .*(but must be|where several are wanted)"):
            cls(**(others | {name: value}))
        with pytest.raises(TypeError, match=r"It takes .*say arguments by name"):
            cls(**(others | {"no_such_argument": 1}))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: loose(BM25)(b="0.3"), "BM25.b is '0.3', but must be a number, 0 or more, at most 1."),
        (lambda: loose(BM25)(k1=None), "BM25.k1 is null, but must be a number, 0 or more."),
        (lambda: loose(BM25)(title="yes"), "BM25.title is 'yes', but must be true or false."),
        (
            lambda: loose(BM25)(analyser="english"),
            "BM25.analyser is 'english', but must be `Analyser(...)` of reml.text.analysis.",
        ),
        (lambda: loose(Dense)(model=3), "Dense.model is 3, but must be a text."),
        (lambda: loose(Dense)(index_maker=Faiss), "the class Faiss, but must be an object of it: write Faiss(...)"),
        (
            lambda: loose(Dense)(encoding={"pooling": "cls"}),
            "Dense.encoding is {'pooling': 'cls'}, but must be `Encoding(",
        ),
        (lambda: loose(Encoding)(similarity="dott"), "must be one of 'dot', 'cosine', 'l2', or left out"),
        (
            lambda: loose(Encoding)(max_tokens="128"),
            "Encoding.max_tokens is '128', but must be a whole number, or left out",
        ),
        (lambda: loose(Fusion)([BM25(), BM25]), "Fusion.retrievers[1] is the class BM25, but must be an object of it"),
        (lambda: loose(Fusion)([BM25()], constant=None), "Fusion.constant is null, but must be a whole number"),
        (lambda: loose(SNRM)(layers=(300, 100)), "SNRM.layers is (300, 100), but must be `Layers(...)`"),
        (
            lambda: loose(CrossEncoder)("m", batch_size=2.5),
            "CrossEncoder.batch_size is 2.5, but must be a whole number",
        ),
        (lambda: loose(Reading)(k="4"), "reading.k is '4', but must be a whole number, 1 or more"),
        (lambda: loose(Training)(rate="fast"), "training.rate is 'fast', but must be a number"),
        (lambda: loose(Jsonl)(3, {"dev": "d.jsonl"}, knowledge_source="p"), "Jsonl.name is 3, but must be a text"),
        (
            lambda: loose(Jsonl)("t", "d.jsonl", knowledge_source="p"),
            "Jsonl.examples is 'd.jsonl', but must be a mapping",
        ),
        (
            lambda: loose(Jsonl)("t", {"dev": 3}, knowledge_source="p"),
            "Jsonl.examples.dev is 3, but must be a text or a path",
        ),
        (
            lambda: loose(Jsonl)("t", {"dev": "d"}, knowledge_source=None),
            "Jsonl.knowledge_source is null, but must be a text",
        ),
        (lambda: loose(Beir)("t", 5), "Beir.folder is 5, but must be a text"),
        (lambda: loose(Factbook)("quiz"), "Factbook.kind is 'quiz', but must be one of 'qa'"),
        (lambda: loose(Factbook)("qa", limit="10"), "Factbook.limit is '10', but must be a whole number"),
        (lambda: loose(CopyFiD)(layers=None), "CopyFiD.layers is null, but must be a whole number"),
        (
            lambda: loose(CopyFiD)(provenance="copy"),
            "CopyFiD.provenance is 'copy', but must be one of 'retrieved', 'copied'",
        ),
        (lambda: loose(InContext)(prompt=7), "InContext.prompt is 7, but must be a text"),
        (lambda: loose(KnnLm)(weight="half"), "KnnLm.weight is 'half', but must be a number"),
        (
            lambda: loose(AskingTwice)("FirstTitle"),
            "AskingTwice.predictor is 'FirstTitle', but must be a class or function",
        ),
        (lambda: loose(Emdr2)(temperature="1"), "Emdr2.temperature is '1', but must be a number"),
        (lambda: loose(TrainOn)(3), "train_on.access is 3, but must be a text or a list"),
        (lambda: loose(System)(FirstTitle, ["a"]), "system.predictor is the class FirstTitle, but must be a text"),
        (
            lambda: loose(Access)(BM25),
            "access.retriever is the class BM25, but must be an object of it: write BM25(...)",
        ),
        (lambda: loose(Access)("bm25"), "access.retriever is 'bm25', but must be an Indexer"),
        (lambda: loose(Experiment)([Factbook], {}), "tasks[0] is the class Factbook, but must be an object of it"),
    ],
)
def test_a_sentence_says_class_argument_value_and_what_is_allowed(make: Any, said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert said in str(caught.value)
