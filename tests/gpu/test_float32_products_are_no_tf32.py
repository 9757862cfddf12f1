"""On a GPU too, products in float32 are rounded as float32 is: TF32, which keeps 10 bits, would be seen."""

from __future__ import annotations

import pytest

from nets.deep.blocks import linear_map
from nets.deep.layers import Layer
from nets.products import full_convolutions
from tests.test_nets.deep.test_float32_products_sum_in_float64 import (
    by_products,
    drawn,
    excess,
    rounded_convolutions,
)

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("count", [1, 4])
def test_matrix_products_meet_their_bound(device: str, count: int) -> None:
    """All three of a layer; operands of 10 bits, as of TF32, break it."""
    x, W, g = (
        drawn(shape, seed).to(device)
        for seed, shape in enumerate(((count, 64, 300), (count, 300, 500), (count, 64, 500)))
    )
    for found, factors in by_products(x, W, g, "float32"):
        assert max(excess(found, factors)) <= 1
    coarse = [part.half().double() for part in (x, W)]
    assert excess(coarse[0] @ coarse[1], (x, W))[0] > 1


@pytest.mark.parametrize("count", [1, 4])
def test_convolutions_are_right_to_float32(device: str, count: int) -> None:
    """Values and both gradients to 1e-5 in norm, in whatever way a library sums; 10 bits give 1e-4 and more."""
    W, x = drawn((count, 32, 16, 3, 3), 0).to(device), drawn((8, count * 16, 12, 12), 1).to(device)
    g = drawn((8, count * 32, 10, 10), 2).to(device)
    with full_convolutions():
        found, exact = (linear_map(Layer(W), products) for products in ("float32", "own"))
        pairs = [
            (found.forward(x), exact.forward(x)),
            (found.pull_back(x, g), exact.pull_back(x, g)),
            (found.gradient(x, g).double(), exact.gradient(x, g)),
        ]
    for ours, right in pairs:
        assert float((ours - right).norm()) < 1e-5 * float(right.norm())
    right = exact.forward(x)
    coarse = linear_map(Layer(W.half().double())).forward(x.half().double())
    assert float((coarse - right).norm()) > 1e-4 * float(right.norm())
    assert rounded_convolutions()
