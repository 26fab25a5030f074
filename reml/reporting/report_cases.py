"""The examples of a report: question, passages with the answer marked, prediction and right answers, and filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from reml.contract.examples import Provenance, canonical
from reml.evaluation.cases import GRADED, Case, Cell, Outcome
from reml.evaluation.judgements import Gold
from reml.reporting.result_folder import Question
from reml.text.words import LETTERS, UNSPACED, letter_runs

_PASSAGES = 5
_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """How many predictions of a cell ended in one way, and its part of a bar from 0 to 100."""

    outcome: str
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How the predictions of an access model on a task ended."""

    task: str
    access: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A page with evidence, and where it was found, from 1; 0 if it was not."""

    title: str
    rank: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What was found at a rank, whether on a right page, its text in pieces: each a text and whether it is marked."""

    rank: int
    title: str
    hit: bool
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What an access model led to: the prediction, its scores, where the evidence was found; `found` passages."""

    access: str
    outcome: str
    predicted: str
    scores: str
    pages: tuple[GoldPage, ...]
    passages: tuple[Passage, ...]
    found: int


@dataclass(frozen=True, slots=True)
class Card:
    """An example, and beside each other what each access model led to. `right`: answers, empty if there are none."""

    task: str
    id: str
    question: str
    right: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """What `templates/cases.html` shows. outcomes: their names by their classes. tasks, accesses: as options.

    predicts: whether anything was predicted, or only retrieved. each: how many were chosen (`shown_examples`).
    """

    each: int
    right_from: float
    predicts: bool
    outcomes: Mapping[str, str]
    tasks: tuple[tuple[str, str], ...]
    accesses: tuple[tuple[str, str], ...]
    counts: tuple[Counts, ...]
    cards: tuple[Card, ...]

    @property
    def by_task(self) -> dict[str, list[Card]]:
        """The cards of each task, in the order of both."""
        return {task: [card for card in self.cards if card.task == task] for task in dict(self.tasks)}


def shown_examples(cells: Sequence[Cell], questions: Sequence[Question], *, predicts: bool, each: int) -> Examples:
    """Gather what became of the predictions: how many ended in which way, and examples to filter.

    each: how many of every outcome of every access model were chosen.
    """
    tasks = dict.fromkeys(cell.task for cell in cells)
    outcomes = [outcome for outcome in Outcome if any(_shows(cell, outcome) for cell in cells)]
    measures = {cell.task: cell.measure for cell in cells}
    return Examples(
        each=each,
        right_from=GRADED,
        predicts=predicts,
        outcomes={_name(outcome): outcome.value for outcome in outcomes},
        tasks=_options(tasks),
        accesses=_options(dict.fromkeys(cell.access for cell in cells)),
        counts=tuple(_counts(cell, outcomes) for task in tasks for cell in cells if cell.task == task),
        cards=tuple(_card(question, measures[question.task]) for question in questions),
    )


def _shows(cell: Cell, outcome: Outcome) -> bool:
    """Tell whether an outcome is shown: those that depend on unknown evidence only where they come."""
    unknown = outcome in {Outcome.WRONG, Outcome.NOT_JUDGED}
    return outcome in cell.among and not (unknown and not cell.counts[outcome])


def _options(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


def _counts(cell: Cell, outcomes: Sequence[Outcome]) -> Counts:
    counts = cell.counts
    total, start, bars = max(1, sum(counts.values())), 0.0, []
    for outcome in outcomes:
        width = 100 * counts.get(outcome, 0) / total
        bars.append(Bar(_name(outcome), counts.get(outcome, 0), start, width))
        start += width
    return Counts(cell.task, cell.access, tuple(bars))


def _card(question: Question, measure: str) -> Card:
    gold, right = Gold.of(question.example), question.example.answers
    more = f" and {len(right) - _ANSWERS} more" if len(right) > _ANSWERS else ""
    return Card(
        task=question.task,
        id=question.example.id,
        question=question.example.input,
        right=" / ".join(right[:_ANSWERS]) + more,
        parts=tuple(_part(access, case, gold, measure) for access, case in question.cases.items()),
    )


def _part(access: str, case: Case, gold: Gold, measure: str) -> Part:
    of = "provenance " if case.score is not None else ""
    figures = [f"{of}R-precision {case.r_precision:.2f}"] if any(gold.page_sets) and case.answer.provenance else []
    scores = [f"{measure} {case.score:.2f}"] if case.score is not None else []
    return Part(
        access=access,
        outcome=_name(case.outcome),
        predicted="" if case.score is None else case.answer.text or "(empty)",
        scores=" · ".join([*scores, *figures]),
        pages=tuple(_gold_pages(case, gold)),
        passages=tuple(_passages(case.answer.provenance, gold)),
        found=len(case.answer.provenance),
    )


def _gold_pages(case: Case, gold: Gold) -> Iterator[GoldPage]:
    titles = {place.wikipedia_id.strip(): place.title for output in case.example.output for place in output.provenance}
    found = [place.wikipedia_id.strip() for place in case.answer.provenance]
    for page in dict.fromkeys(page for pages in gold.evidence_sets for page in sorted(pages)):
        yield GoldPage(titles.get(page) or page, found.index(page) + 1 if page in found else 0)


def _passages(places: Sequence[Provenance], gold: Gold) -> Iterator[Passage]:
    """Show the first passages, and of the others those on right pages."""
    right_pages, pattern = frozenset[str]().union(*gold.evidence_sets), _pattern(gold.answers)
    for rank, place in enumerate(places, start=1):
        hit = place.wikipedia_id.strip() in right_pages
        if rank <= _PASSAGES or hit:
            text = place.text or "(no text in the predictions)"
            yield Passage(rank, place.title or place.wikipedia_id, hit, tuple(_marked(text, pattern)))


def _pattern(answers: frozenset[str]) -> regex.Pattern[str] | None:
    """Match any answer as whole words, whatever the case and the punctuation between its words."""
    runs = [map(regex.escape, letter_runs(answer)) for answer in answers]
    between = f"[^{LETTERS}]+"
    alternatives = sorted((joined for answer in runs if (joined := between.join(answer))), key=len, reverse=True)
    # Scripts without spaces show no end of a word.
    edge = f"[[{LETTERS}]--[{UNSPACED}]]"
    return regex.compile(f"(?V1i)(?<!{edge})(?:{'|'.join(alternatives)})(?!{edge})") if alternatives else None


def _marked(text: str, pattern: regex.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    text, end = canonical(text), 0
    for found in pattern.finditer(text) if pattern else ():
        yield text[end : found.start()], False
        yield found.group(), True
        end = found.end()
    yield text[end:], False


def _name(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", "-")
