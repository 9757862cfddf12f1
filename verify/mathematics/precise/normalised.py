"""The radial drift of a filter under batch normalisation in many digits, without back-propagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mpmath import mp, mpf

if TYPE_CHECKING:
    from verify.mathematics.gradients.normalised_training import Training

DIGITS = 40
Matrix = list[list[Any]]


def radial_drift(training: Training) -> Any:
    """The largest change of ``||w_j||^2`` over the nodes: its rate under the flow (lr = 0), or after one step.

    The rate is ``-2 dJ(a w_j)/da`` at a = 1, a derivative along one line, with 40 digits. A step needs the
    whole gradient of the filter, coordinate by coordinate.
    """
    with mp.workdps(DIGITS):
        network = _Network(training)
        drifts = []
        for block, width in enumerate(training.hidden):
            for node in range(width):
                w = [mpf(v) for v in network.weights[block][node]]
                if training.lr == 0:
                    drifts.append(2 * network.slope(block, node, w))
                else:
                    gradient = [network.slope(block, node, _unit(len(w), k)) for k in range(len(w))]
                    moved = [a - mpf(training.lr) * g for a, g in zip(w, gradient, strict=True)]
                    drifts.append(mp.fsum(v * v for v in moved) - mp.fsum(v * v for v in w))
        return max(abs(drift) for drift in drifts)


def _unit(length: int, index: int) -> list[Any]:
    return [mpf(int(k == index)) for k in range(length)]


class _Network:
    """The student of ``training`` as plain lists: forward only."""

    def __init__(self, training: Training) -> None:
        student = training.student()
        x, y = training.batch()
        self.training = training
        self.x: Matrix = _exact(x.tolist())
        self.y: Matrix = _exact(y.tolist())
        self.weights: list[Matrix] = [_exact(linear.weight.tolist()) for linear in student.linears]
        zeros = [[0.0] * len(W) for W in self.weights]
        biases = [linear.bias.tolist() for linear in student.linears] if training.biased else zeros
        self.biases: Matrix = _exact(biases)
        self.scales: Matrix = _exact([norm.weight.tolist() for norm in student.norms])
        self.shifts: Matrix = _exact([norm.bias.tolist() for norm in student.norms])

    def slope(self, block: int, node: int, direction: Sequence[Any]) -> Any:
        """Derivative of the loss when ``w_node`` of ``block`` moves along ``direction``."""
        start = self.weights[block][node]

        def along(a: Any) -> Any:
            self.weights[block][node] = [w + a * v for w, v in zip(start, direction, strict=True)]
            value = self.loss()
            self.weights[block][node] = start
            return value

        return mp.diff(along, 0)

    def loss(self) -> Any:
        f = self.x
        for block, (W, b) in enumerate(zip(self.weights[:-1], self.biases[:-1], strict=True)):
            f = _affine(f, W, b)
            if self.training.placement == "relu_bn":
                f = _entrywise(f, _relu)
            f = _normalise(f, mpf(self.training.eps), self.scales[block], self.shifts[block])
            if self.training.placement == "bn_relu":
                f = _entrywise(f, _relu)
        f = _affine(f, self.weights[-1], self.biases[-1])
        squares = (
            (a - b) ** 2
            for row, target in zip(f, self.y, strict=True)
            for a, b in zip(row, target, strict=True)
        )
        return mp.fsum(squares) / (2 * len(f))


def _exact(values: Any) -> Any:
    return [[mpf(v) for v in row] for row in values]


def _relu(value: Any) -> Any:
    return value if value > 0 else mpf(0)


def _entrywise(f: Matrix, function: Callable[[Any], Any]) -> Matrix:
    return [[function(v) for v in row] for row in f]


def _affine(f: Matrix, W: Matrix, b: Sequence[Any]) -> Matrix:
    return [[mp.fdot(row, w) + shift for w, shift in zip(W, b, strict=True)] for row in f]


def _normalise(f: Matrix, eps: Any, scale: Sequence[Any], shift: Sequence[Any]) -> Matrix:
    columns = []
    for values, c0, c1 in zip(zip(*f, strict=True), scale, shift, strict=True):
        mean = mp.fsum(values) / len(values)
        variance = mp.fsum((v - mean) ** 2 for v in values) / len(values)
        columns.append([c0 * (v - mean) / mp.sqrt(variance + eps) + c1 for v in values])
    return [list(row) for row in zip(*columns, strict=True)]
