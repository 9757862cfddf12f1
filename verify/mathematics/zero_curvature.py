"""Counting the zero eigenvalues of a Hessian on inputs: how many inputs it takes, and which counts float64 resolves."""

from __future__ import annotations

import math

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents
from nets.two_layer.curvature import dense_hessian
from verify.judging import Assumption

EPS = float(np.finfo(np.float64).eps)
INPUT_LIMIT = 4000


def smallest_angle(W: Array) -> float:
    """The smallest angle between the lines of two columns of ``W (d, n)``; pi/2 for a single column.

    From half the chord: the arc cosine loses the digits of a small angle.
    """
    U = W / np.linalg.norm(W, axis=0)
    j, k = np.triu_indices(W.shape[1], 1)
    chords = np.minimum(np.linalg.norm(U[:, j] - U[:, k], axis=0), np.linalg.norm(U[:, j] + U[:, k], axis=0))
    return float(2 * np.arcsin(chords.min(initial=math.sqrt(2)) / 2))


def resolving_inputs(problem: TeacherStudent, seed: int) -> Array:
    """Inputs ``(B, d)`` for a Hessian whose rank is that of its expectation: at least 10 for each weight.

    The gates of two columns differ on a share theta / pi of isotropic inputs (theta: the angle between their lines).
    Where no input falls in that wedge the two nodes are one on the sample, so B >= 32 pi / theta is asked for, up to
    ``INPUT_LIMIT``; :func:`resolvable` says whether that was enough.
    """
    per_weight = 10 * problem.n * (problem.d + problem.c)
    wedge = math.ceil(32 * math.pi / max(smallest_angle(problem.student_W), 1e-9))
    size = max(per_weight, min(wedge, INPUT_LIMIT))
    return problem.measure.sample(size, np.random.default_rng((seed, 2)))


def hessian_on(problem: TeacherStudent, x: Array) -> torch.Tensor:
    """The sample Hessian ``(N, N)`` on ``x (B, d)`` by automatic differentiation; ordered as ``flat_weights``."""
    students = TwoLayerStudents.from_problem(problem, device="cpu")
    return dense_hessian(students, torch.as_tensor(x)[None])[0]


def hessian_rounding(trace: float, problem: TeacherStudent, inputs: int) -> float:
    """Bound on the rounding of an eigenvalue of the Hessian at a vanishing residual: ``(B + N + d + n) EPS trace``.

    The Hessian is ``F^T F / B`` there (:func:`features`). Each entry is a sum over B inputs, rounded by ``B EPS`` of
    the sum of absolute values; ``|F|^T |F|`` has the trace of ``F^T F`` and so no larger norm than it. The backward
    error of a symmetric eigensolver is ``N EPS``, that of the features and of the residual ``(d + n) EPS``.
    """
    weights = problem.n * (problem.d + problem.c)
    return (inputs + weights + problem.d + problem.n) * EPS * trace


def zero_eigenvalues(H: torch.Tensor, problem: TeacherStudent, inputs: int) -> tuple[int, float, float]:
    """How many eigenvalues are zero to rounding, the tolerance used, and the smallest one above it."""
    values = np.abs(torch.linalg.eigvalsh((H + H.mT) / 2).numpy())
    tolerance = hessian_rounding(float(values.sum()), problem, inputs)
    return int((values <= tolerance).sum()), tolerance, float(values[values > tolerance].min())


def features(problem: TeacherStudent, x: Array) -> Array:
    """``F (B c, n (d + c))``: the derivative of every output at every input in every weight, as ``flat_weights``."""
    f = x @ problem.student_W
    outputs = np.eye(problem.c)
    fan_ins = np.einsum("bj,ba,jc->bcaj", (f > 0).astype(float), x, problem.student_V)
    fan_outs = np.einsum("bj,ci->bcji", np.maximum(f, 0), outputs)
    rows = len(x) * problem.c
    return np.concatenate([fan_ins.reshape(rows, -1), fan_outs.reshape(rows, -1)], axis=1)


def resolvable(problem: TeacherStudent, x: Array) -> tuple[Assumption, ...]:
    """Whether the inputs tell any two nodes apart, and whether rounding tells zero from the other eigenvalues.

    Neither looks at how many eigenvalues vanish. The wedge between two gates (and its complement, for nodes that are
    nearly opposite) must hold d inputs. The eigenvalues of ``F^T F / B`` from the singular values of F are known to
    ``(B c + N)^2 EPS^2`` of the largest, far below :func:`hessian_rounding`: one that lies between that
    floor and twice the rounding of the Hessian is neither zero nor seen to differ from it.
    """
    gates = (x @ problem.student_W > 0).astype(float)
    j, k = np.triu_indices(problem.n, 1)
    open_, both = gates.sum(axis=0), gates.T @ gates
    differ = open_[j] + open_[k] - 2 * both[j, k]
    fewest = float(np.minimum(differ, len(x) - differ).min(initial=len(x)))
    F = features(problem, x)
    singular = np.linalg.svd(np.linalg.qr(F, mode="r"), compute_uv=False)
    nonzero = singular[singular > sum(F.shape) * EPS * singular[0]]
    rounding = hessian_rounding(float(np.sum(singular**2)) / len(x), problem, len(x))
    smallest = float(nonzero[-1] ** 2 / len(x))
    return (
        Assumption.at_least("inputs between any two gates / d", fewest / problem.d, 1),
        Assumption.above("smallest eigenvalue that is not zero / its rounding", smallest / rounding, 2),
    )
