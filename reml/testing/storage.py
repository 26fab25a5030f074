"""The contract test of what a configuration names as the storage of an access model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.contract.access import Entries, Storage, StorageHandler
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Retriever
from reml.testing.contract import Contract

ASKED = [Example("1", "")]


class StorageContract(Contract, ABC):
    """What every storage must do."""

    @abstractmethod
    def make(self) -> Storage:
        """Make the settings."""

    @abstractmethod
    def retriever(self, folder: Path) -> Retriever:
        """Make a retriever over a small collection that the storage can add to, such as `create_collection` makes."""

    @abstractmethod
    def entry(self, number: int) -> Entries:
        """Make an entry of the first example, each number another one."""

    @abstractmethod
    def query(self, number: int) -> Queries:
        """Make a query of the first example that finds the entry of this number first."""

    @pytest.fixture
    def base(self, tmp_path: Path) -> Retriever:
        """Make the retriever that memories begin with."""
        return self.retriever(tmp_path / "base")

    def test_the_settings_are_a_storage(self) -> None:
        """A configuration can name it."""
        assert isinstance(self.make(), Storage)

    def test_what_was_written_is_found_by_the_writer_at_once_and_by_others_once_committed(
        self, base: Retriever, tmp_path: Path
    ) -> None:
        """Uncommitted entries are of one session alone."""
        before = base.search(self.query(1), 3).rows.tolist()
        memory = self.make().open(base, tmp_path / "memory")
        access = InformationAccess(base).storing(memory)
        writer, other = access.open(ASKED), access.open(ASKED)
        (row,) = writer.write(self.entry(1)).tolist()
        assert writer.ask(self.query(1), 1).rows.tolist() == [[row]]
        assert row not in other.ask(self.query(1), 3).rows
        with pytest.raises(RuntimeError, match="come one after the other"):
            other.write(self.entry(2))
        memory.commit()
        assert other.ask(self.query(1), 1).rows.tolist() == [[row]]
        assert base.search(self.query(1), 3).rows.tolist() == before, "what it began with stays as it is"

    def test_goes_on_from_a_version_without_what_came_after_it(self, base: Retriever, tmp_path: Path) -> None:
        """A killed run neither loses nor doubles; rows are given again as they were."""
        memory, folder = self.make().open(base, tmp_path / "memory"), tmp_path / "memory"
        kept = memory.store(self.entry(1))
        version = memory.commit()
        lost = memory.store(self.entry(2))
        again = self.make().open(base, folder, version)
        assert _found(again, self.query(1)) == kept.tolist()
        assert _found(again, self.query(2)) != lost.tolist()
        assert again.store(self.entry(3)).tolist() == lost.tolist()
        assert _found(again, self.query(3)) == lost.tolist()
        assert len(again.retriever.collection) == len(self.make().collection(folder))

    def test_begins_anew_without_a_version(self, base: Retriever, tmp_path: Path) -> None:
        """What was never committed is forgotten whole."""
        first = self.make().open(base, tmp_path / "memory")
        size = len(first.retriever.collection)
        rows = first.store(self.entry(1))
        again = self.make().open(base, tmp_path / "memory")
        assert len(again.retriever.collection) == size
        assert again.store(self.entry(2)).tolist() == rows.tolist()

    def test_gives_what_was_committed_to_be_read(self, base: Retriever, tmp_path: Path) -> None:
        """Another process reads it without a retriever."""
        memory = self.make().open(base, tmp_path / "memory")
        rows = memory.store(self.entry(1))
        memory.commit()
        collection = self.make().collection(tmp_path / "memory")
        assert isinstance(collection, Collection)
        assert collection.get(rows) == memory.retriever.collection.get(rows)

    def test_no_entries_are_no_rows(self, base: Retriever, tmp_path: Path) -> None:
        """A batch may write nothing."""
        memory = self.make().open(base, tmp_path / "memory")
        assert memory.store(Entries(np.arange(0))).shape == (0,)
        assert memory.pending.shape == (0,)


def _found(memory: StorageHandler, query: Queries) -> list[int]:
    row: list[int] = memory.retriever.search(query, 1).rows[0].tolist()
    return row
