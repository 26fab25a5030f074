"""AdamW with a rate for each part, a warm-up and a linear decay."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from reml.training.settings import Training


def make_optimizer(module: nn.Module, settings: Training) -> AdamW:
    """Group the parameters by rate and decay; parts with rate 0 are frozen.

    Vectors (biases, norms) do not decay. Raises `ValueError` if a part of `settings.rates` has no parameter, or if
    nothing is left to learn.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        rate = _rate(name, settings)
        if rate == 0:
            parameter.requires_grad_(False)
        if parameter.requires_grad:
            decay = settings.weight_decay if parameter.ndim >= 2 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    _check(module, settings.rates, groups)
    return AdamW(
        [{"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()],
        fused=True,  # without it a third of a small model's step on a CPU goes into the update
    )


def make_schedule(optimizer: AdamW, total: int, warmup: float) -> LambdaLR:
    """Raise the rates in a line over the share `warmup` of `total` steps, then lower them in a line towards zero."""
    return LambdaLR(optimizer, lambda step: share_of_peak(step, total, warmup))


def share_of_peak(step: int, total: int, warmup: float) -> float:
    """Give the rate at `step`, from 0, as a share of its peak: never 0 before `total`."""
    rising = round(total * warmup)
    if step < rising:
        return (step + 1) / (rising + 1)
    return max(0.0, (total - step) / (total - rising)) if rising < total else 1.0


def _rate(name: str, settings: Training) -> float:
    fitting = [part for part in settings.rates if _is_part(name, part)]
    return settings.rates[max(fitting, key=len)] if fitting else settings.rate


def _is_part(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _check(module: nn.Module, rates: Mapping[str, float], groups: Mapping[tuple[float, float], object]) -> None:
    names = [name for name, _ in module.named_parameters()]
    parts = sorted({".".join(name.split(".")[:2]) for name in names})
    for part in rates:
        if not any(_is_part(name, part) for name in names):
            raise ValueError(f"training.rates names {part!r}, which has no parameters; parts are {', '.join(parts)}.")
    if not names:
        raise ValueError(
            "there are no parameters, so nothing can be learnt: leave out train_on, or name a predictor that learns."
        )
    if not groups:
        raise ValueError("every parameter is frozen: give at least one part a rate above 0.")
