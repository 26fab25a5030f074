"""Stochastic RAG: training what reads lists on the utility to expect of its outputs, over lists that are drawn.

    L = -sum over y' in Y of U(y, y') p(y' | x, d)            d ~ p(d | x) = prod_i p_{d_i} / (1 - sum_{j<i} p_{d_j})

Zamani and Bendersky, "Stochastic RAG: End-to-End Retrieval-Augmented Generation through Expected Utility Maximization",
SIGIR 2024, https://arxiv.org/abs/2405.02816.

Implemented: p(y' | x, d) is that of the decoder that reads all items of the drawn list at once. Lists are drawn by
Gumbel-top-n and their gradient is straight through (`reml.feedback.expected_utility`): each place of a list holds the
sum of all items' encoder states, weighted by 1 and 0, so that the gradient tells the retriever what another item in
that place would do; it reaches a retriever that learns (regime joint, no objective). Y holds the right output and
outputs of the predictor that are renewed every so many steps. U is any measure up to the KILT score, whose provenance
an output orders by its pointers (`FiDLight`, `CopyFiD(provenance="pointed")`).

Deviations:
- Outputs are drawn from the predictor, where the paper takes 100 of a beam search; those of an example are renewed when
  it is first read in each stretch of steps, where the paper renews all at once.
- The softmaxes that stand in for drawings leave out what the list has in its other places, as in `expected_utility`.
- Repeats of an output count once.
- The first `after` steps are on the predictor's own loss, where the paper starts from a trained FiD-Light.

Numbers: `benchmarks/configs/fid_light.yaml`. Published KILT scores with FiD-Light Base: NQ 46.2, HotpotQA 27.3,
TriviaQA 59.7, FEVER 81.3, T-REx 76.9, zsRE 82.8, WoW 12.8; without: 45.6, 25.6, 57.6, 80.6, 76.0, 81.1, 11.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Size
from reml.contract.asking import answers_of, prediction_of
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.evaluation.judgements import Gold
from reml.feedback.expected_utility import ExpectedUtility
from reml.feedback.judges.answer_utility import AnswerUtility
from reml.feedback.shuffled import shuffle
from reml.predictors.reading.kept_outputs import KeptOutputs, Outputs
from reml.predictors.reading.lists import Read, ReadsLists
from reml.predictors.reading.sampling import Output


@checked("StochasticRag")
class StochasticRag(nn.Module):
    """Another predictor, which learns by the utility to expect of its outputs.

    predictor: makes the one inside, of those that read lists (`FiD`, `FiDLight`, `CopyFiD`). objective: how many lists
    are drawn, of how many items, at which temperature of the scores. utility: the measure of an output. outputs: how
    they are drawn and renewed. after: so many batches are learnt by the predictor's own loss before. shuffled: a
    control, utilities change places among the outputs of an example.
    """

    predictor: Any  # what it must do is checked below; a module that is a generic protocol has no other type

    def __init__(
        self,
        predictor: PredictorMaker,
        *,
        objective: ExpectedUtility = ExpectedUtility(items=3, lists=1),  # noqa: B008 (frozen)
        utility: AnswerUtility = AnswerUtility("KILT-em"),  # noqa: B008 (frozen)
        outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
        after: Size = 0,
        shuffled: bool = False,
    ) -> None:
        super().__init__()
        self.predictor = predictor()
        if not isinstance(self.predictor, ReadsLists):
            raise TypeError(
                f"{type(self.predictor).__name__} does not decode from lists of items: give FiD, FiDLight, CopyFiD or "
                "one with the methods of `reml.predictors.reading.lists.ReadsLists`."
            )
        self.kept = KeptOutputs(outputs)
        self.objective, self.utility, self.after, self.shuffled = objective, utility, after, shuffled

    @property
    def signals(self) -> Signal:
        """Those of the predictor inside."""
        signals: Signal = self.predictor.signals
        return signals

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Let the predictor inside prepare."""
        self.predictor.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give the negated utility to expect in training, after the first batches; else the loss of the one inside."""
        if not self.training:
            return prediction_of(self.predictor, batch, signals)
        self.kept.steps += 1
        if self.kept.steps <= self.after:
            said = prediction_of(self.predictor, batch, signals)
            # A retriever that learns jointly rests as yet: the loss has a gradient of its scores all the same, of zero.
            resting = 0.0 * torch.where(batch.read.mask, batch.read.scores, 0.0).sum(dim=1)
            return Prediction(said.loss + resting.to(said.loss.device), said.credit)
        credit = prediction_of(self.predictor, batch, signals).credit if signals else ()
        return Prediction(-self._expected_utility(batch), credit)

    def generate(self, batch: Batch) -> list[Answer]:
        """Answer as the predictor inside does."""
        return answers_of(self.predictor, batch)

    def _expected_utility(self, batch: Batch) -> Tensor:
        responses = batch.read
        read = self.predictor.encoded(batch.examples, responses)
        rounds = self.kept.rounds(batch.examples, self.predictor.right(read), lambda: self.predictor.draw(read))
        utilities = self._utilities(batch.examples, read, rounds).to(batch.device)
        drawn = [self.objective.draw(responses).to(batch.device) for _ in range(self.objective.lists)]
        likelihood = torch.stack([self.predictor.list_log_likelihood(read, rounds, one) for one in drawn])
        return (utilities * likelihood.exp().mean(dim=0)).sum(dim=1)  # lists x [B, S] -> [B]

    def _utilities(self, examples: Sequence[Example], read: Read, rounds: Sequence[Sequence[Output]]) -> Tensor:
        """Score outputs [B, S]; one that repeats an earlier one has 0."""
        answers = zip(*(read.reading.answers(outputs) for outputs in rounds), strict=True)
        outputs = list(zip(*rounds, strict=True))
        golds = [Gold.of(example) for example in examples]
        points = [[self.utility.of(gold, one) for one in given] for gold, given in zip(golds, answers, strict=True)]
        first = torch.tensor([[given.index(one) == at for at, one in enumerate(given)] for given in outputs])
        utilities = torch.tensor(points)
        if self.shuffled:
            utilities = utilities.gather(1, shuffle(first))
        return utilities * first
