"""RetGen: a mixture of experts, each with one document, and a retriever that is rewarded.

Zhang et al., "RetGen: A Joint Framework for Retrieval and Grounded Text Generation Modeling", AAAI 2022,
https://arxiv.org/abs/2105.06597.

Implemented: decoding averages the experts' distributions at each step by p(z | x), as RAG-token does; the generator
learns by each document's loss, weighted by p(z | x), which has no gradient:

    L = -sum_z SG[p(z | x)] log p(y | x, z)

The retriever learns by the paper's reward, beside it: `objective: {class_path: reml.feedback.reinforce.Reinforce}`,
joint or by turns. This loss says nothing to the scores.

Deviations: no re-ranking of the answers by mutual information, which needs a model that was trained the other way
round; a document stands in the prompt, without token types of its own and positions from 400; the paper samples, here
a beam search decodes.

Numbers: not run on the data of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.predictors.marginal.generator import GeneratorMaker
from reml.predictors.marginal.marginals import expected_log_likelihood
from reml.predictors.marginal.reader import SIGNALS, answered, credited, said_of


@checked("RetGen")
class RetGen(nn.Module):
    """Answers by a mixture of what a generator says after each item.

    generator: makes what reads each item (`Causal`, `EncoderDecoder`). width: of the beam; 1 is greedy.
    """

    signals = SIGNALS

    def __init__(self, generator: GeneratorMaker, *, width: Count = 4) -> None:
        super().__init__()
        self.generator, self.width = generator(), width

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Let the generator prepare."""
        self.generator.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give the items' losses weighted by p(item given x), [B], summed over an answer's tokens and its end."""
        said = said_of(self.generator, batch)
        credit = credited(said, batch.read, signals, "RetGen")
        return Prediction(-expected_log_likelihood(said.shares, said.likelihood, said.places), (credit,))

    def generate(self, batch: Batch) -> list[Answer]:
        """Decode by the mixture; the provenance are the items by their posterior."""
        return answered(self.generator, batch, decoding="token", width=self.width)
