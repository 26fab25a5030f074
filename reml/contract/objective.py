"""How a configuration names an objective."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from reml.contract.predictors import Feedback
from reml.contract.signals import Signal

if TYPE_CHECKING:  # a class that has the methods is one, and no checker knows it
    Objective = Feedback
else:

    class Objective(abc.ABC):
        """Any `Feedback`, for configurations: to jsonargparse, a protocol that is called is a factory."""

        @property
        @abc.abstractmethod
        def needs(self) -> Signal:
            """What it asks for, beside the scores."""

        @classmethod
        def __subclasshook__(cls, other: type) -> bool:
            """Tell whether a class has what `Feedback` asks for."""
            names = {name for base in other.__mro__ for name in vars(base)}
            return {"needs", "__call__"} <= names
