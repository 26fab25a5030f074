"""Retrievers that an experiment trains before they index, from YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from reml.__main__ import main
from reml.access.encoded_retriever import EncodedRetriever
from reml.cli.loading import load
from reml.contract.examples import Example
from reml.contract.retrieved import Hits, Queries
from reml.contract.vectors import Int64Array
from reml.experiment.runner import Runner
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.trained.rounds import held_out, in_order
from reml.files.hits import open_hits
from reml.retrievers.encoders.sparse_encoder import SparseEncoder
from reml.testing import MemoryCollection
from reml.training.data.neighbours import Neighbours
from reml.training.data.ranked_examples import FromTeacher, RankedExamples
from reml.training.data.samplers import Population, Sampler
from tests.small_experiment import write_experiment

SNRM: dict[str, Any] = {
    "class_path": "reml.retrievers.snrm.SNRM",
    "init_args": {
        "embeddings": None,
        "embedding_width": 8,
        "min_count": 1,
        "start": "random",
        "layers": {"hidden": [8], "width": 60, "pooling": "mean"},
    },
}
BM25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
TRAINING = {"steps": 3, "batch_size": 2, "rate": 0.01, "precision": "32-true", "check_every": 2}
L1 = {"class_path": "reml.training.regimes.sparsity.L1", "init_args": {"weight": 1.0e-5}}
TAUGHT: dict[str, Any] = {"teacher": "bm25", "held_out": 1, "training": TRAINING, "regularisers": [L1]}
CONTRASTIVE = {"class_path": "reml.feedback.contrastive.Contrastive"}


def experiment(folder: Path, train: dict[str, Any], **changes: object) -> Path:
    access = {"bm25": BM25, "nothing": {}, "snrm": {"retriever": SNRM, "train": train}}
    return write_experiment(folder, access=access, train_on=None, predictor=None, **changes)


def index(config: Path, home: Path, *arguments: str) -> int:
    return main(["index", "--config", str(config), "--home", str(home), *arguments])


def models(home: Path) -> list[Path]:
    return sorted((home / "models").iterdir())


def snrm_indexes(home: Path) -> list[Path]:
    return sorted((home / "indexes").glob("index-snrm-*"))


def test_a_retriever_is_trained_once_and_again_when_its_training_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, home = experiment(tmp_path, TAUGHT), tmp_path / "home"
    assert index(config, home) == 0
    assert "train snrm: " in capsys.readouterr().out
    (model,) = models(home)
    fitted = json.loads((model / "trained.json").read_text())
    assert fitted["steps"] == 3
    assert 0 < fitted["score"] <= 1
    made = (model / "trained.json").stat().st_mtime_ns
    assert index(config, home) == 0
    assert models(home) == [model]
    assert (model / "trained.json").stat().st_mtime_ns == made
    heavier = {**TAUGHT, "regularisers": [{**L1, "init_args": {"weight": 1.0e-4}}]}
    assert index(experiment(tmp_path, heavier), home) == 0
    assert len(models(home)) == len(snrm_indexes(home)) == 2
    assert len(list((home / "indexes").glob("index-bm25-*"))) == 1


def test_what_was_trained_is_what_is_searched(tmp_path: Path) -> None:
    """The index holds the vectors of the trained encoder: its hits are the largest dot products."""
    config, home = experiment(tmp_path, TAUGHT), tmp_path / "home"
    runner, _ = load("index", ["--config", str(config), "--home", str(home)])
    examples = runner.examples("places", "dev")
    hits = runner.hits("snrm", "places", "dev")
    retriever, collection = runner.retriever("snrm", "places"), runner.collection("places")
    assert isinstance(retriever, EncodedRetriever)
    encoder = retriever.encoder
    assert isinstance(encoder, SparseEncoder)
    items = encoder.item_vectors(collection.get(collection.rows())).detach().float().numpy()
    queries = encoder.query_vectors([example.input for example in examples]).detach().float().numpy()
    np.testing.assert_allclose(hits.scores[:, 0], (queries @ items.T).max(axis=1), rtol=0.03)
    (start,) = (home / "starts").glob("begin-snrm-*/start")
    assert start.is_dir()


@pytest.mark.parametrize(
    "train",
    [
        {"held_out": 0, "training": TRAINING, "objective": CONTRASTIVE},
        {"held_out": 1, "negatives": "bm25", "items_per_query": 3, "training": TRAINING, "objective": CONTRASTIVE},
        {"teacher": "bm25", "held_out": 0, "training": TRAINING, "tasks": ["places"]},
        {"negatives": "bm25", "held_out": 1, "training": TRAINING, "pseudo_queries": {"count": 9}, "list_depth": 2},
    ],
    ids=["labels", "labels and negatives", "teacher", "labels and pseudo-queries"],
)
def test_labels_and_teachers_train(tmp_path: Path, train: dict[str, Any]) -> None:
    assert index(experiment(tmp_path, train), tmp_path / "home") == 0
    assert len(models(tmp_path / "home")) == 1


def test_pseudo_queries_are_taught_by_a_teacher(tmp_path: Path) -> None:
    """Enough of them are held out to judge by, whether or not enough questions are."""
    config, home = experiment(tmp_path, {**TAUGHT, "pseudo_queries": {"count": 20}}), tmp_path / "home"
    assert index(config, home) == 0
    (model,) = models(home)
    assert set(json.loads((model / "training.json").read_text())["dev"]) == {"places", "pseudo-queries"}
    assert "pseudo-queries" in (model / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"teacher": "snrm"}, "'snrm' is taught by itself"),
        ({"teacher": "nobody"}, "no access model 'nobody'"),
        ({"teacher": "bm25", "negatives": "bm25"}, "leave out `negatives`"),
        ({"items_per_query": 1}, "train.items_per_query is 1, but must be 2 or more"),
        ({"teacher": "bm25", "list_depth": 0}, "train.list_depth is 0, but must be 1 or more"),
        ({"pseudo_queries": {"count": 9}}, "pseudo_queries have no labels: name the `teacher`"),
        ({"teacher": "bm25", "pseudo_queries": {"shortest": 9}}, "longest no less than shortest"),
        ({"objective": L1}, "none of the values that it takes"),
        ({"rounds": []}, "train.rounds is empty"),
        ({"rounds": [{"steps": 0}]}, "train.rounds.steps is 0"),
        ({"rounds": [{"curriculum": {}}]}, "a curriculum is one of a teacher's list: name the `teacher`"),
        ({"teacher": "bm25", "denoise": {"answers": True}}, "a teacher's list has none: leave it out"),
        ({"denoise": {"answers": True}}, "denoise drops items of lists: name the access model of `negatives`"),
        ({"negatives": "bm25", "denoise": {"teacher": "snrm", "above": 1}}, "'snrm' is taught by itself"),
        ({"negatives": "bm25", "denoise": {"teacher": "bm25"}}, "denoise.teacher scores items for"),
        ({"teacher": "nothing", "rounds": [{}]}, "'nothing' is to score what 'snrm' finds, and has no retriever"),
        ({"temperature": 0.5}, "train.temperature is 0.5, but must be 1 or more"),
        ({**TAUGHT, "held_out": 4}, "places has 4 examples to learn from, and 4 of them are to be held out"),
        ({**TAUGHT, "tasks": ["cities"]}, "no task 'cities'"),
        ({**TAUGHT, "objective": {"class_path": "reml.feedback.pdist.Pdist"}}, "needs Signal.ITEM_LIKELIHOOD"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], train: dict[str, Any], message: str
) -> None:
    assert index(experiment(tmp_path, train), tmp_path / "home") == 2
    assert message in capsys.readouterr().err


def test_a_retriever_without_an_encoder_to_train_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, access={"bm25": {**BM25, "train": {}}}, train_on=None, predictor=None)
    assert index(config, tmp_path / "home") == 2
    assert "BM25 cannot be trained: leave out `train`" in capsys.readouterr().err


def test_an_untrained_snrm_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, access={"snrm": {"retriever": SNRM}}, train_on=None, predictor=None)
    assert index(config, tmp_path / "home") == 2
    assert "give the access model a `train`" in capsys.readouterr().err


ROUNDS = [{"self_mined": False}, {"steps": 2}, {"steps": 1, "rate": 1.0e-12}]
BY_LABELS = {"held_out": 1, "training": TRAINING, "objective": CONTRASTIVE, "random_negatives": 0.0}
CLDRD = {"class_path": "reml.feedback.cldrd.Cldrd", "init_args": {"temperature": 0.1}}
CURRICULUM = {"top": 2, "hard": 1, "semi_hard": 1, "hard_until": 3}


def runner_of(config: Path, home: Path) -> Runner:
    return load("index", ["--config", str(config), "--home", str(home)])[0]


def round_folder(home: Path, number: int) -> Path:
    (folder,) = (home / "models").glob(f"*-in-round-{number}-*")
    return folder


def lists_of(home: Path, number: int) -> Hits:
    return open_hits(round_folder(home, number) / "lists" / "places")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retriever taught in three rounds, of which the last one may learn nothing, in `home`."""
    folder = tmp_path_factory.mktemp("rounds")
    config = experiment(folder, {**TAUGHT, "list_depth": 4, "rounds": ROUNDS})
    assert index(config, folder / "home") == 0
    return folder


def test_a_round_learns_on_what_the_weights_of_the_one_before_find(folder: Path) -> None:
    """The first round alone is an experiment of its own, and the same stage: its retriever finds those lists."""
    home = folder / "home"
    assert not (round_folder(home, 1) / "lists").exists(), "the first one learns on the lists of others"
    runner = runner_of(experiment(folder, {**TAUGHT, "list_depth": 4, "rounds": ROUNDS[:1]}), home)
    found = runner.search("snrm", "places", runner.examples("places", "train"), 4)
    assert len(models(home)) == 3, "nothing was trained again"
    np.testing.assert_array_equal(np.sort(lists_of(home, 2).rows), np.sort(found.rows))
    assert not (round_folder(home, 2) / "index").exists(), "it served to make the lists"


def test_a_round_starts_from_the_weights_of_the_one_before(folder: Path) -> None:
    """The last round may learn nothing, and so keeps them; the second one has learnt."""
    first, second, third = (load_file(round_folder(folder / "home", n) / "best.safetensors") for n in (1, 2, 3))
    parameters = [name for name in first if name.startswith("retriever.")]
    for name in parameters:
        torch.testing.assert_close(third[name], second[name], atol=1e-6, rtol=0)
    assert any(not torch.equal(second[name], first[name]) for name in parameters)


def test_each_round_sees_the_examples_in_an_order_of_its_own(folder: Path) -> None:
    """Rounds shorter than an epoch would otherwise all learn on the same few."""
    started = [json.loads((round_folder(folder / "home", n) / "training.json").read_text()) for n in (1, 2, 3)]
    assert [run["settings"]["seed"] for run in started] == [7, 8, 9]
    assert [run["settings"]["steps"] for run in started] == [3, 2, 1]


def test_a_teacher_re_ranks_what_a_round_finds(folder: Path) -> None:
    hits, runner = lists_of(folder / "home", 2), runner_of(folder / "experiment.yaml", folder / "home")
    queries = Queries.of([example.input for example in runner.examples("places", "train")])
    expected = runner.retriever("bm25", "places").score(queries, np.asarray(hits.rows)).numpy()
    np.testing.assert_allclose(hits.scores, expected, rtol=1e-5)
    assert (hits.scores[:, 1:] <= hits.scores[:, :-1]).all()


def test_a_stopped_round_goes_on_with_the_lists_it_has(folder: Path) -> None:
    stopped = round_folder(folder / "home", 2)
    weights, lists = (stopped / "best.safetensors").read_bytes(), stopped / "lists" / "places" / "scores.npy"
    made = lists.stat().st_mtime_ns
    for name in ("manifest.json", "trained.json", "best.safetensors"):
        (stopped / name).unlink()
    assert index(experiment(folder, {**TAUGHT, "list_depth": 4, "rounds": ROUNDS[:2]}), folder / "home") == 0
    assert lists.stat().st_mtime_ns == made
    assert (stopped / "best.safetensors").read_bytes() == weights


def test_a_curriculum_of_groups_trains_round_by_round(tmp_path: Path) -> None:
    rounds = [{"curriculum": CURRICULUM}, {"curriculum": {"top": 4, "hard": 0, "semi_hard": 0}, "rate": 0.001}]
    train = {**TAUGHT, "objective": CLDRD, "list_depth": 4, "rounds": rounds}
    home = tmp_path / "home"
    assert index(experiment(tmp_path, train), home) == 0
    assert len(models(home)) == 2
    assert len(snrm_indexes(home)) == 1
    for number in (1, 2):
        assert lists_of(home, number).k == 4, "from the first round on, the lists are its own"


def test_denoised_lists_hold_no_answer(tmp_path: Path) -> None:
    """The question about Chad names it, so BM25 finds its page; the page has the answer and is dropped."""
    train = {**BY_LABELS, "negatives": "bm25", "denoise": {"answers": True}}
    config, home = experiment(tmp_path, train), tmp_path / "home"
    assert index(config, home) == 0
    (folder,) = models(home)
    hits, runner = open_hits(folder / "lists" / "places"), runner_of(config, home)
    given = runner.hits("bm25", "places", "train")
    for place, example in enumerate(runner.examples("places", "train")):
        kept, texts = (
            {item.text for item in runner.collection("places").get(rows[place][rows[place] >= 0])}
            for rows in (hits.rows, given.rows)
        )
        assert kept == {text for text in texts if example.answers[0] not in text} < texts


@pytest.mark.parametrize("threshold", [{"above": 0.5}, {"margin": 0.1}])
def test_denoising_by_a_teacher_and_temperature_train(tmp_path: Path, threshold: dict[str, float]) -> None:
    train = {**BY_LABELS, "negatives": "bm25", "denoise": {"teacher": "bm25", **threshold}, "temperature": 2.0}
    assert index(experiment(tmp_path, train), tmp_path / "home") == 0


def test_tasks_are_drawn_by_temperature() -> None:
    """Of 16 and 4 examples, T = 2 draws 4 : 2, so 13 and 7 of an epoch's 20; without it every example comes once."""
    hits = Hits(np.zeros((16, 1), dtype=np.int64), np.ones((16, 1), dtype=np.float32))
    collection = MemoryCollection(["a", "b"])
    parts = {
        str(size): RankedExamples.of(
            collection,
            [Example(str(number), "?") for number in range(size)],
            FromTeacher(Hits(hits.rows[:size], hits.scores[:size]), collection.rows()),
        )
        for size in (16, 4)
    }
    for temperature, second in ((None, 4), (1.0, 4), (2.0, 7)):
        learnt, dev = held_out(parts, 0)
        train = in_order(learnt, RetrieverTraining(temperature=temperature))
        assert not dev
        assert (train.order.epoch(0, 0) >= 16).sum() == second


NEAR: dict[str, Any] = {
    "negatives": "bm25",
    "random_negatives": 1.0,
    "held_out": 0,
    "objective": CONTRASTIVE,
    "training": TRAINING,
}
BY_HITS = {"class_path": "reml.training.data.neighbours.Neighbours", "init_args": {"hits": 2}}


@dataclass(frozen=True)
class OwnSampler:
    """A user's sampler: the examples of the best hit first, always the same."""

    given: ClassVar[list[Population]] = []

    def make(self, population: Population) -> Sampler:
        self.given.append(population)
        return Fixed(np.argsort(-population.found(1).scores[:, 0], kind="stable"))


@dataclass(frozen=True, eq=False)
class Fixed:
    order: Int64Array

    def __len__(self) -> int:
        return len(self.order)

    def epoch(self, seed: int, number: int) -> Int64Array:
        return self.order


def test_a_sampler_of_neighbours_changes_what_is_learnt(tmp_path: Path) -> None:
    """The same examples and lists in other batches give other weights."""
    for train in (NEAR, {**NEAR, "sampler": BY_HITS}):
        assert index(experiment(tmp_path, train), tmp_path / "home") == 0
    one, other = (load_file(model / "best.safetensors") for model in models(tmp_path / "home"))
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_sampler_of_ones_own_may_ask_for_hits(tmp_path: Path) -> None:
    """It is given the sizes of tasks, the batch, and the hits of `negatives`."""
    training = {**TRAINING, "batch_size": 4, "accumulate": 2}
    own = {"class_path": f"{__name__}.OwnSampler"}
    config = experiment(tmp_path, {**NEAR, "sampler": own, "training": training})
    assert index(config, tmp_path / "home") == 0
    (population,) = OwnSampler.given
    assert (population.sizes, population.batch) == ([4], 2)
    expected = runner_of(config, tmp_path / "home").hits("bm25", "places", "train")
    np.testing.assert_array_equal(population.found(2).rows, expected.rows[:, :2])


def test_rounds_ask_what_the_retriever_found_itself(tmp_path: Path) -> None:
    """As ANCE: in the second round batches are those of its own lists; depth 9 is padded."""
    train = {**NEAR, "rounds": [{"self_mined": False}, {}], "sampler": BY_HITS}
    assert index(experiment(tmp_path, train), tmp_path / "home") == 0
    assert len(models(tmp_path / "home")) == 2


def test_a_sampler_that_asks_says_where_hits_come_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {name: value for name, value in NEAR.items() if name != "negatives"}
    config = experiment(tmp_path, {**labels, "sampler": BY_HITS})
    assert index(config, tmp_path / "home") == 2
    assert "name an access model under train.negatives" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"train\.temperature and train\.sampler"):
        RetrieverTraining(sampler=Neighbours(), temperature=2.0)


def test_settings_at_their_default_are_in_no_key(tmp_path: Path) -> None:
    """Whoever trained before these settings were there need not train again."""
    changes: tuple[dict[str, object], ...] = (
        {},
        {"temperature": 1.0},
        {"rounds": [{"self_mined": False}]},
        {"rounds": [{"self_mined": False}, {}]},
    )
    runners = [runner_of(experiment(tmp_path, {**TAUGHT, **change}), tmp_path / "home") for change in changes]
    models = [
        next(
            node
            for node in runner.plan.retriever("snrm", "places").inputs
            if node is not None and node.kind == "models"
        )
        for runner in runners
    ]
    assert isinstance(models[0].marks, dict)
    assert not {"denoise", "rounds", "temperature"} & set(models[0].marks)
    assert {"teacher", "training"} < set(models[0].marks)
    assert len({model.key for model in models}) == 4
