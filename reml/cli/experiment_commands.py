"""The commands on an experiment. Each does what is not done yet and says where things are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from reml.cli.search import ask, open_access, show
from reml.devices.rank_zero import is_rank_zero
from reml.experiment.plan.graph import graph
from reml.experiment.results import publish
from reml.experiment.summary import summary
from reml.reporting.terminal import print_whole

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

console = Console(quiet=not is_rank_zero())


def run(runner: Runner, *, plan: bool = False) -> None:
    """Run an experiment: prepare, index, retrieve, train, predict, evaluate; write its result folder and report.

    Args:
        runner: the experiment.
        plan: print what the experiment is made of, and what of it is made, and make nothing.
    """
    if plan:
        print_whole(console, graph(runner.plan, runner.stages))
        return
    runner.plan.maker()  # says before hours of retrieval if there is none
    for task in runner.experiment.tasks:
        _warn(runner, task.name)
    runner.retrieve()
    runner.train()
    evaluations = {
        access: {task.name: runner.evaluate(access, task.name) for task in runner.experiment.tasks}
        for access in runner.experiment.access
    }
    report = publish(runner, evaluations)
    print_whole(console, summary(runner.experiment.tasks, evaluations).terminal())
    console.print(f"results: {runner.folder}\nreport:  {report}", highlight=False, soft_wrap=True)


def prepare(runner: Runner) -> None:
    """Bring the knowledge sources of the tasks into collections, and check that their examples refer to them."""
    for task in runner.experiment.tasks:
        collection = runner.collection(task.name)
        _warn(runner, task.name)
        console.print(
            f"{task.name}: {len(collection):,} passages in {collection.folder}", highlight=False, soft_wrap=True
        )


def index(runner: Runner) -> None:
    """Build the indexes of the access models, for the collection of every task."""
    for name, access in runner.experiment.access.items():
        for task in runner.experiment.tasks:
            if access.retriever is not None:
                runner.retriever(name, task.name)
    for stage in runner.stages.done.values():
        console.print(f"{stage.name}: {stage.seconds:.1f} s, {stage.folder}", highlight=False, soft_wrap=True)


def search(
    runner: Runner, by: str | None = None, query: str | None = None, k: int = 5, task: str | None = None
) -> None:
    """Ask an access model: print ranked passages with the query's words highlighted.

    Args:
        runner: the experiment.
        by: name of the access model; the first one if left out.
        query: what to ask; if left out, a prompt takes one query after another until an empty line.
        k: number of passages.
        task: the task whose knowledge source is searched; the first one if left out.
    """
    name = by if by is not None else next(iter(runner.experiment.access))
    where = task if task is not None else runner.experiment.tasks[0].name
    open_access(runner, name, where)
    if query is not None:
        show(console, query, ask(runner, name, where, query, k))
        return
    console.print("[dim]an empty line ends[/dim]")
    while text := _typed(f"[bold]{name}>[/bold] "):
        show(console, text, ask(runner, name, where, text, k))


def train(runner: Runner) -> None:
    """Train the predictor and say where its weights are."""
    stage = runner.train()
    if stage is None:
        raise ValueError("the experiment trains nothing: say on what under `train_on`.")
    console.print(f"{stage.name}: {stage.seconds:.0f} s, {stage.folder}", highlight=False, soft_wrap=True)


def predict(runner: Runner) -> None:
    """Write the predictions of every access model for every task, in KILT's format."""
    runner.retrieve()
    runner.train()
    for access in runner.experiment.access:
        for task in runner.experiment.tasks:
            path = runner.predictions(access, task.name)
            console.print(f"{access} {task.name}: {path}", highlight=False, soft_wrap=True)


def _typed(prompt: str) -> str:
    try:
        return console.input(prompt).strip()
    except EOFError:
        return ""


def _warn(runner: Runner, task: str) -> None:
    """Say if answers come from pages that no retriever can find."""
    absent = runner.absent(task, runner.experiment.reading.split)
    if absent:
        console.print(
            f"[yellow]{task}:[/yellow] the knowledge source lacks {len(absent)} pages that answers come from; they "
            f"count as not found. The first: {absent[0]}.",
            highlight=False,
        )


FUNCTIONS: dict[str, Callable[..., None]] = {
    "run": run,
    "prepare": prepare,
    "index": index,
    "search": search,
    "train": train,
    "predict": predict,
}
