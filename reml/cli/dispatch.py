"""From the words of a command line to a typed call.

What a command on an experiment needs (PyTorch, Transformers) is imported where it is used: commands on files start at
once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jsonargparse import ArgumentError, ArgumentParser

from reml.cli.class_listing import listing
from reml.cli.class_paths import suggestions
from reml.cli.evaluation_commands import evaluate, measure, report
from reml.cli.kilt_commands import prepare_kilt, submit
from reml.cli.loading import _purpose, experiment_parser, load
from reml.experiment.settings.written import SettingsError
from reml.files.atomic import CorruptError, LockedError, StaleError

if TYPE_CHECKING:
    pass

ON_EXPERIMENT = ("run", "prepare", "index", "search", "train", "predict")
ON_FILES: dict[str, Callable[..., None]] = {
    "prepare kilt": prepare_kilt,
    "evaluate": evaluate,
    "measure": measure,
    "report": report,
    "submit": submit,
}
# Benchmarks are above reml and import it: they are named here by class path and loaded when they are asked for.
BENCHMARKS = {"speed": "reml.benchmarks.speed.command.Speed", "ingest": "reml.benchmarks.ingest.command.Ingest"}
# These run an experiment and read their arguments, its settings among them, themselves.
BENCHMARKS_OF_EXPERIMENTS = {"kilt": "reml.benchmarks.kilt.command.benchmark"}
CHOICE = """What a configuration can name as a class_path: these, and any class of yours. `--predictor.help CLASS_PATH`,
`--tasks.help CLASS_PATH` and `--access.retriever.help CLASS_PATH` show the settings of one."""
EXPECTED = (ArgumentError, ValueError, KeyError, OSError, ImportError, RuntimeError)


def execute(command: str, arguments: Sequence[str]) -> int:
    """Parse and run one command; errors that a user can mend become one message and exit status 2."""
    if f"{command} {next(iter(arguments), None)}" in ON_FILES:
        command, arguments = f"{command} {arguments[0]}", arguments[1:]
    try:
        if command in ON_FILES:
            _on_files(command, arguments)
        elif command in ON_EXPERIMENT:
            _on_experiment(command, arguments)
        elif command == "benchmark":
            _benchmark(arguments)
        elif command == "study":
            _study(arguments)
        else:
            known = ", ".join([*ON_EXPERIMENT, *ON_FILES, "benchmark", "study"])
            raise ValueError(f"there is no command {command!r}; there are {known}.")
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; the same command goes on from here.\n")
        return 130
    except EXPECTED as error:
        sys.stderr.write(f"reml {command}: {_told(error)}\n")
        return 2
    return 0


def experiment_help(command: str) -> str:
    """Say how a command on an experiment is called, and what there is to choose from."""
    parser = experiment_parser(command)
    parser.epilog = f"{CHOICE}\n\n{listing()}"
    return parser.format_help()


def _on_experiment(command: str, arguments: Sequence[str]) -> None:
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(experiment_help(command))
        return
    import transformers

    from reml.cli.experiment_commands import FUNCTIONS

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    runner, own = load(command, arguments)
    FUNCTIONS[command](runner, **own)


def _on_files(command: str, arguments: Sequence[str]) -> None:
    function = ON_FILES[command]
    parser = ArgumentParser(prog=f"reml {command}", description=_purpose(function), exit_on_error=False)
    parser.add_function_arguments(function, None)
    function(**parser.instantiate(parser.parse_args(list(arguments))).as_dict())


def _study(arguments: Sequence[str]) -> None:
    import transformers

    from reml.cli.experiment_commands import console
    from reml.cli.study_command import study

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    study(arguments, console)


def _benchmark(arguments: Sequence[str]) -> None:
    """Run a benchmark: a class of flat settings with a method `run`, or a function of the arguments."""
    name, known = arguments[0] if arguments else "", BENCHMARKS | BENCHMARKS_OF_EXPERIMENTS
    if name not in known:
        raise ValueError(f"there is no benchmark {name!r}; there are {', '.join(known)}.")
    module_name, _, attribute = known[name].rpartition(".")
    settings = vars(importlib.import_module(module_name))[attribute]
    if name in BENCHMARKS_OF_EXPERIMENTS:
        settings(arguments[1:])
        return
    parser = ArgumentParser(prog=f"reml benchmark {name}", description=_purpose(settings), exit_on_error=False)
    parser.add_class_arguments(settings, None)
    settings(**parser.instantiate(parser.parse_args(list(arguments[1:]))).as_dict()).run()


def _told(error: BaseException) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, CorruptError | LockedError | SettingsError | StaleError):
        return text
    return "\n".join([text, *(f"hint: {line}" for line in suggestions(text))])
