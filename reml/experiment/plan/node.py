"""One piece of work of an experiment: what it is made of, how it is made into a folder, and how it is opened again.

Nodes know values: inputs are other nodes, settings are objects, and no name of a configuration says what they depend
on. Only `reml.experiment.plan.planner` knows names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from reml.contract.examples import Json
from reml.experiment.settings.identity import identity
from reml.experiment.settings.settings_of import settings_of
from reml.files.atomic import digest

T_co = TypeVar("T_co", covariant=True)
Planner = TypeVar("Planner")
Names = ParamSpec("Names")
Planned = TypeVar("Planned")


@dataclass(frozen=True, eq=False, kw_only=True)
class Node(Generic[T_co]):
    """A stage, which is made into a folder; or a value, which is made of its inputs when it is asked for.

    Args:
        kind: the folder of its kind under home.
        name: what people read, unique in a run.
        open: a stage: `open(folder, *opened)`, with its first `opens` inputs; a value: `open(*opened, **given,
            **beside)`, with all of them.
        make: `make(folder, *opened, **given, **beside)`, a function of a module, which can see nothing else; none for a
            value.
        inputs: what it is made of; none where it goes without.
        given: settings, all of them in the key.
        beside: what changes no result: where progress is shown, places.
        marks: what is in the key and is not handed on: a fingerprint of something in `beside`.
        version: raised when results change.
        opens: so many of the first inputs are needed to open a stage.
        later: its only input is opened when it is asked for: what it opens to is a function.
        keep: so many of its kind stay open, all if left out; 0 for a new object each time.
    """

    kind: str
    name: str
    open: Callable[..., T_co]
    make: Callable[..., object] | None = None
    inputs: Sequence[Node[Any] | None] = ()
    given: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, object] = field(default_factory=dict)
    marks: Json = None
    version: int = 1
    opens: int = 0
    later: bool = False
    keep: int | None = None

    @cached_property
    def settings(self) -> Json:
        """What is given, as JSON, with the versions of its classes and its model files."""
        return identity(settings_of(self.given))

    @cached_property
    def depends(self) -> Json:
        """All that it depends on, as JSON."""
        keys: list[Json] = [one.key if one is not None else None for one in self.inputs]
        parts: dict[str, Json] = {"settings": self.settings, "marks": self.marks, "inputs": keys}
        return {**parts, "version": self.version} if self.version != 1 else parts

    @cached_property
    def key(self) -> str:
        """The digest of kind, version, settings and inputs."""
        return digest(self.kind, self.depends)

    @property
    def known_inputs(self) -> list[Node[Any]]:
        """The inputs that are there."""
        return [one for one in self.inputs if one is not None]

    def below(self, through: Callable[[Node[Any]], bool] = lambda _: True) -> Iterator[Node[Any]]:
        """Go through all that it is made of, itself last, each once; into the inputs of those nodes `through` takes."""
        yield from self._below(through, set())

    def _below(self, through: Callable[[Node[Any]], bool], seen: set[str]) -> Iterator[Node[Any]]:
        if self.key in seen:
            return
        seen.add(self.key)
        if through(self):
            for one in self.known_inputs:
                yield from one._below(through, seen)
        yield self


def later(node: Node[T_co]) -> Node[Callable[[], T_co]]:
    """Give a node that opens to a function, which opens the other when it is called: it may never be."""
    return Node(kind="later", name=node.name, open=_never, inputs=(node,), later=True, keep=0)


def _never(*_: object) -> Callable[[], Any]:
    raise AssertionError("the store opens what is opened later")


def group(parts: Mapping[str, Node[T_co]]) -> Node[Mapping[str, T_co]]:
    """Give several nodes as one, which opens to what they open to, by name."""
    names = list(parts)
    return Node(
        kind="group",
        name=", ".join(names),
        open=lambda *opened: dict(zip(names, opened, strict=True)),
        inputs=list(parts.values()),
        marks=[*names],
        keep=0,
    )


def several(nodes: Sequence[Node[T_co]]) -> Node[Sequence[T_co]]:
    """Give several nodes as one, which opens to what they open to, in order."""
    return Node(kind="several", name="several", open=lambda *opened: opened, inputs=nodes, keep=0)


def once(plan: Callable[Concatenate[Planner, Names], Planned]) -> Callable[Concatenate[Planner, Names], Planned]:
    """Let a method of a planner plan what it is asked for by name once: its nodes are asked for again and again."""

    @functools.wraps(plan)
    def planned(planner: Planner, /, *names: Names.args, **options: Names.kwargs) -> Planned:
        known: dict[Hashable, Planned] = vars(planner).setdefault(f"{plan.__qualname__}, planned", {})
        asked = (names, *sorted(options.items()))
        if asked not in known:
            known[asked] = plan(planner, *names, **options)
        return known[asked]

    return planned
