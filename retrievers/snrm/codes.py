"""Where SNRM starts from when it starts from codes: each word switches on two outputs, its own and that of its stem.

Set from the statistics of the collection, without any training: a sketch of the matching of words and stems weighted by
their rarity, in as many dimensions as the network has outputs. The paper starts from GloVe and random weights instead,
and trains long on a query log.

    e_w = idf_w [u_w ; 1 ; GloVe_w / 2]      a_j . u_w = 1 for the two outputs j of w
    output_j = ReLU(a_j . x - theta l) / ((1 - theta) sqrt(2))      x, l: the first two parts of e_w

a_j are random unit vectors, so that other outputs than its own see a noise of 1 / sqrt(width of u) of a word, which the
threshold theta holds back; since it is scaled by the loudness l = idf_w, values are idf_w / sqrt(2), and 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.vectors import Float32Array, Int64Array

# Outputs among which the one with the fewest postings is taken.
CHOICES = 8
THRESHOLD = 0.6
WORD_VECTORS = 0.5


@dataclass(frozen=True, eq=False)
class Codes:
    """outputs: of each word, int64 [n, 2]. directions: a_j, float32 [outputs, D]."""

    outputs: Int64Array
    directions: Float32Array

    @property
    def vectors(self) -> Float32Array:
        """The part u of each word, [n, D], which both of its outputs see as 1."""
        own, stem = (self.directions[self.outputs[:, place]] for place in (0, 1))
        likeness = np.einsum("nd,nd->n", own, stem)[:, None]
        both: Float32Array = ((own + stem) / (1.0 + likeness)).astype(np.float32)
        return both


def codes(
    stems: Sequence[str], frequencies: Int64Array, *, outputs: int, width: int, generator: np.random.Generator
) -> Codes:
    """Give the codes of words.

    stems: of each word. frequencies: in how many items each stands. outputs: how many there are. width: D.
    """
    directions = generator.normal(size=(outputs, width)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distinct, stem_of = np.unique(np.array(stems, dtype=object).astype(str), return_inverse=True)
    postings = [0] * outputs
    own = _spread(frequencies, postings, generator)
    of_stems = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(of_stems, stem_of, frequencies)
    shared = _spread(of_stems, postings, generator)[stem_of]
    # A word needs two outputs: where both are the same by chance, the stem's is moved to the next for this word.
    shared = np.where(shared == own, (shared + 1) % outputs, shared)
    return Codes(np.stack([own, shared], axis=1), directions)


def _spread(frequencies: Int64Array, postings: list[int], generator: np.random.Generator) -> Int64Array:
    """Give everyone an output so that postings are even: the most frequent first, each the emptiest of a few."""
    choices = generator.integers(0, len(postings), size=(len(frequencies), CHOICES)).tolist()
    taken = np.empty(len(frequencies), dtype=np.int64)
    loads = frequencies.tolist()
    for place in np.argsort(-frequencies, kind="stable").tolist():
        output = min(choices[place], key=postings.__getitem__)
        postings[output] += loads[place]
        taken[place] = output
    return taken


def loudness(frequencies: Int64Array, items: int) -> Float32Array:
    """Give the idf of words that stand in so many of the items, as BM25 has it."""
    idf: Float32Array = np.log1p((items - frequencies + 0.5) / (frequencies + 0.5)).astype(np.float32)
    return idf
