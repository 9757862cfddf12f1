"""Products of a deep training in float32: their error is bounded, and nothing that adds up is rounded with them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from luckproof import (
    SGD,
    Architecture,
    DeepNetworks,
    Distillation,
    FreshGaussian,
    Trajectory,
    deep_teachers,
    network_seeds,
    train_deep,
)
from nets.deep.blocks import linear_map
from nets.deep.layers import Layer
from nets.deep.training.batches import gaussian_inputs
from nets.deep.training.descent import DeepDescent, resting
from nets.products import PRODUCTS, Products, full_convolutions
from tests.test_nets.documented_precision import ROWS, levels

UNIT = 2.0**-24
"""Half an ulp of 1 in float32."""

DENSE = Architecture((5,), (6, 4), 3)
SHAPES = [
    pytest.param(replace(shape, normalisation=norm), id=f"{kind}-{norm}")
    for kind, shape in (("dense", DENSE), ("conv", Architecture((2, 7, 6), (4, 3), 3)))
    for norm in ("none", "before", "after")
]


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_products(
    x: Tensor, W: Tensor, g: Tensor, products: Products
) -> list[tuple[Tensor, tuple[Tensor, Tensor]]]:
    """Values, gradient at the inputs and gradient of the weights of S dense maps, with the factors of each."""
    count, batch = W.shape[0], x.shape[1]
    layer = linear_map(Layer(W), products)
    side_x, side_g = (part.transpose(0, 1).reshape(batch, -1) for part in (x, g))
    values, below = layer.forward(side_x).clone(), layer.pull_back(side_x, side_g).clone()
    return [
        (values.view(batch, count, -1).transpose(0, 1), (x, W)),
        (below.view(batch, count, -1).transpose(0, 1), (g, W.mT)),
        (layer.gradient(side_x, side_g).clone().double(), (x.mT, g)),
    ]


def excess(found: Tensor, factors: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """Error over the bound of :class:`nets.deep.rounded_map.RoundedMap`, entry by entry and in norm: 1 at most."""
    A, B = factors
    terms = A.shape[-1]
    error, scale = (found - A @ B).abs(), A.abs() @ B.abs()
    worst = float((error / (scale * ((1 + UNIT) ** (terms + 2) - 1))).max())
    norms = [part.norm(dim=(-2, -1)) for part in (error, A, B)]
    in_norm = norms[0] / (1.01 * (terms + 2) * UNIT * norms[1] * norms[2])
    return worst, float(in_norm.max())


@given(
    st.integers(1, 3), st.integers(1, 70), st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**31),
    st.integers(-12, 12),
)  # fmt: skip
def test_the_error_of_a_product_is_bounded(
    count: int, batch: int, below: int, above: int, seed: int, power: int
) -> None:
    """By that of k + 2 roundings, whatever the sizes and scales; half precision's operands alone break the bound."""
    x, W = drawn((count, batch, below), seed), drawn((count, below, above), seed + 1)
    g = 10.0**power * drawn((count, batch, above), seed + 2)
    for found, factors in by_products(x, W, g, "float32"):
        assert max(excess(found, factors)) <= 1
        coarse = [part.bfloat16().double() for part in factors]
        if factors[0].shape[-1] < 70 and found.numel() > 8:
            assert excess(coarse[0] @ coarse[1], factors)[0] > 1
    values, *gradients = by_products(x, W, g, "float32-backward")
    torch.testing.assert_close(values[0], x @ W, rtol=0, atol=1e-13)
    for found, factors in gradients:
        assert max(excess(found, factors)) <= 1


def test_errors_of_random_products_grow_like_the_root_of_their_terms() -> None:
    """At most half of it, relative to the product in units of ``2^-24``: at 4,096 terms 8,000 times below the bound."""
    for terms in (16, 256, 4096):
        x, W = drawn((1, 50, terms), 0), drawn((1, terms, 50), 1)
        found, (A, B) = by_products(x, W, drawn((1, 50, 50), 2), "float32")[0]
        assert float((found - A @ B).norm() / (A @ B).norm()) < 0.5 * terms**0.5 * UNIT


def start(shape: Architecture, count: int) -> tuple[DeepNetworks, DeepNetworks]:
    """Teachers without normalisation and students twice as wide."""
    seeds = network_seeds(1, count)
    teacher = deep_teachers.separated_teacher(replace(shape, normalisation="none"), seeds)
    return teacher, deep_teachers.random_start(shape.over_parameterised(2), seeds)


def after_steps(
    students: DeepNetworks, teacher: DeepNetworks, sgd: SGD, products: Products, steps: int = 12
) -> Tensor:
    """Batch losses of some steps of the students, which are moved."""
    source = FreshGaussian(students.architecture.inputs, tuple(range(students.count)), 6, 6 * steps, std=1.0)
    descent = DeepDescent(students, Distillation(teacher), sgd, resting(students, sgd), products)
    batches = source.batches(0, slice(0, students.count), students.device, students.dtype)
    return torch.stack([descent.step(x, labels, sgd.lr) for x, labels in batches])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "sgd", [SGD(0.05), SGD(0.02, momentum=0.9, weight_decay=0.01)], ids=["plain", "momentum"]
)
def test_a_few_steps_are_those_of_float64(shape: Architecture, count: int, sgd: SGD) -> None:
    """To 1e-5 in every kind of layer, and not to 1e-12: the products are rounded; the networks stay in float64."""
    teacher, exact = start(shape, count)
    own = exact.clone()
    losses = after_steps(own, teacher, sgd, "own")
    for products in ("float32", "float32-backward"):
        rounded = exact.clone()
        found = after_steps(rounded, teacher, sgd, products)
        torch.testing.assert_close(found, losses, rtol=1e-5, atol=0)
        for name, value in rounded.tensors().items():
            torch.testing.assert_close(value, own.tensors()[name], rtol=1e-5, atol=1e-5, msg=name)
        moved = [float((a - b).abs().max()) for a, b in zip(rounded.weights, own.weights, strict=True)]
        assert min(moved) > 1e-12


def test_by_default_a_step_is_bit_for_bit_the_one_without_the_option() -> None:
    """One dense network against the same products, sums and in-place updates written out in torch."""
    teacher, students = start(DENSE, 1)
    weights = [
        (layer.weight[0].clone(), layer.bias[0].clone())
        for layer in students.layers
        if layer.bias is not None
    ]
    taught = [(layer.weight[0], layer.bias[0]) for layer in teacher.layers if layer.bias is not None]
    sgd, steps = SGD(0.05), 5
    after_steps(students, teacher, sgd, "own", steps)
    source = FreshGaussian(DENSE.inputs, (0,), 6, 6 * steps, std=1.0)
    for x, _ in source.batches(0, slice(0, 1), torch.device("cpu"), torch.float64):
        values, target = [x], x
        for index, (W, b) in enumerate(weights):
            z = torch.addmm(b, values[-1], W)
            values.append(z if index == len(weights) - 1 else torch.relu(z))
        for index, (W, b) in enumerate(taught):
            target = torch.addmm(b, target, W)
            target = target if index == len(taught) - 1 else torch.relu(target)
        g = (values[-1] - target).div(len(x))
        for index in reversed(range(len(weights))):
            W, b = weights[index]
            below = torch.mm(W, g.mT).mT.contiguous() * (values[index] > 0)
            W.addmm_(values[index].mT, g, alpha=-sgd.lr)
            b.sub_(g.sum(0), alpha=sgd.lr)
            g = below
    for layer, (W, b) in zip(students.layers, weights, strict=True):
        assert layer.bias is not None
        assert torch.equal(layer.weight[0], W)
        assert torch.equal(layer.bias[0], b)


def trained(products: Products = "own", dtype: torch.dtype = torch.float64, **options: object) -> Trajectory:
    """A short run of two networks."""
    teacher, students = (networks.to("cpu", dtype) for networks in start(DENSE, 2))
    x = gaussian_inputs(DENSE.inputs, (0, 1), 20, 1.0, dtype=dtype)
    source = FreshGaussian(DENSE.inputs, (0, 1), 8, 80, std=1.0)
    settings = {"sgd": SGD(0.02, momentum=0.5), "epochs": 2, "evaluation": x, "products": products} | options
    return train_deep(students, teacher, source, **settings)  # type: ignore[arg-type]


def floor(products: Products, dtype: torch.dtype, rate: float) -> float:
    """The loss, in float64, at which a student stays that starts 1e-6 from its teacher."""
    shape, seeds = Architecture((4,), (3,), 2, bias=False), network_seeds(0, 2)[1:]
    teacher = deep_teachers.separated_teacher(shape, seeds)
    students = teacher.clone()
    for index, weight in enumerate(students.weights):
        weight.add_(drawn(tuple(weight.shape), index), alpha=1e-6)
    students = students.to("cpu", dtype)
    x = gaussian_inputs(shape.inputs, seeds, 500, 1.0)
    train_deep(
        students, teacher.to("cpu", dtype), FreshGaussian(shape.inputs, tuple(seeds), 8, 800, 1.0), sgd=SGD(rate),
        epochs=10 if rate > 0.1 else 40, evaluation=x.to(dtype), products=products, record_at=(),
    )  # fmt: skip
    error = students.to("cpu", torch.float64).output(x) - teacher.output(x)
    return float(error.square().mean())


@pytest.mark.parametrize("row", ROWS)
def test_a_run_levels_off_where_the_documentation_says(row: str) -> None:
    """Within a factor of 5 of its table, whose numbers are 30 orders apart: the option keeps weights from stalling."""
    for rate, level in zip((0.4, 0.04), levels(row, 0), strict=True):
        assert level / 5 < floor(*ROWS[row], rate) < level * 5


def test_no_step_is_too_small_for_the_weights() -> None:
    """A step of 1e-12 of a gradient moves them by what float64 does, to 1e-3; float32 networks do not move at all."""
    teacher, students = start(replace(DENSE, bias=False), 1)
    ends = {}
    for row, (products, dtype) in ROWS.items():
        moved = students.to("cpu", dtype).clone()
        after_steps(moved, teacher.to("cpu", dtype), SGD(1e-12), products, 1)
        before = students.to("cpu", dtype).weights[1]
        ends[row] = moved.weights[1] - before
    exact = ends.pop("float64")
    assert float(exact.abs().max()) > 0
    assert not ends.pop("float32").any()
    for found in ends.values():
        torch.testing.assert_close(found, exact, rtol=1e-3, atol=1e-16)  # an ulp of a weight


def test_a_run_says_its_products_and_is_continued_only_with_them(tmp_path: Path) -> None:
    """In its attributes, unless they are the default's; a checkpoint of other products is refused."""
    assert "products" not in trained().attributes
    for products in PRODUCTS[1:]:
        file = tmp_path / products
        once = trained(products, checkpoint=file)
        assert once.attributes["products"] == products
        once.save(tmp_path / "run.nc")
        assert Trajectory.load(tmp_path / "run.nc").attributes["products"] == products
        again = trained(products, checkpoint=file)
        assert (again.observables["loss"] == once.observables["loss"]).all()
        for other in set(PRODUCTS) - {products}:
            with pytest.raises(ValueError, match="is of another run: its products is"):
                trained(other, checkpoint=file)


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Nothing of a step but weights and momentum is needed for the next: the rounded copies are made anew."""
    once, file = trained("float32", epochs=4), tmp_path / "run"

    def stop(fraction: float) -> None:
        if fraction > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained("float32", epochs=4, checkpoint=file, progress=stop)
    resumed = trained("float32", epochs=4, checkpoint=file)
    assert (resumed.observables["loss"] == once.observables["loss"]).all()


def test_products_that_cannot_be_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another word, networks without more to keep, and a torch that takes float32 more coarsely: one error each."""
    with pytest.raises(
        ValueError, match="products: expected one of own, float32, float32-backward, got 'float16'"
    ):
        trained("float16")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match="products: expected 'own' for networks in float32, got 'float32-backward'"
    ):
        trained("float32-backward", torch.float32)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    message = r"products: expected torch.set_float32_matmul_precision\('highest'\) for 'float32', got 'high'"
    with pytest.raises(ValueError, match=message):
        trained("float32")
    trained("own")


def rounded_convolutions() -> bool:
    """Whether convolutions in float32 may be taken in fewer bits, in whatever words this torch has for it."""
    backends = torch.backends
    if not hasattr(backends.cudnn, "conv"):
        return backends.cudnn.allow_tf32
    return bool(
        {library.conv.fp32_precision for library in (backends.cudnn, backends.mkldnn)} & {"tf32", "bf16"}
    )


@pytest.mark.parametrize(
    ("products", "dtype"), [("own", torch.float32), ("own", torch.float64), ("float32", torch.float64)]
)
def test_convolutions_are_full_meanwhile(products: Products, dtype: torch.dtype) -> None:
    """Allowed by default, forbidden while any run lasts, and allowed after it, after an error too."""
    seen: list[bool] = []

    def look(_: float) -> None:
        seen.append(rounded_convolutions())
        if len(seen) > 3:
            raise KeyboardInterrupt

    assert rounded_convolutions()
    with pytest.raises(KeyboardInterrupt):
        trained(products, dtype, progress=look, epochs=9)
    assert set(seen) == {False}
    assert rounded_convolutions()


def test_runs_in_threads_share_the_setting() -> None:
    """It lasts to the end of the last run, however they overlap, and is then as it was before the first."""
    assert rounded_convolutions()
    first, second = full_convolutions(), full_convolutions()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not rounded_convolutions()
    second.__exit__(None, None, None)
    assert rounded_convolutions()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: trained("own", epochs=1), range(8)))
    assert rounded_convolutions()


SETTINGS = [
    f"torch.backends{part} = {value!r}"
    for values, parts in (
        ((True, False), (".cudnn.allow_tf32",)),
        (("ieee", "tf32"), (".fp32_precision", ".cudnn.fp32_precision", ".cudnn.conv.fp32_precision")),
        (("ieee", "tf32", "bf16"), (".mkldnn.fp32_precision", ".mkldnn.conv.fp32_precision")),
    )
    for part in parts
    for value in values
]
INSIDE = """
import sys, torch
from nets.products import full_convolutions
from tests.test_nets.deep.test_float32_products_sum_in_float64 import rounded_convolutions
exec(sys.argv[1])
before = rounded_convolutions()
with full_convolutions():
    print(rounded_convolutions())
print(rounded_convolutions() == before)
"""


@pytest.mark.parametrize("setting", SETTINGS)
def test_however_torch_is_set_convolutions_are_full(setting: str) -> None:
    """torch refuses to tell its older switch where newer ones disagree; each is set in a process of its own."""
    if "fp32" in setting and not hasattr(torch.backends.cudnn, "conv"):
        pytest.skip("this torch has no such setting")
    words = [sys.executable, "-c", INSIDE, setting]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert (done.stdout, done.returncode) == ("False\nTrue\n", 0), done.stderr
