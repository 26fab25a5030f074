"""A datastore of the states of a tiny model, and a batch that asks it."""

from __future__ import annotations

from pathlib import Path

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.access import Session
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.predictors import Batch
from reml.retrievers.states import States


def datastore(model: str, collection: Collection, folder: Path, asks: int | None = None) -> InformationAccess:
    retriever = States(model).index(collection, folder)
    return InformationAccess(retriever, limits=Limits(depth=10, k=5, asks=asks), name="states")


def opened(access: InformationAccess, *examples: Example) -> tuple[Session, Batch]:
    session = access.open(examples)
    return session, Batch(examples, {"states": session})
