"""The commands on an experiment. Each does what is not done yet and says where things are."""

from __future__ import annotations

from reml.cli.loading import Given, console
from reml.cli.search import ask, open_access, show, why_nothing
from reml.contract.collections import credit_of
from reml.experiment.graph import graph
from reml.experiment.planned import check_plan
from reml.experiment.run import run as run_experiment
from reml.experiment.run import warn_of_absent
from reml.experiment.runner import Runner
from reml.reporting.cost_table import cost_table
from reml.reporting.step_table import step_table
from reml.reporting.summary import show_figures
from reml.reporting.terminal import asked, print_table, say


def run(given: Given, *, plan: bool = False) -> None:
    """Prepare, index, retrieve, train, predict and evaluate; write the result folder and its report.

    Args:
        given: the experiment.
        plan: print what the experiment is made of, and what of it is made, and make nothing.
    """
    runner = given.runner()
    if plan:
        print_table(console, graph(runner.plan, runner.stages))
        return
    results = run_experiment(runner.experiment, runner.stages.home, console)
    (one,) = results.runs
    show_figures(console, one.folder)
    if one.steps:
        print_table(console, step_table(one.steps))
    print_table(console, cost_table(one.parts))
    say(console, f"results: {one.folder}")
    say(console, f"report:  {one.report}")


def prepare(given: Given) -> None:
    """Bring the knowledge sources of the tasks into collections of passages, and check what examples refer to."""
    runner = given.runner()
    for task in runner.experiment.tasks:
        collection = runner.collection(task.name)
        warn_of_absent(runner, task.name)
        say(console, f"{task.name}: {len(collection):,} passages in {collection.folder}")


def index(given: Given) -> None:
    """Build the indexes of the access models, for the collection of every task."""
    runner = given.runner()
    for name, access in runner.experiment.access.items():
        for task in runner.experiment.tasks:
            if access.retriever is not None:
                runner.retriever(name, task.name)
    for stage in runner.stages.done.values():
        say(console, f"{stage.name}: {stage.seconds:.1f} s, {stage.folder}")


def search(given: Given, by: str | None = None, query: str | None = None, k: int = 5, task: str | None = None) -> None:
    """Ask an access model: print ranked passages with the query's words highlighted.

    Args:
        given: the experiment.
        by: name of the access model; the first one if left out.
        query: what to ask; if left out, a prompt takes one query after another until an empty line.
        k: number of passages, as many as there are at most.
        task: the task whose knowledge source is searched; the first one if left out.
    """
    if k < 1:
        raise ValueError(f"--k is a number of passages, 1 or more, not {k}.")
    runner = given.runner()
    name = by if by is not None else next(iter(runner.experiment.access))
    where = task if task is not None else runner.experiment.tasks[0].name
    open_access(runner, name, where)
    if query is not None:
        _answer(runner, name, where, query, k)
        return
    say(console, ("an empty line ends", "dim"))
    while text := asked(console, f"{name}> "):
        _answer(runner, name, where, text, k)


def train(given: Given) -> None:
    """Train the predictors and say where their weights are."""
    runner = given.runner()
    check_plan(runner)
    stages = runner.train()
    if not stages:
        raise ValueError("the experiment trains nothing: say on what under `train_on`.")
    for stage in stages.values():
        say(console, f"{stage.name}: {stage.seconds:.0f} s, {stage.folder}")


def predict(given: Given) -> None:
    """Write the predictions of every system for every task, in KILT's format."""
    runner = given.runner()
    runner.plan.maker()  # says before hours of retrieval if there is none
    check_plan(runner)
    runner.retrieve()
    runner.train()
    for system in runner.experiment.compared:
        for task in runner.experiment.tasks:
            path = runner.predictions(system, task.name)
            say(console, f"{system} {task.name}: {path}")


def _answer(runner: Runner, access: str, task: str, query: str, k: int) -> None:
    found = ask(runner, access, task, query, k)
    if not found:
        say(console, f"nothing found: {why_nothing(runner, access, task, query)}.")
    show(console, query, found)
    if credit := credit_of(runner.plan.tasks.task(task).source()):
        say(console, (credit, "dim"))
