"""How the retriever of an access model learns from the predictor of an experiment."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive, Several
from reml.contract.objective import Objective
from reml.contract.predictors import Feedback
from reml.contract.signals import Signal
from reml.experiment.settings.settings_of import made_by
from reml.feedback.judges.judging import Judging
from reml.training.refresh.policies import Never, Refresh
from reml.training.regimes.regimes import Conditional, FeedbackRegime, Joint, RegimeMaker
from reml.training.settings import Training

REGIMES: Mapping[str, type[FeedbackRegime]] = {"conditional": Conditional, "joint": Joint}
Side = Literal["query", "both"]


@checked("feedback")
@dataclass(frozen=True, kw_only=True)
class AccessFeedback:
    """Another access model, after its retriever has learnt from the feedback of the experiment's predictor.

    Args:
        learner: the access model whose retriever learns: with its queries and, if it has a `train` or learns from
            feedback itself, after that.
        objective: what it learns by (`reml.feedback`); left out, by the predictor's own loss alone, through the scores
            that the predictor reads (joint).
        judge: who says how useful items are, for objectives that need it (`reml.feedback.judges`).
        regime: conditional, the predictor is trained first and then stays as it is; joint, both learn at once and
            what is retrieved is read by the predictor that learnt with it; or the class of another one, such as
            `reml.training.regimes.regimes.Alternating`.
        learns: the encoder of queries, so that the learner's index serves as it is; or of both queries and items.
        candidates: the access model whose lists it learns on, those of the learner if left out.
        beside: other access models of which the predictor reads as many items beside each list: it then gives its
            feedback for all of them together, and the learner learns from what is said of its own (conditional, without
            refresh).
        predictor: the name of the predictor that it learns from, where there are several.
        items: of each list.
        refresh: lists are retrieved anew at each step, from an index that is refreshed so
        (`reml.training.refresh.policies`);
            left out, they are retrieved once, before training. Where queries alone learn, Never: no vector gets old.
        reembed: with refresh, so many items are retrieved, encoded anew, and the best `items` of them learnt on.
        untrained: a control, the predictor gives its feedback as it comes, before any training.
        weight: of the objective beside the predictor's own loss (joint).
        tasks: whose train split it learns on, all tasks of the same knowledge source if left out.
        limit: examples of each task, drawn at random; no more are drawn than the steps have room for.
        training: how it is trained; the experiment's seed takes the place of its own.
    """

    learner: str
    objective: Objective | None = None
    judge: Judging | None = None
    regime: Literal["conditional", "joint"] | RegimeMaker = "conditional"
    learns: Side = "query"
    candidates: str | None = None
    items: Several = 8
    refresh: Refresh | None = None
    reembed: Count | None = None
    untrained: bool = False
    weight: Positive = 1.0
    tasks: Sequence[str] = ()
    limit: Count | None = None
    training: Training = field(default_factory=Training)
    beside: Sequence[str] = ()
    predictor: str | None = None

    def __post_init__(self) -> None:
        self._check_regime()
        self._check_refresh()
        self._check_beside()
        if self.objective is None and not self.joint:
            raise ValueError(
                "without feedback.objective the retriever learns by the predictor's own loss, which needs the regime "
                "joint: name an objective, such as reml.feedback.pdist.Pdist, or choose feedback.regime joint."
            )
        if Signal.ITEM_UTILITY in self.asks and self.judge is None:
            raise ValueError(
                f"{self.objective!r} needs the utility of items, which no predictor's loss tells: name who judges "
                "under feedback.judge, such as reml.feedback.judges.DownstreamUtility (the predictor) or "
                "reml.feedback.judges.GoldEvidence (labels)."
            )
        if self.joint and self.untrained:
            raise ValueError("a joint predictor learns from its start: leave out feedback.untrained.")

    def _check_regime(self) -> None:
        if not (isinstance(self.regime_class, type) and issubclass(self.regime_class, FeedbackRegime)):
            raise ValueError(
                f"feedback.regime is one of {', '.join(REGIMES)}, or the class of a regime in which retrievers learn "
                f"from a predictor (reml.training.regimes.regimes.FeedbackRegime), not {self.regime!r}."
            )

    def _check_beside(self) -> None:
        if self.beside and (self.live or self.learner in self.beside):
            raise ValueError(
                f"feedback.beside names what is read beside the lists of {self.learner!r}, another access model, by a "
                "predictor and on lists that stay as they are: leave out refresh, joint and the learner."
            )

    def _check_refresh(self) -> None:
        if self.refresh is None:
            if self.reembed is not None:
                raise ValueError("feedback.reembed is for lists that are retrieved at each step: give a refresh too.")
            return
        if self.candidates is not None:
            raise ValueError(
                "with feedback.refresh, the learner's own index is searched at each step: leave out candidates."
            )
        if self.learns == "query" and not isinstance(self.refresh, Never):
            raise ValueError(
                f"items keep their vectors where queries alone learn, so {self.refresh!r} has nothing to do: choose "
                "reml.training.refresh.Never, or feedback.learns both."
            )
        if self.reembed is not None and self.reembed < self.items:
            raise ValueError(f"feedback.reembed must be at least items ({self.items}), not {self.reembed}.")

    @property
    def live(self) -> bool:
        """Whether the predictor is asked anew at every step: it learns too, draws samples, or is given new lists."""
        return self.joint or self.refresh is not None or Signal.SAMPLES in self.asks

    @property
    def feedback(self) -> Feedback | None:
        """The objective, if there is one."""
        return self.objective

    @property
    def asks(self) -> Signal:
        """What the objective needs."""
        return self.objective.needs if self.objective is not None else Signal.NONE

    @property
    def joint(self) -> bool:
        """Whether the predictor learns too."""
        return self.regime_class.trains_predictor

    @property
    def make_regime(self) -> RegimeMaker:
        """What makes the regime of a predictor and learners."""
        return REGIMES[self.regime] if isinstance(self.regime, str) else self.regime

    @property
    def regime_class(self) -> type[FeedbackRegime]:
        """The class of the regime."""
        made: Any = REGIMES.get(self.regime) if isinstance(self.regime, str) else self.regime
        return made_by(made)[0] if isinstance(made, functools.partial) else made

    @property
    def lists(self) -> str:
        """The access model whose lists it learns on."""
        return self.candidates if self.candidates is not None else self.learner

    @property
    def needs(self) -> Sequence[str]:
        """The access models that it cannot do without."""
        return [self.learner, self.lists, *self.beside, *(self.judge.access if self.judge is not None else ())]
