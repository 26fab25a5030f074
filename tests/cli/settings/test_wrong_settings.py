from __future__ import annotations

import pytest

import reml.retrievers.bm25.retriever
import reml.tasks.jsonl
import tests.first_words
from reml.cli.settings.wrong_settings import wrong_settings
from reml.contract.examples import Json
from reml.experiment.settings.experiment import Experiment

LOADED = (reml.retrievers.bm25.retriever, reml.tasks.jsonl, tests.first_words)
TASK: Json = {
    "class_path": "reml.tasks.jsonl.Jsonl",
    "init_args": {"name": "places", "examples": {"dev": "dev.jsonl"}, "knowledge_source": "pages.jsonl"},
}


def retriever(**settings: Json) -> Json:
    return {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25", "init_args": settings}}}


def told(**changes: Json) -> list[str]:
    return [str(one) for one in wrong_settings({"tasks": [TASK], "access": retriever(), **changes}, Experiment)]


def test_right_settings_are_not_wrong() -> None:
    predictor: Json = {"class_path": "tests.first_words.FirstWords", "init_args": {"words": 2}}
    access: Json = {**retriever(k1="${seed}", analyser={"stemmer": "none"}), "closed_book": {}}  # type: ignore[dict-item]
    reading: Json = {"limit": None, "k": 3}
    assert told(access=access, predictor=predictor, reading=reading, training={"rates": {"encoder": 1e-4}}) == []
    assert told(predictor="tests.first_words.FirstWords") == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"limit": 20}, "Experiment has no setting 'limit'; there is train_on.limit and reading.limit"),
        ({"batch_size": 2}, "Experiment has no setting 'batch_size'; there is training.batch_size and reading.batch_s"),
        ({"acess": {}}, "Experiment has no setting 'acess'; the nearest: access"),
        ({"reading": {"zzz": 1}}, "reading: Reading has no setting 'zzz'; there are words, unit, size, overlap, depth"),
        ({"access": {"x": {"retreiver": 1}}}, "access.x: Access has no setting 'retreiver'; the nearest: retriever"),
        ({"access": retriever(k_1=1.0)}, "access.bm25.retriever.init_args: BM25 has no setting 'k_1'; the nearest: k1"),
        ({"access": retriever(k1="much")}, "access.bm25.retriever.init_args.k1 is 'much', but must be a number"),
        (
            {"access": retriever(variant="bm26")},
            "access.bm25.retriever.init_args.variant is 'bm26', but must be one of '",
        ),
        (
            {"access": retriever(analyser={"stemer": "none"})},
            "access.bm25.retriever.init_args.analyser: Analyser has no setting 'stemer'; the nearest: stemmer",
        ),
        ({"access": {"both": {"fuse": "bm25"}}}, "access.both.fuse is 'bm25', but must be a list"),
        (
            {"access": {"x": 3}},
            "access.x is 3; it takes the settings of Access by name (retriever, fuse, fusing, ",
        ),
        ({"access": {"x": {"budget": 2}}}, "access.x.budget is 2; it takes the settings of Budget by name (asks)"),
        ({"reading": 5}, "reading is 5; it takes the settings of Reading by name (words, unit, size, overlap, depth"),
        (
            {"predictor": {"class_path": "tests.first_words.FirstWords", "init_args": 2}},
            "predictor.init_args is 2; it takes the settings of FirstWords by name (words)",
        ),
        (
            {"predictor": {"class_path": "tests.first_words.Echo", "init_args": 2}},
            "predictor.init_args is 2; it takes the settings of Echo by name (none)",
        ),
        ({"tasks": [TASK, {"class_pth": "x"}]}, "tasks[1] needs a class_path"),
        ({"tasks": [{"class_path": "reml.tasks.jsonl.Jsonl"}]}, "tasks[0].init_args: Jsonl needs name, examples"),
        ({"predictor": "FiD"}, "predictor: 'FiD' is no dotted path of a class; the nearest: reml.predictors.fid.FiD"),
        (
            {"predictor": {"class_path": "reml.retrievers.bm25.BM25"}},
            "predictor: reml.retrievers.bm25.BM25 is no PredictorModule, it has no prepare, loss, generate",
        ),
        ({"train_on": {"acces": "x"}}, "train_on: TrainOn needs access"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(changes: dict[str, Json], line: str) -> None:
    assert any(one.startswith(line) for one in told(**changes)), told(**changes)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(told(reading={"kay": 1, "depth": "deep"}, name=["x"])) == 3
