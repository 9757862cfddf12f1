"""Discs on a teacher's boundary, away from walls and from an observer's boundary: where Theorem 5 looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from dynamics.arrays import Array
from dynamics.geometry.angles import paired_sines
from verify.mathematics.families.two_layer_pairs import NetworkPair


def slab_constant(d: int) -> float:
    """c_d: a slab of half-width h covers at most ``c_d h / rho`` of a (d - 1)-ball of radius rho.

    ``2 |B_{d-2}| / |B_{d-1}| = (2 / sqrt(pi)) Gamma((d + 1) / 2) / Gamma(d / 2)``; c_2 = 1, at most sqrt(2 d / pi).
    """
    return float(2 / np.sqrt(np.pi) * np.exp(gammaln((d + 1) / 2) - gammaln(d / 2)))


@dataclass(frozen=True)
class Disc:
    """A (d - 1)-disc on teacher j's boundary, ``rho`` away from the walls and from the boundary of observer k."""

    teacher: int
    observer: int
    centre: Array
    rho: float
    alpha: float


def largest_disc(
    networks: NetworkPair, teacher: int, rng: np.random.Generator, count: int = 200
) -> Disc | None:
    """The candidate with the largest ``|alpha_kj| rho`` over points of the boundary and students active there."""
    points = networks.points(networks.teacher.augmented[:, teacher], rng, count)
    inside = networks.student.pre_activations(points.x) / networks.student.fan_in_norms
    room = np.minimum(inside, networks.region.depth(points.x)[:, None]) / 2
    alpha = networks.student.V @ networks.teacher.V[teacher]
    score = np.maximum(room, 0) * np.abs(alpha)
    if score.size == 0 or score.max() <= 0:
        return None
    at, k = np.unravel_index(int(score.argmax()), score.shape)
    return Disc(teacher, int(k), points.x[at], float(room[at, k]), float(abs(alpha[k])))


def other_boundaries(networks: NetworkPair, teacher: int) -> tuple[Array, Array]:
    """Augmented columns of all nodes but the teacher itself, at ``||w|| = 1``, and ``sin theta_i``."""
    node = networks.teacher.augmented[:, [teacher]]
    others = np.delete(networks.columns, teacher, axis=1)
    others = others / np.linalg.norm(others[:-1], axis=0)
    return others, paired_sines(others[:-1], np.broadcast_to(node[:-1], others[:-1].shape))
