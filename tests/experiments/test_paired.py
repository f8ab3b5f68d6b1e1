"""Paired tests on arrays with known answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monet_core.experiments.paired import compare_methods, holm, paired_test

differences = arrays(
    np.float64, st.integers(1, 12), elements=st.floats(-1, 1).map(lambda x: round(x, 3))
)


@settings(max_examples=15, deadline=None)
@given(differences)
def test_exchanging_the_methods_turns_the_sign_and_nothing_else(values: np.ndarray) -> None:
    one, other = paired_test(values), paired_test(-values)
    assert one.n == other.n
    assert one.mean == pytest.approx(-other.mean, abs=1e-12)
    assert (one.low, one.high) == (
        pytest.approx(-other.high, abs=1e-9),
        pytest.approx(-other.low, abs=1e-9),
    )
    assert one.p == pytest.approx(other.p)
    assert 0 < one.p <= 1


@settings(max_examples=15, deadline=None)
@given(differences)
def test_the_interval_lies_within_the_values(values: np.ndarray) -> None:
    found = paired_test(values)
    assert values.min() - 1e-12 <= found.low <= found.high <= values.max() + 1e-12


def test_five_equal_signs_give_the_exact_p_of_the_signed_rank_test() -> None:
    found = paired_test([0.01, 0.02, 0.03, 0.04, 0.05])
    assert found.p == pytest.approx(2 / 2**5)
    assert found.mean == pytest.approx(0.03)
    assert found.low > 0


def test_no_difference_gives_p_1_and_nothing_to_compare_gives_nan() -> None:
    same = paired_test([0.0, 0.0, 0.0])
    assert (same.mean, same.low, same.high, same.p) == (0, 0, 0, 1)
    nothing = paired_test([np.nan])
    assert nothing.n == 0
    assert np.isnan([nothing.mean, nothing.p]).all()


def test_holms_correction_is_that_of_the_textbook() -> None:
    # The first is multiplied by 4, the next by 3, ...; never smaller than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    found = holm([0.02, np.nan, 0.03])
    assert found[0] == pytest.approx(0.04)
    assert np.isnan(found[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert [adjusted[i] for i in np.argsort(p, kind="stable")] == sorted(adjusted)


def dice_table(values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(s, index, d) for s, each in values.items() for index, d in enumerate(each)]
    return pd.DataFrame(rows, columns=["scan", "index", "dice"])


def test_methods_are_paired_by_scan_and_region() -> None:
    a = dice_table({"s1": [0.9, 0.8, 0.5], "s2": [0.9, 0.7, np.nan]})
    b = dice_table({"s2": [0.8, 0.7, 0.4], "s1": [0.8, 0.7, 0.6], "s3": [0.1, 0.1, 0.1]})
    found = compare_methods(a, b)
    assert (found["n"], found["n_scans"]) == (5, 2)
    assert found["difference"] == pytest.approx((0.1 + 0.1 - 0.1 + 0.1 + 0.0) / 5)
    assert found["difference_scans"] == pytest.approx(((0.1 / 3) + 0.05) / 2)
    assert found["share_better"] == pytest.approx(2 / 3)
    assert found["p_scans"] == pytest.approx(0.5)  # two scans cannot tell more
