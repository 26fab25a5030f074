"""Pages in a real browser, if there is one, as wide as phones, tablets and laptops: nothing is wider than they."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reml.reporting.page import write_whole_page
from reml.reporting.report import write_report
from reml.reporting.table import Table

# Tells the frame's owner how wide the page is, and what in it can be scrolled sideways.
TELL = """<script>addEventListener("load", () => {
document.querySelectorAll("details").forEach((one) => (one.open = true));
const root = document.documentElement, wide = (one) => one.scrollWidth > one.clientWidth + 1;
const scrolls = [...document.querySelectorAll(".scroll, pre, .question")].filter(wide).map((one) => one.ariaLabel);
parent.postMessage(`${root.clientWidth} ${root.scrollWidth} ${scrolls}`, "*");
});</script></body>"""
FRAME = """<iframe src="{page}" style="border: 0; width: {width}px; height: 900px"></iframe><p id="told"></p>
<script>addEventListener("message", (event) => (document.getElementById("told").textContent = event.data))</script>"""


def told(page: Path, width: int) -> str:
    """Give the width of the window and of the page in it, and the names of what can be scrolled sideways."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    text = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    page.with_name("copy.html").write_text(text.replace("</body>", TELL), encoding="utf-8")
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(page="copy.html", width=width), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    command = [browser, *options, "--window-size=1600,1000", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (found,) = re.findall('<p id="told">(.*?)</p>', shown)
    return html.unescape(found).strip()


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 400, 700, 760, 1000, 1280])
def test_a_report_fits_every_screen(run: Path, width: int) -> None:
    assert told(write_report(run), width) == f"{width} {width}"


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 400, 1000, 1280])
def test_a_page_of_tables_fits_every_screen(tmp_path: Path, width: int) -> None:
    figures = ("factbook_qa", "closed_book", "KILT-accuracy", "100", *["0.850 [0.767, 0.907]"] * 2, "+0.010", "1.0000")
    columns = ("task", "access", "measure", "n", "A", "B", "A - B", "p")
    long = Table(("setting", "A"), frozenset({"setting"}), [(".".join(["access"] * 12), "x" * 48)])
    tables = [Table(columns, frozenset(columns[:3]), [figures] * 3, "figures", apart="task"), long]
    values = {"title": "t", "heading": "h", "tables": tables, "pairs": []}
    write_whole_page(tmp_path / "page.html", "reml.comparison.runs/page.html", values)
    assert told(tmp_path / "page.html", width) == f"{width} {width}"
