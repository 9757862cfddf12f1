"""The field and the loss of two-layer flows in many digits, from their definitions: angles, kernels, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

from luckproof import Array

Column = list[Any]


def dot(a: Column, b: Column) -> Any:
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def unit(a: Column) -> Column:
    length = mp.sqrt(dot(a, a))
    return [x / length for x in a]


def angle(a: Column, b: Column) -> Any:
    a, b = unit(a), unit(b)
    apart, both = ([x + s * y for x, y in zip(a, b, strict=True)] for s in (-1, 1))
    return 2 * mp.atan2(mp.sqrt(dot(apart, apart)), mp.sqrt(dot(both, both)))


def kernel(a: Column, b: Column) -> Any:
    """psi_l of standard normal input."""
    t = angle(a, b)
    return mp.sqrt(dot(a, a) * dot(b, b)) * (mp.sin(t) + (mp.pi - t) * mp.cos(t)) / (2 * mp.pi)


@dataclass(frozen=True)
class Network:
    """Columns and fan-outs, node by node, in mpmath's numbers."""

    fan_ins: list[Column]
    fan_outs: list[Column]


def network(W: Array, V: Array, dW: Array | None = None, dV: Array | None = None, scale: Any = 0) -> Network:
    """``W + scale dW`` and ``V + scale dV``, exactly."""

    def rows(A: Array, dA: Array | None) -> list[Column]:
        moved = np.zeros(A.shape) if dA is None else dA
        return [
            [mp.mpf(float(x)) + scale * mp.mpf(float(y)) for x, y in zip(a, b, strict=True)]
            for a, b in zip(A, moved, strict=True)
        ]

    return Network(rows(W.T, None if dW is None else dW.T), rows(V, dV))


def field(
    teacher: Network, student: Network, *, projected: bool, along: bool
) -> tuple[list[Column], list[Column]]:
    """W' and V' node by node. Projected flows see directions, of students and of teachers."""
    seen, goal = student.fan_ins, teacher.fan_ins
    if projected:
        seen, goal = [unit(w) for w in seen], [unit(w) for w in goal]
    pulls, slopes = [], []
    for w, raw, v in zip(seen, student.fan_ins, student.fan_outs, strict=True):
        pull, slope = [mp.mpf(0)] * len(w), [mp.mpf(0)] * len(v)
        for sign, nodes, fan_outs in ((1, goal, teacher.fan_outs), (-1, seen, student.fan_outs)):
            for u, out in zip(nodes, fan_outs, strict=True):
                t, weight = angle(w, u), sign * dot(v, out)
                pull = [p + weight * (mp.pi - t) / (2 * mp.pi) * x for p, x in zip(pull, u, strict=True)]
                if along:
                    size = weight * mp.sqrt(dot(u, u)) * mp.sin(t) / (2 * mp.pi)
                    pull = [p + size * x for p, x in zip(pull, unit(w), strict=True)]
                k = sign * kernel(w, u)
                slope = [p + k * x for p, x in zip(slope, out, strict=True)]
        if projected:
            length, part = mp.sqrt(dot(raw, raw)), dot(w, pull)
            pull = [length * (p - part * x) for p, x in zip(pull, w, strict=True)]
        pulls.append(pull)
        slopes.append(slope)
    return pulls, slopes


def loss(teacher: Network, student: Network, *, projected: bool) -> Any:
    """``1/2 E (f* - f)^2`` for standard normal input."""
    nodes = [[unit(w) for w in side.fan_ins] if projected else side.fan_ins for side in (teacher, student)]
    total = mp.mpf(0)
    sides = ((1, nodes[0], teacher.fan_outs), (-1, nodes[1], student.fan_outs))
    for sign_a, A, outs_a in sides:
        for sign_b, B, outs_b in sides:
            for a, v in zip(A, outs_a, strict=True):
                for b, u in zip(B, outs_b, strict=True):
                    total += sign_a * sign_b * kernel(a, b) * dot(v, u)
    return total / 2
