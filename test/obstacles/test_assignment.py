"""Assignment, against SciPy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from hybrid_seg_ros.obstacles.assignment import assign


@given(st.integers(0, 7), st.integers(0, 7), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
@settings(max_examples=200, deadline=None)
def test_the_sum_is_the_least_there_is(rows: int, columns: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    cost = np.round(rng.uniform(0.0, 3.0, (rows, columns)), 1)
    possible = rng.uniform(size=cost.shape) < share
    owner = assign(cost, possible, 2.0)
    paired = np.flatnonzero(owner >= 0)
    assert len(set(owner[paired])) == len(paired)
    assert possible[owner[paired], paired].all()
    total = cost[owner[paired], paired].sum() + 2.0 * (columns - len(paired))
    allowed = np.concatenate([np.where(possible, cost, 1e6), np.full((columns, columns), 2.0)])
    assert np.isclose(total, allowed[linear_sum_assignment(allowed)].sum())


def test_a_large_one_is_solved_too() -> None:
    cost = np.random.default_rng(1).uniform(size=(256, 200))
    owner = assign(cost, np.ones(cost.shape, bool), 5.0)
    assert np.isclose(cost[owner, np.arange(200)].sum(), cost[linear_sum_assignment(cost)].sum())


def test_all_shifted_by_one_place_is_all_moved_not_one_that_jumps() -> None:
    places = np.arange(4.0)
    cost = (places[:, None] - (places - 0.9)[None]) ** 2
    assert assign(cost, cost < 100.0, 100.0).tolist() == [0, 1, 2, 3]
