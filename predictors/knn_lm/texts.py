"""How likely whole texts are to a language model that also goes by what came next where the context was alike.

Khandelwal, Levy, Jurafsky, Zettlemoyer, Lewis, "Generalization through Memorization: Nearest Neighbor Language Models",
ICLR 2020, https://arxiv.org/abs/1911.00172; a weight for each context: He, Neubig, Berg-Kirkpatrick 2021
(`reml.predictors.knn_lm.mixture`).

Implemented: log p of each token of a text but its first, in windows that overlap, its neighbours asked for many states
at a time; the answer's `meta` says what `reml.evaluation.metrics.Perplexity` measures. The language model rests: what
may be trained is the weight and the temperature, by the likelihood of texts that the datastore does not hold. What is
computed of such a text is kept in memory, so that training takes seconds after the first epoch.

Deviations: as of `reml.retrievers.states`; the paper finds its one weight by search over a grid.

Numbers: benchmarks/configs/knn_lm_pages.yaml; not run on WikiText-103 (the paper: perplexity 18.65 -> 16.12).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.access import Session
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count, Positive
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.devices.evaluating import evaluating
from reml.predictors.knn_lm.mixture import Mixture, Said, features
from reml.predictors.knn_lm.neighbours import Neighbours, ask, check_model
from reml.predictors.knn_lm.windows import Window, windows
from reml.predictors.one_access import session_of
from reml.text.language_model import SMOLLM2, LanguageModel
from reml.text.models.token_limit import allowed
from reml.text.token_table import token_ids

WINDOW = 1024
# Answers name the text that they are about by its start.
SHOWN = 60


@checked("TextKnnLm")
class TextKnnLm(nn.Module):
    """Says how likely texts are: the inputs of examples, each token given those before it.

    model: a hub id, a folder or `package:NAME/PATH`; the one that the datastore was built with. access: the access
    model that is asked, the only one it is given if left out. k: neighbours. weight: of p_kNN, where it begins if it is
    trained; `adaptive`: a small net gives one for each context; 0 asks nothing. temperature: what squared distances are
    divided by. block: as of the datastore. window: tokens read at once, 1024 unless given, or what the model takes.
    stride: tokens between the starts of windows, half of one unless given; each token is scored after at least
    window - stride others, or all before it. Windows are read one by one: no text's figures depend on its company.

    Answers have `meta` {"log_likelihood", "tokens"}. `ValueError` for a text of less than two tokens.
    """

    signals = Signal.NONE  # what it finds are tokens, and each token finds others

    def __init__(
        self,
        model: str = SMOLLM2,
        access: str | None = None,
        *,
        k: Count = 1024,
        weight: Annotated[float, Bounds(least=0, below=1)] | Literal["adaptive"] = 0.25,
        temperature: Positive = 1.0,
        block: str = "mlp",
        window: Count | None = None,
        stride: Count | None = None,
    ) -> None:
        super().__init__()
        self.lm = LanguageModel(model, block)
        self.lm.requires_grad_(False)
        self.window = allowed(window, WINDOW, self.lm.limit, model=model, setting="window")
        self.stride = max(1, self.window // 2) if stride is None else stride
        if self.window < 2 or self.stride >= self.window:
            raise ValueError(
                f"window is {self.window} and stride {self.stride}: give a window of 2 tokens or more, and a stride "
                "below it, so that each token stands after another."
            )
        self.access, self.k = access, k
        self.mixture = Mixture(weight, temperature, k) if weight else None
        self._learnt_on: dict[tuple[str, ...], Said] = {}  # by the names of sessions, and the text

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:  # noqa: ARG002
        """Look that datastores are of this model; `ValueError` names one that is not."""
        check_model(collections, self.lm)
        self._learnt_on.clear()

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p of each text, [B], summed over its tokens but the first; the gradient is that of the mixture."""
        if signals:
            raise ValueError(f"TextKnnLm says nothing of rows it finds, so not {signals}: choose another predictor.")
        asked = [(*batch.sessions, example.input) for example in batch.examples]
        for place, key in enumerate(asked):
            if key not in self._learnt_on:
                self._learnt_on[key] = self._said(batch, place)
        return Prediction(-torch.stack([self._mixed(self._learnt_on[key]).sum() for key in asked]))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Say of each text how likely it is; the answer's text is its start."""
        return [self._answer(example, self._said(batch, place)) for place, example in enumerate(batch.examples)]

    def _answer(self, example: Example, said: Said) -> Answer:
        likelihood = self._mixed(said).double()
        meta = {"log_likelihood": float(likelihood.sum()), "tokens": len(likelihood)}
        return Answer(example.input.strip()[:SHOWN], meta=meta)

    def _mixed(self, said: Said) -> Tensor:
        return said.log_likelihood if self.mixture is None else self.mixture(said)

    def _said(self, batch: Batch, place: int) -> Said:
        """Read one text, and ask for the neighbours of its tokens but the first."""
        session = None if self.mixture is None else session_of(batch, self.access, "TextKnnLm")[1]
        tokens = self._tokens(batch.examples[place])
        with evaluating(self.lm):
            spans = windows(len(tokens), self.window, self.stride)
            read = [self._of_window(session, place, tokens, span) for span in spans]
        return Said(*(torch.cat(column) for column in zip(*read, strict=True)))

    def _of_window(
        self, session: Session | None, place: int, tokens: list[int], span: Window
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give what `Said` holds of the tokens that a window scores, in order."""
        ids, mask = self.lm.padded([tokens[span.start : span.end]])
        read = self.lm(ids, mask, keep=span.end - span.first + 1)
        right = ids[0, span.first - span.start :]
        before = slice(-len(right) - 1, -1)  # the places that tell what comes next
        log_p = torch.log_softmax(read.logits[0, before], dim=1)  # [Q, V]
        said = log_p.gather(1, right[:, None]).squeeze(1)
        found = self._neighbours(session, place, read.states[0, before])
        matches = (found.tokens == right[:, None]) & torch.isfinite(found.scores)
        return said, -found.scores, matches, features(log_p, -found.scores, found.tokens, self.k)

    def _neighbours(self, session: Session | None, place: int, states: Tensor) -> Neighbours:
        """Ask for the neighbours of states [Q, D], k places for each, with their scores at temperature 1."""
        found: Neighbours | None = None
        if session is not None:
            owners = np.full(len(states), place, dtype=np.int64)
            found = ask(session, owners, states, k=self.k, temperature=1.0, vocabulary=self.lm.vocabulary)
        if found is None:
            found = Neighbours(states.new_zeros(len(states), 0), states.new_zeros(len(states), 0, dtype=torch.int64))
        missing = (0, self.k - found.scores.shape[1])
        return Neighbours(
            functional.pad(found.scores, missing, value=-torch.inf), functional.pad(found.tokens, missing)
        )

    def _tokens(self, example: Example) -> list[int]:
        (tokens,) = token_ids(self.lm.tokeniser, [example.input])
        if len(tokens) < 2:
            raise ValueError(
                f"the text of example {example.id!r} has {len(tokens)} tokens, of which none comes after another: "
                "leave it out, or give a longer one."
            )
        return tokens
