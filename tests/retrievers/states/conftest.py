"""A datastore over five texts and titles, by a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.retrievers.states import States
from reml.retrievers.states.retriever import StatesRetriever
from reml.testing import MemoryCollection
from reml.testing.memory_collection import TEXTS
from tests.tiny_gpt2 import write_gpt2


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="session")
def passages() -> MemoryCollection:
    return MemoryCollection(TEXTS)


@pytest.fixture(scope="session")
def datastore(tiny_gpt2: str, passages: MemoryCollection, tmp_path_factory: pytest.TempPathFactory) -> StatesRetriever:
    folder: Path = tmp_path_factory.mktemp("datastore")
    made = States(tiny_gpt2).index(passages, folder / "index")
    assert isinstance(made, StatesRetriever)
    return made
