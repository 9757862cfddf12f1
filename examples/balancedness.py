"""A third paper's claim, judged: luckproof verify --from examples/balancedness.py"""

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from luckproof import FLOW, SEED, Context, Evidence, Flow, Instance, Item, Source, drawn, integers, integrate

PAPER = "Du, Hu, Lee: Algorithmic Regularization in Learning Deep Homogeneous Models (arXiv:1806.00900)"
PLACE = Source(PAPER, "Theorem 2.2", "its case of two layers and the square loss", version="v2", section="2")


@dataclass(frozen=True)
class Layers(Instance):
    """Widths of f(x) = W2 W1 x, 3 outputs; the seed of data and start."""

    d: int = drawn(2, st.integers(1, 5), integers(1), "inputs")
    h: int = drawn(2, st.integers(1, 5), integers(1), "hidden nodes")
    seed: int = drawn(0, st.integers(0, 1000), SEED)


class LinearLayers(Flow):
    """W1' = -dJ/dW1, W2' = -friction W2 - dJ/dW2 of J = ||W2 W1 X - Y||^2 / 2n; the paper has no friction."""

    dimensions = {"W1": ("hidden", "input"), "W2": ("output", "hidden")}  # noqa: RUF012
    initial_arrays = {}  # noqa: RUF012  (set below)

    def __init__(self, layers: Layers, friction: float) -> None:
        draw = np.random.default_rng(layers.seed).standard_normal
        self.X, self.Y = draw((layers.d, 20)) / 20**0.5, draw((3, 20)) / 20**0.5
        self.friction = friction
        self.initial_arrays = {"W1": draw((layers.h, layers.d)), "W2": draw((3, layers.h))}

    def __call__(self, t, y):
        W1, W2 = self.unpack(y).values()
        error = (W2 @ W1 @ self.X - self.Y) @ self.X.T
        return self.pack({"W1": -W2.T @ error, "W2": -error @ W1.T - self.friction * W2})

    def balance(self, y):
        W1, W2 = self.unpack(y).values()
        return W1 @ W1.T - W2.T @ W2


@Item("balance.theorem2_2", PLACE).claim(
    "printed", expected="holds", on=Layers, cost=FLOW, compares=("drift of W1 W1ᵀ − W2ᵀ W2", "=", "zero")
)
def stays(layers: Layers, context: Context, *, friction: float = 0.0) -> Evidence:
    """Gradient flow keeps two linear layers balanced

    d/dt (W1 W1ᵀ − W2ᵀ W2) = 0 along W' = −∇J, J = ‖W2 W1 X − Y‖² / 2n
    """
    flow = LinearLayers(layers, friction)
    run = integrate(flow, (0, 5), rtol=1e-9)
    before, after = map(flow.balance, (flow.initial_state(), run.final_state))
    drift, size = np.abs(after - before).max(), np.linalg.norm(flow.initial_state()) ** 2
    return Evidence.close(drift, predicted=0.0, tolerance=1e-6 * size)  # 1000 rtol: errors of steps add up


stays.rejects("with friction on one layer", Layers(), friction=0.01)
