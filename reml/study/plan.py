"""What a study runs: an experiment, and which retrievers learn in it by which objectives, beside which controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from reml.comparison.conditions import FROZEN, Condition, Control
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Seed
from reml.contract.examples import Json

SHUFFLED = "reml.feedback.shuffled.Shuffled"


@checked("study")
@dataclass(frozen=True, kw_only=True)
class Study:
    """The part `study` of a study's file, beside an experiment.

    Args:
        learners: access models of the experiment whose retrievers learn; as they come they are the control `frozen`.
        objectives: by name, how the predictor's feedback reaches them: the settings of an access model's `feedback`,
            but its learner. Each has its controls.
        references: the same settings for what learns from others than the predictor (gold labels, a teacher), which
            needs no such controls.
        controls: feedback of the `untrained` predictor, and feedback that is `shuffled` among the items.
        seeds: take the place of the experiment's.
    """

    learners: Sequence[str]
    objectives: Mapping[str, Mapping[str, object]]
    references: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    controls: Sequence[Control] = get_args(Control)
    seeds: Sequence[Seed] = (0, 1, 2)

    def __post_init__(self) -> None:
        for name in ("learners", "objectives", "seeds"):
            if not getattr(self, name):
                raise ValueError(f"study.{name} is empty: give at least one.")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"study.seeds must be distinct, not {list(self.seeds)}.")
        twice = {FROZEN, *self.objectives} & set(self.references) | {FROZEN} & set(self.objectives)
        if twice:
            raise ValueError(f"{sorted(twice)} cannot name an objective or reference twice; {FROZEN!r} is taken.")

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
        settings = cast("Mapping[str, Json]", {**self.objectives, **self.references}[condition.objective])
        written = {**settings, "learner": condition.learner}
        if condition.control == "untrained":
            return {**written, "untrained": True}
        if condition.control == "shuffled":
            return {**written, "objective": {"class_path": SHUFFLED, "init_args": {"objective": settings["objective"]}}}
        return written


def with_conditions(written: Mapping[str, Json]) -> dict[str, Json]:
    """Write the `access` of a study's experiment: that of its file, and an access model for each condition.

    written: the experiment and its part `study`. `ValueError` for a learner that is not there or a name that is taken.
    """
    study = Study(**cast("Mapping[str, Any]", written["study"]))
    access = dict(cast("Mapping[str, Json]", written["access"]))
    unknown = [name for name in study.learners if name not in access]
    if unknown:
        raise ValueError(f"study.learners names {unknown}; the experiment has the access models {', '.join(access)}.")
    for condition in study.conditions():
        if condition.objective == FROZEN:
            continue
        if condition.access in access:
            raise ValueError(f"the access model {condition.access!r} is the study's to make: give yours another name.")
        access[condition.access] = {"feedback": study.feedback(condition)}
    return {"access": access}
