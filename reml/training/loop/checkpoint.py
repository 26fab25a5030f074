"""The state of a training run on disk without pickle: a folder with tensors as safetensors and all else as JSON.

    step-00000200/  manifest.json  state.json  tensors.safetensors

In state.json, {"$tensor": name} stands for a tensor, {"$tuple": [...]} for a tuple and {"$dict": [[key, value], ...]}
for a dictionary whose keys are not plain strings.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning_fabric.plugins import CheckpointIO
from safetensors.torch import load_file, save_file
from torch import Tensor

from reml.contract.examples import Json
from reml.files.atomic import atomic_folder, read_json, read_manifest, write_json, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.owned import Made, refuse_others
from reml.files.integrity.sealed import FILES, check_sealed, sealed

METRICS = "metrics"  # in a state, what was logged until then
KIND, _STATE, _TENSORS = "training state", "state.json", "tensors.safetensors"
_MADE = Made(("manifest.json", _STATE, _TENSORS), KIND)
_TENSOR, _TUPLE, _DICT = "$tensor", "$tuple", "$dict"


class SafeCheckpoints(CheckpointIO):
    """Saves and loads Lightning's checkpoints as folders that are whole or not there."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None) -> None:
        """Write a checkpoint; `TypeError` names a value that is not a number, text, tensor or a container of these."""
        if storage_options is not None:
            raise TypeError("storage_options are for remote stores; a training state is a local folder.")
        tensors = _Tensors()
        state = tensors.taken_out(checkpoint, "checkpoint")
        with atomic_folder(Path(path), _MADE) as draft:
            save_file(tensors.by_name, draft / _TENSORS)
            write_json(draft / _STATE, state)
            write_manifest(draft, KIND, {"step": checkpoint.get("global_step", 0), FILES: sealed(draft)})

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: object = None,  # noqa: ARG002
        weights_only: bool | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Read a checkpoint to the CPU; `CorruptError` if it is not a whole one."""
        folder = Path(path)
        check_state(folder)
        again = _aside(folder)
        with reading(folder, again):
            state: dict[str, Any] = _put_back(read_json(folder / _STATE, again), load_file(folder / _TENSORS))
        return state

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint; `FileExistsError` if it is none."""
        refuse_others(Path(path), _MADE)
        shutil.rmtree(path, ignore_errors=True)


def check_state(folder: Path) -> None:
    """Read every byte of a state; `CorruptError` names the first file that is not what was written."""
    again = _aside(folder)
    check_sealed(folder, read_manifest(folder, KIND, again), again=again, verify="open")


def logged_until(folder: Path) -> Json:
    """Give what a state says of the log of its run (`METRICS`), nothing if it says nothing."""
    state = read_json(folder / _STATE, _aside(folder))
    return state.get(METRICS) if isinstance(state, dict) else None


def _aside(folder: Path) -> str:
    return f"Move {folder} away: the training then goes on from the state before it, or from its start."


class _Tensors:
    """Collects the tensors of a tree under names; one that occurs twice (tied weights) is kept once."""

    def __init__(self) -> None:
        self.by_name: dict[str, Tensor] = {}
        self._known: dict[tuple[object, ...], str] = {}
        self._storages: set[int] = set()

    def taken_out(self, value: object, name: str) -> Json:
        """Give the tree with references in the place of its tensors."""
        if isinstance(value, Tensor):
            return {_TENSOR: self._keep(value.detach(), name)}
        if isinstance(value, Mapping):
            return self._mapping(value, name)
        if isinstance(value, tuple | list):
            items = [self.taken_out(item, f"{name}.{place}") for place, item in enumerate(value)]
            return {_TUPLE: items} if isinstance(value, tuple) else items
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(
            f"{name} is a {type(value).__name__}, which cannot be saved without pickle: "
            "keep numbers, texts, tensors, and lists, tuples and dictionaries of these in the state."
        )

    def _mapping(self, value: Mapping[Any, object], name: str) -> Json:
        items = [(key, self.taken_out(item, f"{name}.{key}")) for key, item in value.items()]
        if all(isinstance(key, str) and not key.startswith("$") for key, _ in items):
            return dict(items)
        return {_DICT: [[self.taken_out(key, name), item] for key, item in items]}

    def _keep(self, tensor: Tensor, name: str) -> str:
        identity = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if tensor.numel() and identity in self._known:
            return self._known[identity]
        copy = tensor.cpu().contiguous()
        storage = copy.untyped_storage().data_ptr()
        if storage in self._storages:  # safetensors refuses views of one storage
            copy = copy.clone()
        self._storages.add(storage)
        self.by_name[name] = copy
        self._known[identity] = name
        return name


def _put_back(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_put_back(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(_put_back(value[_TUPLE], tensors))
    if _DICT in value:
        return dict(_put_back(value[_DICT], tensors))
    return {key: _put_back(item, tensors) for key, item in value.items()}
