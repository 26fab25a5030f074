"""The report: whole, escaped, free of outside requests; its filters in a real browser where there is one."""

from __future__ import annotations

import html
import itertools
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reml.contract.examples import Json
from reml.evaluation.cases import PREDICTED, Outcome
from reml.files.atomic import read_manifest, write_manifest
from reml.reporting.amounts import duration, memory
from reml.reporting.report import write_report
from tests.reporting.conftest import HOSTILE, make_former

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Reads a page, checks that tags nest, and gathers what stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(run: Path) -> Page:
    return Page(write_report(run).read_text(encoding="utf-8"))


def test_it_is_whole(page: Page) -> None:
    assert page.open == []
    assert [attributes["id"] for attributes in page.of("section")] == [
        "results",
        "retrieval",
        "differences",
        "training",
        "examples",
        "origin",
    ]
    assert page.of("html") == [{"lang": "en"}]


def test_nothing_is_asked_of_the_outside(page: Page) -> None:
    links = [(name, attributes[key]) for name, attributes in page.tags for key in ("src", "href") if key in attributes]
    assert links
    assert all(value.startswith(("#", "data:,")) for _, value in links)
    style = "".join(text for tag, text in page.texts if tag == "style")
    script = "".join(text for tag, text in page.texts if tag == "script")
    assert not re.search(r"url\(|@import|https?:", style)
    assert not re.search(r"fetch|XMLHttpRequest|import\(|https?:", script)
    policies = [attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"]


def test_texts_are_never_markup(page: Page) -> None:
    assert len(page.of("script")) == 1
    assert page.of("img") == []
    assert sum("<script>alert('x')</script>" in text for _, text in page.texts) > 10


def cells(report: str, section: str) -> list[list[str]]:
    """Give the texts of the rows of a section's first task, without space; the first row says which it is."""
    part = report.split(f'<section id="{section}">')[1]
    title = part.partition("<summary>")[2].partition("<")[0].strip()
    return [[title], *_rows(report, section)]


def _rows(report: str, section: str) -> list[list[str]]:
    table = report.split(f'<section id="{section}">')[1].partition("</table>")[0].partition("</thead>")[2]
    rows = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in table.split("<tr")[1:]]
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in rows]


def test_what_is_retrieved_and_what_is_predicted_stand_apart_with_intervals(run: Path) -> None:
    # bm25 ranks two of four right pages first, and its reader names one of them first.
    assert cells(write_report(run).read_text(encoding="utf-8"), "results") == [
        ["qa: em, n = 4"],
        [
            "bm25",
            "50.0 [15.0, 85.0]",
            "75.0 [30.1, 95.4]",
            "50.0 [15.0, 85.0]",
            "25.0 [4.6, 69.9]",
            "25.0 [4.6, 69.9]",
        ],
        ["dense", *["100.0 [51.0, 100.0]"] * 5],
    ]


def test_the_best_is_bold(page: Page) -> None:
    bold = [text for tag, text in page.texts if tag == "strong"]
    assert set(bold[:5]) == {"100.0"}


def test_its_title_is_the_experiment_s_name(page: Page) -> None:
    said = {tag: text for tag, text in page.texts if tag in {"h1", "title"} and "capitals" in text}
    assert said["h1"].startswith("capitals <script>")
    assert said["title"].startswith("reml: capitals <script>")


def test_all_figures_of_access_models_have_a_table_of_their_own(run: Path) -> None:
    (title, bm25, dense) = cells(write_report(run).read_text(encoding="utf-8"), "retrieval")
    assert title == ["qa, n = 4"]
    assert bm25[0] == "bm25"
    assert [one.split()[0] for one in bm25[1:]] == ["50.0", "50.0", "75.0", "75.0", "62.5", "65.8", "75.0", "100.0"]
    assert [one.split()[0] for one in dense[1:]] == ["100.0"] * 8


def test_a_folder_of_a_former_version_says_what_it_lacks(run: Path) -> None:
    make_former(run)
    report = write_report(run).read_text(encoding="utf-8")
    assert "A former version of reml made this folder" in report
    assert cells(report, "results") == [
        ["qa: em"],
        ["bm25", "50.0", "25.0", "25.0"],
        ["dense", "100.0", "100.0", "100.0"],
    ]
    sections = [attributes["id"] for attributes in Page(report).of("section")]
    assert sections == ["results", "training", "examples", "origin"]


def test_differences_are_told_with_their_intervals_and_corrected(page: Page) -> None:
    said = [text for tag, text in page.texts if tag == "td"]
    at = said.index("score") if "score" in said else said.index("em")
    # Differences -.5: of the 4 ways to sign the two pairs that differ, 2 are as extreme.
    assert said[at - 1 : at + 7] == ["prediction", "em", "bm25", "dense", "-50.0", "[-100.0, +0.0]", "0.5000", "0.5000"]
    tested = {(of, figure) for of, figure in itertools.pairwise(said) if of in {"prediction", "retriever"}}
    assert {("prediction", "provenance"), ("retriever", "R-precision")} <= tested, "two things, as in the table"
    assert ("prediction", "R-precision") not in tested


def test_each_outcome_has_its_example_side_by_side(page: Page) -> None:
    parts = [attributes for attributes in page.of("div") if "data-outcome" in attributes]
    shown = [(part["data-access"], part["data-outcome"]) for part in parts]
    assert shown == [
        *(("bm25", "right"), ("dense", "right")),
        *(("bm25", "wrong-provenance"), ("dense", "right")),
        *(("bm25", "not-used"), ("dense", "right")),
        *(("bm25", "missed"), ("dense", "right")),
    ]
    assert {article["data-task"] for article in page.of("article")} == {"qa"}
    options = {attributes["value"] for attributes in page.of("option")}
    assert {"", "qa", "bm25", "dense", *(outcome for _, outcome in shown)} == options
    core = set(PREDICTED) - {Outcome.WRONG}
    assert {outcome.value for outcome in core} <= {text for tag, text in page.texts if tag == "option"}


def test_narrow_screens_fold_tables_whose_cells_say_what_they_are(page: Page) -> None:
    folded = [attributes for attributes in page.of("table") if "fold" in attributes.get("class", "").split()]
    lines = [attributes for attributes in page.of("div") if "lines" in attributes.get("class", "").split()]
    facts = 3  # tables of a name and a value a row, which need no folding
    assert len(folded) == 3
    assert len(lines) == len(page.of("table")) - len(folded) - facts
    labels = [attributes["data-label"] for attributes in page.of("td") if "data-label" in attributes]
    assert labels[:5] == [
        "Retrieved: R-precision",
        "Retrieved: recall@5",
        "Predicted: score",
        "Predicted: KILT score",
        "Predicted: provenance",
    ]
    assert "@media (max-width: 44rem)" in "".join(text for tag, text in page.texts if tag == "style")


def test_tasks_fold_and_say_what_is_best_while_they_are(page: Page) -> None:
    folds = [attributes for attributes in page.of("details") if attributes.get("class") == "task"]
    assert ["open" in attributes for attributes in folds] == [True, True, False, True], "but the tests of differences"
    briefs = [text for tag, text in page.texts if tag == "span" and text.startswith(("best ", "4 examples"))]
    assert briefs == ["best em: dense 100.0", "best R-precision: dense 100.0", "4 examples"]


@pytest.mark.parametrize("each", [1, 3])
def test_how_the_examples_were_chosen_is_said(run: Path, each: int) -> None:
    shown = write_report(run, each).read_text(encoding="utf-8")
    assert f"of each task, the first {each} of every outcome of every access model." in shown


def test_answers_are_marked_in_passages_and_hits_told(page: Page) -> None:
    assert {text for tag, text in page.texts if tag == "mark"} == {"OSLO"}
    spans = [text for tag, text in page.texts if tag == "span"]
    assert spans.count("right page") == 3 + 4
    assert spans.count("other page") == 4
    assert "Page 2: found at 2" in [text for tag, text in page.texts if tag == "li"]
    assert "Page 4: not found" in [text for tag, text in page.texts if tag == "li"]


def test_origin_tells_costs_versions_and_configuration(page: Page) -> None:
    texts = {text for _, text in page.texts}
    assert {"1 min 01 s", "3.00 GiB", "from cache", "torch", "2.13", "qa dev", "beef"} <= texts
    labels = [attributes["data-label"] for attributes in page.of("td") if "data-label" in attributes]
    assert labels.count("peak memory") == 2, "of the only part, and of all"
    assert {"index", "1 min 00 s", "7 MiB", "all"} <= texts
    assert "All 1 stages" in texts
    assert any('"name": "<script>' in text for tag, text in page.texts if tag == "pre")


def test_without_training_there_is_no_such_section(run: Path) -> None:
    shutil.rmtree(run / "training")
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert "training" not in [attributes["id"] for attributes in page.of("section")]


def curves(run: Path) -> dict[str, list[str]]:
    """Give what the training curves of a report say, by stage: each title, then each point."""
    report = write_report(run).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for tag, text in Page(report.split('<section id="training">')[1].split("</section>")[0]).texts:
        if tag == "h3":
            found[text] = []
        elif tag in {"figcaption", "title"}:
            found[list(found)[-1]].append(text)
    return found


def test_each_training_has_its_curves(run: Path) -> None:
    log = run / "training" / "metrics.csv"
    shutil.copytree(run / "training", run / "training" / "teach dense")
    loss = ["Loss", "train/loss: 3.5 at 0", "train/loss: 1.5 at 20"]
    score = ["Scores on dev", "dev/score: 0.25 at 10"]
    assert curves(run) == {"train the predictor": [*loss, *score], "teach dense": [*loss, *score]}
    log.unlink()
    assert curves(run) == {"teach dense": [*loss, *score]}


REFRESHED = (
    "1,index/age,0.0\n1,index/age_retrieved,0.0\n2,index/age,1.0\n2,index/age_retrieved,0.5\n2,index/overlap,0.75\n"
)
AGE, OVERLAP = "Mean age of vectors, in steps", "Overlap of top k at a refresh"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            REFRESHED,
            [
                AGE,
                "all vectors: 0 at 1",
                "all vectors: 1 at 2",
                "those retrieved: 0 at 1",
                "those retrieved: 0.5 at 2",
                OVERLAP,
                "share of items that stay: 0.75 at 2",
            ],
        ),
        ("1,index/age,0.0\n2,index/age,1.0\n", [AGE, "all vectors: 0 at 1", "all vectors: 1 at 2"]),
        ("1,index/age,0.0\n2,index/age,0.0\n", []),
        ("", []),
    ],
    ids=["refreshed", "never refreshed", "vectors that never age", "lists retrieved before"],
)
def test_staleness_is_shown_where_there_is_any(run: Path, log: str, expected: list[str]) -> None:
    (run / "training" / "teach dense").mkdir()
    (run / "training" / "teach dense" / "metrics.csv").write_text(f"step,name,value\n1,train/loss,2\n{log}")
    assert curves(run)["teach dense"] == ["Loss", "train/loss: 2 at 1", *expected]


def test_durations_and_sizes_are_told_as_a_person_would() -> None:
    assert [duration(seconds) for seconds in (0.04, 59.9, 60, 3600, 7260.4, None)] == [
        "0.0 s",
        "59.9 s",
        "1 min 00 s",
        "1 h 00 min",
        "2 h 01 min",
        "–",
    ]
    assert [memory(size) for size in (5 << 20, 1 << 30, "?")] == ["5 MiB", "1.00 GiB", "–"]


def test_what_effectiveness_costs_is_shown_where_steps_are_known(run: Path) -> None:
    heading = "What effectiveness costs"
    assert heading not in write_report(run).read_text(encoding="utf-8")
    manifest = read_manifest(run, "run")
    step: dict[str, Json] = {"name": "search", "queries": 4, "items": 8, "seconds": 0.002, "examples": 4}
    rank: dict[str, Json] = {**step, "name": "Rerank", "seconds": 0.2}
    steps: dict[str, Json] = {"qa": {"bm25": [step], "dense": [step, rank]}, HOSTILE: {"bm25": [step]}}
    write_manifest(run, "run", {**manifest, "steps": steps})
    report = write_report(run).read_text(encoding="utf-8")
    part = report.split(f"{heading}</h3>")[1].split("</section>")[0]
    page = Page(part)
    assert [text for tag, text in page.texts if tag == "figcaption"] == ["qa: nDCG@10"]
    (drawn,) = page.of("svg")
    assert drawn["aria-label"].startswith("qa: nDCG@10, over milliseconds a question. frontier of bm25, dense: ")
    assert drawn["aria-label"].endswith("; dense: 1 at 50.5")
    assert {"bm25", "dense"} <= {text for tag, text in page.texts if tag == "text"}


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "shown"), [("", 4), ("missed", 1), ("right", 4)])
def test_filters_work_in_a_browser(run: Path, outcome: str, shown: int) -> None:
    report = write_report(run)
    choose = f"filters.outcome.value = '{outcome}'; filters.dispatchEvent(new Event('change'));"
    report.write_text(report.read_text(encoding="utf-8").replace("</script>\n</body>", f"{choose}</script>\n</body>"))
    assert_shown(report.as_uri(), shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("#examples", 4),
        ("#task=qa&access=bm25", 4),
        ("#outcome=right&access=bm25", 1),
        ("#outcome=missed&access=dense", 0),
        ("#task=qa", 4),
    ],
)
def test_a_link_chooses_examples_in_a_browser(run: Path, link: str, shown: int) -> None:
    assert_shown(write_report(run).as_uri() + link, shown)


def assert_shown(address: str, shown: int) -> None:
    """Open a report in a real browser, if there is one, and count the examples of 4 that it shows."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
    ]
    told = subprocess.run([browser, *options, "--dump-dom", address], capture_output=True, text=True, check=True)
    page = Page(told.stdout)
    assert sum("hidden" not in attributes for attributes in page.of("article")) == shown
    assert f"{shown} of 4 examples shown." in html.unescape(told.stdout)
    assert "CONSOLE" not in told.stderr
