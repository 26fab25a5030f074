"""Retrievers that learn from the predictor of an experiment, from YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reml.__main__ import main
from reml.access.encoded_retriever import EncodedRetriever
from reml.access.query_side import QuerySideEncoder
from reml.cli.loading import load
from reml.contract.vectors import DenseVectors
from reml.experiment.results import publish
from reml.experiment.runner import Runner
from reml.training.loop.metrics import read_metrics
from tests.truths import PDIST, TRAINING, Reader, WordEncoder, feedback, truths_first, write_truths

SHUFFLED = {"class_path": "reml.feedback.shuffled.Shuffled", "init_args": {"objective": PDIST}}
UTILITY = {"class_path": "reml.feedback.utility_distillation.UtilityDistillation", "init_args": {"temperature": 0.1}}
CONTRASTIVE = {"class_path": "reml.feedback.contrastive.Contrastive", "init_args": {"temperature": 0.1}}
REINFORCE = {"class_path": "reml.feedback.reinforce.Reinforce"}
EVIDENCE = {"class_path": "reml.feedback.judges.GoldEvidence"}
ANSWER = {"class_path": "reml.feedback.judges.DownstreamUtility"}
NEVER = {"class_path": "reml.training.refresh.Never"}
EVERY = {"class_path": "reml.training.refresh.Every", "init_args": {"steps": 10}}
ALTERNATING = {"class_path": "reml.training.regimes.regimes.Alternating", "init_args": {"every": 10}}
# So little that nothing is learnt that one would see.
HARDLY = {**TRAINING, "steps": 1, "rate": 1e-9}
ACCESS = {
    "fed": feedback(),
    "shuffled": feedback(objective=SHUFFLED),
    "untrained": feedback(untrained=True),
    "gold": feedback(objective=CONTRASTIVE, judge=EVIDENCE),
    "answers": feedback(objective=UTILITY, judge=ANSWER),
    "joint": feedback(regime="joint", learns="both"),
    "alternating": feedback(regime=ALTERNATING, training={**TRAINING, "steps": 80}),
    "asked anew": feedback(refresh=NEVER),
    "refreshed": feedback(refresh=EVERY, learns="both", reembed=8),
    "fed again": feedback(learner="fed", training=HARDLY),
    "joint again": feedback(learner="joint", learns="both", training=HARDLY),
}


def open_runner(config: Path) -> Runner:
    return load("run", ["--config", str(config), "--home", str(config.parent / "home")])[0]


def first(made: Runner, access: str) -> float:
    return truths_first(np.asarray(made.hits(access, "things", "dev").rows))


def word_vectors(made: Runner, access: str) -> torch.Tensor:
    """Give the weights that queries are encoded with."""
    retriever = made.retriever(access, "things")
    assert isinstance(retriever, EncodedRetriever)
    assert isinstance(retriever.encoder, QuerySideEncoder | WordEncoder)
    return next(iter(retriever.encoder.module.parameters())).detach()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_truths(tmp_path_factory.mktemp("truths"), ACCESS)


@pytest.fixture(scope="module")
def made(config: Path) -> Runner:
    return open_runner(config)


def test_feedback_teaches_to_find_what_helps(made: Runner) -> None:
    """The reader trusts items that hold the answer, and true pages do; what was learnt holds for other questions."""
    assert first(made, "dense") <= 0.6
    assert first(made, "fed") >= 0.9
    evaluation = made.evaluate("fed", "things")
    assert evaluation.mean("KILT-em") >= 0.9
    assert made.evaluate("dense", "things").mean("KILT-em") <= 0.6


@pytest.mark.parametrize("control", ["shuffled", "untrained"])
def test_the_controls_learn_and_gain_nothing(made: Runner, control: str) -> None:
    """They find no more although their weights moved: that nothing was learnt would gain nothing too."""
    moved = word_vectors(made, control) - word_vectors(made, "dense")
    assert moved.norm() > 0.1 * (word_vectors(made, "fed") - word_vectors(made, "dense")).norm()
    assert first(made, control) <= first(made, "dense") + 0.1


@pytest.mark.parametrize("access", ["gold", "answers", "joint", "asked anew", "refreshed"])
def test_judges_joint_training_and_new_lists_teach_too(made: Runner, access: str) -> None:
    assert first(made, access) >= 0.85


def test_the_query_side_learns_alone_over_the_index_that_was_there(made: Runner) -> None:
    before, after = (made.retriever(name, "things") for name in ("dense", "fed"))
    assert isinstance(before, EncodedRetriever)
    assert isinstance(after, EncodedRetriever)
    assert isinstance(after.encoder, QuerySideEncoder)
    assert after.index is before.index
    assert isinstance(before.encoder, WordEncoder)
    items, asked = before.collection.get(before.collection.rows()), ["what colour has thing3"]
    torch.testing.assert_close(after.encoder.item_vectors(items), before.encoder.item_vectors(items).detach())
    assert not torch.allclose(after.encoder.query_vectors(asked), before.encoder.query_vectors(asked))
    assert [path.name[:12] for path in (made.stages.home / "indexes").glob("index-dense*")] == ["index-dense-"]
    assert not list((made.stages.home / "indexes").glob("index-fed*"))


def test_both_sides_are_searched_in_an_index_of_their_own(made: Runner) -> None:
    hits = made.hits("joint", "things", "dev")
    retriever = made.retriever("joint", "things")
    assert isinstance(retriever, EncodedRetriever)
    assert isinstance(retriever.encoder, WordEncoder)
    queries = retriever.encoder.encode_queries([example.input for example in made.examples("things", "dev")])
    items = retriever.encoder.encode_items(retriever.collection.get(retriever.collection.rows()))
    np.testing.assert_allclose(hits.scores[:, 0], (queries.values @ items.values.T).max(axis=1), rtol=1e-4)
    untaught = made.retriever("dense", "things")
    assert isinstance(untaught, EncodedRetriever)
    before = untaught.encoder.encode_items(retriever.collection.get(retriever.collection.rows()))
    assert isinstance(before, DenseVectors)
    assert not np.allclose(items.values, before.values)


@pytest.mark.parametrize(("again", "learner"), [("fed again", "fed"), ("joint again", "joint")])
def test_a_retriever_that_learnt_from_feedback_goes_on_learning(made: Runner, again: str, learner: str) -> None:
    """It begins with what its learner had learnt, on the lists of that; the learner stays as it is."""
    before, start = word_vectors(made, learner).clone(), word_vectors(made, "dense")
    after = word_vectors(made, again)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)
    assert not torch.allclose(after, start, atol=1e-3)
    assert not torch.equal(after, before)
    assert torch.equal(word_vectors(made, learner), before)
    assert first(made, again) == first(made, learner) >= 0.85
    inputs = made.plan.taught(again, "things").inputs
    assert made.plan.taught(learner, "things") in inputs


def test_what_a_joint_retriever_finds_is_read_by_the_predictor_that_learnt_with_it(made: Runner) -> None:
    collections = {"dense": made.collection("things")}
    joint = made.stages.open(made.plan.taught("joint", "things")).begin(collections)
    alone = made.stages.open(made.plan.predictor("predictor")).begin(collections)
    assert isinstance(joint, Reader)
    assert isinstance(alone, Reader)
    assert joint.trust.item() > alone.trust.item() > 1.0


def test_a_second_run_finds_all_of_it_made(config: Path, made: Runner) -> None:
    made.retrieve()
    made.evaluate("joint", "things")
    again = open_runner(config)
    again.retrieve()
    again.evaluate("joint", "things")
    assert [stage.name for stage in again.stages.done.values() if not stage.cached] == []
    taught = {stage.name for stage in again.stages.done.values() if stage.name.startswith("teach")}
    assert taught == {f"teach {access}" for access in ACCESS}


def test_the_predictor_is_heard_once_for_all_that_learn_from_it(made: Runner) -> None:
    for access in ("fed", "shuffled", "untrained"):
        made.taught(access, "things")
    heard = [path.name for path in (made.stages.home / "signals").glob("hear-*-of-dense-*")]
    assert len(heard) == 2, "one of the trained predictor, one of the untrained"


def test_retrieval_at_each_step_tells_how_old_its_vectors_were(made: Runner) -> None:
    ages = {}
    for access in ("asked anew", "refreshed"):
        rows = read_metrics(made.taught(access, "things").folder / "metrics.csv")
        ages[access] = [value for _, name, value in rows if name == "index/age"]
    assert ages["asked anew"] == [0.0] * 40, "items keep their vectors where queries alone learn"
    assert ages["refreshed"] == [float(step % 10) for step in range(40)]


def test_the_report_shows_what_was_taught_and_how_stale_its_index_was(made: Runner) -> None:
    evaluations = {access: {"things": made.evaluate(access, "things")} for access in made.experiment.access}
    training = publish(made, evaluations).read_text(encoding="utf-8").split("Training</h2>")[1].split("</section>")[0]
    shown = {part.split("</h3>")[0]: re.findall("<figcaption>(.*?)<", part) for part in training.split("<h3>")[1:]}
    staleness = ["Mean age of vectors, in steps", "Overlap of top k at a refresh"]
    assert shown == {
        "train the predictor": ["Loss", "Scores on dev"],
        **{f"teach {access}": ["Loss"] for access in ACCESS},
        "teach refreshed": ["Loss", *staleness],
    }
    refreshes = re.findall("<title>share of items that stay: (.*?) at (.*?)<", training)
    assert [step for _, step in refreshes] == ["10", "20", "30"]
    assert all(0 <= float(share) <= 1 for share, _ in refreshes)


def test_settings_at_their_default_are_in_no_key(made: Runner) -> None:
    """What was trained before there was such a setting is the same training."""
    assert "refresh" not in str(made.plan.taught("fed", "things").settings)
    assert "reml.training.refresh.policies.Never" in str(made.plan.taught("asked anew", "things").settings)


def test_other_seeds_objectives_and_predictors_train_again(tmp_path: Path) -> None:
    config = write_truths(tmp_path, {"fed": feedback()})

    def key(*arguments: str) -> str:
        other = load("run", ["--config", str(config), "--home", str(tmp_path / "home"), *arguments])[0]
        return other.plan.taught("fed", "things").key

    assert (same := key()) == key()
    for change in (["--seed", "3"], ["--predictor_seed", "3"], ["--training.steps", "31"], ["--train_on.k", "3"]):
        assert key(*change) != same


BM25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}


@pytest.mark.parametrize(
    ("access", "changes", "message"),
    [
        (feedback(learner="nobody"), {}, "no access model 'nobody'"),
        (feedback(learner="bm25"), {}, "teaches the retriever of 'bm25', which has none that can learn"),
        (feedback(learner="fed"), {}, "'fed' teaches the retriever of 'fed', which has none that can learn"),
        (feedback(), {"train_on": {"access": "fed"}}, "and the predictor is trained on 'fed'"),
        (feedback(candidates="fed"), {}, "'fed' is taught by itself"),
        (feedback(), {"predictor": None, "train_on": None}, "learns from a predictor: give one"),
        (feedback(objective=UTILITY), {}, "name who judges under feedback.judge"),
        (feedback(items=1), {}, "feedback.items is 1, but must be 2 or more"),
        (feedback(refresh=EVERY), {}, "items keep their vectors where queries alone learn"),
        (feedback(refresh=NEVER, candidates="bm25"), {}, "leave out candidates"),
        (feedback(refresh=NEVER, reembed=3), {}, "reembed must be at least items (4)"),
        (feedback(reembed=8), {}, "give a refresh too"),
        (feedback(regime="joint", untrained=True), {}, "leave out feedback.untrained"),
        (
            feedback(objective={"class_path": "reml.feedback.adist.Adist"}),
            {},
            "needs Signal.ATTENTION of the predictor",
        ),
        (feedback(objective=REINFORCE), {}, "of the predictor, but Reader gives"),
        ({**feedback(), **BM25}, {}, "takes the retriever of its `learner`"),
        (feedback(tasks=["cities"]), {}, "no task 'cities'"),
        (
            feedback(regime="joint"),
            {"train_on": {"access": "dense", "prefix": True}},
            "sees the names of tasks",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], access: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    config = write_truths(tmp_path, {"fed": access, "bm25": BM25}, **changes)
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_joint_predictor_may_be_trained_on_what_it_teaches(tmp_path: Path) -> None:
    """It starts as it comes, and not from a training that would need its own result."""
    access = {"fed": feedback(regime="joint", training={**TRAINING, "steps": 3})}
    made = open_runner(write_truths(tmp_path, access, train_on={"access": "fed"}))
    assert not made.experiment.learns_from_trained("fed")
    made.evaluate("fed", "things")
    names = [stage.name for stage in made.stages.done.values()]
    assert "train the predictor" not in names
    assert "teach fed" in names


@pytest.mark.parametrize(("regime", "told"), [("conditional", 1), ("joint", 0)])
def test_feedback_of_a_predictor_that_nothing_trains_is_warned_of(
    regime: str, told: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fed = feedback(regime=regime, training={**TRAINING, "steps": 2})
    open_runner(write_truths(tmp_path, {"fed": fed}, train_on=None)).hits("fed", "things", "dev")
    assert sum(one.startswith("Reader is not trained (no train_on)") for one in caplog.messages) == told
