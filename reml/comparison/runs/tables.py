"""The tables of runs compared: what they are, their settings, what they were asked, their figures, what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reml.comparison.runs.changed import ChangedAnswer
from reml.comparison.runs.kept import KeptRun
from reml.comparison.runs.settings import SettingDifference, shortened
from reml.experiment.differences import Difference, Shared
from reml.reporting.table import Table

Letters = tuple[str, str]  # of two runs
WORDS = frozenset({"run", "name", "key", "date", "setting", "task", "access", "measure", "id", "question", "right"})
_WIDE, _LONG, _MOST = 48, 200, 10  # of a setting, a text, and changed answers of two runs, that the terminal shows


def runs_table(runs: Mapping[str, KeptRun]) -> Table:
    """Say which run each letter is."""
    rows = [
        (letter, run.name, run.key, f"{run.date:%Y-%m-%d %H:%M}", "" if run.seed is None else str(run.seed))
        for letter, run in runs.items()
    ]
    return Table(("run", "name", "key", "date", "seed"), WORDS, rows, "runs")


def settings_table(letters: Sequence[str], settings: Sequence[SettingDifference]) -> Table:
    """Show the settings that differ, those of each run in a column."""
    values = [[one.shown(place) for place in range(len(letters))] for one in settings]
    rows = [(one.setting, *shortened(shown, _WIDE)) for one, shown in zip(settings, values, strict=True)]
    return Table(("setting", *letters), WORDS | {*letters}, rows, "settings that differ; – is left out, its default")


def questions_table(letters: Letters, shared: Mapping[str, Shared]) -> Table:
    """Count the questions of each task that two runs have in common, and the others."""
    first, second = letters
    columns = ("task", "in common", f"only in {first}", f"only in {second}", "other input or right answers")
    rows = [
        (task, *map(str, (len(counts), counts.first_only, counts.second_only, counts.altered)))
        for task, counts in shared.items()
    ]
    return Table(columns, WORDS, rows, f"questions of {first} and {second}; those in common are compared")


def figures_table(letters: Letters, found: Sequence[Difference]) -> Table:
    """Show figures and differences with their intervals, and the tests."""
    first, second = letters
    columns = ("task", "access", "measure", "n", first, second, f"{first} - {second}", "95 %", "p", "p (Holm)")
    title = f"figures with 95 % intervals, {first} minus {second}, and the paired randomisation test"
    return Table(columns, WORDS, [*map(_figure, found)], title, apart="task")


def counts_table(letters: Letters, changed: Sequence[ChangedAnswer]) -> Table:
    """Count the questions that one run alone answers rightly, by task and systems."""
    counts = Counter((one.task, systems_of(one), one.gained) for one in changed)
    rows = [
        (task, access, str(counts[task, access, False]), str(counts[task, access, True]))
        for task, access in dict.fromkeys((task, access) for task, access, _ in counts)
    ]
    columns = ("task", "access", *(f"only {letter} right" for letter in letters))
    return Table(columns, WORDS, rows, f"answers that changed from {letters[0]} to {letters[1]}")


def changed_table(letters: Letters, changed: Sequence[ChangedAnswer]) -> Table:
    """Show the first questions that one run alone answers rightly, one a row."""
    rows = [
        (
            one.task,
            systems_of(one),
            one.id,
            *(cut(text, _LONG) for text in (one.question, " / ".join(one.right), *marked(one))),
        )
        for one in changed[:_MOST]
    ]
    more = f": the first {_MOST} of {len(changed)}" if len(changed) > _MOST else ""
    title = f"answers that are right in one of {' and '.join(letters)} alone{more}"
    return Table(("task", "access", "id", "question", "right", *letters), WORDS | {*letters}, rows, title)


def systems_of(one: Difference | ChangedAnswer) -> str:
    """Name the systems of two runs: one name if it is that of both."""
    return one.first if one.first == one.second else f"{one.first} / {one.second}"


def marked(one: ChangedAnswer) -> Iterator[str]:
    """Give both answers, with a sign of which is right."""
    for answer, is_right in ((one.first_answer, not one.gained), (one.second_answer, one.gained)):
        yield f"{'✓' if is_right else '✗'} {answer or '(empty)'}"


def cut(text: str, most: int = _WIDE) -> str:
    """Give the beginning of a text that is too long for a cell."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _figure(one: Difference) -> tuple[str, ...]:
    return (
        *(one.task, systems_of(one), one.measure, str(one.n)),
        f"{one.first_mean:.3f} [{one.first_low:.3f}, {one.first_high:.3f}]",
        f"{one.second_mean:.3f} [{one.second_low:.3f}, {one.second_high:.3f}]",
        *(f"{one.difference:+.3f}", f"[{one.low:+.3f}, {one.high:+.3f}]", f"{one.p:.4f}", f"{one.corrected:.4f}"),
    )
