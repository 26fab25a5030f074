"""What a study runs: an experiment, and which retrievers learn in it by which objectives, beside which controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, Self, cast, get_args

from reml.contract.examples import Json
from reml.experiment.settings.written import read_settings

Control = Literal["untrained", "shuffled"]
FROZEN = "frozen"
SHUFFLED = "reml.feedback.shuffled.Shuffled"


@dataclass(frozen=True)
class Condition:
    """One way to train one retriever. objective: `frozen` for no training. control: empty for the objective itself."""

    learner: str
    objective: str = FROZEN
    control: Control | Literal[""] = ""

    @property
    def access(self) -> str:
        """The name of its access model."""
        parts = [self.learner, *([self.objective] if self.objective != FROZEN else []), self.control]
        return "_".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """What it is called beside others of the same learner."""
        return f"{self.objective}, {self.control}" if self.control else self.objective


@dataclass(frozen=True, kw_only=True)
class Study:
    """The part `study` of a study's file, beside an experiment.

    learners: access models of the experiment whose retrievers learn; as they come they are the control `frozen`.
    objectives: by name, how the predictor's feedback reaches them: the settings of an access model's `feedback`, but
    its learner. Each has its controls: feedback of the `untrained` predictor, and feedback that is `shuffled` among the
    items. references: the same settings for what learns from others than the predictor (gold labels, a teacher), which
    needs no such controls. seeds: take the place of the experiment's.
    """

    learners: Sequence[str]
    objectives: Mapping[str, Mapping[str, Json]]
    references: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    controls: Sequence[Control] = get_args(Control)
    seeds: Sequence[int] = (0, 1, 2)

    def __post_init__(self) -> None:
        for name in ("learners", "objectives", "seeds"):
            if not getattr(self, name):
                raise ValueError(f"study.{name} is empty: give at least one.")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"study.seeds must be distinct, not {list(self.seeds)}.")
        wrong = [name for name in self.controls if name not in get_args(Control)]
        if wrong:
            raise ValueError(f"study.controls names {wrong}; there are {', '.join(get_args(Control))}.")
        twice = {FROZEN, *self.objectives} & set(self.references) | {FROZEN} & set(self.objectives)
        if twice:
            raise ValueError(f"{sorted(twice)} cannot name an objective or reference twice; {FROZEN!r} is taken.")

    @classmethod
    def of(cls, written: Json) -> Self:
        """Read the part `study`; `ValueError` names what is missing or unknown."""
        names = [one.name for one in fields(cls)]
        if not isinstance(written, Mapping) or not {"learners", "objectives"} <= set(written) <= set(names):
            given = sorted(written) if isinstance(written, Mapping) else written
            raise ValueError(
                f"a study's file has a part `study` with learners and objectives, and of {', '.join(names)} what it "
                f"needs; it has {given}."
            )
        return cls(**written)  # type: ignore[arg-type]

    def conditions(self) -> list[Condition]:
        """List what is compared: of each learner, frozen, each objective with its controls, then the references."""
        listed = []
        for learner in self.learners:
            listed.append(Condition(learner))
            for objective in self.objectives:
                listed += [
                    Condition(learner, objective),
                    *(Condition(learner, objective, one) for one in self.controls),
                ]
            listed += [Condition(learner, reference) for reference in self.references]
        return listed

    def feedback(self, condition: Condition) -> Mapping[str, Json]:
        """Write the access model's `feedback` of a condition that is not frozen."""
        settings = {**self.objectives, **self.references}[condition.objective]
        written = {**settings, "learner": condition.learner}
        if condition.control == "untrained":
            return {**written, "untrained": True}
        if condition.control == "shuffled":
            return {**written, "objective": {"class_path": SHUFFLED, "init_args": {"objective": settings["objective"]}}}
        return written


def read_study(path: Path) -> tuple[Study, Mapping[str, Json]]:
    """Read a study's file: the study, and the experiment as it is written; `ValueError` for a file that is not so."""
    written = read_settings(path)
    study = Study.of(written.get("study"))
    access = written.get("access")
    known = access if isinstance(access, dict) else {}
    unknown = [name for name in study.learners if name not in known]
    if unknown:
        raise ValueError(f"study.learners names {unknown}; the experiment has the access models {', '.join(known)}.")
    return study, {name: part for name, part in written.items() if name != "study"}


def with_seed(study: Study, experiment: Mapping[str, Json], seed: int) -> dict[str, Json]:
    """Write the experiment that has an access model for each condition, with a seed."""
    access = dict(cast("Mapping[str, Json]", experiment["access"]))
    for condition in study.conditions():
        if condition.objective == FROZEN:
            continue
        if condition.access in access:
            raise ValueError(f"the access model {condition.access!r} is the study's to make: give yours another name.")
        access[condition.access] = {"feedback": study.feedback(condition)}
    return {**experiment, "access": access, "seed": seed}
