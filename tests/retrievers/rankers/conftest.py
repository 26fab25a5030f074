from __future__ import annotations

import pytest

from tests.retrievers.rankers.late_interaction.small import write_bert


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_bert(tmp_path_factory.mktemp("token") / "model")
