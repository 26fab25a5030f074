"""Four tasks over the leads of 10,033 Wikipedia articles, in KILT's record format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.recorded import recorded
from reml.tasks.by_digest import Split
from reml.tasks.made import MadeTask, Making, drafted
from reml.tasks.vital.claims import settled_claims
from reml.tasks.vital.descriptions import descriptions
from reml.tasks.vital.leads import VitalLeads
from reml.tasks.vital.mentions import mentions
from reml.tasks.vital.questions import answered

Kind = Literal["entity_linking", "lead_retrieval", "fever", "qa"]

_SIZES: Mapping[Split, int] = {"train": 2000, "dev": 500, "test": 500}
_KINDS: Mapping[str, Making] = {
    "entity_linking": Making(drafted(mentions), "accuracy", _SIZES),
    "lead_retrieval": Making(drafted(descriptions), "accuracy", _SIZES),
    "fever": Making(drafted(settled_claims), "accuracy", _SIZES),
    "qa": Making(drafted(answered), "em", _SIZES),
}


@recorded
@checked()
class Vital(MadeTask):
    """A task of one kind; `limit` keeps at most so many examples of each split.

    `entity_linking` and `lead_retrieval` need the package that carries the leads, `fever` and `qa` the one with claims
    and questions too: `ImportError` says how to install what is missing.
    """

    def __init__(self, kind: Kind = "entity_linking", limit: int | None = None) -> None:
        super().__init__("vital", _KINDS, kind, limit)

    def source(self) -> KnowledgeSource:
        """Give the 10,033 leads."""
        return VitalLeads()
