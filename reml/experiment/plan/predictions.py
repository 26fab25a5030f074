"""The stages of an experiment that need its predictor: training and predictions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits
from reml.contract.examples import Answer, Example, Json, Measure
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.tasks import Task
from reml.devices.device import default_device
from reml.evaluation.kilt import evaluate
from reml.experiment.plan.config_digest import identity, written
from reml.experiment.plan.predict import complete, predict
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.settings.experiment import Experiment, TrainOn
from reml.files.atomic import digest, read_json, write_json
from reml.files.records import write_examples
from reml.training.data.relevance_sampling import evidence_retrieved
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.data.task_prefix import with_task
from reml.training.regimes.regimes import Independent

if TYPE_CHECKING:
    from reml.experiment.plan.hits import RetrievalStages

PREDICTIONS = "predictions.jsonl"
WORDS_READ = "words_read.json"  # of the items of each example, in order


class PredictionStages:
    """What the predictor of an experiment makes of what its access models give.

    config: the experiment as it was written, of which the stages' keys are made.
    """

    def __init__(
        self, experiment: Experiment, config: Mapping[str, Json], stages: Stages, retrieval: RetrievalStages
    ) -> None:
        self._experiment = experiment
        self._config = config
        self._stages = stages
        self._retrieval = retrieval
        self._names = [task.name for task in experiment.tasks]
        chosen = experiment.train_on.tasks if experiment.train_on is not None else ()
        self._learnt = [task for task in experiment.tasks if not chosen or task.name in chosen]

    def train(self) -> Stage | None:
        """Train the predictor unless that is done; nothing if the experiment has nothing to train on."""
        if self._experiment.train_on is None:
            return None
        return self._stages.make("models", "train the predictor", self.weights(), self._train)

    @functools.cached_property
    def predictor(self) -> Predictor:
        """The predictor, trained if the experiment trains it, ready to predict."""
        return self.begin(trained=True)

    @functools.cached_property
    def untrained(self) -> Predictor:
        """The predictor as it comes, ready to predict: a control."""
        return self.begin(trained=False)

    def begin(self, *, trained: bool) -> Predictor:
        """Make a predictor of its own, ready to predict; `trained`: after its training, if it has one."""
        stage = self.train() if trained else None
        predictor = self.new()
        if stage is not None:
            from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

            open_fitted(Independent(predictor), stage.folder)
        predictor.to(default_device()).eval()
        return predictor

    def predictions(self, access: str, task: str) -> Path:
        """Give the file of what is predicted for a task with an access model, in KILT's format."""
        return self.stage(access, task).folder / PREDICTIONS

    def stage(self, access: str, task: str) -> Stage:
        """Predict for a task with an access model unless that is done; `words_read` tells how much it read."""
        reading = self._experiment.reading
        processors = identity(written(self._config, "access", access, "processors"))
        retrieved = self._retrieval.depends(access, task, reading.split)
        return self._stages.make(
            "predictions",
            f"predict {task} with {access}",
            [self.weights(), retrieved, processors, reading.k, reading.pages],
            lambda folder: self._predict(access, task, folder),
        )

    def _reader(self, access: str, task: str) -> Predictor:
        """Give the predictor that reads what an access model finds."""
        return self._retrieval.feedback.predictor(access, task) if self._retrieval.is_joint(access) else self.predictor

    def maker(self) -> Callable[[], PredictorModule]:
        """Give what makes the predictor; `ValueError` if the experiment names none."""
        if self._experiment.predictor is None:
            raise ValueError(
                "the experiment names no predictor: give one under `predictor`; for retrieval alone "
                "`predictor: {class_path: reml.predictors.first_title.FirstTitle}`."
            )
        return self._experiment.predictor

    def new(self) -> PredictorModule:
        """Make the predictor as it comes, before any training."""
        torch.manual_seed(self._seed)
        predictor = self.maker()()
        kind = digest(identity(written(self._config, "predictor")))
        collections = {name: self._retrieval.collection(name) for name in self._names}
        predictor.prepare(collections, self._stages.home / "prepared" / kind)
        return predictor

    def _train(self, folder: Path) -> None:
        from reml.training.loop.fit import fit

        settings = replace(self._experiment.training, seed=self._seed)
        k = self._source().k or self._experiment.reading.k
        read = [self._learnable(task.name, self._read(task.name, "train", k=k)) for task in self._learnt]
        train = TrainSet.tempered([part for part in read if len(part)], self._source().temperature)
        dev = [self._judged(task) for task in self._learnt]
        fit(Independent(self.new()), train, dev=dev, settings=settings, folder=folder, console=self._stages.console)

    def _read(self, task: str, split: str, *, k: int, limit: int | None = None) -> RetrievedExamples:
        access = self._source().access
        examples = self._retrieval.examples(task, split)[:limit]
        hits = self._retrieval.hits(access, task, split).first(k)
        hits = Hits(hits.rows[: len(examples)], hits.scores[: len(examples)])
        if not hits.k:
            return RetrievedExamples(examples, {}, {})
        asked = examples if self.prefixed else None
        shown = with_task(task, examples) if self.prefixed else examples
        # Sessions hand over as many items as are read in training.
        return RetrievedExamples(shown, {access: hits}, {access: self._found(task, k)}, asked)

    def _found(self, task: str, k: int) -> FoundAccess:
        return FoundAccess(self._retrieval.collection(task), Limits(depth=k, k=k))

    def _learnable(self, task: str, read: RetrievedExamples) -> RetrievedExamples:
        read = _kept(read, _answered(read))
        if not self._source().relevant or not len(read):
            return read
        return _kept(read, evidence_retrieved(self._retrieval.collection(task), read.examples, read.hits))

    def _judged(self, task: Task) -> DevSet:
        retrieved = self._read(task.name, "dev", k=self._experiment.reading.k, limit=self._source().dev_limit)
        retrieved = _kept(retrieved, _answered(retrieved))
        return DevSet(task.name, retrieved, functools.partial(_kilt_score, task.measure))

    def _predict(self, access: str, task: str, folder: Path) -> None:
        reading = self._experiment.reading
        examples, hits = (
            self._retrieval.examples(task, reading.split),
            self._retrieval.hits(access, task, reading.split),
        )
        predictor = self._reader(access, task)
        access_model = self._retrieval.model(access, task)
        batches = [slice(start, start + reading.batch_size) for start in range(0, len(examples), reading.batch_size)]
        answers: list[Answer] = []
        words: list[int] = []
        for batch in self._stages.track(batches, f"predict {task} with {access}"):
            session = access_model.open(examples[batch], Hits(hits.rows[batch], hits.scores[batch]))
            shown = with_task(task, examples[batch]) if self.prefixed else examples[batch]
            asked = Batch(tuple(shown), {access: session})
            answers += predict(predictor, asked)
            words += [sum(len(item.text.split()) for item in items) for items in asked.read.items]
        whole = complete(answers, hits, self._retrieval.collection(task), reading.pages)
        pairs = zip(examples, whole, strict=True)
        write_examples((replace(example, output=(answer,), meta={}) for example, answer in pairs), folder / PREDICTIONS)
        write_json(folder / WORDS_READ, words)

    def weights(self, *, trained: bool = True) -> Json:
        """Say what the weights of the predictor depend on, as JSON; `trained`: after its training, if it has one."""
        experiment = self._experiment
        depends: list[Json] = [identity(written(self._config, "predictor")), self._seed]
        if trained and experiment.train_on is not None:
            access = experiment.train_on.access
            depends += [written(self._config, "training"), written(self._config, "train_on"), experiment.reading.k]
            depends += [identity(written(self._config, "access", access, "processors"))]
            for task in self._learnt:
                depends += [[task.name, task.measure]]
                judged = experiment.train_on.dev_limit  # of the dev set no more is looked at: `reading.limit` is free
                depends += [self._retrieval.depends(access, task.name, "train")]
                depends += [self._retrieval.depends(access, task.name, "dev", judged)]
        return depends

    @property
    def _seed(self) -> int:
        seed = self._experiment.predictor_seed
        return seed if seed is not None else self._experiment.seed

    @property
    def prefixed(self) -> bool:
        """Whether the predictor sees the name of its task in front of every input."""
        return self._experiment.train_on is not None and self._experiment.train_on.prefix

    def _source(self) -> TrainOn:
        if self._experiment.train_on is None:
            raise ValueError("the experiment trains nothing: say on what under `train_on`.")
        return self._experiment.train_on


def words_read(stage: Stage) -> float | None:
    """Give the words of items that an example's predictor read, on average; unknown for predictions of older versions.

    `stage`: of `PredictionStages.stage`.
    """
    path = stage.folder / WORDS_READ
    if not path.is_file():
        return None
    words = np.array(read_json(path), dtype=np.float64)
    return float(words.mean()) if len(words) else 0.0


def _answered(read: RetrievedExamples) -> npt.NDArray[np.bool_]:
    return np.array([bool(example.answers) for example in read.examples], dtype=np.bool_)


def _kept(read: RetrievedExamples, kept: npt.NDArray[np.bool_]) -> RetrievedExamples:
    return read.only(np.flatnonzero(kept))


def _kilt_score(measure: Measure, examples: Sequence[Example], answers: Sequence[Answer]) -> float:
    return evaluate(examples, answers).kilt(measure)
