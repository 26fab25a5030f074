from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from reml.benchmarks.ingest.page import write_page
from tests.benchmarks.ingest.small_result import result


def test_the_page_shows_all_and_needs_nothing_else(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", result("<x>"))
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert re.findall(r'(?:src|href)="[^"]*"', page) == ['href="data:,"']
    assert page.count("<table") == 3, "builds, rates and growth"
    assert page.count('<svg viewBox="0 0 360') == 5, "wall, CPU, memory, disk, passages"
    assert "load before the run was 0.2" in page
    assert "1 files DIFFER from the undisturbed build: &lt;x&gt;." in page
    assert ">5,904<" in page, "the seconds at 5.9 million pages"


def test_one_size_has_no_growth(tmp_path: Path) -> None:
    given = result()
    write_page(tmp_path / "page.html", replace(given, builds=given.builds[:1], growths=[]))
    page = (tmp_path / "page.html").read_text()
    assert "Growth" not in page
    assert "All 7 files" in page
