"""Distributions over the items of each example: masked, checked, with an explicit temperature.

Every objective computes in float32 at least and holds its inputs to the same rule: what the mask hides may be anything
and receives no gradient, what it shows must be finite.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reml.contract.refusal import providers
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal


def masked_log_softmax(values: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Normalise values [B, K] / temperature over the items of each example; log-probabilities [B, K].

    Hidden items get the lowest finite number, so that no later sum or gradient meets infinity. An example without
    items gets finite values that mean nothing: drop its loss with `where_any_item`.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    lowest = torch.finfo(values.dtype).min / 4
    return torch.log_softmax((values / temperature).masked_fill(~mask, lowest), dim=-1).masked_fill(~mask, lowest)


def divergence(target: Tensor, log_probability: Tensor, mask: Tensor) -> Tensor:
    """Compute KL(target || p) of each example, [B], from log-probabilities [B, K].

    It is a sum over items. A mean over all elements, as some public code takes, makes the gradient shrink with K.
    """
    terms = target.exp() * (target - log_probability)
    return where_any_item(terms.masked_fill(~mask, 0.0).sum(dim=-1), mask)


def distillation(
    scores: Tensor, target: Tensor, *, mask: Tensor, temperature: float = 1.0, target_temperature: float = 1.0
) -> Tensor:
    """Compute KL(q || p) of each example, [B], from scores, target and mask [B, K]; zero for one without items.

    q = softmax(SG[target] / target_temperature), p = softmax(scores / temperature), SG stops the gradient.
    """
    taught = masked_log_softmax(target.detach(), mask, target_temperature)
    return divergence(taught, masked_log_softmax(scores, mask, temperature), mask)


def where_any_item(loss: Tensor, mask: Tensor) -> Tensor:
    """Keep the loss [B] of the examples that have an item; the others get zero and no gradient."""
    return torch.where(mask.any(dim=-1), loss, torch.zeros_like(loss))


def retrieval_scores(responses: Responses) -> Tensor:
    """Take the scores [Q, K] over the access model's temperature; `ValueError` if one that is shown is not finite."""
    check_finite(responses.scores, responses.mask, "retrieval scores")
    return responses.scores if responses.temperature == 1.0 else responses.scores / responses.temperature


def item_log_likelihood(credit: Credit, mask: Tensor) -> Tensor:
    """Take log p(y | x, item) [B, K] from what was said; `ValueError` if it is missing or not finite where shown."""
    values = credit.item_log_likelihood
    if values is None:
        raise missing(Signal.ITEM_LIKELIHOOD)
    check_finite(values, mask, "item log-likelihoods")
    return values


def token_log_likelihood(credit: Credit, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Take log p(y_t | x, item) [B, K, T] and the target mask [B, T]; `ValueError` as for `item_log_likelihood`."""
    values, target_mask = credit.token_log_likelihood, credit.target_mask
    if values is None or target_mask is None:
        raise missing(Signal.TOKEN_LIKELIHOOD)
    check_finite(values.masked_fill(~target_mask[:, None, :], 0.0).sum(dim=-1), mask, "token log-likelihoods")
    return values, target_mask


def null_log_likelihood(credit: Credit, mask: Tensor) -> Tensor:
    """Take log p(y | x) without any item, [B, 1], of examples that have one; `ValueError` as `item_log_likelihood`."""
    values = credit.null_log_likelihood
    if values is None:
        raise missing(Signal.NULL_LIKELIHOOD)
    check_finite(values, mask, "log-likelihoods without any item")
    return values


def item_utility(credit: Credit, mask: Tensor) -> Tensor:
    """Take the utility of each item [B, K] from what was said; `ValueError` if it is missing or not finite."""
    values = credit.item_utility
    if values is None:
        raise missing(Signal.ITEM_UTILITY)
    check_finite(values, mask, "item utilities")
    return values


def check_finite(values: Tensor, mask: Tensor, name: str) -> None:
    """Raise `ValueError` unless values [B, K] are of the mask's shape and finite where it is true."""
    if values.shape != mask.shape:
        raise ValueError(f"{name} have shape {tuple(values.shape)} but the mask {tuple(mask.shape)}: both are [B, K].")
    wrong = mask & ~torch.isfinite(values)
    if bool(wrong.any()):
        example, item = (int(place) for place in wrong.nonzero()[0])
        raise ValueError(
            f"{name} must be finite where there is an item, but example {example} has "
            f"{values[example, item].item()} for item {item}. An answer that an item cannot give needs a finite floor "
            "(such as -100); NaN means that the model that gave it has diverged: lower its learning rate."
        )


def check_temperature(temperature: float, name: str = "temperature") -> None:
    """Raise `ValueError` unless a temperature is positive and finite."""
    if not 0 < temperature < math.inf:
        raise ValueError(f"{name} is {temperature}, but must be positive and finite; 1.0 changes nothing.")


def missing(signal: Signal) -> ValueError:
    """Make the error for credit that lacks what an objective asked for."""
    return ValueError(
        f"this objective needs {signal.name}, which nobody has given. A training regime sees to it; by hand, pass "
        f"`feedback.needs` to the loss of a predictor whose `signals` include it ({providers(signal)})."
    )
