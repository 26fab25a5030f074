"""Runs an experiment from its objects; the command line does the same with those that a YAML gives."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from torch import nn

from reml.collection.checks import provable
from reml.collection.near_pages import told_nearest
from reml.contract.arguments.checked import checked_call
from reml.contract.arguments.numbers import Seed
from reml.contract.arguments.several import several
from reml.contract.examples import Example
from reml.devices.progress import shown_on, working
from reml.devices.rank_zero import is_rank_zero
from reml.evaluation.judgements import questions_of
from reml.evaluation.metrics import KiltMetric, metric_of
from reml.evaluation.trec.relevance import grades
from reml.experiment.costs import costs_of
from reml.experiment.experiment_results import Results
from reml.experiment.part_costs import part_costs, step_costs
from reml.experiment.planned import check_plan
from reml.experiment.results import begin, found_stages, publish, retrieved_pages
from reml.experiment.runner import Runner
from reml.experiment.seed_results import SeedResults
from reml.experiment.settings.experiment import Experiment
from reml.files.atomic import usable_home
from reml.reporting.terminal import say

# What is said of one question that cannot be judged, and of several.
_UNANSWERED = "has no answer and is not scored", "have no answer and are not scored"
_PAGELESS = "names no page: it counts 0", "name no page: they count 0"
_ABSENT = "has evidence on a page", "have evidence on pages"
_UNRANKED = "names no page and is not scored", "name no page and are not scored"


@checked_call
def run(
    experiment: Experiment,
    home: Path | str | None = None,
    console: Console | None = None,
    *,
    seeds: Sequence[Seed] | None = None,
) -> Results:
    """Do what is not done yet of an experiment: prepare, index, retrieve, train, predict, evaluate, report.

    home: where all is kept, REML_HOME if left out. console: where progress is shown, the terminal if left out;
    `Console(quiet=True)` for none. seeds: each takes the place of the experiment's own; what does not depend on them is
    shared. `UntoldSettingsError`, before anything is made, for an object that cannot tell its settings.
    """
    chosen = tuple(seeds) if seeds is not None else (experiment.seed,)
    if not chosen:
        raise ValueError("run.seeds is empty: give one seed or more, or leave it out for the experiment's own.")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds {list(chosen)} name one twice: give each once.")
    _check_maker(experiment)
    shown = console if console is not None else Console(quiet=not is_rank_zero())
    place = usable_home(home)
    runners = (Runner(replace(experiment, seed=seed), place, shown) for seed in chosen)
    return Results(tuple(_run(runner, warn=runner.experiment.seed == chosen[0]) for runner in runners))


def finish(runner: Runner, systems: Sequence[str] = ()) -> SeedResults:
    """Make all of an experiment that is not made yet, write its result folder and say what it gave.

    Without a predictor it is what was retrieved that is measured. systems: those that predict, all if left out.
    """
    experiment, folder = runner.experiment, runner.folder
    tasks = {task.name: metric_of(task).headline for task in experiment.tasks}
    systems = several(systems, "systems") or list(experiment.compared)
    begin(runner)
    predicted = bool(experiment.makers)
    evaluate = runner.evaluate if predicted else functools.partial(retrieved_pages, runner)
    with shown_on(runner.stages.console):
        runner.retrieve()
        runner.train()
        evaluations = {system: {task: evaluate(system, task) for task in tasks} for system in systems}
        with working("write the results"):
            report = publish(runner, evaluations)
            costs = {(system, task): costs_of(runner, system, task) for system in systems for task in tasks}
    asked = {task: runner.examples(task, experiment.reading.split_of(task)) for task in tasks}
    questions = {task: questions_of(examples, predicted=predicted) for task, examples in asked.items()}
    parts = part_costs(runner.stages.distinct)
    steps = step_costs(found_stages(runner))
    return SeedResults(experiment.seed, folder, report, tasks, evaluations, questions, costs, parts, steps)


def warn_of_absent(runner: Runner, task: str) -> None:
    """Say if answers come from pages that no retriever can find, and which the knowledge source may have instead."""
    split = runner.experiment.reading.split_of(task)
    examples, absent = runner.examples(task, split), runner.absent(task, split)
    if not absent:
        return
    pages, asking = {one.wikipedia_id for one in absent}, {one.example_id for one in absent}
    counted = f"{len(asking):,} of {len(examples):,} questions {_ABSENT[len(asking) > 1]} that the knowledge source"
    lacks = f"{counted} lacks, {len(pages):,} in all: no access model finds them"
    capped = _capped(runner, task, [provable(one, pages) for one in examples if one.answers])
    nearest = told_nearest(absent, runner.collection(task))
    say(runner.stages.console, (f"{task}: ", "yellow"), f"{lacks}{capped}. The first: {absent[0]}; {nearest}.")


def warn_of_unjudged(runner: Runner, task: str) -> None:
    """Say if some questions of a task have no answer, or all, and if some name no page.

    Where nothing is predicted it is their pages alone that count.
    """
    examples = runner.examples(task, runner.experiment.reading.split_of(task))
    _say_of_none(runner, task, examples)
    if not runner.experiment.makers:
        _say_of(runner, task, lacking=_pageless(examples), among=examples, ends=_UNRANKED)
        return
    answered = [one for one in examples if one.answers]
    unanswered = [one for one in examples if not one.answers]
    _say_of(runner, task, lacking=unanswered, among=examples, ends=_UNANSWERED)
    capped = _capped(runner, task, [provable(one, ()) for one in answered])
    one, several = (f"{end} in provenance{capped}; retrieval is measured on the others" for end in _PAGELESS)
    _say_of(runner, task, lacking=_pageless(answered), among=answered, ends=(one, several))


def warn_of_learnt(runner: Runner, task: str) -> None:
    """Say if questions that are evaluated are among those that the run learns from.

    They are known by what is asked: ids of two files may be no more than the numbers of their lines.
    """
    split = runner.experiment.reading.split_of(task)
    if split == "train" or not runner.experiment.learns_on(task):
        return
    learnt = {_question(one) for one in runner.examples(task, "train")}
    asked = runner.examples(task, split)
    if known := [one for one in asked if _question(one) in learnt]:
        counted = f"{len(known):,} of {len(asked):,} {split} questions are in train too (same input)"
        theirs = "figures are" if len(known) == len(asked) else "their figures are"
        say(
            runner.stages.console,
            (f"{task}: ", "yellow"),
            f"{counted}, so {theirs} of what was learnt; the first: {known[0].id!r}.",
        )


def _question(example: Example) -> tuple[str, ...]:
    return example.input.strip(), *(one.written for one in example.media)


def _say_of_none(runner: Runner, task: str, examples: Sequence[Example]) -> None:
    """Say if no question of a task can be scored."""
    predicted, ranked = bool(runner.experiment.makers), any(map(grades, examples))
    judged = any(one.answers for one in examples) if predicted else ranked
    if judged or not examples:
        return
    lacks = "an answer" if ranked else "an answer or evidence" if predicted else "evidence"
    end = "." if runner.experiment.reading.split_of(task) == "test" else ": is this a test split?"
    counted = f"none of {len(examples):,} questions has {lacks}, so {'no answer' if ranked else 'nothing'} is scored"
    say(runner.stages.console, (f"{task}: ", "yellow"), f"{counted}{end}")


def _capped(runner: Runner, task: str, provable: Sequence[bool]) -> str:
    """Say which KILT score is the highest that there can be, where there is one. provable: whether, by example."""
    if not runner.experiment.makers or not isinstance(metric_of(runner.plan.tasks.task(task)), KiltMetric):
        return ""
    return f", and the KILT score is {sum(provable) / max(1, len(provable)):.3f} at most"


def _pageless(examples: Sequence[Example]) -> list[Example]:
    return [one for one in examples if not grades(one)]


def _say_of(
    runner: Runner, task: str, *, lacking: Sequence[Example], among: Sequence[Example], ends: tuple[str, str]
) -> None:
    """Say how many of some questions lack something; ends: of the sentence on one of them, and on several."""
    if 0 < len(lacking) < len(among):
        counted = f"{len(lacking):,} of {len(among):,} questions {ends[len(lacking) > 1]}"
        say(runner.stages.console, (f"{task}: ", "yellow"), f"{counted}. The first: {lacking[0].id!r}.")


def _run(runner: Runner, *, warn: bool) -> SeedResults:
    if not runner.experiment.compared or runner.experiment.train_on is not None:
        runner.plan.maker()  # says before hours of retrieval if there is none, and nothing to do without one
    _ = runner.config  # and if an object cannot tell its settings
    check_plan(runner)
    for task in runner.experiment.tasks if warn else ():
        warn_of_absent(runner, task.name)
        warn_of_unjudged(runner, task.name)
        warn_of_learnt(runner, task.name)
    return finish(runner)


def _check_maker(experiment: Experiment) -> None:
    """Raise `TypeError` for a predictor that is made already: each seed makes and trains its own."""
    for maker in experiment.makers.values():
        if isinstance(maker, nn.Module):
            name = type(maker).__name__
            raise TypeError(
                f"a predictor is a {name} that is made already, and each run makes its own: give the class, {name}, or "
                f"functools.partial({name}, ...) with its settings."
            )
