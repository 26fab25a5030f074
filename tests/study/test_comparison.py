from __future__ import annotations

import numpy as np
import pytest

from reml.evaluation.significance import holm, randomisation_test
from reml.experiment.plan.store import Stage
from reml.study.cells import PASSAGES, Cell
from reml.study.comparison import average, gains
from reml.study.page import write_page
from reml.study.plan import Condition
from reml.study.tables import averages, cells_csv, gained, gains_csv

FROZEN, PDIST, UNTRAINED, LOOP = (
    Condition("d"),
    Condition("d", "pdist"),
    Condition("d", "pdist", "untrained"),
    Condition("d", "loop"),
)
# One example in two is found by the frozen retriever; the objective finds all but the last, by seed 0, or all, by 1.
SCORES = {
    FROZEN: ([1, 0] * 8, [1, 0] * 8),
    UNTRAINED: ([1, 0] * 8, [0, 1] * 8),
    PDIST: ([1] * 15 + [0], [1] * 16),
    LOOP: ([1, 0] * 7 + [1, 1], [1, 0] * 8),
}


def cells() -> list[Cell]:
    return [
        Cell(
            condition,
            seed,
            "t",
            {name: np.array(values, dtype=np.float64) for name in ("Rprec", *PASSAGES)},
            None if condition == FROZEN else Stage("teach", "k", None, 2.0 + seed, 1 << 20, cached=False),  # type: ignore[arg-type]
            ((1, 0.5), (2, 0.25)),
        )
        for condition, both in SCORES.items()
        for seed, values in enumerate(both)
    ]


def test_an_average_has_student_s_interval_over_seeds() -> None:
    """Of 1, 2, 3: standard error 1 / sqrt(3), and Student's 4.3027 for two degrees of freedom."""
    found = average([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.interval is not None
    assert found.interval.high - 2.0 == pytest.approx(4.30265 / 3**0.5, rel=1e-5)
    assert average([0.4]).interval is None


def test_gains_are_over_the_frozen_retriever_and_the_own_controls() -> None:
    found = gains(cells(), "t", "Rprec")
    assert [(one.condition, one.over) for one in found] == [(PDIST, FROZEN), (PDIST, UNTRAINED), (LOOP, FROZEN)]
    assert [one.difference for one in found] == pytest.approx([15.5 / 16 - 0.5, 15.5 / 16 - 0.5, 0.5 / 16])
    assert all(one.interval.low <= one.difference <= one.interval.high for one in found)


def test_p_values_are_of_scores_averaged_over_seeds_and_corrected_within_a_control() -> None:
    found = gains(cells(), "t", "Rprec")
    means = {one: np.mean(both, axis=0) for one, both in SCORES.items()}
    raw = [randomisation_test(means[PDIST], means[FROZEN]), randomisation_test(means[LOOP], means[FROZEN])]
    assert [found[0].p, found[2].p] == raw
    assert [found[0].corrected, found[2].corrected] == holm(raw)
    assert found[1].corrected == found[1].p, "alone in its family"
    assert found[0].corrected < 0.05 < found[2].corrected


def test_tables_show_what_was_found(tmp_path: pytest.TempPathFactory) -> None:
    grid = averages(cells(), list(SCORES), "t", ["Rprec"])
    assert grid.rows[0] == ("d", "frozen", "0.500 ±0.000", "-", "-")
    assert grid.rows[1][:2] == ("d", "pdist, untrained")
    assert grid.rows[2][2:] == (f"0.969 ±{12.7062 * 0.03125:.3f}", "2.5", "1")
    line = gained(gains(cells(), "t", "Rprec")).rows[1]
    assert line[:5] == ("d", "pdist", "untrained", "Rprec", "+0.469")


def test_csv_holds_every_cell_and_gain() -> None:
    lines = cells_csv(cells()).splitlines()
    assert len(lines) == 1 + 8 * (1 + len(PASSAGES))
    assert "t,d,pdist,,0,Rprec,0.9375,2.0,1048576" in lines
    assert "t,d,frozen,,0,Rprec,0.5,," in lines
    assert gains_csv(gains(cells(), "t", "Rprec")).splitlines()[1].startswith("t,Rprec,d,pdist,frozen,0.46875,")


def test_the_page_has_tables_and_a_plot_of_each_objective(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = gains(cells(), "t", "Rprec")
    write_page(
        tmp_path / "page.html", "a <study>", [averages(cells(), list(SCORES), "t", ["Rprec"]), gained(found)], cells()
    )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a &lt;study&gt;" in page
    assert page.count("<table>") == 2
    for caption in ("d, pdist: answer recall", "d, loop: answer recall", "d, pdist: training loss"):
        assert f"<figcaption>{caption}</figcaption>" in page
