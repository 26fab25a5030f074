"""Compares several runs, kept or at hand: settings, figures with intervals and tests, answers that changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reml.comparison.runs.changed import changed_answers
from reml.comparison.runs.finding import find_run
from reml.comparison.runs.kept import KeptRun, kept_run
from reml.comparison.runs.result import RunComparison, RunPair
from reml.comparison.runs.settings import setting_differences
from reml.comparison.runs.stored import stored_results
from reml.contract.examples import Json
from reml.experiment.differences import (
    Difference,
    Pairing,
    Pairs,
    common_tasks,
    pairings,
    predicts,
    shared,
    tested_pairings,
    told,
    too_few,
)
from reml.experiment.experiment_results import Results
from reml.experiment.former import CODE
from reml.files.atomic import home as default_home

ACROSS = "with systems=[(FIRST, SECOND)], on the command line --access FIRST/SECOND"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compare(
    *runs: Results | KeptRun | Path | str,
    systems: Pairs = (),
    measures: Sequence[str] = (),
    home: Path | str | None = None,
) -> RunComparison:
    """Compare every two of several runs on the questions that both were asked, first minus second.

    runs: results at hand, or kept runs: what `reml.runs` lists, the folder of one, its name or key, or the beginning of
    either. systems: which of the first with which of the second; if left out, those of one name, or the only one of
    each. measures: R-precision, the task's own measure and its KILT score if left out. home: where runs are kept,
    REML_HOME if left out.

    A question is known by its id; one that asks something else in the other run, or has other right answers there, is
    not compared. p-values are corrected by Holm's method over all that is tested. `ValueError` for runs that are not
    there, unfinished, or have no two questions in common; `CorruptError` for those that are damaged.
    """
    place = Path(home).expanduser() if home is not None else default_home()
    _check_many(runs)
    found = [_results(run, place) for run in runs]
    if not systems:
        _check_distinct(found, runs)
    kept = {letter: kept_run(one.folder) for letter, one in zip(LETTERS, found, strict=False)}
    both = list(itertools.combinations(zip(kept, found, strict=True), 2))
    aligned = [_aligned(one, other, systems, measures) for (_, one), (_, other) in both]
    tested = iter(tested_pairings([*itertools.chain.from_iterable(aligned)]))
    pairs = [
        _paired(*sides, tuple(itertools.islice(tested, len(some))), some, everything=not systems)
        for sides, some in zip(both, aligned, strict=True)
    ]
    return RunComparison(kept, tuple(setting_differences(_made_of(list(kept.values())))), tuple(pairs))


def _check_many(runs: Sequence[object]) -> None:
    if len(runs) < 2:
        raise ValueError(
            f"{len(runs)} run{'' if len(runs) == 1 else 's'} cannot be compared: name two or more. To compare access "
            f"models of one run name it twice, {ACROSS}."
        )
    if len(runs) > len(LETTERS):
        raise ValueError(f"{len(runs)} runs are too many to compare at once: name at most {len(LETTERS)}.")


def _check_distinct(found: Sequence[Results], given: Sequence[object]) -> None:
    """Refuse a kept run that is named twice; results at hand may be of one folder that was written twice."""
    folders: dict[Path, object] = {}
    for results, run in zip(found, given, strict=True):
        place = results.folder.resolve()
        if place in folders and not isinstance(run, Results):
            raise ValueError(
                f"{run} is the run that {folders[place]} is: name another one, or to compare access models of one run "
                f"name it twice, {ACROSS}."
            )
        folders[place] = run if isinstance(run, Path | str) else results.folder.name


def _results(run: object, home: Path) -> Results:
    if isinstance(run, Results):
        return run
    if isinstance(run, KeptRun):
        return stored_results(run.folder)
    if isinstance(run, Path | str):
        return stored_results(find_run(run, home))
    raise TypeError(f"a run is {run!r}: give results, or the folder, name or key of a run (`reml.runs()` lists them).")


def _aligned(first: Results, second: Results, systems: Pairs, measures: Sequence[str]) -> list[Pairing]:
    found = pairings(first.runs, second.runs, systems, measures)
    if found:
        return found
    names = f"{first.folder.name} and {second.folder.name}"
    if any(len(shared(first.runs, second.runs, task)) > 1 for task in common_tasks(first.runs, second.runs)):
        raise ValueError(f"{names} have no measure in common: name one that both have, by `measures`.")
    raise ValueError(
        f"{names} have no task with 2 questions in common, and fewer are not compared. "
        f"{too_few(first.runs, second.runs)}.{_why_apart(kept_run(first.folder), kept_run(second.folder))}"
    )


def _why_apart(first: KeptRun, second: KeptRun) -> str:
    """Say which settings of what is read differ, if any: splits, limits, files."""
    apart = setting_differences([first.settings, second.settings])
    read = [one for one in apart if one.setting.startswith(("reading.split", "reading.limit", "tasks"))]
    said = [f"{one.setting} is {' and '.join(one.shown(place) for place in (0, 1))}" for one in read[:3]]
    return f" What they read differs: {'; '.join(said)}." if said else ""


def _paired(
    first: tuple[str, Results],
    second: tuple[str, Results],
    tested: tuple[Difference, ...],
    aligned: Sequence[Pairing],
    *,
    everything: bool,
) -> RunPair:
    (letter, one), (other_letter, other) = first, second
    remarks = [*_remarks(first, second, everything=everything)]
    if everything and one.folder == other.folder and any(row.difference for row in tested):
        remarks.append(f"both are kept in {one.folder}, where the answers of the later one stand.")
    return RunPair(
        *(letter, other_letter),
        {task: shared(one.runs, other.runs, task) for task in common_tasks(one.runs, other.runs)},
        tested,
        tuple(changed_answers(one.runs, other.runs, aligned)),
        tuple(remarks),
    )


def _remarks(first: tuple[str, Results], second: tuple[str, Results], *, everything: bool) -> Iterator[str]:
    """Say what is not compared. everything: systems of one name are, none was chosen."""
    for (letter, one), (_, other) in ((first, second), (second, first)):
        if len(seeds := [str(run.seed) for run in one.runs]) > 1:
            yield f"{letter} is the mean over the seeds {', '.join(seeds)}; its answers are those of seed {seeds[0]}."
        yield from _alone(f"tasks that only {letter} has", one.tasks, other.tasks)
        if everything and set(one.systems) & set(other.systems):
            yield from _alone(f"access models that only {letter} has", one.systems, other.systems)
    own, others = first[1].runs, second[1].runs
    if predicts(own) != predicts(others):
        of = {True: "of the provenance of predictions", False: "of what was retrieved"}
        yield f"figures of pages are {of[predicts(own)]} in {first[0]}, {of[predicts(others)]} in {second[0]}."
    for task in common_tasks(own, others):
        if len(counts := shared(own, others, task)) < 2:
            yield f"{task} is not compared: {told(counts)}."
        if (measure := own[0].measures[task]) != (measured := others[0].measures[task]):
            yield f"{task} is ranked by {measure} in {first[0]}, by {measured} in {second[0]}: no answers are listed."


def _alone(what: str, own: Iterable[str], others: Iterable[str]) -> Iterator[str]:
    if alone := [name for name in own if name not in set(others)]:
        yield f"not compared are {what}: {', '.join(alone)}."


def _made_of(runs: Sequence[KeptRun]) -> list[dict[str, Json]]:
    """Give the settings of runs, and beside them their data and the versions that they were made with.

    Of a class that one of them alone names, the settings say so: its code is no difference of its own.
    """
    data = [_mapping(run.manifest.get("checksums")) for run in runs]
    of_some = {
        name for one in data for name in one if name.startswith(CODE) and not all(name in known for known in data)
    }
    return [
        {
            **run.settings,
            "data": {name: value for name, value in known.items() if name not in of_some},
            "versions": {"reml": run.manifest.get("reml"), **_mapping(run.manifest.get("versions"))},
        }
        for run, known in zip(runs, data, strict=True)
    ]


def _mapping(value: Json) -> dict[str, Json]:
    return {**value} if isinstance(value, dict) else {}
