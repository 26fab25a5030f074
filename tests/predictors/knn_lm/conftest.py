from __future__ import annotations

import pytest

from reml.access.information_access import InformationAccess
from reml.testing import MemoryCollection
from reml.testing.memory_collection import TEXTS
from tests.predictors.knn_lm.datastore import datastore


@pytest.fixture(scope="module")
def access(tiny_llama: str, tmp_path_factory: pytest.TempPathFactory) -> InformationAccess:
    return datastore(tiny_llama, MemoryCollection(TEXTS), tmp_path_factory.mktemp("states") / "index")
