"""New networks of SNRM: the words of a collection counted, and first weights from codes or at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import Stemmer
import torch

from reml.contract.collections import Collection
from reml.contract.vectors import Float32Array, Int64Array
from reml.retrievers.snrm.codes import WORD_VECTORS, codes, loudness
from reml.retrievers.snrm.lexicon import Lexicon
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.retrievers.snrm.related import RelatedWords
from reml.retrievers.snrm.word_vectors import first_words, read_word_vectors
from reml.text.analysis import Analyser, Vocabulary

# Items whose terms are counted at a time.
BATCH = 4_096
PAPER_HIDDEN = (300, 100)


@dataclass(frozen=True, eq=False)
class Counted:
    """The words of a collection.

    frequencies: in how many items each number of the lexicon stands, padding left out. items: how many there are. mean:
    words of an item.
    """

    lexicon: Lexicon
    frequencies: Int64Array
    items: int
    mean: float

    @property
    def words(self) -> list[str]:
        """The word of each number; none of the rows that words share."""
        return [*self.lexicon.terms, *[""] * self.lexicon.rare]


def counted(
    collection: Collection, analyser: Analyser, *, least: int, rare: int, common: Sequence[str], title: bool
) -> Counted:
    """Count the words of a collection.

    least: items that a word must stand in to be known; others share `rare` rows. common: words that are known as well.
    title: whether items have theirs. `ValueError` if no word is known.
    """
    vocabulary, found, total = Vocabulary(analyser), np.zeros(0, dtype=np.int64), 0
    for items in collection.batches(BATCH):
        counts = vocabulary.learn([item.full_text(title=title) for item in items])
        found = np.pad(found, (0, len(vocabulary) - len(found)))
        np.add.at(found, counts.numbers, 1)
        total += int(counts.counts.sum())
    frequent = [vocabulary.terms[number] for number in np.flatnonzero(found >= least)]
    if not frequent:
        raise ValueError(f"no term stands in {least} of the collection's {len(collection)} items: lower min_count.")
    lexicon = Lexicon(analyser, list(dict.fromkeys([*frequent, *common])), rare)
    frequencies = np.zeros(len(lexicon), dtype=np.int64)
    np.add.at(frequencies, [lexicon.number_of(term) for term in vocabulary.terms], found)
    return Counted(lexicon, frequencies[1:], len(collection), total / len(collection))


def common_words(embeddings: str, count: int, analyser: Analyser) -> list[str]:
    """Give what the analyser makes of the first words of embeddings; a word of several terms is left out."""
    analysed = map(analyser, first_words(embeddings, count))
    return [terms[0] for terms in analysed if len(terms) == 1]


def at_random(known: Counted, vectors: Float32Array, layers: Layers) -> NgramNetwork:
    """Make a network of random weights over word vectors, as the paper's."""
    network = NgramNetwork(known.lexicon, torch.from_numpy(vectors), layers.of_hidden(PAPER_HIDDEN), start="random")
    network.words_of_item.fill_(known.mean)
    return network


def stems_of(known: Counted, stemmer: str) -> list[str]:
    """Give the stem of each word; a row that words share has one of its own."""
    stems: list[str] = Stemmer.Stemmer(stemmer).stemWords(list(known.lexicon.terms))
    return [*stems, *(f" {row}" for row in range(known.lexicon.rare))]


def from_codes(
    known: Counted,
    vectors: Float32Array | None,
    layers: Layers,
    *,
    stems: Sequence[str],
    width: int,
    seed: int,
    related: RelatedWords | None = None,
) -> NgramNetwork:
    """Make a network in which each word switches on two outputs (`reml.retrievers.snrm.codes`).

    vectors: of words, which lie beside the codes and count nothing at first. width: of the codes. related: has the last
    of the outputs, and its vectors the place of `vectors`. `ValueError` for hidden layers that cannot carry them.
    """
    generator = np.random.default_rng(seed)
    outputs = layers.width - (0 if related is None else len(related.directions))
    if outputs < 2:
        raise ValueError(f"{layers.width} outputs leave none for codes beside those that are related: raise `width`.")
    made = codes(stems, known.frequencies, outputs=outputs, width=width, generator=generator)
    loud = loudness(known.frequencies, known.items)[:, None]
    beside = [] if vectors is None else [WORD_VECTORS * vectors]
    if related is not None:
        beside = [related.vectors]
    embeddings = loud * np.concatenate([made.vectors, np.ones_like(loud), *beside], axis=1)
    hidden = (2 * embeddings.shape[1],)
    form = layers.of_hidden(hidden)
    if form.hidden != hidden:
        raise ValueError(
            f"a start from codes takes one hidden layer of {hidden[0]}, twice the width of its embeddings, not "
            f"{layers.hidden!r}: leave out `hidden`, or give `start: random`."
        )
    weighed = 0 if related is None else len(related.directions)
    network = NgramNetwork(known.lexicon, torch.from_numpy(embeddings), form, start="codes", related=weighed)
    network.words_of_item.fill_(known.mean)
    network.set_codes(made, related)
    return network


def drawn_vectors(embeddings: str | None, words: Sequence[str], width: int, seed: int) -> Float32Array:
    """Give a vector for each word for a start at random; where `embeddings` has none, one of like spread."""
    generator = np.random.default_rng(seed)
    if embeddings is None:
        return generator.normal(0.0, 1.0, size=(len(words), width)).astype(np.float32)
    return standardised(read_word_vectors(embeddings, words, generator))


def known_vectors(embeddings: str | None, words: Sequence[str]) -> Float32Array | None:
    """Give a vector of length 1 for each word that `embeddings` has, 0 for others, for a start from codes."""
    if embeddings is None:
        return None
    vectors = read_word_vectors(embeddings, words)
    there = vectors.any(axis=1)
    vectors[there] = standardised(vectors[there]) / vectors.shape[1] ** 0.5
    return vectors


def standardised(vectors: Float32Array) -> Float32Array:
    """Take the mean away from vectors [V, D] and give each the length sqrt(D); GloVe's share a long mean."""
    centred = vectors - vectors.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    scaled: Float32Array = (centred * vectors.shape[1] ** 0.5 / lengths).astype(np.float32)
    return scaled
