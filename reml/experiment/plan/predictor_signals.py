"""The stages of an experiment that ask its predictor, and judges, what they make of lists that retrievers learn on."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.examples import Json
from reml.contract.predictors import Batch, Judge, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.experiment.plan.config_digest import identity, written
from reml.experiment.plan.store import Stages
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.experiment import Experiment
from reml.feedback.judges.judging import Known
from reml.feedback.judges.teacher import Teacher
from reml.training.data.sets import RetrievedExamples
from reml.training.data.task_prefix import with_task
from reml.training.regimes.signal_cache import hear, judged, kept
from reml.training.regimes.signals import available

if TYPE_CHECKING:
    from reml.experiment.plan.hits import RetrievalStages
    from reml.experiment.plan.predictions import PredictionStages

HEARD = "heard.safetensors"
BATCH = 16


class HearingStages:
    """What is said of the lists that access models with feedback learn on.

    config: the experiment as it was written, of which the stages' keys are made.
    """

    def __init__(
        self,
        experiment: Experiment,
        config: Mapping[str, Json],
        stages: Stages,
        *,
        retrieval: RetrievalStages,
        prediction: PredictionStages,
    ) -> None:
        self._experiment = experiment
        self._config = config
        self._stages = stages
        self._retrieval = retrieval
        self._prediction = prediction

    def tasks(self, access: str, task: str) -> list[str]:
        """Name the tasks that an access model learns from for the knowledge source of `task`."""
        return self._retrieval.sharing(task, self._settings(access).tasks)

    @functools.cache
    def lists(self, access: str, task: str) -> RetrievedExamples:
        """Give examples to learn on and their lists: drawn at random, no more than the steps have room for."""
        settings = self._settings(access)
        examples = self._retrieval.examples(task, "train")
        hits = self._retrieval.hits(settings.lists, task, "train").first(settings.items)
        answered = [place for place, example in enumerate(examples) if example.answers]
        drawn = np.random.default_rng(0).permutation(answered)[: self._room(access, task)]
        places = np.sort(drawn).astype(np.int64)
        chosen = Hits(np.asarray(hits.rows[places]), np.asarray(hits.scores[places]))
        return RetrievedExamples.of(self._retrieval.collection(task), [examples[place] for place in places], chosen)

    def predictor(self, access: str) -> Predictor:
        """Give the predictor that an access model learns from, as it is before that."""
        return self._prediction.predictor if self._trained(access) else self._prediction.untrained

    def judge(self, access: str, task: str, predictor: Predictor) -> Judge | None:
        """Make the judge of an access model, if it has one."""
        judging = self._settings(access).judge
        return judging.judge(Known(predictor, lambda name: self._teacher(name, task))) if judging is not None else None

    def heard(self, access: str, task: str) -> list[Path]:
        """Give the files of what is said of the lists of a task: by the predictor, and by the judge."""
        settings = self._settings(access)
        paths = [self._said(access, task)] if kept(settings.feedback.needs) & ~Signal.ITEM_UTILITY else []
        if Signal.ITEM_UTILITY in settings.feedback.needs and Signal.IN_BATCH not in settings.feedback.needs:
            paths.append(self._judged(access, task))
        return paths

    def _said(self, access: str, task: str) -> Path:
        """Hear at once all that the access models ask which learn on the same lists from the same predictor."""
        key = self._key(access, task)
        asked = [needs for name, needs in self._asked().items() if self._same(name, task, key)]
        signals = kept(functools.reduce(operator.or_, asked)) & available(self.predictor(access))
        stage = self._stages.make(
            "heard",
            f"hear the {self._whose(access)} on {self._what(access, task)}",
            [key, signals.value],
            lambda folder: hear(self.predictor(access), self._batches(access, task), signals, folder / HEARD),
        )
        return stage.folder / HEARD

    def _judged(self, access: str, task: str) -> Path:
        judging = self._settings(access).judge
        assert judging is not None  # noqa: S101 - `AccessFeedback` refuses an objective on utilities without
        teachers = [self._retrieval.depends(name, task, "train") for name in judging.access]

        def build(folder: Path) -> None:
            judge = self.judge(access, task, self.predictor(access))
            assert judge is not None  # noqa: S101 - there is a `judging`
            judged(judge, self._batches(access, task), folder / HEARD)

        stage = self._stages.make(
            "heard",
            f"judge {self._what(access, task)} with the {self._whose(access)} ({type(judging).__name__})",
            [self._key(access, task), identity(written(self._config, "access", access, "feedback", "judge")), teachers],
            build,
        )
        return stage.folder / HEARD

    def _batches(self, access: str, task: str) -> Iterator[Batch]:
        """Go through the lists, with the examples as the predictor sees them."""
        lists = self.lists(access, task)
        starts = list(range(0, len(lists), BATCH))
        for start in self._stages.track(starts, f"hear on {self._what(access, task)}"):
            batch = lists.take(np.arange(start, min(start + BATCH, len(lists))))
            shown = with_task(task, batch.examples) if self._prediction.prefixed else batch.examples
            yield Batch.of(shown, batch.read)

    def _key(self, access: str, task: str) -> Json:
        """Say who is asked about which lists."""
        settings = self._settings(access)
        lists = self._retrieval.depends(settings.lists, task, "train")
        weights = self._prediction.weights(trained=self._trained(access))
        return [weights, lists, settings.items, self._room(access, task)]

    def _same(self, access: str, task: str, key: Json) -> bool:
        return task in self.tasks(access, task) and self._key(access, task) == key

    def _asked(self) -> dict[str, Signal]:
        """Give what each access model asks for that learns from a predictor which stays as it is."""
        fed = {name: access.feedback for name, access in self._experiment.access.items()}
        repeated = {name: one for name, one in fed.items() if one is not None and not one.joint and one.refresh is None}
        return {name: one.feedback.needs for name, one in repeated.items()}

    def _room(self, access: str, task: str) -> int:
        """Count the examples of each task that the steps have room for."""
        settings = self._settings(access)
        there = len(self._retrieval.examples(task, "train"))
        count = there if settings.limit is None else min(there, settings.limit)
        if settings.training.epochs is not None:
            return count
        seen = settings.training.steps * settings.training.batch_size
        return min(count, math.ceil(seen / len(self.tasks(access, task))))

    def _trained(self, access: str) -> bool:
        return self._experiment.hears_trained(access)

    def _whose(self, access: str) -> str:
        return "predictor" if self._trained(access) else "untrained predictor"

    def _what(self, access: str, task: str) -> str:
        settings = self._settings(access)
        return f"{settings.items} items of {settings.lists} for {self._room(access, task)} examples of {task}"

    def _teacher(self, name: str, task: str) -> Teacher:
        return Teacher(self._retrieval.retriever(name, task), self._retrieval.queries(name))

    def _settings(self, access: str) -> AccessFeedback:
        settings = self._retrieval.access(access).feedback
        if settings is None:
            raise ValueError(f"access model {access!r} takes no feedback: say how under its `feedback`.")
        return settings
