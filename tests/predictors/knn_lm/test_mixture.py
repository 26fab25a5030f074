from __future__ import annotations

import math

import pytest
import torch

from reml.predictors.knn_lm.mixture import Mixture, Said, features, ranks

INF = math.inf
DISTANCES = torch.tensor([[0.5, 1.0, 3.0], [2.0, 2.0, INF], [INF, INF, INF], [1.0, 4.0, 5.0]])
TOKENS = torch.tensor([[7, 2, 7], [1, 1, 0], [0, 0, 0], [4, 5, 6]])
RIGHT = torch.tensor([7, 1, 3, 3])
LOG_P = torch.log_softmax(torch.arange(40.0).reshape(4, 10).sin(), dim=1)


def said() -> Said:
    right = (RIGHT[:, None] == TOKENS) & torch.isfinite(DISTANCES)
    likelihood = LOG_P.gather(1, RIGHT[:, None]).squeeze(1)
    return Said(likelihood, DISTANCES, right, features(LOG_P, DISTANCES, TOKENS, 3))


@pytest.mark.parametrize("weight", [0.3, "adaptive"])
def test_it_is_the_mixture_of_the_paper_token_by_token(weight: float | str) -> None:
    mixed = Mixture(weight, 2.0, 3)(said())  # type: ignore[arg-type]
    share = 0.25 if weight == "adaptive" else float(weight)
    for place in range(4):
        known = [
            (math.exp(-d / 2), token)
            for d, token in zip(DISTANCES[place].tolist(), TOKENS[place].tolist(), strict=True)
        ]
        total = sum(one for one, _ in known)
        language = float(LOG_P[place, RIGHT[place]].exp())
        expected = language
        if total:
            nearest = sum(one for one, token in known if token == RIGHT[place]) / total
            expected = share * nearest + (1 - share) * language
        assert float(mixed[place].detach().exp()) == pytest.approx(expected, rel=1e-5)


def test_its_gradient_is_finite_where_nothing_is_found_or_nothing_right() -> None:
    mixture = Mixture("adaptive", 1.0, 3)
    mixture(said()).sum().backward()
    assert all(one.grad is not None and torch.isfinite(one.grad).all() for one in mixture.parameters())
    assert mixture.log_temperature.grad is not None
    assert mixture.log_temperature.grad.abs() > 0
    language, *_ = (said().log_likelihood, None)
    nothing = Said(
        language,
        torch.empty(4, 0),
        torch.empty(4, 0, dtype=torch.bool),
        features(LOG_P, torch.empty(4, 0), torch.empty(4, 0, dtype=torch.int64), 3),
    )
    mixed = mixture(nothing)
    assert torch.equal(mixed, language)
    mixed.sum().backward()  # a batch that finds nothing teaches nothing


def test_features_are_those_of_a_plain_loop() -> None:
    assert ranks(3) == [1, 2]
    assert ranks(1024)[-1] == 1024
    made = features(LOG_P, DISTANCES, TOKENS, 3)
    assert made.shape == (4, 6)
    for place in range(4):
        row = LOG_P[place].tolist()
        found = [one for one in zip(DISTANCES[place].tolist(), TOKENS[place].tolist(), strict=True) if one[0] < INF]
        expected = [max(row), -sum(math.exp(one) * one for one in row)]
        upto = [found[: min(rank, len(found))] for rank in ranks(3)] if found else []
        expected += [math.log1p(part[-1][0]) for part in upto] or [0.0, 0.0]
        expected += [math.log(len({token for _, token in part})) for part in upto] or [0.0, 0.0]
        assert made[place].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)
