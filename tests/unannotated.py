"""Classes as a user may write them first: without the annotations that a configuration knows a class by."""

from __future__ import annotations

from typing import Any


class BareTask:
    """A task without annotations."""

    measure = "em"

    def __init__(self, name: str = "bare") -> None:
        self.name = name

    def source(self):  # type: ignore[no-untyped-def]
        """Give nothing."""

    def examples(self, split):  # type: ignore[no-untyped-def]
        """Give nothing."""
        return []


class BareRetriever:
    """A retriever whose constructor says nothing of its argument."""

    def __init__(self, depth) -> None:  # type: ignore[no-untyped-def]
        self.depth = depth

    def index(self, collection: Any, folder: Any) -> Any:
        """Give nothing."""


class BareQueries:
    """A query generator without annotations."""

    def __call__(self, examples):  # type: ignore[no-untyped-def]
        """Give nothing."""
