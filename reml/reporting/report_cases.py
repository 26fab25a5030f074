"""The examples of a report: question, passages with the answer marked, prediction and right answers, and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as Tree

from reml.contract.examples import Provenance
from reml.evaluation.cases import RIGHT_FROM, Case, Cell, Outcome, ordered
from reml.evaluation.judgements import Gold
from reml.reporting.markup import element

_PASSAGES = 5
_ANSWERS = 5


def cases_section(cells: Sequence[Cell]) -> Tree.Element:
    """Show what became of the predictions: how many ended in which way, and examples of each to filter."""
    cards = [_card(cell, case) for cell in cells for case in ordered(cell.cases)]
    heading = element("h2", None, "Examples")
    status = element("p", {"id": "shown", "role": "status"}, f"{len(cards)} examples shown.")
    return element(
        "section", {"id": "examples"}, heading, _explanation(), _counts(cells), _filters(cells), status, *cards
    )


def _explanation() -> Tree.Element:
    return element(
        "p",
        None,
        "Right answers divide by whether KILT gives points for their provenance (R-precision 1), wrong ones by whether "
        "all evidence for some right answer was retrieved. "
        f"By F1 or ROUGE an answer is right from {RIGHT_FROM['f1']:g} on.",
    )


def _counts(cells: Sequence[Cell]) -> Tree.Element:
    header = element("tr", None, *(element("th", {"scope": "col"}, name) for name in ("Task", "Access", "Predictions")))
    header.extend(element("th", {"scope": "col", "class": _name(outcome)}, outcome.value) for outcome in Outcome)
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    rows = [_counts_row(cell) for task in tasks for cell in cells if cell.task == task]
    table = element("table", {"class": "counts"}, element("thead", None, header), element("tbody", None, *rows))
    return element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Outcomes"}, table)


def _counts_row(cell: Cell) -> Tree.Element:
    row = element("tr", None, element("th", {"scope": "row"}, cell.task), element("td", None, cell.access))
    row.append(element("td", None, _bar(cell)))
    row.extend(element("td", {"class": "number"}, str(cell.counts[outcome])) for outcome in Outcome)
    return row


def _bar(cell: Cell) -> Tree.Element:
    total, start = max(1, sum(cell.counts.values())), 0.0
    bar = element(
        "svg", {"viewBox": "0 0 100 10", "preserveAspectRatio": "none", "class": "bar", "aria-hidden": "true"}
    )
    for outcome in Outcome:
        width = 100 * cell.counts[outcome] / total
        place = {"x": f"{start:.2f}", "width": f"{width:.2f}", "height": "10", "class": _name(outcome)}
        bar.append(element("rect", place, element("title", None, f"{outcome.value}: {width:.0f} %")))
        start += width
    return bar


def _filters(cells: Sequence[Cell]) -> Tree.Element:
    outcomes = [(_name(outcome), outcome.value) for outcome in Outcome]
    tasks = [(task, task) for task in dict.fromkeys(cell.task for cell in cells)]
    accesses = [(access, access) for access in dict.fromkeys(cell.access for cell in cells)]
    return element(
        "form",
        {"id": "filters", "aria-label": "Filter the examples"},
        _choice("outcome", "Outcome", outcomes),
        _choice("task", "Task", tasks),
        _choice("access", "Access", accesses),
    )


def _choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> Tree.Element:
    entries = [element("option", {"value": value}, text) for value, text in [("", "all"), *options]]
    return element("label", None, f"{label} ", element("select", {"name": name}, *entries))


def _card(cell: Cell, case: Case) -> Tree.Element:
    gold = Gold.of(case.example)
    places = case.answer.provenance
    attributes = {
        "class": "case",
        "data-outcome": _name(case.outcome),
        "data-task": cell.task,
        "data-access": cell.access,
    }
    badge = element("span", {"class": f"badge {_name(case.outcome)}"}, case.outcome.value)
    return element(
        "article",
        attributes,
        element(
            "header",
            None,
            badge,
            element("span", {"class": "where"}, f"{cell.task} · {cell.access} · {case.example.id}"),
        ),
        element("p", {"class": "question", "tabindex": "0"}, case.example.input),
        _answers(cell, case),
        _gold_pages(case, gold),
        *([_passages(places, gold)] if places else [element("p", None, "No provenance was given.")]),
    )


def _answers(cell: Cell, case: Case) -> Tree.Element:
    right = case.example.answers
    shown = " / ".join(right[:_ANSWERS]) + (f" and {len(right) - _ANSWERS} more" if len(right) > _ANSWERS else "")
    predicted = case.answer.text or "(empty)"
    scores = f"{cell.measure} {case.score:.2f} · R-precision {case.r_precision:.2f}"
    pairs = (("Predicted", predicted), ("Right", shown), ("Scores", scores))
    return element(
        "dl", None, *(element(tag, None, text) for pair in pairs for tag, text in zip(("dt", "dd"), pair, strict=True))
    )


def _gold_pages(case: Case, gold: Gold) -> Tree.Element:
    titles = {place.wikipedia_id.strip(): place.title for output in case.example.output for place in output.provenance}
    found = [place.wikipedia_id.strip() for place in case.answer.provenance]
    entries = []
    for page in dict.fromkeys(page for pages in gold.evidence_sets for page in sorted(pages)):
        where = f"found at {found.index(page) + 1}" if page in found else "not found"
        kind = "hit" if page in found else "miss"
        entries.append(element("li", {"class": kind}, f"{titles.get(page) or page}: {where}"))
    return element("ul", {"class": "pages", "aria-label": "Pages with the evidence"}, *entries)


def _passages(places: Sequence[Provenance], gold: Gold) -> Tree.Element:
    right_pages = frozenset[str]().union(*gold.evidence_sets)
    pattern = _pattern(gold.answers)
    hits = [place.wikipedia_id.strip() in right_pages for place in places]
    shown = [number for number, hit in enumerate(hits) if number < _PASSAGES or hit]
    entries = [_passage(places[number], pattern, rank=number + 1, hit=hits[number]) for number in shown]
    summary = f"{len(entries)} of {len(places)} passages"
    return element("details", None, element("summary", None, summary), element("ol", {"class": "passages"}, *entries))


def _passage(place: Provenance, pattern: re.Pattern[str] | None, *, rank: int, hit: bool) -> Tree.Element:
    mark = element("span", {"class": "hit" if hit else "miss"}, "right page" if hit else "other page")
    title = element("span", {"class": "title"}, place.title or place.wikipedia_id)
    text = element("p", None, *_marked(place.text or "(no text in the predictions)", pattern))
    return element("li", {"value": str(rank)}, title, " ", mark, text)


def _pattern(answers: frozenset[str]) -> re.Pattern[str] | None:
    """Match any answer as whole words, whatever the case and the punctuation between its words."""
    words = [[re.escape(word) for word in re.findall(r"\w+", answer)] for answer in answers]
    alternatives = sorted((r"\W+".join(answer) for answer in words if answer), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)", re.IGNORECASE) if alternatives else None


def _marked(text: str, pattern: re.Pattern[str] | None) -> Iterator[Tree.Element | str]:
    end = 0
    for found in pattern.finditer(text) if pattern else ():
        yield text[end : found.start()]
        yield element("mark", None, found.group())
        end = found.end()
    yield text[end:]


def _name(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", "-")
