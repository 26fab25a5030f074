"""From the settings of an experiment to a runner."""

from __future__ import annotations

import dataclasses
import inspect
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter

from reml.experiment.settings.written import SettingsError, written_settings
from reml.files.atomic import home

if TYPE_CHECKING:
    from reml.experiment.runner import Runner


class Help(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves the lines of the description and of what is listed below as they are."""


def experiment_parser(command: str) -> ArgumentParser:
    """Make the parser of a command on an experiment: the command's own arguments, then the experiment's settings."""
    from reml.cli.experiment_commands import FUNCTIONS
    from reml.experiment.settings.experiment import Experiment

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
    parser.add_function_arguments(function, None, skip={"runner", "plan"})
    if "plan" in inspect.signature(function).parameters:
        parser.add_argument("--plan", action="store_true", help="print what the experiment is made of; make nothing")
    parser.add_class_arguments(Experiment, None)
    return parser


def load(command: str, arguments: Sequence[str]) -> tuple[Runner, dict[str, object]]:
    """Parse the arguments of a command on an experiment; give its runner and the command's own arguments."""
    from reml.cli.experiment_commands import FUNCTIONS, console
    from reml.cli.wrong_settings import wrong_settings
    from reml.experiment.runner import Runner
    from reml.experiment.settings.experiment import Experiment

    parser = experiment_parser(command)
    own = set(inspect.signature(FUNCTIONS[command]).parameters) - {"runner"}
    try:
        parsed = parser.parse_args(list(arguments))
    except (ArgumentError, UnicodeDecodeError) as error:
        wrong = wrong_settings(written_settings(arguments, {*own, "home", "print_config"}), Experiment)
        raise (SettingsError("\n  ".join(["the settings are wrong:", *wrong])) if wrong else error) from error
    values = parser.instantiate(parsed)
    names = [field.name for field in dataclasses.fields(Experiment)]
    experiment = Experiment(**{name: values[name] for name in names})
    runner = Runner(experiment, values.home or home(), console)
    return runner, {name: values[name] for name in own}


def _purpose(function: Callable[..., None]) -> str:
    return (inspect.getdoc(function) or "").partition("\n\n")[0]  # the rest describes each option beside it
