"""The tent: the residual that attains the constant 1/4 of the kink bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verify.judging import Context, Evidence
from verify.mathematics.families.two_layer_pairs import ArbitraryPair


def tent(
    pair: ArbitraryPair, context: Context, *, constant: float = 0.25, with_slope: bool = True
) -> Evidence:
    """``max |r| >= constant * (1 - s) * eta * ||w*||`` where r is -1/4, 1/4, -1/4 of ``(1 - s) eta ||w*||`` there.

    The student is one always-active node, the best affine approximation of the pair's only teacher on ``x0 +- eta``.
    The pair lives in one dimension; its own student does not count, and the teacher gets the fan-out 1. Without
    ``with_slope`` the bound forgets the slope s of leaky nodes.
    """
    networks = pair.networks()
    x0 = -networks.teacher.b / networks.teacher.W[0]
    norm = abs(float(networks.teacher.W[0, 0]))
    sign = float(np.sign(networks.teacher.W[0, 0]))
    eta = 0.5 * float(networks.region.depth(x0[None])[0])
    mean, bend = norm * (1 + pair.slope) / 2, norm * eta * (1 - pair.slope)
    student = replace(
        networks.student,
        W=np.array([[mean * sign]]),
        b=-mean * sign * x0 + 100.0,
        V=np.array([[1.0]]),
        c=np.array([bend / 4 - 100.0]),
    )
    teacher = replace(networks.teacher, V=np.array([[1.0]]), c=np.zeros(1))
    x = x0 + np.array([[-eta], [0.0], [eta]])
    needed = constant * (bend if with_slope else norm * eta)
    measured = float(np.abs(teacher(x) - student(x)).max())
    rounding = replace(networks, teacher=teacher, student=student).rounding
    margin = measured - needed + rounding
    return Evidence(predicted=needed, measured=measured, margin=margin, tolerance=rounding)
