"""Unusual volumes with known answers."""

import time

import numpy as np
import pandas as pd
import pytest
from helpers import MALC, needs_shared
from hypothesis import given, settings
from hypothesis import strategies as st

from monet_core.datasets import find_dataset
from monet_core.errors import DatasetError
from monet_core.evaluation import region_volumes
from monet_core.protocols import load_protocol
from monet_core.quality import (
    load_reference,
    outliers,
    rank,
    reference_from,
    save_reference,
    shipped_reference,
    systematic,
)
from monet_core.scans import read_labels
from monet_core.workspace.counting import Counts, volume_tables

FIRST = load_protocol("first")
USUAL = {r.index: 4000 + 500 * n for n, r in enumerate(FIRST.regions)}
USUAL |= {r.pair: USUAL[r.index] for r in FIRST.regions if r.hemisphere == "L"}

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def people(count: int, seed: int = 0, **changed: dict[int, float]) -> pd.DataFrame:
    """Volumes of people s0, s1, ... alike but for noise; `s3={12: 0.5}` halves a region."""
    rng = np.random.default_rng(seed)
    counted = []
    for number in range(count):
        size = rng.normal(1, 0.1)
        factors = changed.get(f"s{number}", {})
        voxels = {
            index: round(usual * size * np.exp(rng.normal(0, 0.03)) * factors.get(index, 1))
            for index, usual in USUAL.items()
        }
        owner = {"scan": f"s{number}", "segmentation_id": number + 1, "protocol": "first"}
        counted.append((owner, FIRST, Counts({i: v for i, v in voxels.items() if v}, 0.001)))
    return volume_tables(counted, ["scan", "segmentation_id", "protocol"])


def flagged(found: pd.DataFrame) -> set[tuple[str, int]]:
    return set(found.loc[found["flagged"], ["scan", "index"]].itertuples(index=False, name=None))


class TestOutliers:
    def test_people_alike_have_none(self):
        assert flagged(outliers(people(20))) == set()

    @pytest.mark.parametrize("factor", [0.3, 3.0])
    def test_a_failed_region_is_found_in_the_study(self, factor):
        found = outliers(people(20, s3={16: factor}))
        assert flagged(found) == {("s3", 16)}
        z = found.loc[(found["scan"] == "s3") & (found["index"] == 16), "z_study"].item()
        assert np.sign(z) == np.sign(factor - 1)

    def test_one_huge_region_does_not_make_the_others_small(self):
        found = outliers(people(20, s3={16: 15.0}))
        assert flagged(found) == {("s3", 16)}

    def test_a_failed_side_is_told_by_asymmetry_too(self):
        found = outliers(people(20, s3={10: 0.6}))
        assert {("s3", 10), ("s3", 49)} == flagged(found)
        row = found[(found["scan"] == "s3") & (found["index"] == 10)].iloc[0]
        assert row["z_asymmetry"] < -4

    def test_against_a_reference_a_single_scan_suffices(self):
        reference = reference_from(people(15, seed=1), "first")
        found = outliers(people(1, s0={16: 0.4}), reference)
        assert flagged(found) == {("s0", 16)}
        assert found["z_study"].isna().all()

    def test_people_unlike_the_reference_are_compared_among_each_other(self):
        reference = reference_from(people(15, seed=1), "first")
        ill = {f"s{n}": {17: 0.5, 53: 0.5} for n in range(12)}
        found = outliers(people(12, **ill), reference)
        assert flagged(found) == set()
        assert (found.loc[found["index"] == 17, "z_reference"] < -4).all()
        assert set(systematic(found)["index"]) == {17, 53}
        assert (systematic(found)["scans"] == 12).all()

    def test_missing_regions(self):
        found = outliers(people(20, s3={18: 0}))
        row = found[(found["scan"] == "s3") & (found["index"] == 18)].iloc[0]
        assert (row["missing"], row["flagged"]) == (True, True)
        assert found["missing"].sum() == 1
        reference = reference_from(people(15, seed=1), "first")
        assert outliers(people(1, s0={18: 0}), reference)["missing"].sum() == 1

    def test_what_nobody_has_is_not_missed(self):
        nobody = {f"s{n}": {18: 0, 54: 0} for n in range(20)}
        assert not outliers(people(20, **nobody))["missing"].any()
        # Of so many it is the model that does not find it, whatever a reference has.
        reference = reference_from(people(15, seed=1), "first")
        assert not outliers(people(20, **nobody), reference)["missing"].any()

    def test_two_scans_without_reference_say_nothing(self):
        found = outliers(people(2, s0={18: 0.01}))
        assert found[["z_reference", "z_study", "z_asymmetry"]].isna().all(axis=None)
        assert not found["flagged"].any()

    def test_protocols_are_judged_apart(self):
        one = people(8, s2={16: 0.3})
        both = pd.concat([one, people(8, seed=5).assign(protocol="other.tsv")])
        found = outliers(both, reference_from(people(15, seed=1), "first"))
        assert len(found) == len(both)
        assert found.loc[found["protocol"] == "other.tsv", "z_reference"].isna().all()
        assert flagged(found) == {("s2", 16)}

    def test_nothing_in_nothing_out(self):
        found = outliers(people(3).iloc[:0])
        assert len(found) == 0
        assert len(rank(found)) == len(systematic(found)) == 0

    @settings(max_examples=40, deadline=None)
    @given(
        seed=st.integers(0, 10_000),
        count=st.integers(1, 14),
        gone=st.sets(st.sampled_from(FIRST.indices)),
        scale=st.floats(0.01, 100),
    )
    def test_any_table_has_finite_scores_that_do_not_depend_on_the_unit(
        self, seed, count, gone, scale
    ):
        table = people(count, seed, s0=dict.fromkeys(gone, 0))
        found = outliers(table, shipped_reference("first"))
        assert len(found) == len(table)
        assert not np.isinf(found[["z_reference", "z_study", "z_asymmetry", "z"]]).any(axis=None)
        assert set(found.loc[found["missing"], "index"]) <= gone
        again = outliers(table.assign(volume_ml=table["volume_ml"] * scale), None)
        pd.testing.assert_series_equal(again["z_study"], found["z_study"])
        ranking = rank(found)
        assert len(ranking) == count
        assert ranking["score"].is_monotonic_decreasing
        assert np.isfinite(ranking["score"]).all()


class TestRanking:
    def test_the_worst_first_with_a_reason(self):
        changes = {"s4": {16: 0.2, 10: 0.2, 12: 4.0}, "s9": {18: 0}, "s1": {13: 0.7}}
        ranking = rank(outliers(people(20, **changes)))
        assert list(ranking["scan"][:3]) == ["s4", "s1", "s9"]
        assert (ranking["score"][:3] > 1).all()
        assert (ranking["score"][3:] < 1).all()
        assert "far from usual" in ranking["reason"][0]
        assert ranking["worst_region"][1] == "Left-Pallidum"
        assert ranking["reason"][2].startswith("1 region missing")
        assert (ranking["reason"][3:] == "Nothing unusual.").all()
        assert list(ranking["missing"][:3]) == [0, 0, 1]

    def test_entropy_counts_where_there_is_some(self):
        found = outliers(people(20))
        whole = pd.DataFrame({"segmentation_id": range(1, 20), "index": 0, "entropy": 0.2})
        whole.loc[whole["segmentation_id"] == 8, "entropy"] = 0.5
        ranking = rank(found, whole)
        assert ranking["scan"][0] == "s7"
        assert ranking["entropy"][0] == 0.5
        assert "less sure" in ranking["reason"][0]
        assert ranking["entropy"].isna().sum() == 1

    def test_a_thousand_scans_are_ranked_quickly(self):
        found = people(1000)
        began = time.process_time()
        rank(outliers(found, shipped_reference("first")))
        assert time.process_time() - began < 5


class TestReference:
    def test_of_known_volumes(self):
        table = people(30, seed=2)
        reference = reference_from(table, "first", "here").table.set_index("index")
        share = table[table["index"] == 16]["share_percent"]
        assert reference.loc[16, "share_mean"] == pytest.approx(share.mean())
        assert reference.loc[16, "share_sd"] == pytest.approx(share.std())
        assert np.isnan(reference.loc[16, "asymmetry_mean"])
        assert abs(reference.loc[10, "asymmetry_mean"]) < 3
        assert (reference["n"] == 30).all()

    def test_written_and_read(self, tmp_path):
        reference = reference_from(people(5), "first")
        save_reference(reference, tmp_path / "r.tsv")
        again = load_reference(tmp_path / "r.tsv", "first")
        pd.testing.assert_frame_equal(again.table, reference.table, rtol=1e-5)

    def test_too_few_scans(self):
        with pytest.raises(DatasetError, match="At least 3"):
            reference_from(people(2), "first")
        with pytest.raises(DatasetError, match="0 segmentations"):
            reference_from(people(5), "malc")

    def test_no_table(self, tmp_path):
        (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
        for name in ("x.tsv", "nowhere.tsv"):
            with pytest.raises(DatasetError, match="no table of usual volumes"):
                load_reference(tmp_path / name, "first")

    @pytest.mark.parametrize("name", ["malc", "first"])
    def test_shipped(self, name):
        protocol = load_protocol(name)
        reference = shipped_reference(protocol)
        assert tuple(reference.table["index"]) == protocol.indices
        assert list(reference.table["name"]) == [region.name for region in protocol.regions]
        assert reference.table["share_mean"].sum() == pytest.approx(100, abs=0.5)
        assert (reference.table["scans"] == 15).all()

    def test_none_for_others(self, tmp_path):
        assert shipped_reference("hammers67") is None
        assert shipped_reference("../labels/malc") is None
        assert shipped_reference(str(tmp_path / "malc.tsv")) is None


@pytest.mark.slow
@needs_shared
def test_real_people_left_out_are_usual_and_a_wrong_label_is_not():
    malc, tables = load_protocol("malc"), []
    for subject in find_dataset(MALC / "train").subjects:
        labels = read_labels(subject.labels)
        data = malc.decode(malc.encode(labels.data, "background"))
        table = region_volumes(data, labels.geometry, malc)
        tables.append(table.assign(scan=subject.name, protocol="malc"))
    share = []
    for n, table in enumerate(tables):
        others = pd.concat(tables[:n] + tables[n + 1 :])
        share.append(outliers(table, reference_from(others, "malc"))["flagged"].mean())
    assert np.mean(share) < 0.01
    # A scan whose hippocampus was given to the amygdala.
    table = tables[0].copy().set_index("name")
    table.loc["Right Amygdala", "share_percent"] += table.loc["Right Hippocampus", "share_percent"]
    found = outliers(table.reset_index(), reference_from(pd.concat(tables[1:]), "malc"))
    assert "Right Amygdala" in set(found.loc[found["flagged"], "name"])
