from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.distributions import masked_log_softmax
from reml.feedback.expected_utility import (
    ExpectedUtility,
    drawn_items,
    drawn_list,
    expected_utility_loss,
    gumbel_noise,
)
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Row, Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, scores

TEMPERATURE, RELAXATION = 0.9, 0.5
UTILITIES = torch.tensor([[1.0, 0.4, 0.0], [1.0, 0.0, 0.7], [1.0, 0.2, 0.1]], dtype=torch.float64)


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return ExpectedUtility()


class TestContractOfLongerLists(FeedbackContract):
    def make(self) -> Feedback:
        return ExpectedUtility(items=2, lists=2)


def sample_likelihoods() -> Tensor:
    """log p of 3 outputs for each of 3 examples given each of 4 items."""
    values = -3 * torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return values.masked_fill(~MASK[:, None], -torch.inf).requires_grad_()


def gains() -> Rows:
    """What each item that is shown brings on its own: sum_s U_s p(y_s | x, z)."""
    table: Rows = []
    for outputs, utilities, keep in zip(sample_likelihoods().tolist(), UTILITIES.tolist(), MASK.tolist(), strict=True):
        items = zip(*[shown(output, keep) for output in outputs], strict=True)
        table.append([sum(u * math.exp(p) for u, p in zip(utilities, item, strict=True)) for item in items])
    return table


def exact(retrieval: Rows, size: int) -> float:
    """Enumerate all ordered lists without replacement: the expected utility."""
    total = 0.0
    for row, keep, gain in zip(retrieval, MASK.tolist(), gains(), strict=True):
        prior = softmax(shown(row, keep), TEMPERATURE)
        for drawn in itertools.permutations(range(len(prior)), min(size, len(prior))):
            probability = list_probability(prior, drawn)
            total += probability * sum(gain[k] for k in drawn) / len(drawn)
    return total


def list_probability(prior: Row, drawn: tuple[int, ...]) -> float:
    probability, rest = 1.0, 1.0
    for k in drawn:
        probability *= prior[k] / rest
        rest -= prior[k]
    return probability


def many(size: int, draws: int, retrieval: Tensor, *, relaxation: float = RELAXATION) -> Tensor:
    """Give the loss of each of many drawn lists, [draws, 3]."""
    log_probability = masked_log_softmax(retrieval, MASK, TEMPERATURE).repeat(draws, 1)
    noise, mask = gumbel_noise(log_probability), MASK.repeat(draws, 1)
    chosen = drawn_list(log_probability, noise, mask=mask, size=size, relaxation=relaxation)
    outputs = sample_likelihoods().detach().repeat(draws, 1, 1)
    return expected_utility_loss(chosen, outputs, UTILITIES.repeat(draws, 1)).view(draws, 3)


def test_lists_are_drawn_without_replacement_by_their_probability() -> None:
    """How often each set of 2 of 4 items is drawn, against the sum over its two orders."""
    torch.manual_seed(0)
    draws = 40_000
    log_probability = masked_log_softmax(scores().detach()[:1], MASK[:1], TEMPERATURE).repeat(draws, 1)
    chosen = drawn_list(log_probability, gumbel_noise(log_probability), mask=MASK[:1].repeat(draws, 1), size=2)
    assert (chosen.sum(dim=1).round() == 2).all()
    prior = softmax(scores()[0].tolist(), TEMPERATURE)
    for first, second in itertools.combinations(range(4), 2):
        share = float((chosen[:, first].round() * chosen[:, second].round()).mean())
        expected = list_probability(prior, (first, second)) + list_probability(prior, (second, first))
        assert share == pytest.approx(expected, abs=4 * math.sqrt(expected / draws))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_its_mean_over_noise_is_the_expected_utility_of_all_lists_enumerated(size: int) -> None:
    torch.manual_seed(0)
    losses = many(size, 20_000, scores().detach()).sum(dim=1)
    spread = float(losses.std()) / math.sqrt(len(losses))
    assert float(losses.mean()) == pytest.approx(-exact(scores().tolist(), size), abs=4 * spread + 1e-9)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_its_mean_gradient_points_where_the_exact_one_does(size: int) -> None:
    torch.manual_seed(0)
    retrieval = scores()
    found = gradient(many(size, 20_000, retrieval).mean(dim=0), retrieval)
    expected = torch.tensor(difference_gradient(lambda table: -exact(table, size), retrieval.detach())).double()
    for example in (0, 1):
        if size < int(MASK[example].sum()):
            assert torch.cosine_similarity(found[example], expected[example], dim=0) > 0.98


@pytest.mark.parametrize("size", [1, 2, 3])
def test_for_given_noise_value_and_gradient_equal_brute_force(size: int) -> None:
    """The list is what the noise drew; the gradient is that of the softmaxes that stand in for its drawings."""
    retrieval = scores()
    noise = gumbel_noise(torch.zeros(3, 4, dtype=torch.float64))
    log_probability = masked_log_softmax(retrieval, MASK, TEMPERATURE)
    chosen = drawn_list(log_probability, noise, mask=MASK, size=size, relaxation=RELAXATION)
    loss = expected_utility_loss(chosen, sample_likelihoods().detach(), UTILITIES)
    orders = _orders(retrieval.tolist(), noise.tolist(), size)
    hard = -sum(sum(gain[k] for k in order) / len(order) for gain, order in zip(gains(), orders, strict=True))
    assert loss.sum().item() == pytest.approx(hard, abs=1e-9)
    expected = difference_gradient(lambda table: _relaxed(table, noise.tolist(), orders), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def _perturbed(row: Row, noise: Row, keep: list[bool]) -> Row:
    prior = softmax(shown(row, keep), TEMPERATURE)
    return [math.log(p) + g for p, g in zip(prior, shown(noise, keep), strict=True)]


def _orders(retrieval: Rows, noise: Rows, size: int) -> list[list[int]]:
    tables = [_perturbed(row, g, keep) for row, g, keep in zip(retrieval, noise, MASK.tolist(), strict=True)]
    return [sorted(range(len(table)), key=lambda k: -table[k])[:size] for table in tables]


def _relaxed(retrieval: Rows, noise: Rows, orders: list[list[int]]) -> float:
    total = 0.0
    for row, g, keep, gain, order in zip(retrieval, noise, MASK.tolist(), gains(), orders, strict=True):
        perturbed = _perturbed(row, g, keep)
        for drawn in order:
            rivals = [k for k in range(len(perturbed)) if k == drawn or k not in order]
            weights = softmax([perturbed[k] for k in rivals], RELAXATION)
            total -= sum(w * gain[k] for w, k in zip(weights, rivals, strict=True)) / len(order)
    return total


def test_the_predictor_learns_from_the_items_of_the_list() -> None:
    likelihood = sample_likelihoods()
    chosen = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]).double()
    pushed = gradient(expected_utility_loss(chosen, likelihood, UTILITIES), likelihood)
    weights = chosen / chosen.sum(dim=1, keepdim=True)
    torch.testing.assert_close(pushed, -UTILITIES[:, :, None] * likelihood.detach().exp() * weights[:, None])


@pytest.mark.parametrize("size", [4, 9])
def test_a_list_of_all_items_leaves_no_choice_and_no_gradient(size: int) -> None:
    retrieval = scores()
    found = gradient(many(size, 3, retrieval).mean(dim=0), retrieval)
    torch.testing.assert_close(found, torch.zeros(3, 4, dtype=torch.float64), atol=1e-12, rtol=0)


def test_one_item_gives_the_retriever_no_gradient() -> None:
    retrieval = scores()
    assert gradient(many(1, 5, retrieval).mean(dim=0), retrieval)[2].tolist() == [0.0] * 4


def test_outputs_without_utility_teach_nothing() -> None:
    retrieval = scores()
    prediction = Credit(sample_log_likelihood=sample_likelihoods().detach(), utilities=torch.zeros(3, 3))
    loss = ExpectedUtility(items=2)(Responses.of_scores(retrieval, MASK), prediction)
    torch.testing.assert_close(loss.abs(), torch.zeros(3, dtype=torch.float64))
    assert gradient(loss, retrieval).abs().sum() == 0


def test_the_same_seed_draws_the_same_lists() -> None:
    prediction = Credit(sample_log_likelihood=sample_likelihoods().detach(), utilities=UTILITIES)
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(ExpectedUtility()(Responses.of_scores(scores(), MASK), prediction))
    assert torch.equal(losses[0], losses[1])
    assert not torch.equal(losses[0], losses[2])


def test_utilities_get_no_gradient() -> None:
    utilities = UTILITIES.clone().requires_grad_()
    prediction = Credit(sample_log_likelihood=sample_likelihoods(), utilities=utilities)
    loss = ExpectedUtility()(Responses.of_scores(scores(), MASK), prediction)
    assert torch.autograd.grad(loss.sum(), utilities, allow_unused=True)[0] is None


def test_bad_input_is_refused() -> None:
    good, objective = sample_likelihoods().detach(), ExpectedUtility()
    nan = good.clone()
    nan[0, 1, 2] = math.nan
    with pytest.raises(ValueError, match="log-likelihoods of samples must be finite"):
        objective(Responses.of_scores(scores(), MASK), Credit(sample_log_likelihood=nan, utilities=UTILITIES))
    wrong = UTILITIES.clone()
    wrong[1, 0] = math.inf
    with pytest.raises(ValueError, match="utilities of samples must be finite"):
        objective(Responses.of_scores(scores(), MASK), Credit(sample_log_likelihood=good, utilities=wrong))
    with pytest.raises(ValueError, match="needs SAMPLES"):
        objective(Responses.of_scores(scores(), MASK), Credit(sample_log_likelihood=good))
    with pytest.raises(ValueError, match="items and lists must be 1 or more, not 0 and 8"):
        ExpectedUtility(items=0)
    with pytest.raises(ValueError, match="relaxation is 0"):
        ExpectedUtility(relaxation=0)


def test_a_list_says_what_stands_at_each_of_its_places() -> None:
    retrieval = scores()
    log_probability = masked_log_softmax(retrieval, MASK, TEMPERATURE)
    noise = gumbel_noise(torch.zeros(3, 4, dtype=torch.float64))
    items = drawn_items(log_probability, noise, mask=MASK, size=3, relaxation=RELAXATION)
    assert items.shape == (3, 3, 4)
    for row, order in zip(items.tolist(), _orders(retrieval.tolist(), noise.tolist(), 3), strict=True):
        # `_orders` counts among the items that are shown, which come first here.
        assert [place.index(1.0) for place in row[: len(order)]] == order
        assert all(place == [0.0] * 4 for place in row[len(order) :])
    assert torch.equal(items.sum(dim=1), drawn_list(log_probability, noise, mask=MASK, size=3, relaxation=RELAXATION))
