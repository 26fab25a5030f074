"""A predictor that asks twice: what it makes of the first reading becomes a part of its second query.

    d_1 = g(x)      y_1 = f(x, d_1)      d_2 = g(x y_1)      y = f(x, d_1 d_2)

Shao et al., "Enhancing Retrieval-Augmented Large Language Models with Iterative Retrieval-Generation Synergy", EMNLP
2023 Findings, https://arxiv.org/abs/2305.15294 (ITER-RETGEN): the former output, put behind the input, is the next
query, so that what a first hop finds leads to the second.

Deviations: two iterations; the last reading has the items of both, where the paper reads those of the last one alone;
the predictor is trained, on the first reading, where the paper prompts a large model.

Numbers: benchmarks/configs/asking_twice.yaml; not run on the data of the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from reml.contract.arguments.checked import checked
from reml.contract.asking import answers_of
from reml.contract.examples import Answer, Example, Item
from reml.contract.joining import joined
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch, Corrected
from reml.contract.retrieved import LazyItems, Queries, Responses
from reml.contract.vectors import Int64Array
from reml.predictors.around import Around


@checked()
class AskingTwice(Around):
    """Lets a predictor answer, asks every access model again with input and answer, and lets it answer once more.

    predictor: makes the one that answers, any that reads `batch.read`. k: items of the second ask, as many as each
    access model gives if left out. The last reading has the items of the first ask first, as the predictor was trained
    on them, and behind them the new ones. Where a budget allows one ask, the first answer stands.

    It is trained on the first reading alone: what a second one holds depends on answers that a predictor in training
    does not give yet, and what is said of items then is of the list that each access model gave to its own queries.
    """

    def __init__(self, predictor: PredictorMaker, k: int | None = None) -> None:
        if k is not None and k < 1:
            raise ValueError(f"k is a number of items, 1 or more, or left out; not {k}.")
        super().__init__(predictor)
        self.k = k

    def generate(self, batch: Batch) -> list[Answer]:
        """Answer, ask again, and answer with what was found both times."""
        batch = batch.unanswered  # one batch for both: what it read is not asked for again
        first = answers_of(self.predictor, batch)
        found = self._asked_again(batch, second_queries(batch.examples, first))
        if not (found.rows >= 0).any():
            return first
        return answers_of(self.predictor, batch.reading(both(batch.read, found)))

    def see_right_answers(self, batch: Batch) -> None:
        """Tell the predictor inside, if it wants to know."""
        if isinstance(self.predictor, Corrected):
            self.predictor.see_right_answers(batch)

    def _asked_again(self, batch: Batch, queries: Queries) -> Responses:
        found = {name: session.ask(queries, self.k) for name, session in batch.sessions.items()}
        return joined(found, len(batch.examples))


def second_queries(examples: Sequence[Example], answers: Sequence[Answer]) -> Queries:
    """Put each answer behind its input; the input alone where the answer is empty."""
    return Queries.of(
        [f"{example.input} {answer.text or ''}".strip() for example, answer in zip(examples, answers, strict=True)]
    )


def both(old: Responses, new: Responses) -> Responses:
    """Give the items of both readings, the old ones first, each once, [B, at most K_old + K_new]."""
    device = old.scores.device
    laid = Responses(
        items=(),
        rows=np.concatenate([old.rows, new.rows], axis=1),
        scores=torch.cat([old.scores, new.scores.to(device)], dim=1),
        mask=torch.cat([old.mask, new.mask.to(device)], dim=1),
        origins=np.concatenate([old.origins, new.origins], axis=1),
        names=new.names,
        temperature=old.temperature,
    )
    kept = laid.pick(_first_places(laid))
    return replace(kept, items=LazyItems(len(old), lambda: _items(kept, (old, new))))


def _first_places(laid: Responses) -> Int64Array:
    """Give the first place of each item of each example, in order, -1 behind them, [B, K]."""
    places = np.full(laid.rows.shape, -1, dtype=np.int64)
    for kept, origins, rows in zip(places, laid.origins.tolist(), laid.rows.tolist(), strict=True):
        first: dict[tuple[int, int], int] = {}
        for place, (origin, row) in enumerate(zip(origins, rows, strict=True)):
            if row >= 0:
                first.setdefault((origin, row), place)
        kept[: len(first)] = list(first.values())
    return places[:, : int((places >= 0).sum(axis=1).max(initial=0))]


def _items(kept: Responses, parts: Sequence[Responses]) -> list[tuple[Item, ...]]:
    """Find the items of an example's rows in the lists that they come from; rows tell them apart within an origin."""
    found = []
    for number, (origins, rows) in enumerate(zip(kept.origins.tolist(), kept.rows.tolist(), strict=True)):
        known = {key: item for part in parts for key, item in _known(part, number)}
        found.append(tuple(known[key] for key in zip(origins, rows, strict=True) if key[1] >= 0))
    return found


def _known(part: Responses, number: int) -> Iterator[tuple[tuple[int, int], Item]]:
    there = part.rows[number] >= 0
    keys = zip(part.origins[number][there].tolist(), part.rows[number][there].tolist(), strict=True)
    return zip(keys, part.items[number], strict=True)
