"""An objective says what it lacks, and who gives it."""

from __future__ import annotations

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.refusal import providers
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.adist import Adist
from reml.feedback.combined import Combined
from reml.feedback.contrastive import Contrastive
from reml.feedback.emdr2 import Emdr2, Emdr2PerToken
from reml.feedback.expected_utility import ExpectedUtility
from reml.feedback.kl_distillation import KlDistillation
from reml.feedback.loop import Loop
from reml.feedback.margin_mse import MarginMse
from reml.feedback.marginal import Marginal
from reml.feedback.marginal_token import MarginalToken
from reml.feedback.pdist import Pdist
from reml.feedback.reinforce import Reinforce
from reml.feedback.utility_distillation import UtilityDistillation

OBJECTIVES = [
    Adist(),
    Combined([Loop()]),
    Contrastive(),
    Contrastive(in_batch=False),
    Emdr2(),
    Emdr2PerToken(),
    ExpectedUtility(),
    KlDistillation(),
    Loop(),
    MarginMse(),
    Marginal(),
    MarginalToken(),
    Pdist(),
    Reinforce(),
    UtilityDistillation(),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_a_prediction_that_lacks_what_is_needed_is_refused(objective: Feedback) -> None:
    names = "|".join(str(signal.name) for signal in objective.needs)
    with pytest.raises(ValueError, match=rf"needs ({names}), which nobody has given.*(give it|gives it)"):
        objective(Responses.of_scores(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool)), Credit())


@pytest.mark.parametrize("signal", list(Signal))
def test_of_every_signal_it_is_said_who_gives_it(signal: Signal) -> None:
    assert providers(signal).startswith(f"{signal.name}: ")
