"""Every objective with predictors that read: each gets what it asks for, and a retriever learns from it."""

from __future__ import annotations

import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Hits
from reml.feedback.adist import Adist
from reml.feedback.combined import Combined
from reml.feedback.contrastive import Contrastive
from reml.feedback.emdr2 import Emdr2, Emdr2PerToken
from reml.feedback.expected_utility import ExpectedUtility
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.judges import Judges
from reml.feedback.loop import Loop
from reml.feedback.margin_mse import MarginMse
from reml.feedback.marginal import Marginal
from reml.feedback.marginal_token import MarginalToken
from reml.feedback.pdist import Pdist
from reml.feedback.reinforce import Reinforce
from reml.predictors.fid import FiD
from reml.predictors.fid_copy import CopyFiD
from reml.testing import MemoryCollection
from reml.training.regimes.regimes import Conditional, Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from tests.training.pointing import WordRetriever

OBJECTIVES = [
    Adist(),
    Combined([Pdist(), Contrastive()], [1.0, 0.1]),
    Contrastive(),
    Emdr2(),
    Emdr2PerToken(),
    ExpectedUtility(),
    ExpectedUtility(items=2),
    Loop(),
    MarginMse(),
    Marginal(),
    MarginalToken(),
    Pdist(),
    Reinforce(),
]


@pytest.fixture(params=["FiD", "CopyFiD"])
def predictor(request: pytest.FixtureRequest, tiny_t5: str, tiny_bert: str) -> FiD | CopyFiD:
    torch.manual_seed(0)
    if request.param == "FiD":
        return FiD(tiny_t5, input_tokens=64, answer_tokens=8)
    return CopyFiD(tiny_bert, frozen_layers=0, input_tokens=64, answer_tokens=8)


def batch(examples: list[Example], collection: MemoryCollection, hits: Hits) -> Batch:
    """Name the page that each answer comes from, the first that was retrieved."""
    located = [
        Example(one.id, one.input, (Answer(one.answers[0], (Provenance(str(rows[0])),)),))
        for one, rows in zip(examples, hits.rows, strict=True)
    ]
    return Batch.of(located, gather(collection, hits))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_a_retriever_learns_from_every_objective(
    predictor: FiD | CopyFiD, objective: Feedback, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    """Conditional: a gradient for the retriever and none for the predictor. Joint: both, and all are finite."""
    retriever, given = WordRetriever(collection), batch(examples, collection, hits)
    taught = RetrieverObjective(retriever, retriever, objective, judges=Judges(items=GoldEvidence()))
    joint = Joint(predictor, taught)
    torch.stack([loss.mean() for loss in joint(given).values()]).sum().backward()  # type: ignore[no-untyped-call]
    gradients = {name: one.grad for name, one in joint.named_parameters() if one.grad is not None}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    assert {name.split(".")[0] for name, gradient in gradients.items() if gradient.any()} == {"predictor", "retriever"}
    joint.zero_grad()
    Conditional(predictor, taught).train()(given)["retriever"].sum().backward()
    assert retriever.embedding.weight.grad is not None
    assert retriever.embedding.weight.grad.any()
    assert all(parameter.grad is None for parameter in predictor.parameters())
