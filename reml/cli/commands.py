"""The commands of `reml`: by their words, the function or class that each one is, named so that only one is loaded.

A function's parameters are the command's options. One whose first parameter is `given: Given` works on an experiment:
it takes `--config`, `--home` and all settings of an experiment beside its own. A class takes its settings and is `run`.
Benchmarks are above `reml` and import it: they too are only named here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from reml.cli.class_listing import purpose

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Commands of an experiment (a YAML file; see benchmarks/configs/)": {
        "run": "reml.cli.experiment_commands.run",
        "prepare": "reml.cli.experiment_commands.prepare",
        "index": "reml.cli.experiment_commands.index",
        "search": "reml.cli.experiment_commands.search",
        "train": "reml.cli.experiment_commands.train",
        "predict": "reml.cli.experiment_commands.predict",
    },
    "Commands on files": {
        "prepare kilt": "reml.cli.kilt_commands.prepare_kilt",
        "evaluate": "reml.cli.evaluation_commands.evaluate",
        "measure": "reml.cli.evaluation_commands.measure",
        "report": "reml.cli.evaluation_commands.report",
        "submit": "reml.cli.kilt_commands.submit",
    },
    "Commands on damaged files (REML_VERIFY says when digests are looked at: first, open or never)": {
        "verify": "reml.cli.integrity_commands.verify",
        "repair": "reml.cli.integrity_commands.repair",
    },
    "Commands on runs (those that `reml run` kept)": {
        "runs": "reml.cli.comparison_commands.list_runs",
        "compare": "reml.cli.comparison_commands.compare_runs",
    },
    "Studies (an experiment and what is compared in it; see benchmarks/configs/feedback.yaml)": {
        "study": "reml.cli.study_command.compare",
    },
    "Benchmarks": {
        "benchmark kilt": "reml.benchmarks.kilt.command.benchmark",
        "benchmark speed": "reml.benchmarks.speed.command.Speed",
        "benchmark ingest": "reml.benchmarks.ingest.command.Ingest",
    },
}
COMMANDS: Mapping[str, str] = {name: path for group in GROUPS.values() for name, path in group.items()}

HEAD = """usage: reml COMMAND [--config FILE.yaml] [options]

Retrieval-enhanced machine learning: y = f(x; g_1, ..., g_N).
"""
FOOT = """
`reml COMMAND --help` shows the options of a command, `reml run --config FILE --print_config` all settings of an
experiment. Any setting can be given on the command line: `--training.batch_size 8`, `--predictor.init_args.layers 4`;
a list, such as the tasks, is given whole: `--tasks '[{class_path: ..., init_args: {...}}]'`.
An experiment file is a program: it names code that is run, so run one only if you trust who wrote it.
What you make is kept in REML_HOME (default ~/.cache/reml). A command ends with 0; with 2 and a message where there is
something to mend; with 70 where reml is at fault, and 130 when stopped. REML_TRACEBACK=1 shows where an error arose.
"""


def overview() -> str:
    """Write what `reml --help` says: the commands by group, with the first line of each docstring; none is loaded."""
    width = max(map(len, COMMANDS))
    groups = []
    for title, commands in GROUPS.items():
        lines = [f"  {name:<{width}}  {purpose(path).rstrip('.')}" for name, path in commands.items()]
        groups.append("\n".join([f"\n{title}:", *lines]))
    return "\n".join([HEAD.rstrip("\n"), *groups, FOOT])


def split(words: Sequence[str]) -> tuple[str, list[str]]:
    """Split a command line into the name of its command, of two words before one, and the rest.

    `ValueError` names the commands there are, the nearest first.
    """
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name, list(words[length:])
    below = [name.removeprefix(f"{words[0]} ") for name in COMMANDS if name.startswith(f"{words[0]} ")]
    if below:
        raise ValueError(f"there is no {words[0]} {' '.join(words[1:2])!r}; there are {', '.join(below)}.")
    near = difflib.get_close_matches(words[0], COMMANDS, n=3, cutoff=0.5)
    hint = f"; the nearest: {', '.join(near)}" if near else ""
    raise ValueError(f"there is no command {words[0]!r}{hint}. There are {', '.join(COMMANDS)}.")
