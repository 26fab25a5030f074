from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor

from reml.feedback.pdist import Pdist
from reml.files.atomic import read_json
from reml.files.weights import load_weights
from reml.predictors.fid import FiD
from reml.training.loop.fit import fit, open_fitted
from reml.training.loop.metrics import read_metrics
from reml.training.regimes.regimes import Independent, Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.scale.sharding import Shares, check_shareable, save_trained, whole_afterwards
from tests import ROOT
from tests.training.pointing import SETTINGS, PointingPredictor, WordRetriever, collection, train_set
from tests.training.sharded_reader import main, write_model


def on_two_devices(folder: Path, model: Path, fails: int = 0) -> None:
    command = [sys.executable, "-m", "tests.training.sharded_reader", str(folder), str(model), "2", str(fails)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def assert_close(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.slow
def test_two_processes_with_shares_do_as_one_that_holds_all(tmp_path: Path) -> None:
    """The losses at every step, the dev scores, the weights that are kept, and what is answered with them."""
    model, one, two = (tmp_path / name for name in ("model", "one", "two"))
    write_model(model, dropout=0.0)
    main(one, model, 1, None)
    on_two_devices(two, model)
    expected, found = (read_metrics(folder / "metrics.csv") for folder in (one, two))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected], rel=1e-6)
    losses = [value for _, name, value in found if name == "train/loss"]
    assert losses[-1] < 0.6 * losses[0], "nothing was learnt, so the gradients were not compared"
    assert_close(load_file(two / "best.safetensors"), load_file(one / "best.safetensors"))
    assert read_json(two / "answers.json") == read_json(one / "answers.json")
    regime = Independent(FiD(str(model)))
    open_fitted(regime, two)
    shares = [int(str(read_json(two / f"held-{place}.json"))) for place in range(2)]
    assert sum(shares) == sum(parameter.numel() for parameter in regime.parameters())
    assert max(shares) < 0.51 * sum(shares)


@pytest.mark.slow
def test_a_run_with_shares_goes_on_after_a_kill_from_an_ordinary_state(tmp_path: Path) -> None:
    """Dropout draws other numbers on each device, and goes on drawing them."""
    plain, drawn, one, two, whole, killed = (tmp_path / name for name in ("p", "d", "one", "two", "whole", "killed"))
    write_model(plain, dropout=0.0)
    write_model(drawn, dropout=0.2)
    main(one, plain, 1, 8)
    on_two_devices(two, plain, 8)
    states = [load_file(folder / "states" / "step-00000003" / "tensors.safetensors") for folder in (one, two)]
    kept = [{name: value for name, value in state.items() if "callbacks" not in name} for state in states]
    assert any("optimizer_states" in name for name in kept[0])
    assert_close(kept[1], kept[0])
    on_two_devices(whole, drawn)
    on_two_devices(killed, drawn, 8)
    on_two_devices(killed, drawn)
    assert read_metrics(killed / "metrics.csv") == read_metrics(whole / "metrics.csv")


class Stack(nn.Module):
    """Two layers and what is around them, the last one tied to the first; computes its layers `times`."""

    def __init__(self, times: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(8, 8), nn.Linear(8, 8)
        self.last.weight = self.first.weight
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0) for _ in range(2))
        self.register_buffer("scale", torch.ones(2))
        self.times = times

    def forward(self, vectors: Tensor) -> Tensor:
        found = self.first(vectors)
        for layer in [*self.layers] * self.times:
            found = layer(found)
        result: Tensor = self.last(found)
        return result


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[DeviceMesh]:
    """One device, which holds shares of all there is."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def test_a_module_is_an_ordinary_one_again_afterwards(mesh: DeviceMesh, tmp_path: Path) -> None:
    stack, vectors = Stack(), torch.randn(4, 8)
    expected, names, kinds = stack(vectors), list(stack.state_dict()), [type(part) for part in stack.modules()]
    with whole_afterwards(stack):
        Shares(stack, mesh)
        assert all(isinstance(parameter, DTensor) for parameter in stack.parameters())
        stack(vectors).sum().backward()
        with torch.no_grad():
            for parameter in stack.parameters():
                parameter.mul_(2.0)
        save_trained(stack, tmp_path / "weights")
    assert [type(part) for part in stack.modules()] == kinds
    assert list(stack.state_dict()) == names
    assert stack.first.weight is stack.last.weight
    assert all(parameter.grad is None for parameter in stack.parameters())
    assert torch.equal(stack(vectors), expected)
    load_weights(stack, tmp_path / "weights")
    assert torch.equal(stack.first.weight, 2 * Stack().first.weight)


def test_a_layer_that_is_computed_twice_for_a_batch_is_refused(mesh: DeviceMesh) -> None:
    """How often would depend on the batch, and devices would take each other's layers for their own."""
    stack, vectors = Stack(times=2), torch.randn(4, 8)
    Shares(stack, mesh)
    with pytest.raises(ValueError, match="a FSDPTransformerEncoderLayer is computed more than once for a batch"):
        stack(vectors)
    stack.times = 1
    for _ in range(2):
        stack(vectors).sum().backward()


def test_what_was_gathered_is_computed_as_often_as_one_likes(mesh: DeviceMesh) -> None:
    stack, vectors = Stack(), torch.randn(4, 8)
    expected = stack(vectors)
    shares = Shares(stack, mesh)
    stack(vectors).sum().backward()
    shares.gather()
    with torch.no_grad():
        for _ in range(2):
            found = vectors
            for part in (stack.first, *stack.layers, stack.last):
                assert not any(isinstance(parameter, DTensor) for parameter in part.parameters())
                found = part(found)
        assert torch.equal(found, expected)
    shares.release()
    assert all(isinstance(parameter, DTensor) for parameter in stack.parameters())


class Weighted(PointingPredictor):
    def __init__(self) -> None:
        super().__init__()
        self.weight_of_all = nn.Parameter(torch.tensor(1.0))


def test_what_cannot_be_divided_is_refused(tmp_path: Path) -> None:
    check_shareable(Independent(PointingPredictor()))
    judged = RetrieverObjective(WordRetriever(collection()), nn.Linear(2, 2), Pdist())
    settings = replace(SETTINGS, devices=2, sharded=True)
    with pytest.raises(ValueError, match="learns from right answers, not what Joint trains"):
        fit(Joint(PointingPredictor(), judged), train_set(), dev=[], settings=settings, folder=tmp_path)
    with pytest.raises(ValueError, match=r"parameters predictor\.weight_of_all are single numbers"):
        check_shareable(Independent(Weighted()))
