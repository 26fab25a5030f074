"""From the settings of an experiment to a runner."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from jsonargparse import ArgumentError, ArgumentParser, Namespace
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from reml.cli.parsers import PROGRESS, flags, named, parameters, parser_of, parts, settings_parser
from reml.cli.settings.options import hint_at, listed, refuse_functions, refuse_misread, settings_error
from reml.cli.settings.refused import refused, refused_later
from reml.cli.settings.written import Source, merged, parts_of, sources, where, within, written_settings
from reml.cli.settings.wrong_settings import Kind, Place, Wrong, dotted, unread, wrong_settings, wrong_values
from reml.contract.examples import Json
from reml.devices.progress import choose
from reml.devices.rank_zero import is_rank_zero
from reml.files.atomic import usable_home
from reml.files.environment import without_value
from reml.files.yaml_files.reading import parse_yaml

if TYPE_CHECKING:
    from reml.experiment.runner import Runner
    from reml.experiment.settings.experiment import Experiment

NO_SETTINGS = frozenset({"home", "print_config", PROGRESS})  # the options of every command on an experiment

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
        return values | {name: self._part(kind, name, values[name].as_dict()) for name, kind in beside.items()}

    def _part(self, kind: type, name: str, settings: Mapping[str, Json]) -> object:
        try:
            return kind(**settings)
        except Exception as error:
            self._refuse_object(error, dict(settings), kind, (name,))

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
            settings = self._changed({name: written[name] for name in names} | dict(change(written)))
        if self._rests:
            settings.training = parser.get_defaults().training
        try:
            experiment = Experiment(**parser.instantiate(settings).as_dict())
        except Exception as error:
            self._refuse_object(error, _written(parser, settings), Experiment)
        self._check_learning(experiment)
        self._check_names(experiment)
        many = dict(experiment.predictors)
        places = {("predictors", name): one for name, one in many.items()} | {("predictor",): experiment.predictor}
        if wrong := [one for place, maker in places.items() for one in refused_later(maker, place)]:
            raise settings_error(wrong, self._sources)
        return make_runner(experiment, parsed.home)

    @property
    def _rests(self) -> bool:
        """Whether `train_on: null` is said over a file that trains: no predictor learns then, whatever is said how."""
        said = [parts_of(one.says)["train_on"] for one in self._sources if "train_on" in parts_of(one.says)]
        return bool(said) and said[-1] is None and any(one is not None for one in said)

    def _check_learning(self, experiment: Experiment) -> None:
        """Raise `SettingsError` for `training` without `train_on`, though all that it says be the defaults.

        Not where both are written out, as `--print_config` does.
        """
        from reml.experiment.settings.train_on import untrained

        given = parts_of(merged(self._sources))
        if experiment.train_on is None and "train_on" not in given and given.get("training"):
            raise settings_error([Wrong(("training",), untrained(experiment.access))], self._sources)

    def _check_names(self, experiment: Experiment) -> None:
        """Raise `SettingsError` for a name that is taken from an environment variable: folders have it."""
        written, tasks = merged(self._sources), experiment.tasks
        names: dict[Place, str] = {("name",): experiment.name}
        names |= {("tasks", number, "init_args", "name"): one.name for number, one in enumerate(tasks)}
        for place, name in names.items():
            if "${" in str(within(written, *place)) and without_value(name) != name:
                said = f"{dotted(place)} is taken from an environment variable, and folders and reports would show it"
                raise settings_error([Wrong(place, f"{said}: write the name itself")], self._sources)

    @functools.cached_property
    def _parsed(self) -> Namespace:
        from reml.experiment.settings.experiment import Experiment

        try:
            parsed = parser_of(self.command).parse_args(self._arguments)
        except (ArgumentError, ImportError, UnicodeDecodeError) as error:
            self._refuse(error, written_settings(self._arguments, self._own))
        except OmegaConfBaseException as error:
            raise settings_error([_interpolated(error)], self._sources) from error
        refuse_misread(parsed, self._sources)
        refuse_functions(parsed, Experiment, self._sources)
        return parsed

    @functools.cached_property
    def _arguments(self) -> list[str]:
        """The arguments with lists as YAML has them."""
        from reml.experiment.settings.experiment import Experiment

        written = merged(sources(self.arguments, self._unread))
        kinds: dict[str, Kind] = dict.fromkeys(parameters(self.command), named(self.command))
        return listed(self.arguments, lambda names: hint_at(kinds.get(names[0], Experiment), names, written))

    @property
    def _own(self) -> set[str]:
        """The names of the command's own arguments, which are no settings."""
        return {*parameters(self.command), *NO_SETTINGS} - set(parts(self.command))

    @property
    def _unread(self) -> set[str]:
        """The names of options that say nothing of settings, or have no value."""
        return {*NO_SETTINGS, *flags(self.command)}

    @property
    def _beside(self) -> list[str]:
        """The names that may stand beside the settings of an experiment."""
        return [*parts(self.command), *self._own]

    @functools.cached_property
    def _sources(self) -> list[Source]:
        return sources(self._arguments, self._unread)

    def _changed(self, written: Mapping[str, Json]) -> Namespace:
        """Parse settings which the command has made; what is wrong in them stands where its own part of the file is."""
        from reml.experiment.settings.experiment import Experiment

        given = copy.deepcopy(dict(written))  # which the parser changes
        try:
            parsed: Namespace = settings_parser().parse_object(given)
        except ArgumentError as error:
            wrong = wrong_settings(written, Experiment)
            own = [Source(where(self._sources, tuple(parts(self.command))), dict(written))]
            wrong = wrong or unread(error, written)
            raise (settings_error(wrong, own) if wrong else error) from error
        return parsed

    def _refuse(self, error: Exception, written: Mapping[str, Json]) -> NoReturn:
        """Raise `SettingsError` with each place that is wrong in what was written, or the parser's own error."""
        from reml.experiment.settings.experiment import Experiment

        beside, own = parts(self.command), self._own
        settings = {name: value for name, value in written.items() if name not in beside}
        wrong = wrong_settings(settings, Experiment, beside=self._beside)
        for name, kind in beside.items():
            wrong += wrong_settings(written.get(name) or {}, kind, (name,))
        given = parts_of(merged(self._sources))
        wrong += wrong_values({name: given[name] for name in own if name in given}, named(self.command))
        wrong = wrong or unread(error, written)
        raise (settings_error(wrong, self._sources) if wrong else error) from error

    def _refuse_object(self, error: Exception, parsed: Json, kind: type, place: Place = ()) -> NoReturn:
        """Raise `SettingsError` with the place of the object that refuses its settings, or what that object raised."""
        found = refused(parsed, within(merged(self._sources), *place), kind, place)
        if found is None:
            known = wrong_settings(within(merged(self._sources), *place), kind, place, beside=self._beside)
            if known:
                raise settings_error(known, self._sources) from error
            raise error
        wrong, cause = found
        if isinstance(cause, ValueError | TypeError) and " " in str(cause):
            raise settings_error([wrong], self._sources) from cause
        cause.add_note(f"in {where(self._sources, wrong.place)}: {dotted(wrong.place)}")
        raise cause


def _interpolated(error: OmegaConfBaseException) -> Wrong:
    """Say which setting refers to what is not there."""
    first, key = str(error).partition("\n")[0].rstrip("."), str(error.full_key or "")
    place = tuple(int(one) if one.isdecimal() else one for one in re.split(r"[.\[\]]+", key) if one)
    return Wrong(place, f"{key}: {first}. `${{name}}` stands for the setting of that name, counted from the top.")


def make_runner(experiment: Experiment, home: Path | None = None) -> Runner:
    """Make the runner of an experiment: no other function of the command line does.

    home: where all is kept, REML_HOME if left out.
    """
    from reml.experiment.runner import Runner

    return Runner(experiment, usable_home(home), console)


def load(command: str, arguments: Sequence[str]) -> tuple[Runner, dict[str, object]]:
    """Parse the arguments of a command on an experiment; give its runner and the command's own arguments."""
    given = Given(command, tuple(arguments))
    return given.runner(), given.options()


def _written(parser: ArgumentParser, parsed: Namespace) -> dict[str, Json]:
    """Give all settings as they would be written in YAML, the defaults too."""
    return cast("dict[str, Json]", parse_yaml(parser.dump(parsed, skip_unset=False)))
