from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reml.benchmarks.kilt import tables
from reml.benchmarks.kilt.page import write_page
from reml.benchmarks.kilt.published import read_published
from reml.comparison.comparisons import comparisons
from reml.comparison.matrix import Matrix
from reml.reporting.table import Table
from tests.benchmarks.kilt.small_matrix import matrix


def written(path: Path, given: Matrix) -> str:
    grids = {
        "figures": tables.figures(given),
        "costs": tables.costs(given),
        "tests": tables.paired(given, comparisons(given)),
        "published": tables.beside(given, read_published(), {"nq": ["<script>"], "places": []}),
    }
    write_page(path, given, tables=grids, manifest={"name": "small & <sound>", "config": {"reading": "</pre>"}})
    return path.read_text(encoding="utf-8")


def test_the_page_shows_all_and_needs_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path / "report.html", matrix())
    assert page.startswith("<!doctype html>")
    sections = re.findall(r'<section id="(\w+)">', page)
    assert sections == ["figures", "reports", "costs", "tests", "published", "origin"]
    assert all(f'href="#{section}"' in page for section in sections)
    assert "<h1>small &amp; &lt;sound&gt;</h1>" in page
    assert "&lt;/pre&gt;" in page
    assert "<script" not in page, "texts are never markup"
    assert not re.search(r"https?:|@import|src=", page)
    assert page.count('<svg viewBox="0 0 360') == 2, "score against cost, a task each"
    assert ">41.7 ± 105.9<" in page
    assert ">53.0<" in page


def test_each_cell_links_to_its_examples(tmp_path: Path) -> None:
    page = written(tmp_path / "report.html", matrix())
    links = re.findall(r'href="([^"]*/report\.html#[^"]*)"', page)
    assert len(links) == 8
    assert links[0].endswith("home/runs/small-0/report.html#task=nq&amp;access=bm25")
    assert not links[0].startswith("/"), "relative, so that the folder can be moved"


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    empty = Table(("task",), frozenset({"task"}), [])
    path, given = tmp_path / "report.html", matrix()
    grids = {"figures": tables.figures(given), "costs": empty, "tests": empty, "published": empty}
    write_page(path, given, tables=grids, manifest={"name": "small"})
    assert path.read_text().count("Nothing to show.") == 3


@pytest.mark.slow
def test_a_browser_shows_it_without_complaint(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    written(tmp_path / "report.html", matrix())
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    address = (tmp_path / "report.html").as_uri()
    told = subprocess.run(
        [browser, *options, "--enable-logging=stderr", "--dump-dom", address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "CONSOLE" not in told.stderr
    assert "Published results" in told.stdout
