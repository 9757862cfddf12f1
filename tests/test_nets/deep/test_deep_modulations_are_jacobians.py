"""Folded networks are the same functions, and their mean modulations are those of autograd's Jacobians."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from luckproof import Architecture, DeepNetworks, deep_teachers, network_seeds
from nets.deep.folding import folded
from nets.deep.modulation import mean_modulations
from nets.deep.training.batches import gaussian_inputs
from nets.matrix_form.layered import augmented

pytestmark = pytest.mark.statement("luckmatters.theorem1")

SHAPE = Architecture((5,), (4, 3), 2)
SAMPLES = 20


def pair(
    normalisation: str, affine: bool = True, bias: bool = True
) -> tuple[DeepNetworks, DeepNetworks, Tensor]:
    """Two students with running statistics and scales of both signs, their teachers, and inputs."""
    seeds = network_seeds(3, 2)
    shape = replace(SHAPE, bias=bias)
    students = deep_teachers.random_start(
        replace(shape.over_parameterised(2), normalisation=normalisation, affine=affine), seeds
    )
    generator = torch.Generator().manual_seed(0)
    for layer in students.layers:
        if layer.norm is not None:
            layer.norm.mean.normal_(generator=generator)
            layer.norm.var.uniform_(0.1, 2, generator=generator)
            if layer.norm.scale is not None and layer.norm.shift is not None:
                layer.norm.scale.normal_(generator=generator)
                layer.norm.shift.normal_(generator=generator)
    return students, deep_teachers.separated_teacher(shape, seeds), gaussian_inputs((5,), seeds, SAMPLES, 1.0)


CASES = [("none", True, True), ("none", True, False), ("before", True, True), ("before", False, False),
         ("after", True, True), ("after", False, False)]  # fmt: skip


@pytest.mark.parametrize(("normalisation", "affine", "bias"), CASES)
def test_folding_keeps_the_function_and_the_gates(normalisation: str, affine: bool, bias: bool) -> None:
    """Outputs agree to round-off and so do all gates; a forgotten shift is seen."""
    students, _, x = pair(normalisation, affine, bias)
    values = folded(students).evaluate(augmented(x))
    torch.testing.assert_close(values.output, students.output(x), rtol=1e-12, atol=1e-12)
    for gates, (z, _) in zip(values.gates[:-1], students.traced(x)[:-1], strict=True):
        assert torch.equal(gates[..., :-1] > 0, z > 0)
    if normalisation != "none":
        norm = students.layers[0].norm
        assert norm is not None
        norm.mean += 0.1
        assert (folded(students).evaluate(augmented(x)).output - values.output).abs().max() > 1e-3


def jacobians(networks: DeepNetworks, index: int, x: Tensor) -> list[Tensor]:
    """d output / d (ReLU output of layer l) of one network, ``(N, C, n_l)`` a hidden layer, by autograd."""
    values = x[index, :, :].contiguous()
    own = networks.part(slice(index, index + 1))
    blocks = own.blocks()
    relus = []
    for block, layer in zip(blocks, own.layers, strict=True):
        z = block.pre_activation(values)
        if block is blocks[-1]:
            values = z
            break
        r = torch.relu(z).requires_grad_(True)
        relus.append(r)
        values = r
        if layer.norm is not None and networks.architecture.normalisation == "after":
            eps = networks.architecture.eps
            values = (r - layer.norm.mean[0]) / (layer.norm.var[0] + eps).sqrt()
            if layer.norm.scale is not None and layer.norm.shift is not None:
                values = values * layer.norm.scale[0] + layer.norm.shift[0]
    rows = [torch.autograd.grad(values[:, c].sum(), relus, retain_graph=True) for c in range(values.shape[1])]
    return [torch.stack(parts, dim=1) for parts in zip(*rows, strict=True)]


@pytest.mark.parametrize(("normalisation", "affine", "bias"), CASES)
@pytest.mark.parametrize("elements", [1, 1 << 20], ids=["one sample a chunk", "one chunk"])
def test_mean_modulations_are_those_of_the_jacobians(
    normalisation: str, affine: bool, bias: bool, elements: int
) -> None:
    """E[beta*], H*, beta, H, the fan-out proxy, D, L and observers, all from autograd and loops over samples."""
    students, teacher, x = pair(normalisation, affine, bias)
    found = mean_modulations(students, teacher, x, among_students=True, elements=elements)
    for index in range(2):
        V, V_star = jacobians(students, index, x), jacobians(teacher, index, x)
        traced, taught = students.traced(x), teacher.traced(x)
        for level, layer in enumerate(found):
            gates, gates_star = ((z[level][0][index] > 0).double() for z in (traced, taught))
            r, r_star = (torch.relu(z[level][0][index]) for z in (traced, taught))
            beta = torch.einsum("bci,bcj->bij", V[level], V[level])
            beta_star = torch.einsum("bci,bcj->bij", V[level], V_star[level])
            expected = {
                "beta_star": beta_star.mean(0),
                "H_star": (gates[:, :, None] * beta_star * gates_star[:, None, :]).mean(0),
                "beta": beta.mean(0),
                "H": (gates[:, :, None] * beta * gates[:, None, :]).mean(0),
                "D_star": gates.T @ gates_star / SAMPLES,
                "L_star": r.T @ r_star / SAMPLES,
                "D": gates.T @ gates / SAMPLES,
                "L": r.T @ r / SAMPLES,
                "fan_out": beta.mean(0).diagonal().sqrt(),
                "active": gates.mean(0),
            }
            for name, value in expected.items():
                torch.testing.assert_close(
                    getattr(layer, name)[index], value, rtol=1e-11, atol=1e-12, msg=name
                )
            for k, j in ((0, 0), (3, 1)):
                side = gates_star[gates[:, k] > 0, j]
                seen = min((side > 0).sum().item(), (side == 0).sum().item()) / SAMPLES
                assert float(layer.observation[index, k, j]) == pytest.approx(seen, abs=1e-12)
    with pytest.raises(ValueError, match="expected fully connected"):
        folded(deep_teachers.random_start(Architecture((1, 5, 5), (2,), 2), [0]))


def test_precision_is_that_of_the_networks() -> None:
    """float32 networks give the float64 maps to 1e-5: sums are kept in float64."""
    students, teacher, x = pair("after")
    exact = mean_modulations(students, teacher, x)
    rough = mean_modulations(students.to("cpu", torch.float32), teacher.to("cpu", torch.float32), x.float())
    for a, b in zip(exact, rough, strict=True):
        torch.testing.assert_close(a.H_star, b.H_star, rtol=1e-4, atol=1e-5)
        assert b.H_star.dtype == torch.float64
