from __future__ import annotations

from collections.abc import Callable

import pytest

from reml.training.settings import Training


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Training(steps=0), "training.steps is 0, but must be 1 or more"),
        (lambda: Training(batch_size=0), "training.batch_size is 0"),
        (lambda: Training(check_every=0), "training.check_every is 0"),
        (lambda: Training(save_every=-1), "training.save_every is -1"),
        (lambda: Training(rate=0.0), "training.rate is 0.0, but must be positive"),
        (lambda: Training(clip=-1.0), "training.clip is -1.0"),
        (lambda: Training(epochs=0.0), "training.epochs is 0.0"),
        (lambda: Training(patience=0), "training.patience is 0"),
        (lambda: Training(warmup=1.5), "training.warmup is 1.5"),
        (lambda: Training(weight_decay=-0.1), "training.weight_decay is -0.1"),
        (lambda: Training(rates={"predictor": -1.0}), "training.rates.predictor is -1.0, but must be 0 or more"),
        (lambda: Training(gradient_cache=0), "training.gradient_cache is 0, but must be 1 or more, or left out"),
        (lambda: Training(devices=0), "training.devices is 0"),
        (lambda: Training(precision="64-true"), "is '64-true', but must be one of 'auto', '32-true'"),  # type: ignore[arg-type]
        (lambda: Training(sharded=True), "training.sharded is True, but must be false on one device: raise"),
        (lambda: Training(batch_size=16, accumulate=3), "a batch of 16 cannot be computed in 3 equal parts"),
        (lambda: Training(batch_size=12, accumulate=4, devices=2), "in 4 equal parts on 2 devices: choose"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], Training], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_epochs_take_the_place_of_steps() -> None:
    assert Training(steps=7).total_steps(epoch_size=100) == 7
    assert Training(steps=7, epochs=3, batch_size=8).total_steps(epoch_size=10) == 4  # 30 examples, 8 a step
    assert Training(epochs=0.5, batch_size=8).total_steps(epoch_size=64) == 4


def test_a_manifest_says_how_it_was_computed_only_where_that_was_chosen() -> None:
    plain = Training(rates={"predictor": 0.5}).to_json()
    assert plain["rates"] == {"predictor": 0.5}
    assert plain["batch_size"] == 16
    assert plain.keys().isdisjoint({"gradient_cache", "devices", "sharded"})
    chosen = Training(gradient_cache=4, devices=2, sharded=True).to_json()
    assert (chosen["gradient_cache"], chosen["devices"], chosen["sharded"]) == (4, 2, True)
