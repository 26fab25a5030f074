"""BM25F: BM25 in which titles count more, or less, than texts.

The simple extension of Robertson, Zaragoza and Taylor (CIKM 2004); `reml.retrievers.bm25.fields` has its formula. A
term's idf is that of the items that have it in the title or the text (in the text, if titles count 0 times), and one k1
and one b serve both. Left out are bm25l and bm25+, in which items gain from terms they do not have.

With a title weight of 1 hits and scores are those of `BM25` to the last bit, with 0 those of `BM25(title=False)`. Only
the settings and the counts in the folder are its own: encoder and retriever are BM25's.

Reached on the 300 dev questions of factbook's qa, passages of 60 words: right page first, right passage first, nDCG@10
of passages .57 .17 .27 with title weight 1, .71 .25 .33 with 2, .78 .28 .37 with 4. The paper's figures are of
collections that are not free (TREC's): not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Share, Weight
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import Retriever
from reml.retrievers.bm25.folder import BM25Folder
from reml.retrievers.bm25.retriever import BM25Retriever
from reml.retrievers.bm25.weighting import Weighting
from reml.text.analysis import RULES, Analyser

FieldVariant = Literal["robertson", "lucene", "atire"]


@checked()
@dataclass(frozen=True, kw_only=True)
class BM25F:
    """Settings of BM25 with weighted titles over a collection.

    k1, b, variant, analyser: as of `BM25`. title_weight: how often a term in the title counts beside one in the text.
    One folder serves all title weights, k1, b and variants: what others need is computed from the counts in it.
    """

    version: ClassVar[int] = RULES  # in the key of what an experiment makes with it

    k1: Weight = 0.9
    b: Share = 0.4
    title_weight: Weight = 1.0
    variant: FieldVariant = "lucene"
    analyser: Analyser = field(default_factory=Analyser)

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build the index of a collection in `folder` in bounded memory, or open it and let it catch up.

        What the collection gained and lost since is taken in at once; nothing is analysed twice. `StaleError` if the
        folder was built by `BM25`, for another collection or with another analyser, `LockedError` while another process
        writes it.
        """
        return BM25Retriever(collection, BM25Folder(folder, self.analyser, title=True, fields=True), self._weighting)

    @property
    def _weighting(self) -> Weighting:
        return Weighting(self.variant, self.k1, self.b, delta=0.0, title_weight=self.title_weight)
