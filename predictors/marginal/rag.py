"""RAG: an answer's likelihood, and its decoding, marginal over the items that were retrieved.

Lewis et al., "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks", NeurIPS 2020,
https://arxiv.org/abs/2005.11401.

Implemented: RAG-sequence and RAG-token, trained by -log p(y | x) alone, through which a query encoder learns too (the
passages' index stays, `feedback.learns: query`); beam search over the mixture for RAG-token, thorough and fast decoding
for RAG-sequence. The paper's generator is an encoder-decoder (BART-large); any causal language model does as well.

Deviations: question, title and text are written as Fusion-in-Decoder's or as a prompt, where the paper has `title /
text // question`; no length penalty (the paper's code has one that can be set); an answer that has become too long
must end, so that what is ranked are whole answers, and none is empty; the target is the first right answer; the
provenance of a RAG-token answer is ordered by the posterior of one item for all of it.

Numbers: benchmarks/configs/rag.yaml; not run on the data of the paper (NaturalQuestions: RAG-sequence 44.5 EM,
RAG-token 44.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from torch import nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.predictors.marginal.generator import GeneratorMaker
from reml.predictors.marginal.marginals import sequence_log_likelihood, token_log_likelihood
from reml.predictors.marginal.reader import SIGNALS, answered, credited, said_of


@checked("Rag")
class Rag(nn.Module):
    """Answers by the sum over items of p(item | x) p(y | x, item).

    generator: makes what reads each item (`Causal`, `EncoderDecoder`). marginal: one item for the whole answer, or one
    for each token. decoding: of `sequence`, thorough unless given. width: of the beams; 1 is greedy. p(item | x) is the
    softmax of the scores, divided by the `temperature` of their access model: without an objective a retriever that
    learns jointly learns by this loss alone.
    """

    signals = SIGNALS

    def __init__(
        self,
        generator: GeneratorMaker,
        *,
        marginal: Literal["sequence", "token"] = "sequence",
        decoding: Literal["thorough", "fast"] | None = None,
        width: Count = 4,
    ) -> None:
        super().__init__()
        if marginal == "token" and decoding is not None:
            raise ValueError(
                f"decoding is {decoding!r}, and with marginal `token` one beam search finds the best answer: leave "
                "decoding out, or choose marginal `sequence`."
            )
        self.generator = generator()
        self.marginal, self.decoding, self.width = marginal, decoding or "thorough", width

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Let the generator prepare."""
        self.generator.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y given x), [B], with the gradient of the scores, summed over an answer's tokens and its end."""
        said = said_of(self.generator, batch)
        credit = credited(said, batch.read, signals, "Rag")
        if self.marginal == "sequence":
            return Prediction(-sequence_log_likelihood(said.shares, said.likelihood, said.places), (credit,))
        return Prediction(-token_log_likelihood(said.shares, said.likelihood, said.places, said.target_mask), (credit,))

    def generate(self, batch: Batch) -> list[Answer]:
        """Decode the likeliest answer found; the provenance are the items by their posterior."""
        decoding = "token" if self.marginal == "token" else self.decoding
        return answered(self.generator, batch, decoding=decoding, width=self.width)
