"""No bar of transformers is shown while a model is loaded, and who had bars has them again."""

from __future__ import annotations

import pytest
import transformers
from transformers.utils.logging import is_progress_bar_enabled

from reml.files.model_location import ModelError
from reml.text.models.without_bars import without_bars


@pytest.mark.parametrize("shown", [True, False])
def test_bars_are_off_in_the_block_alone(shown: bool) -> None:
    (transformers.logging.enable_progress_bar if shown else transformers.logging.disable_progress_bar)()  # type: ignore[no-untyped-call]
    with without_bars():
        assert not is_progress_bar_enabled()
    assert is_progress_bar_enabled() is shown
    with pytest.raises(ModelError), without_bars():
        raise ModelError("no such model")
    assert is_progress_bar_enabled() is shown
    transformers.logging.enable_progress_bar()  # type: ignore[no-untyped-call]
