"""Systems from YAML: a predictor with several access models, and access models that several predictors share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from reml.cli.loading import load
from reml.collection.sources.kilt_pages import write_pages
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Page
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.contract.signals import Prediction, Signal
from reml.evaluation.kilt import Evaluation
from reml.experiment.results import publish
from reml.experiment.runner import Runner
from reml.files.records import read_examples
from tests.truths import COLOURS, DENSE, TRAINING, feedback, write_truths

BM25 = {"class_path": "reml.retrievers.bm25.BM25"}


def write_both(folder: Path, **changes: Any) -> Path:
    """Write the truths, and notes of one's own on the same things: again a true one and a false one of each."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = [
        Page(f"{kind}{number}", f"Note {kind} {number}", (f"Note {number}", f"{word} I noted thing{number} {colour}"))
        for number in range(24)
        for kind, word, colour in (
            ("yes", "always", COLOURS[number % 8]),
            ("no", "never", COLOURS[(number + 5) % 8]),
        )
    ]
    write_pages(notes, folder / "notes.jsonl")
    source = {
        "class_path": "reml.collection.sources.JsonlPages",
        "init_args": {"path": str(folder / "notes.jsonl")},
    }
    settings = {
        "collections": {"notes": {"source": source}},
        "systems": {
            "wiki": {"predictor": "predictor", "access": ["dense"]},
            "both": {"predictor": "predictor", "access": ["dense", "notes"]},
            "taught": {"predictor": "predictor", "access": ["taught dense", "taught notes"]},
            "closed": {"predictor": "predictor"},
        },
        "train_on": {"access": ["dense", "notes"], "k": 4},
    }
    access = {
        "notes": {**DENSE, "collection": "notes"},
        "taught dense": feedback(beside=["notes"]),
        "taught notes": feedback(learner="notes", beside=["dense"]),
    }
    return write_truths(folder, access, **{**settings, **changes})


def open_runner(config: Path) -> Runner:
    return load("run", ["--config", str(config), "--home", str(config.parent / "home")])[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return open_runner(write_both(tmp_path_factory.mktemp("both")))


def first(made: Runner, access: str, offset: int) -> float:
    """Give the share of dev questions whose first item is the true one: pages come in pairs, the true one first."""
    rows = np.asarray(made.hits(access, "things", "dev").rows)
    assert made.collection("things", access).get(np.array([0]))[0].text.startswith(("surely", "always")[offset])
    return float(np.mean(rows[:, 0] == 2 * np.arange(12, 24)))


def test_each_access_model_learns_from_what_is_said_of_its_own_items(made: Runner) -> None:
    """The reader reads pages and notes together; its feedback is taken apart by origin, and both retrievers learn."""
    for access, offset in (("dense", 0), ("notes", 1)):
        assert first(made, access, offset) <= 0.6
        assert first(made, f"taught {access}", offset) >= 0.9


def test_the_predictor_is_asked_once_for_both_learners(made: Runner) -> None:
    made.taught("taught dense", "things")
    made.taught("taught notes", "things")
    heard = [name for name in made.stages.done if name.startswith("hear")]
    assert heard == ["hear the predictor on 4 items of dense and notes for 12 examples of things"]


def test_systems_are_compared_and_published(made: Runner) -> None:
    scores: dict[str, dict[str, Evaluation]] = {
        system: {"things": made.evaluate(system, "things")} for system in made.experiment.compared
    }
    taught, both, closed = (scores[name]["things"] for name in ("taught", "both", "closed"))
    assert taught.mean("em") > both.mean("em")
    assert closed.mean("em") == 0.0
    report = publish(made, scores)
    assert report.is_file()
    assert (made.folder / "wiki" / "things" / "run.trec").is_file()
    assert {path.name for path in (made.folder / "both" / "things").glob("run*")} == {
        "run-dense.trec",
        "run-notes.trec",
    }
    pages = [
        [place.wikipedia_id for place in one.output[0].provenance]
        for one in read_examples(made.predictions("both", "things"))
    ]
    assert all(any(page.startswith("true") for page in found) for found in pages)
    assert all(any(page.startswith(("yes", "no")) for page in found) for found in pages)


def test_one_retriever_serves_two_predictors(tmp_path: Path) -> None:
    """Each has sessions of its own of the same access model; hits are retrieved once."""
    makers = {"reader": {"class_path": "tests.truths.Reader"}, "words": {"class_path": "tests.first_words.FirstWords"}}
    config = write_truths(
        tmp_path, {"bm25": {"retriever": BM25}}, predictor=None, predictors=makers, train_on=None, reading={"k": 2}
    )
    runner = open_runner(config)
    assert list(runner.experiment.compared) == ["reader-dense", "reader-bm25", "words-dense", "words-bm25"]
    runner.predictions("reader-bm25", "things")
    before = set(runner.stages.done)
    runner.predictions("words-bm25", "things")
    assert set(runner.stages.done) - before == {"predict things with words-bm25"}
    access = runner.access("bm25", "things")
    examples = runner.examples("things", "dev")[:2]
    one, other = access.open(examples), access.open(examples)
    found = one.ask()
    other.ask(Queries(np.array([1]), ("thing3",)))
    assert (len(one.asked), len(other.asked)) == (1, 1)
    assert one.asked[0][1] is found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": {"a": {"predictor": "fid", "access": ["dense"]}}}, r"system 'a' names the predictor 'fid', which"),
        (
            {"systems": {"a": {"predictor": "predictor", "access": ["wiki"]}}},
            r"access model 'wiki', which is not there",
        ),
        ({"predictors": {"x": {"class_path": "tests.truths.Reader"}}}, r"give one `predictor`, or several"),
        ({"collections": {}}, r"access model 'notes' names the collection 'notes', .* the experiment has none"),
        ({"train_on": {"access": []}}, r"train_on.access names no access model"),
        ({"train_on": {"access": ["dense", "wiki"]}}, r"there is no access model 'wiki'"),
    ],
)
def test_names_that_are_not_there_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_runner(write_both(tmp_path, **changes))


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ({"x": {**DENSE, "budget": {"asks": 0}}}, "budget.asks is 0, but must be 1 or more, or left out"),
        ({"x": {**DENSE, "temperature": 0.0}}, "temperature is 0"),
        ({"x": {"fuse": ["dense"], "collection": "notes"}}, "searches no collection"),
        ({"x": feedback(beside=["dense"])}, "access.x.feedback.beside names what is read beside"),
        ({"x": feedback(predictor="fid")}, "the feedback of 'x' names the predictor 'fid'"),
    ],
)
def test_settings_of_access_models_that_do_not_fit_are_refused(
    tmp_path: Path, access: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_runner(write_truths(tmp_path, access))


class Marginal(nn.Module):
    """Its own loss is over all that could have been read: -log sum over items of p(item | x) p(y | x, item)."""

    def __init__(self) -> None:
        super().__init__()
        self.trust = nn.Parameter(torch.tensor(3.0))

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        read = batch.read
        holds = torch.full(read.mask.shape, -1.0)
        for number, (example, items) in enumerate(zip(batch.examples, read.items, strict=True)):
            for place, item in enumerate(items):
                holds[number, place] = 1.0 if example.answers[0] in item.text.split() else -1.0
        likelihood = functional.logsigmoid(self.trust * holds)
        return Prediction(-(read.log_prior + likelihood).logsumexp(dim=1))

    def generate(self, batch: Batch) -> list[Answer]:
        return [Answer(items[0].text.split()[-1] if items else "") for items in batch.read.items]


def test_without_an_objective_the_retriever_learns_by_the_predictors_own_loss(tmp_path: Path) -> None:
    """Through the scores that it reads, over the access model's temperature."""
    alone = {"learner": "dense", "regime": "joint", "items": 4, "training": TRAINING}
    access = {"alone": {"feedback": alone, "temperature": 0.1}}
    predictor = {"class_path": "tests.experiment.plan.test_systems.Marginal"}
    runner = open_runner(write_truths(tmp_path, access, predictor=predictor, train_on=None))
    before, after = (
        np.mean(np.asarray(runner.hits(name, "things", "dev").rows)[:, 0] == 2 * np.arange(12, 24))
        for name in ("dense", "alone")
    )
    assert before <= 0.6
    assert after >= 0.9
    with pytest.raises(ValueError, match="needs the regime joint"):
        open_runner(write_truths(tmp_path, {"alone": {"feedback": {"learner": "dense"}}}))
