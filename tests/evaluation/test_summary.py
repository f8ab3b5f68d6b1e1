import locale

import numpy as np
import pandas as pd
import pytest

from monet_core.evaluation import Summary, read_tsv, summarise, write_tsv
from monet_core.evaluation.summary import per_scan_table, regions_table, summarise_regions


def rows(scan, dice, **other):
    n = len(dice)
    table = {
        "scan": [scan] * n,
        "index": list(range(1, n + 1)),
        "name": [f"region {i}" for i in range(n)],
        "abbreviation": [f"r{i}" for i in range(n)],
        "hemisphere": ["M"] * n,
        "dice": dice,
        "hd95_mm": [1.0] * n,
        "assd_mm": [0.5] * n,
        "volume_pred_ml": [1.0] * n,
        "volume_truth_ml": [2.0] * n,
        "volume_error_percent": [-50.0] * n,
    }
    return pd.DataFrame({**table, **other})


def test_mean_and_std_over_scans_as_the_paper_prints_them():
    # per-scan means .7, .8, .855: mean .785, sample std .0786
    table = pd.concat([rows("a", [0.6, 0.8]), rows("b", [0.8, 0.8]), rows("c", [0.81, 0.9])])
    found = summarise(table)
    assert found.mean == pytest.approx(0.785)
    assert found.std == pytest.approx(np.std([0.7, 0.8, 0.855], ddof=1))
    assert found.n == 3
    assert found.paper() == ".785±.079"


def test_a_region_absent_in_both_is_left_out_of_the_mean_not_one():
    table = pd.concat([rows("a", [0.5, np.nan]), rows("b", [0.7, 0.9])])
    assert summarise(table).mean == pytest.approx((0.5 + 0.8) / 2)


def test_infinite_distances_are_left_out_and_counted_as_missed_and_added():
    table = rows(
        "a",
        [0.0, 0.0, 0.5, np.nan],
        hd95_mm=[np.inf, np.inf, 3.0, np.nan],
        volume_pred_ml=[0, 1.0, 1.0, np.nan],
        volume_truth_ml=[1.0, 0, 2.0, np.nan],
        volume_error_percent=[-100.0, np.nan, -50.0, np.nan],
    )
    scan = per_scan_table(table).iloc[0]
    assert scan[["scan", "regions", "missed", "added"]].tolist() == ["a", 3, 1, 1]
    assert scan["hd95_mm"] == 3
    assert scan["dice"] == pytest.approx(0.5 / 3)
    assert scan["dice_lowest"] == 0
    assert scan["volume_error_abs_percent"] == 75
    assert summarise(table, "hd95_mm").as_dict() == {
        "mean": 3,
        "std": None,
        "n": 1,
        "text": "3.000",
    }


def test_regions_over_scans():
    table = pd.concat([rows("a", [0.5, np.nan]), rows("b", [0.7, np.nan]), rows("c", [0.9, 0.1])])
    found = regions_table(table).set_index("index")
    assert found.loc[1, ["dice_mean", "dice_median", "dice_lowest", "dice_highest"]].tolist() == (
        pytest.approx([0.7, 0.7, 0.5, 0.9])
    )
    assert found.loc[1, "dice_std"] == pytest.approx(0.2)
    assert found["scans"].tolist() == [3, 1]
    assert summarise_regions(table).mean == pytest.approx((0.7 + 0.1) / 2)


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (Summary(0.785, 0.07, 13), ".785±.070"),
        (Summary(1.0, 0.0, 2), "1.000±.000"),
        (Summary(0.5, np.nan, 1), ".500"),
        (Summary(np.nan, np.nan, 0), "n/a"),
        (Summary(-12.3456, 3.2, 4), "-12.346±3.200"),
        (Summary(-0.25, 0.5, 4), "-.250±.500"),
        (Summary(0.99996, 0.5, 4), "1.000±.500"),
    ],
)
def test_the_printed_form(summary, text):
    assert summary.paper() == text


def test_tables_keep_missing_values_and_the_point_in_any_locale(tmp_path):
    table = rows("007", [0.5, np.nan], hd95_mm=[np.inf, 1234.5678])
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
            break
        except locale.Error:
            continue
    try:
        write_tsv(table, tmp_path / "made" / "t.tsv")
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
    lines = (tmp_path / "made" / "t.tsv").read_bytes().decode("utf-8").split("\n")
    assert lines[1].split("\t")[5:7] == ["0.5", "inf"]
    assert lines[2].split("\t")[5:7] == ["n/a", "1234.57"]
    back = read_tsv(tmp_path / "made" / "t.tsv")
    assert back["scan"].tolist() == ["007", "007"]
    assert back["hd95_mm"].tolist() == [np.inf, 1234.57]
    assert np.isnan(back["dice"][1])
