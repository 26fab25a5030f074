"""reml: retrieval-enhanced machine learning, y = f(x; g_1, ..., g_N).

What a user meets first; the rest has its place in the rooms below. A name is loaded when it is first used, so that
`import reml`, and the commands that need no model, stay quick.
"""

import importlib
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reml.comparison.runs.comparing import compare
    from reml.comparison.runs.listing import runs
    from reml.contract.examples import Answer, Example, Item, Page, Provenance
    from reml.contract.predictors import Batch
    from reml.contract.signals import Prediction
    from reml.contract.tasks import Task
    from reml.experiment.experiment_results import Results
    from reml.experiment.run import run
    from reml.experiment.settings.access import Access
    from reml.experiment.settings.experiment import Experiment, Reading
    from reml.experiment.settings.system import System
    from reml.experiment.settings.train_on import TrainOn
    from reml.training.settings import Training

__version__ = metadata.version("reml")

__all__ = [
    "Access",
    "Answer",
    "Batch",
    "Example",
    "Experiment",
    "Item",
    "Page",
    "Prediction",
    "Provenance",
    "Reading",
    "Results",
    "System",
    "Task",
    "TrainOn",
    "Training",
    "compare",
    "run",
    "runs",
]

_PLACES = {
    "Access": "reml.experiment.settings.access",
    "Answer": "reml.contract.examples",
    "Batch": "reml.contract.predictors",
    "Example": "reml.contract.examples",
    "Experiment": "reml.experiment.settings.experiment",
    "Item": "reml.contract.examples",
    "Page": "reml.contract.examples",
    "Prediction": "reml.contract.signals",
    "Provenance": "reml.contract.examples",
    "Reading": "reml.experiment.settings.experiment",
    "Results": "reml.experiment.experiment_results",
    "System": "reml.experiment.settings.system",
    "Task": "reml.contract.tasks",
    "TrainOn": "reml.experiment.settings.train_on",
    "Training": "reml.training.settings",
    "compare": "reml.comparison.runs.comparing",
    "run": "reml.experiment.run",
    "runs": "reml.comparison.runs.listing",
}

if not TYPE_CHECKING:  # type checkers read the imports above

    def __getattr__(name: str) -> object:
        """Load a name when it is first used; `AttributeError` names those there are."""
        if name not in _PLACES:
            raise AttributeError(f"module 'reml' has no attribute {name!r}; it exports {', '.join(__all__)}.")
        found = getattr(importlib.import_module(_PLACES[name]), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """List what is exported too."""
        return sorted({*globals(), *__all__})
