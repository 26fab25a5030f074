from __future__ import annotations

import pytest
from torch import nn

from reml.training.loop.optimizer import make_optimizer, make_schedule, share_of_peak
from reml.training.settings import Training


def model() -> nn.ModuleDict:
    return nn.ModuleDict(
        {
            "predictor": nn.ModuleDict({"encoder": nn.Linear(2, 2), "encoder_head": nn.Linear(2, 1)}),
            "retriever": nn.Linear(2, 2),
        }
    )


def settled(module: nn.Module, settings: Training) -> dict[str, tuple[float, float]]:
    """Give rate and decay of each parameter that learns."""
    groups = make_optimizer(module, settings).param_groups
    by_parameter = {id(value): (group["lr"], group["weight_decay"]) for group in groups for value in group["params"]}
    return {name: by_parameter[id(value)] for name, value in module.named_parameters() if id(value) in by_parameter}


def test_parts_have_their_own_rates_and_vectors_do_not_decay() -> None:
    rates = {"predictor": 1e-3, "predictor.encoder": 1e-5}
    assert settled(model(), Training(rate=1e-4, rates=rates, weight_decay=0.1)) == {
        "predictor.encoder.weight": (1e-5, 0.1),
        "predictor.encoder.bias": (1e-5, 0.0),
        "predictor.encoder_head.weight": (1e-3, 0.1),
        "predictor.encoder_head.bias": (1e-3, 0.0),
        "retriever.weight": (1e-4, 0.1),
        "retriever.bias": (1e-4, 0.0),
    }


def test_rate_zero_freezes() -> None:
    module = model()
    assert list(settled(module, Training(rates={"predictor": 0.0}))) == ["retriever.weight", "retriever.bias"]
    frozen = [name for name, value in module.named_parameters() if not value.requires_grad]
    assert len(frozen) == 4
    assert all(name.startswith("predictor.") for name in frozen)


def test_a_part_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'predictor\.decoder'.*parts are predictor\.encoder, .*retriever\.weight"):
        make_optimizer(model(), Training(rates={"predictor.decoder": 1e-3}))


def test_something_must_learn() -> None:
    with pytest.raises(ValueError, match="every parameter is frozen"):
        make_optimizer(model(), Training(rates={"predictor": 0.0, "retriever": 0.0}))


def test_the_rate_rises_and_falls_in_a_line() -> None:
    assert [share_of_peak(step, 8, 0.25) for step in range(9)] == pytest.approx(
        [1 / 3, 2 / 3, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0.0]
    )
    assert share_of_peak(0, 8, 0.0) == 1.0
    assert [share_of_peak(step, 4, 1.0) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_the_schedule_moves_each_part_by_the_same_share() -> None:
    optimizer = make_optimizer(model(), Training(rate=1e-4, rates={"retriever": 1e-2}))
    make_schedule(optimizer, 8, 0.25)
    assert sorted({group["lr"] for group in optimizer.param_groups}) == pytest.approx([1e-4 / 3, 1e-2 / 3])
