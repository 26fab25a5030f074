"""From the settings of an experiment to a runner."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from jsonargparse import ArgumentError, ArgumentParser, Namespace
from rich.console import Console

from reml.cli.parsers import PROGRESS, parameters, parser_of, parts, settings_parser
from reml.cli.written import SettingsError, written_settings
from reml.contract.examples import Json
from reml.devices.progress import choose
from reml.devices.rank_zero import is_rank_zero
from reml.files.atomic import home as default_home
from reml.files.yaml_files.reading import parse_yaml

if TYPE_CHECKING:
    from reml.experiment.runner import Runner
    from reml.experiment.settings.experiment import Experiment

Change = Callable[[Mapping[str, Json]], Mapping[str, Json]]

console = Console(quiet=not is_rank_zero())


@dataclass(frozen=True)
class Given:
    """An experiment as a command line gives it: YAML files, and settings over them. It is read anew for each runner.

    As the default of a parameter it says what is meant where the command line names no YAML file.
    """

    command: str
    arguments: tuple[str, ...] = ()

    def over(self, *arguments: str) -> Given:
        """Give the same with further arguments, which count over those before."""
        return replace(self, arguments=(*self.arguments, *arguments))

    def options(self) -> dict[str, object]:
        """Give the values of the command's own arguments."""
        parsed, beside = self._parsed, parts(self.command)
        values = {name: parsed[name] for name in parameters(self.command)}
        return values | {name: kind(**values[name].as_dict()) for name, kind in beside.items()}

    def choose_progress(self) -> None:
        """Show progress as the command line asks."""
        if (way := self._parsed[PROGRESS]) is not None:
            choose(way)

    def runner(self, change: Change | None = None) -> Runner:
        """Make the runner of the experiment.

        change: gives settings that take the place of those of all that are written, the command's own among them.
        `ArgumentError`, or `SettingsError` with the place of each, for settings that do not fit.
        """
        from reml.experiment.settings.experiment import Experiment

        parsed, parser, names = self._parsed, settings_parser(), [field.name for field in fields(Experiment)]
        settings = Namespace(**{name: parsed[name] for name in names})  # type: ignore[no-untyped-call]
        if change is not None:
            written = _written(parser_of(self.command), parsed)
            settings = _checked({name: written[name] for name in names} | dict(change(written)))
        experiment = Experiment(**parser.instantiate(settings).as_dict())
        return make_runner(experiment, parsed.home)

    @functools.cached_property
    def _parsed(self) -> Namespace:
        try:
            return parser_of(self.command).parse_args(list(self.arguments))
        except (ArgumentError, UnicodeDecodeError) as error:
            beside = parts(self.command)
            own = {*parameters(self.command), "home", "print_config", PROGRESS} - set(beside)
            _refuse(error, written_settings(self.arguments, own), beside)


def make_runner(experiment: Experiment, home: Path | None = None) -> Runner:
    """Make the runner of an experiment: no other function of the command line does.

    home: where all is kept, REML_HOME if left out.
    """
    import transformers

    from reml.experiment.runner import Runner

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return Runner(experiment, home or default_home(), console)


def load(command: str, arguments: Sequence[str]) -> tuple[Runner, dict[str, object]]:
    """Parse the arguments of a command on an experiment; give its runner and the command's own arguments."""
    given = Given(command, tuple(arguments))
    return given.runner(), given.options()


def _written(parser: ArgumentParser, parsed: Namespace) -> dict[str, Json]:
    """Give all settings as they would be written in YAML, the defaults too."""
    return cast("dict[str, Json]", parse_yaml(parser.dump(parsed, skip_unset=False)))


def _checked(written: Mapping[str, Json]) -> Namespace:
    try:
        parsed: Namespace = settings_parser().parse_object(
            copy.deepcopy(dict(written))
        )  # which changes what it is given
    except ArgumentError as error:
        _refuse(error, written, {})
    return parsed


def _refuse(error: Exception, written: Mapping[str, Json], beside: Mapping[str, type]) -> NoReturn:
    """Raise `SettingsError` with each place that is wrong in what was written, or the parser's own error.

    beside: the parts that are written beside the settings of an experiment.
    """
    from reml.cli.wrong_settings import wrong_settings
    from reml.experiment.settings.experiment import Experiment

    wrong = wrong_settings({name: value for name, value in written.items() if name not in beside}, Experiment)
    for name, kind in beside.items():
        wrong += wrong_settings(written.get(name) or {}, kind, name)
    raise (SettingsError("\n  ".join(["the settings are wrong:", *wrong])) if wrong else error) from error
