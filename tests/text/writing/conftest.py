"""A tiny model with random weights, and it behind a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.openai_server import OpenAIServer, serving
from tests.tiny_gpt2 import write_gpt2


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture
def server(model: str) -> Iterator[OpenAIServer]:
    with serving(model) as server:
        yield server
