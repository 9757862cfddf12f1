"""``python scipys_tests.py NAME``: SciPy's own tests of ``solve_ivp``, with a method of ours in one's place.

That is the method of the same name, else RK23, for which the tests allow fewest evaluations. ROCK4 takes the place of
DOP853: its steps too are dear, and the tests' spans too short for them to grow.
"""

from __future__ import annotations

import sys

import pytest
from scipy.integrate._ivp import ivp
from scipy.integrate._ivp.tests import test_ivp

from luckproof import METHODS


def main(name: str) -> int:
    """The exit code of pytest on SciPy's file; its last line says how many passed."""
    solver = METHODS[name].solver
    place = name if name in ivp.METHODS else {"ROCK4": "DOP853"}.get(name, "RK23")
    ivp.METHODS[place] = solver
    # One test asks RK23 for the order of its estimate, and does nothing else with it.
    order = {"error_estimator_order": test_ivp.RK23.error_estimator_order}
    setattr(test_ivp, place, type(solver.__name__, (solver,), order))
    nothing_of_ours = ["-c", "/dev/null", "-p", "no:cacheprovider", "-W", "default"]
    return int(pytest.main(["-q", *nothing_of_ours, "--pyargs", test_ivp.__name__]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
