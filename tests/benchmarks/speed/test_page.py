from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from reml.benchmarks.speed.page import write_page
from tests.benchmarks.speed.small_result import result


def test_the_page_shows_all_and_needs_nothing_else(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", result(), ("slow",))
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert re.findall(r'(?:src|href)="[^"]*"', page) == ['href="data:,"']
    assert "@import" not in page
    assert "bm25, 100,000 items (synthetic)" in page
    assert "how many times as fast as slow" in page
    assert page.count("<table") == 5, "two for each size, one of growth"
    # 2 sizes x 2 k of percentiles; growth: build, memory x 2, disk, and p50 and p99 at 2 k.
    assert page.count('<svg viewBox="0 0 360') == 4 + 8
    assert "it &lt;fell&gt;" in page
    assert ">22,000<" in page, "the CPU seconds of slow at 22 million"


def test_one_size_has_no_plot_of_growth(tmp_path: Path) -> None:
    given = result()
    small = replace(given, comparisons=given.comparisons[:1], growths=[], skipped=[])
    write_page(tmp_path / "page.html", small, ("slow",))
    page = (tmp_path / "page.html").read_text()
    assert "Growth" not in page
    assert "Nothing." in page


def test_a_comparison_without_figures_says_so(tmp_path: Path) -> None:
    given = result()
    none = replace(given, comparisons=[replace(given.comparisons[0], engines=())], growths=[])
    write_page(tmp_path / "page.html", none, ("slow",))
    assert "No engine has figures" in (tmp_path / "page.html").read_text()
