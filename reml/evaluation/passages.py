"""Measures of the passages that were retrieved, beside KILT's of their pages.

A place of the gold provenance is found where the first passage overlaps it (`reml.collection.evidence`). An output is
one set of evidence, complete where the last of its places is found. Then, as KILT does for pages:

    passage_Rprec            best share, over outputs of R places, of them that the first R passages find
    passage_recall@k         share of the distinct sets of evidence that the first k passages complete
    passage_success_rate@k   1 if the first k passages complete one
    answer_recall@k          1 if one of the first k passages has a right answer (`reml.evaluation.answer_recall`)

A page given without a passage finds only what names the whole page or its title, which every passage carries.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reml.collection.evidence import Region
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Example, Provenance
from reml.evaluation.answer_recall import answer_clues, has_answer
from reml.evaluation.kilt import DEPTHS, Evaluation
from reml.files.records import read_examples


@dataclass(frozen=True, slots=True)
class EvidenceSets:
    """What of an example its passages are judged by: distinct sets of regions, and the right answers."""

    sets: frozenset[frozenset[Region]]
    clues: frozenset[str]

    @classmethod
    def of(cls, example: Example) -> EvidenceSets:
        """Take the sets of the outputs that have provenance."""
        places = (frozenset(map(Region.of, output.provenance)) for output in example.output)
        return cls(frozenset(regions for regions in places if regions), answer_clues(example.answers))


def passage_measure_names(depths: Sequence[int]) -> tuple[str, ...]:
    """Give the names of the measures for these depths, in the order of `passage_scores`."""
    kinds = ("passage_recall", "passage_success_rate", "answer_recall")
    return ("passage_Rprec", *(f"{kind}@{depth}" for kind in kinds for depth in depths))


def passage_scores(wanted: EvidenceSets, retrieved: Sequence[Provenance], depths: Sequence[int]) -> list[float]:
    """Score the passages retrieved for one example, best first."""
    ranks = _first_ranks({region for regions in wanted.sets for region in regions}, retrieved)
    complete = [max(ranks[region] for region in regions) for regions in wanted.sets]
    precision = (sum(ranks[region] <= len(regions) for region in regions) / len(regions) for regions in wanted.sets)
    answered = _first_answer(wanted.clues, retrieved[: max(depths)])
    found = [sum(rank <= depth for rank in complete) for depth in depths]
    return [
        max(precision, default=0.0),
        *(count / len(complete) if complete else 0.0 for count in found),
        *(float(count > 0) for count in found),
        *(float(answered <= depth) for depth in depths),
    ]


def evaluate_passages(
    examples: Iterable[Example], retrieved: Iterable[Sequence[Provenance]], depths: Sequence[int] = DEPTHS
) -> Evaluation:
    """Score the passages retrieved for each example, in the same order, one example in memory at a time."""
    ids, rows, judged = [], [], False
    for example, places in zip(examples, retrieved, strict=True):
        wanted = EvidenceSets.of(example)
        ids.append(example.id)
        rows.append(passage_scores(wanted, places, depths))
        judged = judged or bool(wanted.sets)
    return _evaluation(ids, rows, depths, judged=judged)


@takes_paths
def evaluate_passage_files(gold: Path, guess: Path, depths: Sequence[int] = DEPTHS) -> Evaluation:
    """Score the provenance of the records of `guess` against those of `gold`; `RecordError` if a line is not so.

    What `guess` has no record for scores 0; what has no output in `gold` is not scored. Right answers are held in
    memory, predictions are not.
    """
    wanted = {example.id: EvidenceSets.of(example) for example in read_examples(gold) if example.output}
    rows = {name: [0.0] * len(passage_measure_names(depths)) for name in wanted}
    for prediction in read_examples(guess):
        if prediction.id in wanted:
            places = [place for output in prediction.output for place in output.provenance]
            rows[prediction.id] = passage_scores(wanted[prediction.id], places, depths)
    judged = any(one.sets for one in wanted.values())
    return _evaluation(list(wanted), list(rows.values()), depths, judged=judged)


def _evaluation(
    ids: Sequence[str], rows: Sequence[Sequence[float]], depths: Sequence[int], *, judged: bool
) -> Evaluation:
    """Lay scores out by name. judged: whether any example has evidence; else passages are compared with nothing."""
    names = passage_measure_names(depths)
    values = np.array(rows, dtype=np.float64).reshape(len(ids), len(names))
    columns = {name: values[:, number] for number, name in enumerate(names)}
    unmeasured = () if judged else (name for name in names if name.startswith("passage_"))
    return Evaluation(tuple(ids), columns, unmeasured=frozenset(unmeasured))


def _first_ranks(regions: Iterable[Region], retrieved: Sequence[Provenance]) -> dict[Region, float]:
    ranks: dict[Region, float] = dict.fromkeys(regions, math.inf)
    for rank, place in enumerate(retrieved, start=1):
        given = Region.of(place)
        for region, found in ranks.items():
            if found == math.inf and region.overlaps(given) and (region.is_page or not given.is_page):
                ranks[region] = rank
    return ranks


def _first_answer(clues: frozenset[str], retrieved: Sequence[Provenance]) -> float:
    for rank, place in enumerate(retrieved, start=1):
        if place.text is not None and has_answer(place.text, clues):
            return rank
    return math.inf
