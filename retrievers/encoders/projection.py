"""What stands between pooling and a vector in a folder of sentence-transformers: projections and layer norms."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar, final

import torch
from safetensors.torch import load_file, save_model
from torch import Tensor, nn
from torch.nn.modules import activation, linear

from reml.contract.examples import Json
from reml.files.atomic import write_json
from reml.files.model_location import ModelError
from reml.text.models.declared import Declared, Module, settings_of
from reml.text.models.model_folder import WEIGHTS, ModelFolder, refuse_cut

Step = TypeVar("Step", bound=nn.Module)
INPUT: Final = "sentence_embedding"
OF_DENSE: Final = ("in_features", "out_features", "bias", "activation_function", "use_residual")
NAMES: Final = ("module_input_name", "module_output_name")
TYPES: Final = "sentence_transformers.models"


@final
class Projection(nn.Module):
    """A linear map, an activation, and the input added to it where `residual` is asked: [B, D] -> [B, E]."""

    def __init__(self, linear: nn.Linear, activation: nn.Module, *, residual: bool = False) -> None:
        super().__init__()
        self.linear, self.activation_function, self.use_residual = linear, activation, residual
        widens = residual and linear.in_features != linear.out_features
        self.residual = nn.Linear(linear.in_features, linear.out_features, bias=False) if widens else None

    def forward(self, vectors: Tensor) -> Tensor:
        """Project vectors [B, D], [B, E]."""
        made: Tensor = self.activation_function(self.linear(vectors))
        if not self.use_residual:
            return made
        return made + (self.residual(vectors) if self.residual is not None else vectors)

    def settings(self) -> dict[str, Json]:
        """Give what sentence-transformers calls config.json."""
        kind = type(self.activation_function)
        return {
            "in_features": self.linear.in_features,
            "out_features": self.linear.out_features,
            "bias": self.linear.bias is not None,
            "activation_function": f"{kind.__module__}.{kind.__qualname__}",
            **({"use_residual": True} if self.use_residual else {}),
        }


@final
class Norm(nn.Module):
    """A layer norm, under the name that its weights have in a folder."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors: Tensor) -> Tensor:
        """Normalise each vector [B, D]."""
        made: Tensor = self.norm(vectors)
        return made

    def settings(self) -> dict[str, Json]:
        """Give what sentence-transformers calls config.json."""
        return {"dimension": self.norm.normalized_shape[0]}


@final
class UnitLength(nn.Module):
    """Makes vectors of length 1, before a further step."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Divide each vector [B, D] by its length."""
        return nn.functional.normalize(vectors, dim=-1)

    def settings(self) -> dict[str, Json]:
        """Give no settings."""
        return {}


KINDS: Final[dict[type[nn.Module], str]] = {Projection: "Dense", Norm: "LayerNorm", UnitLength: "Normalize"}


def steps_of(folder: ModelFolder, said: Declared, width: int) -> nn.Sequential | None:
    """Make the steps after pooling with their weights, None if there are none. width: of what is pooled.

    `ModelError` if weights are missing, cut or of another shape, or a setting is not known here.
    """
    steps = []
    for module in said.steps:
        if module.kind == "Dropout":  # nothing is dropped where a vector is wanted
            continue
        step = _dense(folder, module, width) if module.kind == "Dense" else _other(folder, module, width)
        width = step.linear.out_features if isinstance(step, Projection) else width
        steps.append(step)
    return nn.Sequential(*steps) if steps else None


def write_steps(folder: Path, steps: nn.Sequential, *, pooling: str, width: int, normalise: bool) -> None:
    """Write what `steps_of`, and sentence-transformers, reads. width: of the states of tokens."""
    parts = [("Transformer", ""), ("Pooling", "1_Pooling")]
    ways: list[Json] = [way.replace("sqrt_len", "sqrt_len_tokens") for way in pooling.split("+")]
    _write(folder / "1_Pooling", {"word_embedding_dimension": width, "pooling_mode": ways})
    for number, step in enumerate(steps, 2):
        kind = KINDS[type(step)]
        parts.append((kind, f"{number}_{kind}"))
        _write(folder / parts[-1][1], step.settings())  # type: ignore[operator]
        save_model(step, str(folder / parts[-1][1] / WEIGHTS))
    if normalise:
        parts.append(("Normalize", f"{len(parts)}_Normalize"))
    listed: list[Json] = [
        {"idx": place, "name": str(place), "path": path, "type": f"{TYPES}.{kind}"}
        for place, (kind, path) in enumerate(parts)
    ]
    write_json(folder / "modules.json", listed)


def _write(folder: Path, settings: dict[str, Json]) -> None:
    folder.mkdir()
    write_json(folder / "config.json", settings)


def _dense(folder: ModelFolder, module: Module, width: int) -> Projection:
    settings = settings_of(folder, module, (*OF_DENSE, *NAMES))
    file = f"{module.path}/config.json"
    _refuse_other_names(folder, file, settings)
    inside, outside = settings.get("in_features"), settings.get("out_features")
    if not isinstance(inside, int) or not isinstance(outside, int):
        raise ModelError(f"{folder.name!r}: {file} does not say in_features and out_features. Get it anew.")
    if inside != width:
        raise ModelError(
            f"{folder.name!r}: {file} projects vectors of width {inside}, and those before it have {width}: choose the "
            "pooling that the folder names, or get it anew."
        )
    kind = activation_of(folder, file, settings.get("activation_function", "torch.nn.modules.activation.Tanh"))
    made = nn.Linear(inside, outside, bias=settings.get("bias") is not False)
    return _filled(folder, module, Projection(made, kind, residual=settings.get("use_residual") is True))


def _other(folder: ModelFolder, module: Module, width: int) -> Norm | UnitLength:
    settings = settings_of(folder, module, ("dimension", *NAMES)) if module.path else {}
    _refuse_other_names(folder, f"{module.path}/config.json", settings)
    return UnitLength() if module.kind == "Normalize" else _filled(folder, module, Norm(width))


def _refuse_other_names(folder: ModelFolder, file: str, settings: dict[str, Json]) -> None:
    for name in NAMES:
        if settings.get(name) not in (None, INPUT):
            raise ModelError(
                f"{folder.name!r}: {file} has {name} {settings[name]!r}, which is not read here: name another model."
            )


def activation_of(folder: ModelFolder, file: str, name: Json) -> nn.Module:
    """Make an activation of torch by its path; no other code is run."""
    if name is None:
        return nn.Identity()
    place, _, kind = str(name).rpartition(".")
    homes = {"torch.nn.modules.activation": activation, "torch.nn.modules.linear": linear, "torch.nn": nn}
    found = getattr(homes.get(place), kind, None)
    try:
        made = found() if isinstance(found, type) and issubclass(found, nn.Module) else None
    except TypeError:  # one that wants arguments
        made = None
    if made is None or list(made.parameters()):
        raise ModelError(
            f"{folder.name!r}: {file} names the activation {name!r}, which is none of torch.nn: name another model."
        )
    return made


def _filled(folder: ModelFolder, module: Module, step: Step) -> Step:
    """Load the weights of a step."""
    path = folder.root / module.path / WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"{folder.name!r}: {module.path}/{WEIGHTS} is not there (pickled weights are never read): get it, or save "
            "the model anew with sentence-transformers of today."
        )
    refuse_cut(folder.name, path)
    there, wanted = load_file(path), step.state_dict()
    for name in sorted({*there, *wanted}):
        if name not in there or name not in wanted or there[name].shape != wanted[name].shape:
            shapes = [list(one[name].shape) if name in one else "not there" for one in (there, wanted)]
            raise ModelError(
                f"{folder.name!r}: {name} of {module.path}/{WEIGHTS} is {shapes[0]}, and by its config.json "
                f"{shapes[1]}: get the folder anew."
            )
    step.load_state_dict({name: value.to(torch.float32) for name, value in there.items()})
    return step
