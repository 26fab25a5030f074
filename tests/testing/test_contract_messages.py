"""What a contract says where it is given nothing to test, or a retriever of another kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.contract.collections import Collection
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Indexer, Retriever
from reml.testing import FeedbackHandlerContract, IndexerContract, PredictorContract


@pytest.mark.parametrize("contract", [IndexerContract, PredictorContract, FeedbackHandlerContract])
def test_a_contract_that_is_given_nothing_to_test_says_so(contract: type) -> None:
    """Pytest passes over abstract classes: "no tests ran"."""
    name = contract.__name__
    with pytest.raises(TypeError, match=r"TestMine has no make.*, so that none of its tests would run"):
        type("TestMine", (contract,), {})
    abstract = type("OfMine", (contract,), {})  # that is no test's name
    whole = dict.fromkeys(contract.__abstractmethods__, lambda _: None)  # type: ignore[attr-defined]  # of ABC
    assert type(f"Test{name}", (abstract,), whole).__name__ == f"Test{name}"


@dataclass
class ByTitles:
    """Finds pages by their titles; no item of the contract has one, so it goes by their numbers."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return ByNumber(collection)


@dataclass
class ByNumber:
    collection: Collection

    def search(self, queries: Queries, k: int) -> Hits:
        rows = np.tile(np.arange(k), (len(queries), 1))
        return Hits(rows, -rows.astype(np.float32))

    def score(self, queries: Queries, rows: np.ndarray) -> Tensor:
        return -torch.from_numpy(rows).float()


class OfTitles(IndexerContract):
    def make(self) -> Indexer:
        return ByTitles()


def test_a_retriever_that_reads_no_texts_is_told_which_test_is_to_be_overridden(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="must find itself first; override this test for a retriever that does"):
        OfTitles().test_finds_a_text_by_its_own_words(tmp_path)
