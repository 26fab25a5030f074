"""A thousand mutated inputs through the command line, each in a process and a folder of its own.

Every command ends in time with status 0 or 2; a refusal is a sentence that names the file, never a traceback; what is
accepted gives figures, the same as with the right file where the mutation changes nothing that counts. REML_FUZZ says
how many mutants there are (default 1,000: about a quarter of an hour), REML_FUZZ_SEED which.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.fuzz.jobs import JOBS, Job
from tests.fuzz.mutations import Follows, Mutation
from tests.fuzz.worker import Outcome, outcome_of, servers
from tests.text.models.folders import bert, put

MUTANTS = int(os.environ.get("REML_FUZZ", "1000"))
SEED = int(os.environ.get("REML_FUZZ_SEED", "0"))
FIGURE_THAT_IS_NONE = re.compile(r"(?<![\w.])(nan|inf)(?![\w.])")


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    return servers()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(put(tmp_path_factory.mktemp("models") / "model", bert()))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_few(job: Job, context: ForkServerContext, model: Path, tmp_path: Path) -> None:
    """One mutant of each job in the default suite, so that the jobs themselves are known to run."""
    assert not list(wrong(job, itertools.islice(mutants(job, 1, model), 1), context, model, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_mutants(job: Job, context: ForkServerContext, model: Path, tmp_path: Path) -> None:
    count = -(-MUTANTS * job.weight // sum(each.weight for each in JOBS))
    found = list(wrong(job, mutants(job, count, model), context, model, tmp_path))
    assert not found, f"{len(found)} of {count} mutants:\n" + "\n\n".join(found)


def mutants(job: Job, count: int, model: Path) -> Iterator[tuple[Mutation, bytes]]:
    """Give mutated bytes of the file, every mutation at least once where there are enough."""
    chance = random.Random(f"{SEED} {job.name}")
    right = (model.parent / job.target).read_bytes() if job.model else job.files[job.target]
    for mutation in itertools.islice(itertools.cycle(job.mutations), count):
        whole = mutation.make(right, chance)
        if whole is not None and whole != right:
            yield mutation, whole


def wrong(
    job: Job, mutated: Iterator[tuple[Mutation, bytes]], context: ForkServerContext, model: Path, tmp_path: Path
) -> Iterator[str]:
    """Run the job with each mutant; say what is wrong with those of which something is."""
    right = _run(job, None, context, model, tmp_path / "right")
    assert right[0].status == 0, right[0].printed
    for number, (mutation, whole) in enumerate(mutated):
        folder = tmp_path / str(number)
        outcome, gives = _run(job, whole, context, model, folder)
        said = complaint(job, mutation, outcome, same=gives == right[1])
        if said:
            yield f"{mutation.name}: {said} (status {outcome.status})\n{outcome.printed[-1500:]}\n{whole[:600]!r}"
        shutil.rmtree(folder)


def complaint(job: Job, mutation: Mutation, outcome: Outcome, *, same: bool) -> str:
    """Say what is wrong with the outcome of a mutant, nothing if it is as it must be."""
    accepted, refused, follows = outcome.status == 0, outcome.status == 2, mutation.follows
    complaints = {
        "it did not end with 0 or 2": not (accepted or refused),
        "a traceback": "Traceback (most recent call last)" in outcome.printed,
        "it was accepted": accepted and follows is Follows.REFUSED,
        "it was refused": refused and follows is Follows.SAME,
        "the message does not name the file": refused
        and follows is Follows.REFUSED
        and not names_it(job, outcome.printed),
        "a figure is none": accepted and FIGURE_THAT_IS_NONE.search(outcome.printed),
        "other results": accepted and follows is Follows.SAME and not same,
    }
    return next((said for said, is_so in complaints.items() if is_so), "")


def names_it(job: Job, printed: str) -> bool:
    """Whether a message names the file, or the model by its folder; of a configuration the setting is enough."""
    name = Path(job.target).name
    return name in printed or (job.model and "'model'" in printed) or name == "c.yaml"


def _run(
    job: Job, mutated: bytes | None, context: ForkServerContext, model: Path, folder: Path
) -> tuple[Outcome, object]:
    folder.mkdir()
    if job.model:
        shutil.copytree(model, folder / "model")
    for name, whole in job.files.items():
        (folder / name).write_bytes(whole)
    if mutated is not None:
        (folder / job.target).write_bytes(mutated)
    outcome = outcome_of(context, list(job.words), folder)
    return outcome, job.gives(folder, outcome.printed) if outcome.status == 0 else None
