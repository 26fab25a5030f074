"""The stages of an experiment in which retrievers learn from the feedback of its predictor."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.query_side import FrozenItems, QuerySideEncoder
from reml.contract.examples import Json
from reml.contract.predictors import Predictor
from reml.contract.retrievers import Retriever, TrainableEncoder, TrainableIndexer
from reml.contract.signals import Signal
from reml.devices.device import default_device
from reml.experiment.plan.config_digest import identity, written
from reml.experiment.plan.predictor_signals import HearingStages
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.experiment import Experiment
from reml.feedback.judges.judges import Judges
from reml.files.weights import load_weights
from reml.training.data.sets import TrainSet
from reml.training.refresh.index_versions import Rebuild
from reml.training.refresh.live_examples import LiveExamples, LiveRetrieval
from reml.training.refresh.live_index import LiveIndex
from reml.training.refresh.policies import RefreshedIndex
from reml.training.regimes.regimes import Conditional, Joint, Regime
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.regimes.signal_cache import CachedPredictor
from reml.training.scale.gradient_cache import in_chunks
from reml.training.scale.shared_items import SharedItems

if TYPE_CHECKING:
    from reml.experiment.plan.hits import RetrievalStages
    from reml.experiment.plan.predictions import PredictionStages

START = "start"
# Trained retrievers that are kept open: a study has many, each with a model of its own.
OPEN = 2


class FeedbackStages:
    """Trains the retrievers that learn from feedback, one for each knowledge source.

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
        self._hearing = HearingStages(experiment, config, stages, retrieval=retrieval, prediction=prediction)

    def stage(self, access: str, task: str) -> Stage:
        """Let the retriever of an access model learn from feedback unless that is done."""
        return self._stages.make(
            "models",
            f"teach {access}{self._retrieval.of(task)}",
            self.depends(access, task),
            lambda folder: self._train(access, task, folder),
        )

    def depends(self, access: str, task: str) -> list[Json]:
        """Say what the weights depend on, as JSON; nothing for an access model without feedback."""
        settings = self._retrieval.access(access).feedback
        if settings is None:
            return []
        learner = settings.learner
        parts = [written(self._config, "access", access, "feedback")]
        parts += [written(self._config, "access", learner, part) for part in ("retriever", "query_generator")]
        lists = dict.fromkeys([settings.lists, *(settings.judge.access if settings.judge is not None else ())])
        learnt = [
            self._retrieval.depends(name, other, "train")
            for name in lists
            for other in self._hearing.tasks(access, task)
        ]
        heard = self._prediction.weights(trained=self._trained(access))
        source = self._retrieval.collection(task).fingerprint
        before = self._retrieval.training.depends(learner, task)
        return [[*map(identity, parts), *before, source, self._experiment.seed, heard, *learnt]]

    @functools.lru_cache(maxsize=OPEN)
    def retriever(self, access: str, task: str) -> Retriever:
        """Give the trained retriever: over the learner's index if queries alone learnt, else over one of its own."""
        settings, stage = self._settings(access), self.stage(access, task)
        encoder = self._opened(access, task, stage)[0]
        if settings.learns == "query":
            return self._scoring(settings, task, encoder)
        indexer, collection = self._indexer(settings.learner), self._retrieval.collection(task)
        index = self._stages.make(
            "indexes",
            f"index {access}{self._retrieval.of(task)}",
            self.depends(access, task),
            lambda folder: indexer.index_with(encoder, collection, folder / "index"),
        )
        return indexer.index_with(encoder, collection, index.folder / "index")

    def predictor(self, access: str, task: str) -> Predictor:
        """Give the predictor that learnt with the retriever of a joint access model, ready to predict."""
        predictor = self._opened(access, task, self.stage(access, task))[1]
        assert predictor is not None  # noqa: S101 - asked only for joint access models
        return predictor

    def _opened(self, access: str, task: str, stage: Stage) -> tuple[TrainableEncoder, Predictor | None]:
        from reml.training.loop.fit import WEIGHTS  # with Lightning, which takes long to load

        settings = self._settings(access)
        encoder = self._start(settings.learner, task, stage.folder)
        parts, predictor = nn.ModuleDict({"retriever": encoder.module}), None
        if settings.live:
            predictor = parts["predictor"] = self._prediction.new()
        load_weights(parts, stage.folder / WEIGHTS)
        parts.eval().to(default_device())
        return encoder, predictor

    def _train(self, access: str, task: str, folder: Path) -> None:
        from reml.training.loop.fit import fit

        settings = replace(self._settings(access).training, seed=self._experiment.seed)
        encoder = self._start(self._settings(access).learner, task, folder)
        regime, train = self._regime(access, task, encoder), self._train_set(access, task, encoder, folder)
        fit(regime, train, dev=[], settings=settings, folder=folder, console=self._stages.console)

    def _train_set(self, access: str, task: str, encoder: TrainableEncoder, folder: Path) -> TrainSet:
        """Give what is learnt from: lists that are there, or retrieval at each step."""
        settings = self._settings(access)
        lists = [self._hearing.lists(access, name) for name in self._hearing.tasks(access, task)]
        if settings.refresh is None:
            return TrainSet.of(*lists)
        live = LiveIndex(self._scoring(settings, task, encoder))
        retrieval = LiveRetrieval(live, settings.items, self._retrieval.queries(settings.learner), settings.reembed)
        rebuild = Rebuild(self._indexer(settings.learner), live.collection, folder / START)
        parts = [LiveExamples.of(part.examples, retrieval) for part in lists]
        return replace(TrainSet.of(*parts), refreshed=RefreshedIndex(retrieval, settings.refresh, rebuild))

    def _regime(self, access: str, task: str, encoder: TrainableEncoder) -> Regime:
        settings = self._settings(access)
        predictor = (
            self._prediction.begin(trained=self._trained(access)) if settings.joint else self._hearing.predictor(access)
        )
        learner = RetrieverObjective(
            self._learning(settings, task, encoder),
            encoder.module,
            settings.feedback,
            queries=self._retrieval.queries(settings.learner),
            weight=settings.weight,
            judges=Judges(items=self._hearing.judge(access, task, predictor)),
        )
        asked = Joint(predictor, learner) if settings.joint else Conditional(predictor, learner)
        if not settings.live:
            return self._repeating(access, task, learner)
        if self._prediction.prefixed:
            raise ValueError(
                "a predictor that sees the names of tasks (train_on.prefix) cannot teach while it learns, draws "
                "samples or is given new lists: leave out train_on.prefix, or choose the regime conditional, another "
                "objective and no refresh."
            )
        return asked

    def _repeating(self, access: str, task: str, learner: RetrieverObjective) -> Conditional:
        """Let a predictor that stays as it is speak once, and learn from what was heard."""
        names = self._hearing.tasks(access, task)
        said = [(self._hearing.lists(access, name).examples, self._hearing.heard(access, name)) for name in names]
        judges = learner.judges if Signal.IN_BATCH in learner.needs else Judges()
        return Conditional(CachedPredictor(said), replace(learner, judges=judges))

    def _start(self, learner: str, task: str, folder: Path) -> TrainableEncoder:
        """Give the encoder before it learns from feedback, an object of its own."""
        if self._retrieval.access(learner).train is not None:
            return self._retrieval.training.encoder(learner, task)
        torch.manual_seed(self._experiment.seed)
        encoder: TrainableEncoder = self._indexer(learner).encoder(self._retrieval.collection(task), folder / START)
        return encoder

    def _scoring(
        self, settings: AccessFeedback, task: str, encoder: TrainableEncoder
    ) -> EncodedRetriever[TrainableEncoder]:
        """Let an encoder score and search: over the items as they are, or encoding them itself."""
        base = self._base(settings.learner, task)
        scored: TrainableEncoder = (
            QuerySideEncoder(encoder, self._items(settings.learner, task)) if settings.learns == "query" else encoder
        )
        return EncodedRetriever(base.collection, scored, base.index)

    def _learning(
        self, settings: AccessFeedback, task: str, encoder: TrainableEncoder
    ) -> EncodedRetriever[TrainableEncoder]:
        """Let an encoder score as it does, in chunks, and in-batch negatives be encoded once for all devices."""
        scoring = self._scoring(settings, task, encoder)
        chunked = in_chunks(scoring.encoder, settings.training.chunk)
        learnt = SharedItems(chunked) if Signal.IN_BATCH in settings.feedback.needs else chunked
        return EncodedRetriever(scoring.collection, learnt, scoring.index)

    @functools.cache
    def _items(self, learner: str, task: str) -> FrozenItems:
        return FrozenItems(self._base(learner, task).encoder)

    def _base(self, learner: str, task: str) -> EncodedRetriever[TrainableEncoder]:
        retriever = self._retrieval.retriever(learner, task)
        if not isinstance(retriever, EncodedRetriever):
            raise ValueError(
                f"the retriever of {learner!r} is a {type(retriever).__name__}; one that learns from feedback is an "
                "encoder and an index (`reml.access.encoded_retriever.EncodedRetriever`)."
            )
        return retriever

    def _indexer(self, learner: str) -> TrainableIndexer[TrainableEncoder]:
        indexer = self._retrieval.indexer(learner)
        assert isinstance(indexer, TrainableIndexer)  # noqa: S101 - `Experiment` refuses others
        return indexer

    def _trained(self, access: str) -> bool:
        return self._experiment.hears_trained(access)

    def _settings(self, access: str) -> AccessFeedback:
        settings = self._retrieval.access(access).feedback
        if settings is None:
            raise ValueError(f"access model {access!r} takes no feedback: say how under its `feedback`.")
        return settings
