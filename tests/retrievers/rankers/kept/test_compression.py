from __future__ import annotations

import numpy as np
import pytest

from reml.contract.vectors import Float32Array
from reml.retrievers.rankers.kept.compression import FORMS, Form, Residuals


def unit_vectors(count: int, width: int, seed: int = 0) -> Float32Array:
    """Vectors of length 1 around twenty centres."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(20, width))
    vectors = centres[generator.integers(20, size=count)] + 0.3 * generator.normal(size=(count, width))
    made: Float32Array = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


@pytest.mark.parametrize(("form", "size", "near"), [("float16", 60, 5e-4), ("int8", 32, 7e-3), ("residual", 10, 0.15)])
def test_codes_are_small_and_near(form: Form, size: int, near: float) -> None:
    """Of 30 dimensions, which no byte of four divides; a compression comes back from its tensors."""
    vectors = unit_vectors(3_000, 30)
    made = FORMS[form].learnt(vectors, len(vectors))
    codes = made.encode(vectors)
    assert codes.dtype == np.uint8
    assert codes.shape == (3_000, size)
    assert made.size == size
    again = FORMS[form](**made.tensors).decode(codes)
    np.testing.assert_array_equal(again, made.decode(codes))
    distances = np.linalg.norm(again - vectors, axis=1)
    assert distances.mean() < near
    assert distances.max() < 5 * near
    assert made.decode(codes[:0]).shape == (0, 30)
    assert made.encode(vectors[:0]).shape == (0, size)


def test_residuals_by_hand() -> None:
    """Two centroids; a residual's quarter is where it lies between the ends."""
    made = Residuals(
        np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], np.float32),
        np.array([-0.1, 0.0, 0.1], np.float32),
        np.array([-0.2, -0.05, 0.05, 0.2], np.float32),
    )
    codes = made.encode(np.array([[0.95, 0.05, -0.3, 0.3, 0.15]], np.float32))
    # centroid 0; residuals -0.05, 0.05, -0.3, 0.3, 0.15 are in the quarters 1, 2, 0, 3, 3
    assert codes.tolist() == [[0, 0, 1 + 2 * 4 + 0 * 16 + 3 * 64, 3]]
    read = np.array([1 - 0.05, 0.05, -0.2, 0.2, 0.2])
    np.testing.assert_allclose(made.decode(codes)[0], read / np.linalg.norm(read), rtol=1e-6)


def test_a_few_vectors_are_kept_too() -> None:
    vectors = unit_vectors(3, 8)
    made = Residuals.learnt(vectors, 3)
    assert len(made.centroids) == 1
    assert np.linalg.norm(made.decode(made.encode(vectors)) - vectors, axis=1).max() < 1.0
