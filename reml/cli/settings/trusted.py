"""Whose code a configuration may name: a class path is imported, and what it names is called.

Everything that Python finds is trusted, since a configuration is a program. Who runs those of others says whom to trust
instead, by packages, the first of these that says so:

    --trusted_packages reml,mine                                       for one command
    REML_TRUSTED=reml,mine                                             an environment variable
    trusted_packages: [reml, mine]                                     in ~/.config/reml/settings.yaml

The file is in XDG_CONFIG_HOME where that is set, and never in REML_HOME, which others may write to. `all` trusts every
package, and reml itself always is. A class path of another package is then refused before anything is imported, and
packages that are installed come before files in the folder where reml is called.

A look at a configuration (`--print_config`) is no consent to run it: where nobody says whom to trust, it imports reml's
own classes alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from jsonargparse import set_parsing_settings
from jsonargparse._common import parsing_settings  # there is no public way back to what was trusted before

from reml.cli.settings.written import SettingsError
from reml.contract.arguments.several import names_in
from reml.contract.examples import Json
from reml.files.yaml_files.reading import YamlError, read_yaml

OPTION, VARIABLE, SETTING = "trusted_packages", "REML_TRUSTED", "trusted_packages"
OURS, ALL = "reml", "all"
LOOK = "--print_config"

Packages = tuple[str, ...]

_trusted: Final[ContextVar[Packages | None]] = ContextVar("trusted", default=None)
_looks: Final[ContextVar[bool]] = ContextVar("looks", default=False)


def user_file() -> Path:
    """Name the user's own file of settings; one that is not there for a user without a home folder."""
    with contextlib.suppress(RuntimeError):
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "reml" / "settings.yaml"
    return Path("~/.config/reml/settings.yaml")


@contextlib.contextmanager
def trusting(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Refuse class paths that these arguments of a command, or else this user, do not trust, as long as this is open.

    Gives the arguments that say nothing of it. `SettingsError` for what names no packages.
    """
    said, others = _parted(arguments)
    looks = any(argument.partition("=")[0] == LOOK for argument in arguments)
    packages = _packages(said)
    packages = (OURS,) if packages is None and looks else () if packages == (ALL,) else packages
    if not packages:
        yield others
        return
    kept, path, here = dict(parsing_settings), list(sys.path), {"", str(Path.cwd())}
    tokens = _trusted.set(packages), _looks.set(looks)
    set_parsing_settings(import_path_denylist=["*"], import_path_allowlist=list(packages))
    sys.path[:] = [one for one in path if one not in here] + [one for one in path if one in here]
    try:
        yield others
    finally:
        sys.path[:] = path
        parsing_settings.update(kept)
        _trusted.reset(tokens[0])
        _looks.reset(tokens[1])


def distrusted(class_path: str) -> str:
    """Say that the code of a class path is not trusted, and how to trust it; "" if it is."""
    packages = _trusted.get()
    if packages is None or any(f"{class_path}.".startswith(f"{one}.") for one in packages):
        return ""
    top = class_path.partition(".")[0]
    why = "; --print_config imports no others, since to import is to run" if _looks.get() else ""
    return (
        f"{class_path} is not of the trusted packages ({', '.join(packages)}){why}. If you trust who wrote {top}: "
        f"`--{OPTION} {top}`, or {VARIABLE}={top}, or `{SETTING}: [{top}]` in {user_file()}; `{ALL}` trusts every one"
    )


def refuse_distrusted(class_path: str) -> None:
    """Raise `SettingsError` for a class path whose code is not trusted: to be called before it is imported."""
    if said := distrusted(class_path):
        raise SettingsError(f"{said}.")


def _parted(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Part what the option says, the last time that it is given, from all other arguments."""
    said, others, left = None, list[str](), list(arguments)
    while left:
        name, joined, value = left.pop(0).partition("=")
        if name == f"--{OPTION}":
            said = value if joined or not left else left.pop(0)
        else:
            others.append(f"{name}{joined}{value}")
    return said, others


def _packages(option: str | None) -> Packages | None:
    """Give the packages that are named, reml among them; nothing where nobody names any."""
    if option is not None:
        return _named(names_in(option), f"--{OPTION}")
    if (said := os.environ.get(VARIABLE)) is not None:
        return _named(names_in(said), VARIABLE)
    path = user_file()
    return _named(_of_file(path), str(path)) if path.is_file() else None


def _of_file(path: Path) -> Json:
    try:
        settings = read_yaml(path)
    except YamlError as error:
        raise SettingsError(str(error)) from error
    if not isinstance(settings, dict) or set(settings) != {SETTING}:
        raise SettingsError(f"{path} has one setting, `{SETTING}: [{OURS}, ...]`, and no other.")
    value = settings[SETTING]
    return names_in(value) if isinstance(value, str) else value


def _named(names: Json, place: str) -> Packages:
    """Check names of packages; `ALL` alone stands for every one."""
    if not isinstance(names, list) or not names or not all(isinstance(one, str) and _is_package(one) for one in names):
        raise SettingsError(f"{place} names packages, such as {OURS},mine, or `{ALL}`; it names {names!r}.")
    return (ALL,) if ALL in names else tuple(dict.fromkeys([OURS, *map(str, names)]))


def _is_package(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
