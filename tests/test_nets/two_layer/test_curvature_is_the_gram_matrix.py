"""Automatic differentiation, Hessian products and Lanczos agree with each other and with the features' Gram matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import TeacherStudent, TwoLayerStudents
from nets.two_layer.curvature import (
    dense_hessian,
    hessian_spectrum,
    hessian_vector_product,
    largest_eigenvalues,
)

pytestmark = pytest.mark.statement("luckmatters.introduction.flat_minima", "luckmatters.theorem5.flat_minima")


def students_of(seed: int, *, solved: bool) -> tuple[TwoLayerStudents, torch.Tensor]:
    rng = np.random.default_rng(seed)
    S, d, m, n, c = 2, 4, 2, 3, 2
    W, V = rng.standard_normal((S, d, n)), rng.standard_normal((S, n, c))
    teacher_W, teacher_V = (
        (W, V) if solved else (rng.standard_normal((S, d, m)), rng.standard_normal((S, m, c)))
    )
    students = TwoLayerStudents.from_problem(TeacherStudent(teacher_W, W, teacher_V, V), device="cpu")
    return students, torch.as_tensor(rng.standard_normal((S, 60, d)))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_at_zero_residual_the_hessian_is_the_gram_matrix(seed: int) -> None:
    """H = mean_b sum_i phi_i phi_i^T with phi_i = (f'_j x v_ji, f_j e_i), built by hand."""
    students, x = students_of(seed, solved=True)
    W, V = students.W, students.V
    gates = (x @ W > 0).double()
    f = torch.relu(x @ W)
    for s in range(2):
        features = []
        for output in range(2):
            by_W = x[s][:, :, None] * (gates[s] * V[s, :, output])[:, None, :]
            by_V = torch.zeros(60, 3, 2, dtype=torch.float64)
            by_V[:, :, output] = f[s]
            features.append(torch.cat([by_W.flatten(1), by_V.flatten(1)], dim=1))
        gram = sum(phi.T @ phi for phi in features) / 60
        H = dense_hessian(students, x)[s]
        assert torch.allclose(H, gram, rtol=0, atol=1e-12 * float(gram.abs().max()))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_products_and_lanczos_agree_with_the_dense_hessian(seed: int) -> None:
    """Away from the solution too."""
    students, x = students_of(seed, solved=False)
    H = dense_hessian(students, x)
    step = torch.as_tensor(np.random.default_rng(seed).standard_normal(H.shape[:2]))
    product = hessian_vector_product(students, x, step)
    assert torch.allclose(
        product, (H @ step[..., None])[..., 0], rtol=1e-10, atol=1e-12 * float(H.abs().max())
    )
    top = hessian_spectrum(students, x)[:, ::-1][:, :2]
    np.testing.assert_allclose(largest_eigenvalues(students, x, k=2), top, rtol=1e-8)


def test_bad_counts_are_named() -> None:
    """k outside [1, N) raises at the boundary."""
    students, x = students_of(0, solved=False)
    with pytest.raises(ValueError, match="k: expected"):
        largest_eigenvalues(students, x, k=18)
