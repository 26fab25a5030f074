"""The stage that brings a knowledge source into a collection: whoever asks for the same pages and words shares it."""

from __future__ import annotations

from reml.collection.disk import DiskCollection, build_collection
from reml.contract.collections import KnowledgeSource
from reml.experiment.plan.store import Stage, Stages


def collection_stage(stages: Stages, source: KnowledgeSource, words: int, *, of: str = "") -> Stage:
    """Build the collection unless it is there; `of` names the source where there are several."""
    return stages.make(
        "collections",
        f"prepare the collection{of}",
        [source.fingerprint, words],
        lambda folder: build_collection(source, folder / "passages", words=words, progress=True),
    )


def open_collection(stage: Stage, source: KnowledgeSource, words: int) -> DiskCollection:
    """Open what the stage has built."""
    return build_collection(source, stage.folder / "passages", words=words)
