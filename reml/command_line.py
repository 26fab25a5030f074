"""From the words of a command line to a typed call.

What a command on an experiment needs (PyTorch, Transformers) is imported where it is used: commands on files start at
once.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter

from reml.class_listing import listing
from reml.class_paths import suggestions
from reml.evaluation.command import evaluate, measure, report
from reml.files import CorruptError, LockedError, StaleError, home
from reml.kilt.command import prepare_kilt, submit
from reml.later_settings import without_unset
from reml.written_settings import SettingsError, written_settings

if TYPE_CHECKING:
    from reml.runner import Runner

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


class Help(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves the lines of the description and of what is listed below as they are."""


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


def experiment_parser(command: str) -> ArgumentParser:
    """Make the parser of a command on an experiment: the command's own arguments, then the experiment's settings."""
    from reml.commands import FUNCTIONS
    from reml.experiment import Experiment

    function = FUNCTIONS[command]
    parser = ArgumentParser(
        prog=f"reml {command}",
        usage=f"reml {command} --config FILE.yaml [options]",
        description=_purpose(function),
        formatter_class=Help,
        parser_mode="omegaconf+",
        exit_on_error=False,
    )
    parser.add_argument("--config", action="config", help="the YAML file of the experiment")
    parser.add_argument("--home", type=Path, default=None, help="where all is kept (default: REML_HOME)")
    parser.add_function_arguments(function, None, skip={"runner"})
    parser.add_class_arguments(Experiment, None)
    return parser


def experiment_help(command: str) -> str:
    """Say how a command on an experiment is called, and what there is to choose from."""
    parser = experiment_parser(command)
    parser.epilog = f"{CHOICE}\n\n{listing()}"
    return parser.format_help()


def load(command: str, arguments: Sequence[str]) -> tuple[Runner, dict[str, object]]:
    """Parse the arguments of a command on an experiment; give its runner and the command's own arguments."""
    from reml.commands import FUNCTIONS, console
    from reml.experiment import Experiment
    from reml.runner import Runner
    from reml.wrong_settings import wrong_settings

    parser = experiment_parser(command)
    own = set(inspect.signature(FUNCTIONS[command]).parameters) - {"runner"}
    try:
        parsed = parser.parse_args(list(arguments))
    except (ArgumentError, UnicodeDecodeError) as error:
        wrong = wrong_settings(written_settings(arguments, {*own, "home", "print_config"}), Experiment)
        raise (SettingsError("\n  ".join(["the settings are wrong:", *wrong])) if wrong else error) from error
    written = yaml.safe_load(parser.dump(parsed, skip_unset=False))
    values = parser.instantiate(parsed)
    names = [field.name for field in dataclasses.fields(Experiment)]
    experiment = Experiment(**{name: values[name] for name in names})
    config = {name: without_unset(written[name], name) for name in names}
    runner = Runner(experiment, config, values.home or home(), console)
    return runner, {name: values[name] for name in own}


def _on_experiment(command: str, arguments: Sequence[str]) -> None:
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(experiment_help(command))
        return
    import transformers

    from reml.commands import FUNCTIONS

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

    from reml.commands import console
    from reml.study.command import study

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


def _purpose(function: Callable[..., None]) -> str:
    return (inspect.getdoc(function) or "").partition("\n\n")[0]  # the rest describes each option beside it


def _told(error: BaseException) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, CorruptError | LockedError | SettingsError | StaleError):
        return text
    return "\n".join([text, *(f"hint: {line}" for line in suggestions(text))])
