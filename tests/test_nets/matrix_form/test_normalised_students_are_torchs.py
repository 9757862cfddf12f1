"""Students with batch normalisation compute and differentiate as torch's own modules do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nets.matrix_form.normalised import NO_EPS, NormalisedStudent, batchnorm_backward, normalisation_variance

SIZES = (3, 5, 4, 2)


def batch(samples: int = 12, width: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("placement", ["relu_bn", "bn_relu"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_student_is_its_modules_in_a_row(placement: str, bias: bool) -> None:
    """Linear, ReLU and normalisation in the named order, a linear top; what each normalisation is fed is told."""
    student = NormalisedStudent(SIZES, placement, bias=bias)  # type: ignore[arg-type]
    assert [(layer.in_features, layer.out_features, layer.bias is not None) for layer in student.linears] == [
        (3, 5, bias), (5, 4, bias), (4, 2, bias),
    ]  # fmt: skip
    modules: list[nn.Module] = []
    for linear, norm in zip(student.linears, student.norms, strict=False):
        order = (nn.ReLU(), norm) if placement == "relu_bn" else (norm, nn.ReLU())
        modules += [linear, *order]
    x = batch()
    fed: list[torch.Tensor] = []
    for norm in student.norms:
        norm.register_forward_pre_hook(lambda module, arguments: fed.append(arguments[0]))
    expected = nn.Sequential(*modules, student.linears[-1])(x)
    seen, fed = fed, []
    outputs, told = student.traced(x)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=0)
    torch.testing.assert_close(student(x), expected, rtol=0, atol=0)
    for one, other in zip(told, seen, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.3])
def test_the_closed_form_is_autograds(eps: float) -> None:
    """What batch normalisation sends down, with any eps, against torch's own backward."""
    fed, gradient, scale = batch(seed=1).requires_grad_(), batch(seed=2), batch(1, seed=3)[0]
    out = nn.functional.batch_norm(fed, None, None, scale, None, training=True, eps=max(eps, NO_EPS))
    (expected,) = torch.autograd.grad(out, fed, gradient)
    found = batchnorm_backward(fed.detach(), gradient, scale, eps)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


def test_the_variance_is_that_of_the_batch() -> None:
    """Divided by N, not by N - 1: what the normalised values are divided by."""
    fed = batch(seed=4)
    norm = nn.BatchNorm1d(3, eps=NO_EPS, affine=False, dtype=torch.float64)
    expected = (fed - fed.mean(0)) / norm(fed)
    torch.testing.assert_close(normalisation_variance(fed).sqrt().expand_as(fed), expected)


@pytest.mark.parametrize(
    ("sizes", "placement", "eps", "named"),
    [((3, 1), "relu_bn", 0.0, "sizes"), (SIZES, "bn", 0.0, "placement"), (SIZES, "relu_bn", -1.0, "eps")],
)
def test_bad_students_are_refused(sizes, placement, eps, named) -> None:
    """One ValueError that names the argument."""
    with pytest.raises(ValueError, match=named):
        NormalisedStudent(sizes, placement, eps=eps)
