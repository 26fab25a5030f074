"""Training a predictor in shares: each device holds its part of all parameters and gathers a layer when it computes it.

Zhao et al., "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel", VLDB 2023,
https://arxiv.org/abs/2304.11277, by PyTorch's `fully_shard` and Lightning's strategy for it. Weights, gradients and
AdamW's two moments, 16 bytes a parameter in float32, lie on the devices in equal shares. The layers of a transformer
are gathered one after the other, all other parameters for the whole of a step.

Devices that gather a layer must do so together. So a layer is computed once for a batch; and while dev sets are
answered, which takes one device more words than the other, each holds all weights (4 bytes a parameter).

Files are those of any other training, written by the first process.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.strategies import ModelParallelStrategy
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from reml.devices.rank_zero import is_rank_zero
from reml.files.atomic import atomic_file
from reml.files.weights import save_weights
from reml.training.regimes.regimes import Independent, Regime

# PyTorch's mark of modules that it divided.
MANAGED = "_is_fsdp_managed_module"


def check_shareable(regime: Regime) -> None:
    """Raise `ValueError` if the devices could not keep in step, or a parameter cannot be divided."""
    if not isinstance(regime, Independent):
        raise ValueError(
            f"training.sharded divides a predictor that learns from right answers, not what {type(regime).__name__} "
            "trains, which devices do not compute in step: leave it out, and training.devices still shares batches."
        )
    numbers = [name for name, parameter in regime.named_parameters() if parameter.ndim == 0]
    if numbers:
        raise ValueError(
            f"the parameters {', '.join(numbers)} are single numbers, which cannot be divided among devices: "
            "make them vectors of one element, or leave training.sharded out."
        )


class Shares:
    """The parameters of the first process's module, divided among the devices: those of each layer, then the others."""

    def __init__(self, module: nn.Module, mesh: DeviceMesh) -> None:
        layers, weights = _layers(module), module.state_dict() if is_rank_zero() else {}
        self._layers = [_divided(layer, mesh) for layer in layers]
        self._whole = _divided(module, mesh)
        set_model_state_dict(module, weights, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))
        for part in module.modules():  # transformers would have devices wait for each other at each token they generate
            vars(part)[MANAGED] = False
        self._computed: set[nn.Module] = set()
        self._gathered = False
        for layer in layers:
            layer.register_forward_pre_hook(self._check_once, prepend=True)
        module.register_forward_pre_hook(lambda *_: self._computed.clear(), prepend=True)

    def gather(self) -> None:
        """Give every device all parameters, so that each can compute what it likes. All processes must ask."""
        for part in (*self._layers, self._whole):
            part.unshard()
        for layer in self._layers:
            layer.set_reshard_after_forward(False, recurse=False)
        self._gathered = True

    def release(self) -> None:
        """Go back to shares."""
        self._gathered = False
        for layer in self._layers:
            layer.set_reshard_after_forward(True, recurse=False)
        self._whole.reset_iter_state()

    def _check_once(self, layer: nn.Module, _: object) -> None:
        if layer in self._computed and not self._gathered:
            raise ValueError(
                f"a {type(layer).__name__} is computed more than once for a batch, and how often may depend on the "
                "batch, so that devices with shares of it fall out of step: leave training.sharded out, or compute a "
                "batch at once."
            )
        self._computed.add(layer)


@contextlib.contextmanager
def whole_afterwards(module: nn.Module) -> Iterator[None]:
    """Let a module be divided; afterwards it is an ordinary one again on the CPU, with the weights from before."""
    own = vars(nn.Module()).keys()
    before = [
        (part, type(part), set(vars(part)), {name: copy.copy(vars(part)[name]) for name in own})
        for part in module.modules()
    ]
    try:
        yield
    finally:
        for part, kind, names, values in before:
            part.__class__ = kind
            for name in vars(part).keys() - names:
                delattr(part, name)
            vars(part).update(values)
        module.cpu()


def save_trained(module: nn.Module, path: Path) -> None:
    """Write weights as `save_weights` does; where they lie in shares, all processes must ask, and the first writes."""
    if not any(isinstance(parameter, DTensor) for parameter in module.parameters()):
        if is_rank_zero():
            save_weights(module, path)
        return
    named = sorted(module.state_dict(keep_vars=True).items(), reverse=True)
    once = dict({id(value): (name, value) for name, value in named}.values())  # tied ones by their first name
    weights = _gathered(once)
    if is_rank_zero():
        with atomic_file(path) as draft:
            save_file(weights, draft)


class Sharding(ModelParallelStrategy):
    """Lightning's strategy for `fully_shard`, with states on disk that are those of any other training."""

    def __init__(self, devices: int) -> None:
        super().__init__(data_parallel_size=devices, tensor_parallel_size=1, save_distributed_checkpoint=False)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Have Lightning ask for the optimiser's state to be restored."""
        return True

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """Gather the weights, tied ones once."""
        assert self.model is not None  # noqa: S101 - Lightning sets it first
        return _gathered(self.model.state_dict(keep_vars=True))

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """Gather the optimiser's state."""
        state = optimizer.state_dict()
        return {**state, "state": {number: _gathered(kept) for number, kept in state["state"].items()}}

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a state, whole, on every device."""
        return self.checkpoint_io.load_checkpoint(checkpoint_path, weights_only=weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Keep this device's share of the weights."""
        assert self.model is not None  # noqa: S101 - Lightning sets it first
        options = StateDictOptions(full_state_dict=True, strict=strict)
        set_model_state_dict(self.model, checkpoint["state_dict"], options=options)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Keep this device's share of the optimiser's state."""
        (optimizer,), (state,) = self.optimizers, checkpoint["optimizer_states"]
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        shares = {
            number: {name: _share(value, parameters[number]) for name, value in kept.items()}
            for number, kept in state["state"].items()
        }
        optimizer.load_state_dict({**state, "state": shares})


def _layers(module: nn.Module) -> list[nn.Module]:
    """Find the layers of transformers, inner ones first."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    kinds = (GradientCheckpointingLayer, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    return [part for part in reversed(list(module.modules())) if isinstance(part, kinds)]


def _divided(part: nn.Module, mesh: DeviceMesh) -> FSDPModule:
    undivided = [(parameter, parameter.data) for parameter in part.parameters() if not isinstance(parameter, DTensor)]
    divided = fully_shard(part, mesh=mesh)
    for parameter, values in undivided:  # kept for the time after training, but not on the device it was moved to
        parameter.data = values
    return divided


def _gathered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give tensors with all their shares, on the CPU of the first process; all must ask, in the same order."""
    whole = {id(value): _whole(value) if isinstance(value, DTensor) else value for value in values.values()}
    return {name: whole[id(value)] for name, value in values.items()}


def _whole(value: DTensor) -> Tensor:
    gathered = value.full_tensor().detach()
    return gathered.cpu() if is_rank_zero() else torch.empty(0)


def _share(value: Tensor, like: Tensor) -> Tensor:
    """Give this device's share of a value for each element of a parameter; a value of another shape as it is."""
    if not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
