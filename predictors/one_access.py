"""The one access model that a predictor asks by itself, of those that it is given."""

from __future__ import annotations

from reml.contract.access import Session
from reml.contract.predictors import Batch


def session_of(batch: Batch, access: str | None, predictor: str) -> tuple[str, Session | None]:
    """Give the name and session of what is asked, that of this name or the only one; no session where none is given.

    `ValueError` where it is not known which.
    """
    if not batch.sessions:
        return "", None
    names = list(batch.sessions)
    name = access if access is not None else names[0]
    if name not in batch.sessions or (access is None and len(names) > 1):
        raise ValueError(
            f"{predictor} asks one access model, named by `access` ({access!r}), and is given {', '.join(names)}: "
            "name one of these."
        )
    return name, batch.sessions[name]
