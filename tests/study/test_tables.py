from __future__ import annotations

from pathlib import Path

import pytest

from reml.comparison.comparisons import gains
from reml.study.cells import PASSAGES
from reml.study.page import write_page
from reml.study.tables import all_cells, all_gains, averages, gained
from tests.study.small_matrix import CONDITIONS, SCORES, matrix


def test_tables_show_what_was_found() -> None:
    grid = averages(matrix(), list(SCORES), "t", ["Rprec"])
    assert grid.rows[0] == ["d", "frozen", "0.500 ±0.000", "-", "-"]
    assert grid.rows[1][:2] == ["d", "pdist, untrained"]
    assert grid.rows[2][2:] == [f"0.969 ±{12.7062 * 0.03125:.3f}", "2.5", "1"]
    line = gained(gains(matrix(), list(SCORES), "t", "Rprec"), CONDITIONS, "t").rows[1]
    assert line[:5] == ["d", "pdist", "untrained", "Rprec", "+0.469"]


def test_csv_holds_every_cell_and_gain() -> None:
    lines = all_cells(matrix(), CONDITIONS).comma_separated().splitlines()
    assert len(lines) == 1 + 8 * (1 + len(PASSAGES))
    assert "t,d,pdist,,0,Rprec,0.9375,2.0,1048576" in lines
    assert "t,d,frozen,,0,Rprec,0.5,," in lines
    found = gains(matrix(), list(SCORES), "t", "Rprec")
    written = all_gains(found, CONDITIONS).comma_separated().splitlines()
    assert written[1].startswith("t,Rprec,d,pdist,frozen,0.46875,")


def test_the_page_has_tables_and_a_plot_of_each_objective(tmp_path: Path) -> None:
    found, conditions = gains(matrix(), list(SCORES), "t", "Rprec"), list(SCORES)
    grids = [averages(matrix(), conditions, "t", ["Rprec"]), gained(found, CONDITIONS, "t")]
    write_page(tmp_path / "page.html", "a <study>", grids, matrix=matrix(), conditions=conditions)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a &lt;study&gt;" in page
    assert page.count("<table>") == 2
    for caption in ("d, pdist: answer recall", "d, loop: answer recall", "d, pdist: training loss"):
        assert f"<figcaption>{caption}</figcaption>" in page


@pytest.mark.parametrize("name", ["learner", "objective", "gain over", "measure"])
def test_words_are_set_to_the_left_and_numbers_are_not(name: str) -> None:
    grid = gained(gains(matrix(), list(SCORES), "t", "Rprec"), CONDITIONS, "t")
    assert grid.words & set(grid.columns) == {"learner", "objective", "gain over", "measure"}
    assert name in grid.words
