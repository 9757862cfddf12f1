"""The late rate of any flow near a state of rest, from a Jacobian by differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array, Vector
from dynamics.ode.flow import Flow
from dynamics.ode.guards import field_from
from dynamics.validation import shown

STEP = 1e-5
"""Step of the differences, in units of a component or of one."""


def jacobian_by_differences(flow: Flow, state: Vector, step: float = STEP) -> Array:
    """Jacobian of each instance by central differences, extrapolated from two steps: ``2 D(step/2) - D(step)``.

    Right to about ``step^2`` also where the flow is once differentiable only, as where angles enter by their size.

    Args:
        flow: any flow; its instances must not hear one another.
        state: flat state.
        step: of every component, in units of its size or of one where it is smaller.
    Returns:
        (*flow.ensemble_shape, N, N), N components an instance in the order in which they lie in the flat state.
    Raises:
        ValueError, TypeError: the field is not real and finite, or has another shape than the state.
    Cost: 4 N evaluations of the flow, which serve all instances.
    """
    places = _places(flow, state.size)
    count = places.shape[1]
    J = np.empty((len(places), count, count))
    sizes = step * np.maximum(1.0, np.abs(state))
    for column in range(count):
        moved = places[:, column]
        coarse, fine = (_slope(flow, state, moved, share * sizes[moved], places) for share in (1.0, 0.5))
        J[:, :, column] = fine + (fine - coarse)
    return J.reshape(*flow.ensemble_shape, count, count)


def _places(flow: Flow, size: int) -> NDArray[np.intp]:
    """Where the components of each instance lie, (instances, N)."""
    labels = flow.instance_labels(size)
    if labels is None:
        if flow.instances != 1:
            raise ValueError(
                f"flow: expected instances of equally many components each, got {flow.instances} in {size}"
            )
        return np.arange(size)[None]
    return np.argsort(np.asarray(labels), kind="stable").reshape(flow.instances, -1)


def _slope(flow: Flow, state: Vector, moved: NDArray[np.intp], by: Vector, places: NDArray[np.intp]) -> Array:
    """The difference of the field ahead and behind over the way between them, instance by instance (instances, N)."""
    ahead, behind = state.copy(), state.copy()
    ahead[moved] += by
    behind[moved] -= by
    width = ahead[moved] - behind[moved]  # what the steps are once they are rounded
    difference = _field(flow, ahead) - _field(flow, behind)
    return np.asarray(difference[places] / width[:, None])


def _field(flow: Flow, at: Vector) -> Vector:
    """The field of a flow, which may be the user's own: real and finite, a number for every component."""
    values = field_from(flow(0.0, at), at.shape)
    if not np.isfinite(values).all():
        raise ValueError(f"flow(t, y): expected finite numbers near the state, got {shown(values)}")
    return values
