"""What an experiment is: task(s) x access model(s) x predictor x seed, as typed values that one YAML gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reml.access.presenting.rankers import check_kept, named_rankers
from reml.collection.passages import Unit, Units
from reml.contract.access import ResponseProcessor
from reml.contract.arguments.checked import checked
from reml.contract.arguments.names import check_above_classes, check_name, check_names
from reml.contract.arguments.numbers import Count, Seed, Size
from reml.contract.predictor_module import MemoryName, PredictorMaker
from reml.contract.retrievers import TrainableIndexer
from reml.contract.tasks import Task
from reml.evaluation.metrics import metric_of
from reml.experiment.settings.access import Access
from reml.experiment.settings.ranker import Ranker
from reml.experiment.settings.settings_of import arguments_of
from reml.experiment.settings.system import Passages, System
from reml.experiment.settings.train_on import TrainOn, untrained
from reml.training.settings import Training


@checked("reading")
@dataclass(frozen=True)
class Reading:
    """How much is retrieved, read and evaluated.

    Args:
        words: of one passage; `null` leaves pages, or documents, whole.
        unit: what a passage is made of.
        size: how many sentences or paragraphs; as many as fit if left out.
        overlap: shared with the one before.
        depth: hits kept for each example.
        k: items the predictor reads.
        pages: distinct pages in the provenance of a prediction.
        split: the split that is evaluated, of all tasks; or by the name of the task, `dev` of those that are left out.
        limit: how many of its examples, 1 or more; all if left out.
        batch_size: examples predicted at once.
    """

    words: Count | None = 100
    unit: Unit = "words"
    size: Count | None = None
    overlap: Size = 0
    depth: Count = 100
    k: Count = 5
    pages: Count = 20
    split: str | Mapping[str, str] = "dev"
    limit: Count | None = None
    batch_size: Count = 16

    def __post_init__(self) -> None:
        if self.depth < self.k:
            raise ValueError(f"reading.depth ({self.depth}) must be at least reading.k ({self.k}).")
        self.units.check(self.words, "reading.")

    @property
    def units(self) -> Units:
        """What a passage is made of."""
        return Units(self.unit, self.size, self.overlap)

    def split_of(self, task: str) -> str:
        """Name the split of a task that is evaluated."""
        return self.split if isinstance(self.split, str) else self.split.get(task, "dev")


@checked("experiment")
@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Args:
        tasks: what is predicted.
        access: access models by name.
        predictor: makes the predictor, where there is only one; without any, what is retrieved is measured alone.
        predictors: make the predictors, by name.
        systems: what is compared, by name: a predictor and the access models it is given. Left out, each predictor with
            each access model alone.
        collections: what access models may search beside the tasks' own sources, by name.
        rankers: scorers that processors of access models name, by name.
        train_on: what the predictor is trained on; without it, it is used as it comes.
        training: how it is trained; only beside `train_on`.
        reading: how much is retrieved, read and evaluated.
        name: of the result folder.
        seed: of everything random, training too.
        predictor_seed: of the predictor and its training, `seed` if left out.
    """

    tasks: Sequence[Task]
    access: Mapping[str, Access]
    predictor: PredictorMaker | None = None
    train_on: TrainOn | None = None
    training: Training = field(default_factory=Training)
    reading: Reading = field(default_factory=Reading)
    name: str = "run"
    seed: Seed = 0
    predictor_seed: Seed | None = None
    predictors: Mapping[str, PredictorMaker] = field(default_factory=dict)
    systems: Mapping[str, System] = field(default_factory=dict)
    collections: Mapping[str, Passages] = field(default_factory=dict)
    rankers: Mapping[str, Ranker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self._task_names
        if not names or len(set(names)) < len(names):
            raise ValueError(f"an experiment needs tasks with distinct names; it was given {names}.")
        self._check_given_names()
        for task in self.tasks:
            metric_of(task)  # says before hours of work if there is none
        if not self.access:
            raise ValueError("an experiment needs at least one access model, by name, under `access`.")
        if self.train_on is None and self.training != Training():
            raise ValueError(untrained(self.access))
        self._check_systems()
        self._check_names()

    @property
    def _task_names(self) -> list[str]:
        return [task.name for task in self.tasks]

    @property
    def makers(self) -> Mapping[str, PredictorMaker]:
        """What makes each predictor, by name: the only one is called `predictor`."""
        return {"predictor": self.predictor} if self.predictor is not None else self.predictors

    @property
    def compared(self) -> Mapping[str, System]:
        """The systems that are compared; of a predictor alone they are called as the access models.

        Without a predictor they are the access models that find something.
        """
        if self.systems:
            return self.systems
        if not self.makers:
            return {name: System("", (name,)) for name, access in self.access.items() if access.finds}
        many = len(self.makers) > 1
        pairs = [(maker, access) for maker in self.makers for access in self.access]
        return {f"{maker}-{access}" if many else access: System(maker, (access,)) for maker, access in pairs}

    def trains(self, predictor: str) -> bool:
        """Tell whether a predictor is trained by itself."""
        return self.train_on is not None and (not self.train_on.predictors or predictor in self.train_on.predictors)

    @property
    def learns(self) -> bool:
        """Whether anything is trained."""
        trained = any(access.train is not None or access.feedback is not None for access in self.access.values())
        return trained or self.train_on is not None or any(one.train is not None for one in self.rankers.values())

    def learns_somehow(self, predictor: str) -> bool:
        """Tell whether a predictor is trained by itself or with a retriever that learns from it."""
        fed = [name for name, one in self.access.items() if one.feedback is not None and one.feedback.joint]
        return self.trains(predictor) or predictor in map(self.speaker, fed)

    def learns_on(self, task: str) -> bool:
        """Tell whether anything is trained on the train split of a task."""
        given = [part for one in self.access.values() for part in (one.train, one.feedback) if part is not None]
        given += [one.train for one in self.rankers.values() if one.train is not None]
        parts = [*given, *(self.train_on.all_phases if self.train_on is not None else ())]
        return any(not part.tasks or task in part.tasks for part in parts)

    def speaker(self, name: str) -> str:
        """Name the predictor that an access model learns from."""
        feedback = self.access[name].feedback
        named = feedback.predictor if feedback is not None else None
        return named if named is not None else next(iter(self.makers))

    def processors_of(self, name: str) -> Sequence[ResponseProcessor]:
        """Give the processors of an access model: its own, or those of the one whose retriever learns."""
        access = self.access[name]
        if access.processors or access.feedback is None:
            return access.processors
        return self.processors_of(access.feedback.learner)

    def asking(self, name: str) -> str:
        """Name the access model whose retriever an access model has, as it was before any feedback."""
        passed = [name]
        while (feedback := self.access[passed[-1]].feedback) is not None and feedback.learner not in passed:
            passed.append(feedback.learner)
        return passed[-1]

    def learns_from_trained(self, name: str) -> bool:
        """Tell whether the predictor is trained before it gives its feedback to an access model, or learns with it.

        Not so for the control `untrained`, nor where the predictor is to be trained on what only that feedback makes.
        """
        feedback = self.access[name].feedback
        if feedback is None or feedback.untrained or not self.trains(self.speaker(name)):
            return False
        return not feedback.joint or not self._trains_predictor(name)

    def _check_given_names(self) -> None:
        """Raise `ValueError` for a name that is none for a file or folder, or for two that are one to some systems."""
        check_above_classes(self.access, "access")
        check_above_classes(self.predictors, "predictors", "predictor")
        check_above_classes(self.systems, "systems")
        check_above_classes(self.collections, "collections")
        check_above_classes(self.rankers, "rankers")
        check_name(self.name, "experiment")
        check_names(self._task_names, "task")
        check_names(self.access, "access model")
        check_names(self.predictors, "predictor")
        check_names(self.systems, "system")
        check_names(self.collections, "collection")
        check_names(self.rankers, "ranker")

    def _check_systems(self) -> None:
        splits = self.reading.split
        _check_there("reading.split", "task", [] if isinstance(splits, str) else list(splits), self._task_names)
        if self.predictor is not None and self.predictors:
            raise ValueError("give one `predictor`, or several under `predictors`, not both.")
        for name, system in self.systems.items():
            _check_there(f"system {name!r}", "predictor", [system.predictor], self.makers)
            _check_there(f"system {name!r}", "access model", system.access, self.access)
        chosen = self.train_on.predictors if self.train_on is not None else ()
        _check_there("train_on.predictors", "predictor", chosen, self.makers)
        for name, access in self.access.items():
            wanted = [access.collection] if access.collection is not None else []
            _check_there(f"access model {name!r}", "collection", wanted, self.collections)
            _check_there(f"access model {name!r}", "ranker", named_rankers(access.processors), self.rankers)

    def _check_names(self) -> None:
        wanted = [name for access in self.access.values() for name in access.needs]
        wanted += [name for ranker in self.rankers.values() for name in ranker.needs]
        wanted += self.train_on.all_names if self.train_on is not None else []
        self._check_learnt(self._task_names)
        for name in wanted:
            if name not in self.access:
                raise ValueError(f"there is no access model {name!r}; the experiment has {', '.join(self.access)}.")
        for name, access in self.access.items():
            if any(self.access[child].fuse for child in access.fuse):
                raise ValueError(
                    f"access model {name!r} fuses one that fuses others: name the retrieving ones instead."
                )
            self._check_learner(name)
            self._check_teachers(name)
            self._check_scorers(name)
            self._check_storing(name)
            self._check_lender(name)
            self._check_depth(name)
        for name, maker in self.makers.items():
            for memory in arguments_of(maker, MemoryName):
                self._check_memory(name, str(memory))

    def _check_depth(self, name: str) -> None:
        """Raise `ValueError` if an access model hands over more than it searches for."""
        access, k = self.access[name], self.access[name].k or self.reading.k
        if access.depth is not None and access.depth < k:
            whose = "its k" if access.k is not None else "reading.k"
            raise ValueError(
                f"access model {name!r} has a depth of {access.depth}, but {whose} is {k}: raise its depth, or "
                f"lower {whose}."
            )
        check_kept(self.processors_of(name), access.depth or max(self.reading.depth, k), name)

    def _check_lender(self, name: str) -> None:
        """Raise `ValueError` if no predictor of the experiment lends the encoder that an access model finds by."""
        if (lent := self.access[name].lent) is not None:
            _check_there(f"access model {name!r}, under lent,", "predictor", [lent.predictor], self.makers)

    def _check_storing(self, name: str) -> None:
        """Raise `ValueError` if others ask what stores: what it finds depends on what was written before."""
        if self.access[name].storage is None:
            return
        asking = [f"access model {other!r}" for other, access in self.access.items() if name in access.needs]
        asking += ["train_on.access"] if self.train_on is not None and name in self.train_on.all_names else []
        if asking:
            raise ValueError(
                f"access model {name!r} stores, so what it finds depends on the order in which a predictor wrote, and "
                f"{asking[0]} names it: name an access model without storage there, with the same retriever, say."
            )
        if not self.makers:
            raise ValueError(f"access model {name!r} stores what a predictor writes: give one under `predictor`.")

    def _check_memory(self, predictor: str, name: str) -> None:
        """Raise `ValueError` if a predictor is never given what it writes to, or that does not store."""
        systems = [system for system in self.compared.values() if system.predictor == predictor]
        given = list(dict.fromkeys(access for system in systems for access in system.access))
        stores = [access for access in given if self.access[access].storage is not None]
        if name not in stores:
            why = "which does not store" if name in given else "which no system gives it"
            raise ValueError(
                f"the predictor {predictor!r} writes to the access model {name!r}, {why}: of those that it is given "
                f"({', '.join(given)}) there store {', '.join(stores) or 'none'}. Name one that stores, or give one a "
                "`storage`."
            )

    def _check_learnt(self, names: Sequence[str]) -> None:
        learnt = [task for part in self.train_on.all_phases for task in part.tasks] if self.train_on is not None else []
        unknown = sorted(set(learnt) - set(names))
        if unknown:
            raise ValueError(f"train_on.tasks names {unknown}; the experiment has the tasks {', '.join(names)}.")

    def _check_teachers(self, name: str) -> None:
        """Raise `ValueError` if an access model would have to be trained before itself."""
        if name not in self._behind(name):
            return
        feedback, lent = self.access[name].feedback, self.access[name].lent
        if lent is not None:
            raise ValueError(
                f"access model {name!r} finds by an encoder of the predictor {lent.predictor!r}, which is trained on "
                f"{name!r} itself (train_on.access): train it on another access model, or on one without a retriever."
            )
        if feedback is not None and not feedback.joint and self._trains_predictor(name):
            raise ValueError(
                f"access model {name!r} learns from the predictor, and the predictor is trained on {name!r} "
                f"(train_on.access): train the predictor on another access model, such as "
                f"{feedback.learner!r}, or choose feedback.regime joint."
            )
        for ranker in named_rankers(self.processors_of(name)):
            if name in self.rankers[ranker].needs:
                raise ValueError(
                    f"rankers.{ranker}.train learns from what {name!r} finds, and {name!r} ranks by {ranker!r}: name "
                    "an access model that does not rank by it, the same retriever without the processor, say."
                )
        raise ValueError(
            f"access model {name!r} is taught by itself ({' -> '.join(self._circle(name))}): name another teacher."
        )

    def _check_scorers(self, name: str) -> None:
        """Raise `ValueError` if what is to score given items cannot."""
        train = self.access[name].train
        for scorer in train.scorers if train is not None else ():
            if not self.access[scorer].retrieves:
                raise ValueError(
                    f"access model {scorer!r} is to score what {name!r} finds, and has no retriever of its own: name "
                    "one with a retriever."
                )

    def _trains_predictor(self, name: str) -> bool:
        """Tell whether what an access model finds goes into the training of the predictor."""
        sources = self.train_on.all_names if self.train_on is not None else ()
        return any(name in {source, *self._behind(source)} for source in sources)

    def _circle(self, name: str) -> list[str]:
        """Name the access models by which one needs itself, as few as there are, itself first and last."""
        ways = [[name, needed] for needed in self._needs(name)]
        for way in ways:  # grows while it is gone through
            if way[-1] == name:
                return way
            ways += [[*way, needed] for needed in self._needs(way[-1]) if needed not in way[1:]]
        raise AssertionError(name)  # it is asked only where there is a circle

    def _behind(self, name: str) -> set[str]:
        """Name the access models that one cannot do without, those behind its predictor included."""
        reached, waiting = set[str](), self._needs(name)
        while waiting:
            needed = waiting.pop()
            if needed not in reached:
                reached.add(needed)
                waiting += self._needs(needed)
        return reached

    def _needs(self, name: str) -> list[str]:
        access = self.access[name]
        waits = access.feedback is not None and not access.feedback.joint and not access.feedback.untrained
        waits = waits or (access.lent is not None and self.trains(access.lent.predictor))
        rankers = named_rankers(self.processors_of(name))
        ranked = [need for ranker in rankers for need in self.rankers[ranker].needs]
        return [*access.needs, *ranked, *(self.train_on.all_names if waits and self.train_on is not None else [])]

    def _check_learner(self, name: str) -> None:
        """Raise `ValueError` if feedback goes to what cannot learn."""
        feedback = self.access[name].feedback
        if feedback is None:
            return
        if not isinstance(self.access[self.asking(name)].retriever, TrainableIndexer):
            raise ValueError(
                f"access model {name!r} teaches the retriever of {feedback.learner!r}, which has none that can learn: "
                "name an access model with a retriever such as Dense, SNRM or Splade under feedback.learner."
            )
        if self.access[self.asking(name)].lent is not None:
            raise ValueError(
                f"access model {name!r} teaches the retriever of {feedback.learner!r}, whose encoder is lent by a "
                "predictor and learns with that alone: name a learner with an encoder of its own."
            )
        if not self.makers:
            raise ValueError(f"access model {name!r} learns from a predictor: give one under `predictor`.")
        if feedback.predictor is None and len(self.makers) > 1:
            raise ValueError(
                f"access model {name!r} learns from one of the predictors {', '.join(self.makers)}: name it under "
                "feedback.predictor."
            )
        wanted = [feedback.predictor] if feedback.predictor is not None else []
        _check_there(f"the feedback of {name!r}", "predictor", wanted, self.makers)


def _check_there(who: str, kind: str, names: Sequence[str], there: Collection[str]) -> None:
    """Raise `ValueError` for a name of something that the experiment does not have."""
    for name in names:
        if name not in there:
            known = f"the experiment has {', '.join(there)}" if there else "the experiment has none"
            raise ValueError(f"{who} names the {kind} {name!r}, which is not there; {known}.")
