"""How an information access model is made: what a configuration says under `access`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.access.limits import Order
from reml.access.rank_fusion import Fusing
from reml.contract.access import QueryExpansion, QueryGenerator, ResponseProcessor, Storage
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive
from reml.contract.retrievers import EncoderIndexer, Indexer, TrainableIndexer
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.retriever_training import RetrieverTraining


@checked("budget")
@dataclass(frozen=True)
class Budget:
    """What a predictor may spend at an access model. asks: of each example."""

    asks: Count | None = None


@checked()
@dataclass(frozen=True)
class Lent:
    """An encoder that a predictor lends (`reml.contract.predictors.Lender`), after its training if it has one.

    predictor: its name in the experiment. encoder: what the predictor calls it.
    """

    predictor: str
    encoder: str


@checked("access")
@dataclass(frozen=True)
class Access:
    """How one information access model is made. With neither retriever nor fuse it gives nothing: a control.

    Args:
        retriever: what it searches with.
        fuse: instead of a retriever, the names of other access models whose rankings are fused.
        fusing: by the sum of reciprocal ranks, or interleaved: items are taken from the rankings in turn.
        query_generator: makes queries of an input; the input itself if left out.
        expansion: changes the queries by what a first search finds (`reml.access.querying.relevance_feedback`).
        processors: change the responses, in order.
        train: how the retriever is trained before it indexes; without it, it is used as it comes.
        lent: the encoder that the retriever indexes with is a predictor's: what that learnt, this finds by.
        feedback: instead of a retriever, that of another access model, and how it learns from the predictor.
        collection: the name of its collection under `collections`; that of each task's source if left out.
        depth: hits that are searched for, processed and kept; `reading.depth` if left out.
        k: items that are handed over; `reading.k` if left out.
        budget: how often a predictor may ask; as often as it likes if left out.
        temperature: what scores are divided by where they stand for probabilities.
        order: in which the k items are read: best_first, best_last or by_page (`reml.access.presenting.order`).
        storage: keeps what the predictor writes, to be found by later batches (`reml.access.storing`).
    """

    retriever: Indexer | None = None
    fuse: Sequence[str] = ()
    fusing: Fusing = "reciprocal_rank"
    query_generator: QueryGenerator | None = None
    processors: Sequence[ResponseProcessor] = ()
    expansion: QueryExpansion | None = None
    train: RetrieverTraining | None = None
    feedback: AccessFeedback | None = None
    collection: str | None = None
    depth: Count | None = None
    k: Count | None = None
    budget: Budget | None = None
    temperature: Positive = 1.0
    order: Order = "best_first"
    storage: Storage | None = None
    lent: Lent | None = None

    def __post_init__(self) -> None:
        self._check_parts()
        if self.collection is not None and (self.retriever is None or self.fuse):
            raise ValueError(
                "an access model without a retriever of its own searches no collection: leave out `collection`, or "
                "give it to the access models that it fuses or learns with."
            )

    def _check_parts(self) -> None:
        if self.storage is not None and not self.retrieves:
            raise ValueError(
                "an access model that stores searches what it stored with a retriever of its own, or with one that "
                "learnt from feedback: leave out `storage`, or leave out `fuse` and give it a retriever."
            )
        if self.feedback is not None and (self.retriever is not None or self.fuse):
            raise ValueError(
                "an access model with feedback takes the retriever of its `learner`: leave out its own retriever and "
                "fuse, and give them to the access model that feedback.learner names."
            )
        if self.retriever is not None and self.fuse:
            raise ValueError("an access model has a retriever or fuses others, not both: leave out one of the two.")
        if self.fusing != "reciprocal_rank" and not self.fuse:
            raise ValueError(
                "fusing says how the rankings of others are fused: name them under `fuse`, or leave it out."
            )
        if self.retriever is None and (self.query_generator is not None or self.expansion is not None):
            raise ValueError(
                "an access model without a retriever asks no queries of its own: leave out its query_generator and "
                "expansion, or give them to the access models that are fused."
            )
        if self.lent is not None and (self.train is not None or not isinstance(self.retriever, EncoderIndexer)):
            raise ValueError(
                "a lent encoder goes to a retriever that takes one (`index_with`), such as States or Dense, and learns "
                "with the predictor alone: name such a retriever, and leave out `train`."
            )
        if self.train is not None and not isinstance(self.retriever, TrainableIndexer):
            raise ValueError(
                f"{type(self.retriever).__name__} cannot be trained: leave out `train`, or choose a retriever with "
                "`encoder` and `index_with` (reml/contract/), such as Dense, SNRM or Splade."
            )

    @property
    def needs(self) -> Sequence[str]:
        """The access models that it cannot do without."""
        trained = self.train.needs if self.train is not None else ()
        taught = self.feedback.needs if self.feedback is not None else ()
        return [*self.fuse, *trained, *taught]

    @property
    def retrieves(self) -> bool:
        """Whether it searches with a retriever, its own or one that learnt from feedback."""
        return self.retriever is not None or self.feedback is not None

    @property
    def finds(self) -> bool:
        """Whether it can find anything: it searches, or fuses what others find. Of what cannot nothing is measured."""
        return self.retrieves or bool(self.fuse)

    @property
    def category(self) -> int:
        """1 retrieval only, 2 with storing, 3 with feedback, 4 with both."""
        return 1 + (self.storage is not None) + 2 * (self.feedback is not None)
