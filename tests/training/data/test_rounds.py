from __future__ import annotations

from dataclasses import replace

import pytest

from reml.training.data.rounds import Round
from reml.training.settings import Training

TRAINING = Training(steps=10, rate=0.5, batch_size=4)


def test_a_round_changes_only_what_it_says() -> None:
    assert Round().of(TRAINING) == TRAINING
    assert Round(steps=3).of(TRAINING) == replace(TRAINING, steps=3)
    assert Round(rate=0.1, epochs=2).of(TRAINING) == replace(TRAINING, rate=0.1, epochs=2)


def test_steps_of_a_round_count_where_the_training_has_epochs() -> None:
    in_epochs = replace(TRAINING, epochs=4.0)
    assert Round().of(in_epochs).total_steps(20) == 20
    assert Round(steps=3).of(in_epochs).total_steps(20) == 3


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"epochs": 0}, {"rate": -1.0}])
def test_what_no_training_allows_is_refused_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=rf"train\.rounds\.{next(iter(wrong))} is"):
        Round(**wrong)  # type: ignore[arg-type]
