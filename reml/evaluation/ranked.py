"""nDCG, reciprocal rank and their like, computed by ir-measures from TREC files (`reml.evaluation.trec`).

MacAvaney, Macdonald and Ounis, "Streamlining Evaluation with ir-measures", ECIR 2022, https://ir-measur.es: measures
are named as there, `nDCG@10`, `RR@10`, `R@100`, `AP`, and computed with trec_eval's own code.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reml.contract.arguments.extras import install_hint
from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import several

MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")


@takes_paths
def ranked_measures(run: Path, relevance: Path, measures: Sequence[str] = MEASURES) -> dict[str, float]:
    """Average measures over all questions that `relevance` judges; one without a ranking scores 0.

    `ValueError` names a measure that is not known or a file that is not TREC's, `ImportError` the command that installs
    ir-measures.
    """
    try:
        import ir_measures
    except ImportError as error:
        raise ImportError(f"{error}. Install what computes these measures: {install_hint('measures')}.") from error
    try:
        parsed = {name: ir_measures.parse_measure(name) for name in several(measures, "measures")}
    except (NameError, ValueError, SyntaxError) as error:
        raise ValueError(
            f"{error}: name measures as https://ir-measur.es does, such as {', '.join(MEASURES)}."
        ) from error
    try:
        judged = list(ir_measures.read_trec_qrels(str(relevance)))  # type: ignore[no-untyped-call]
        ranked = list(ir_measures.read_trec_run(str(run)))  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ValueError(f"{run} or {relevance} is not as TREC prescribes: {error}.") from error
    found = ir_measures.calc_aggregate(list(parsed.values()), judged, ranked)
    return {name: float(found[measure]) for name, measure in parsed.items()}
