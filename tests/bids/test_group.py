"""The group level: tables, and a report that is read as a browser reads it."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bids_phantoms import FIRST, place, save_outcome, save_raw, save_result
from phantoms import LEFT_PUTAMEN, LEFT_THALAMUS, RIGHT_PUTAMEN

from monet_core.bids import GroupSummary, summarise_group
from monet_core.bids.quality import COLUMNS
from monet_core.bids.report import MOST_ROWS, Card, Report, write_report
from monet_core.errors import DatasetError

DONE = [f"sub-{n:02d}_ses-1" for n in range(1, 11)]
ODD, WARNED, FAILED, WAITING = "sub-03_ses-1", "sub-05_ses-1", "sub-11", "sub-12"
REASON = "the file ends too early; <3 MB> readable. Copy it again."


class Page(HTMLParser):
    """What a report holds: texts by section, rows of tables, and all that is referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.rows: dict[str, list[list[str]]] = {}
        self.references: list[str] = []
        self.tags: list[str] = []
        self._section = self._table = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.references += [found[key] for key in ("src", "href", "data", "action") if key in found]
        if tag == "section":
            self._section = found.get("id", found.get("class", ""))
        if tag == "table":
            self._table = found.get("id", "")
        if tag == "tr":
            self.rows.setdefault(self._table, []).append([])
        if tag in ("td", "th"):
            self.rows[self._table][-1].append("")

    def handle_data(self, data):
        self.sections[self._section] = self.sections.get(self._section, "") + data
        rows = self.rows.get(self._table)
        if rows and rows[-1]:
            rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    save_raw(root / "raw", *DONE, FAILED, WAITING, title="People & <more>")
    for seed, name in enumerate(DONE):
        without = (LEFT_THALAMUS,) if name == ODD else ()
        warning = "the scan could not be registered; look at it" if name == WARNED else ""
        save_result(root / "out", name, seed, warning, without, MeanEntropy=0.2 + seed / 1000)
    save_outcome(root / "out", FAILED, "done", "")
    save_outcome(root / "out", FAILED, "failed", REASON)
    save_outcome(root / "out", DONE[0], "failed", "an earlier run", "old")
    save_outcome(root / "out", DONE[0], "done", "")
    with (root / "out/outcomes.jsonl").open("a") as stream:
        stream.write('{"scan": "cut short by a cra')
    return root


@pytest.fixture(scope="module")
def summary(world: Path) -> GroupSummary:
    return summarise_group(world / "raw", world / "out")


@pytest.fixture(scope="module")
def page(summary: GroupSummary) -> Page:
    return Page(summary.report.read_text(encoding="utf-8"))


@pytest.fixture
def quality(world: Path, summary: GroupSummary) -> pd.DataFrame:
    return pd.read_csv(world / "out/group_quality.tsv", sep="\t").set_index("scan")


def test_what_came_of_all_is_counted(summary: GroupSummary) -> None:
    assert (summary.scans, summary.failed, summary.missing) == (12, 1, 1)
    assert summary.notable >= 2
    assert [path.name for path in summary.tables] == [
        "group_seg-first_volumes.tsv",
        "group_quality.tsv",
    ]


def test_volumes_have_a_row_per_scan_and_a_column_per_region(
    world: Path, summary: GroupSummary
) -> None:
    table = pd.read_csv(summary.tables[0], sep="\t")
    assert list(table["scan"]) == DONE
    assert list(table["participant_id"]) == [name.split("_")[0] for name in DONE]
    assert set(table["session_id"]) == {"ses-1"}
    regions = table.columns[4:]
    assert len(regions) == len(FIRST.regions)
    # What was not found is n/a, not 0 ml.
    assert list(table.loc[table["L_Thal"].isna(), "scan"]) == [ODD]
    one = pd.read_csv(
        place(world / "out", DONE[0]) / f"{DONE[0]}_seg-first_desc-volumes_stats.tsv", sep="\t"
    )
    assert table.loc[0, "labelled_ml"] == pytest.approx(one["volume_ml"].sum(), rel=1e-4)
    wanted = one.loc[one["index"] == LEFT_PUTAMEN, "volume_ml"].item()
    assert table.loc[0, "L_Puta"] == pytest.approx(wanted, rel=1e-4)
    about = json.loads(summary.tables[0].with_suffix(".json").read_text())
    assert set(about) == set(table.columns)
    assert about["L_Thal"]["LongName"] == "Left-Thalamus-Proper"
    assert about["L_Thal"]["Units"] == "mL"


def test_quality_says_of_each_scan_what_is_odd_or_why_there_is_none(quality: pd.DataFrame) -> None:
    assert list(quality.columns) == ["participant_id", "session_id", *COLUMNS]
    assert len(quality) == 12
    assert quality.loc[ODD, "missing"] == "Left-Thalamus-Proper"
    assert quality.loc[ODD, "score"] >= 1
    assert quality.loc[WARNED, "outcome"] == "warnings"
    assert "registered; look" in quality.loc[WARNED, "warnings"]
    assert quality.loc[FAILED, ["outcome", "failure", "failure_code"]].tolist() == [
        "failed",
        REASON,
        "truncated",
    ]
    assert quality.loc[WAITING, "outcome"] == "not segmented"
    # An earlier failure that was mended since is none.
    assert quality.loc[DONE[0], "outcome"] == "done"
    assert pd.isna(quality.loc[DONE[0], "failure"])
    assert quality.loc[DONE[1], "entropy"] == pytest.approx(0.201)
    assert quality.loc[DONE[1], "asymmetry_percent"] > 0
    # What wants something done comes first.
    assert {*quality.index[:2]} == {ODD, WARNED}
    assert list(quality["outcome"][2:4]) == ["failed", "not segmented"]


def test_the_report_needs_nothing_but_itself(page: Page, summary: GroupSummary) -> None:
    assert page.references
    assert all(each.startswith(("data:image/", "#")) for each in page.references)
    assert "link" not in page.tags
    text = summary.report.read_text()
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "http" not in text.split("<pre>")[0].replace("http-equiv", "")
    assert str(summary.report.parents[1]) not in text


def test_the_report_shows_failures_pictures_and_every_scan(page: Page) -> None:
    assert "People & <more>" in page.sections[""]
    assert f"{FAILED} The file ends too early; <3 MB> readable." in " ".join(
        page.sections["failed"].split()
    )
    assert "1 scan has not been segmented so far" in page.sections["failed"]
    look = page.sections["look"]
    assert look.index(ODD) < look.index(DONE[0])
    assert "Left-Thalamus-Proper" in look
    assert "The scan could not be registered; look at it" in look
    assert sum(each.startswith("data:image/jpeg") for each in page.references) == 10
    assert [row[0] for row in page.rows["table"][1:]].count(FAILED) == 1
    assert len(page.rows["table"]) == 1 + 12
    assert len(page.rows[""]) == 1 + len(FIRST.regions)
    # Anchors lead somewhere.
    assert f"#card-{ODD}" in page.references


def test_a_scan_that_is_gone_costs_its_picture_only(tmp_path: Path) -> None:
    raw = save_raw(tmp_path / "raw", "sub-1", "sub-2", "sub-3")
    for seed, name in enumerate(("sub-1", "sub-2", "sub-3", "sub-4")):
        save_result(tmp_path / "out", name, seed)
    (raw / "sub-1/anat/sub-1_T1w.nii.gz").write_bytes(b"")
    summary = summarise_group(raw, tmp_path / "out")
    page = Page(summary.report.read_text())
    assert summary.scans == 4
    assert "No picture: sub-1/anat/sub-1_T1w.nii.gz: the file is empty" in page.sections["look"]
    assert str(tmp_path) not in summary.report.read_text()
    assert "1 results are of scans that are no longer in the data set: sub-4" in " ".join(
        page.sections["tiles"].split()
    )


def test_results_of_several_models_and_of_others_are_told_apart(tmp_path: Path) -> None:
    raw = save_raw(tmp_path / "raw", "sub-1", "sub-2")
    save_result(tmp_path / "out", "sub-1")
    other = {"Name": "other", "Decoder": "first", "WeightsSha256": "b" * 64}
    save_result(tmp_path / "out", "sub-2", 1, Model=other)
    save_result(tmp_path / "out", "sub-2_seg-mine", 2, Manual=True)
    summary = summarise_group(raw, tmp_path / "out")
    assert summary.scans == 2
    told = Page(summary.report.read_text()).sections["tiles"]
    assert "do not pool them: other (bbbbbbbbbbbb), tiny (aaaaaaaaaaaa)" in told


def test_what_is_unusual_in_asymmetry_is_called_so(tmp_path: Path) -> None:
    names = [f"sub-{n:02d}" for n in range(1, 7)]
    raw, out = save_raw(tmp_path / "raw", *names), tmp_path / "out"
    for seed, name in enumerate(names):
        save_result(out, name, seed)
    table = place(out, names[2]) / f"{names[2]}_seg-first_desc-volumes_stats.tsv"
    volumes = pd.read_csv(table, sep="\t", na_values="n/a")
    right = volumes["index"] == RIGHT_PUTAMEN
    volumes.loc[right, ["voxels", "volume_ml"]] //= 2
    volumes.to_csv(table, sep="\t", index=False, na_rep="n/a")
    summarise_group(raw, out)
    quality = pd.read_csv(out / "group_quality.tsv", sep="\t").set_index("scan")
    assert "Putamen asymmetry +" in quality.loc[names[2], "outliers"]


def test_participants_and_sessions_are_chosen(world: Path, tmp_path: Path) -> None:
    out = shutil.copytree(world / "out", tmp_path / "out")
    chosen = {"participants": ["01", "sub-02", "11"], "sessions": ["1"]}
    assert summarise_group(world / "raw", out, **chosen).scans == 2


def test_a_damaged_result_is_told_and_the_others_are_summed_up(tmp_path: Path) -> None:
    raw = save_raw(tmp_path / "raw", "sub-1", "sub-2")
    for name in ("sub-1", "sub-2"):
        save_result(tmp_path / "out", name)
    (place(tmp_path / "out", "sub-1") / "sub-1_seg-first_desc-volumes_stats.tsv").unlink()
    events = []
    summary = summarise_group(raw, tmp_path / "out", report=events.append)
    assert (summary.scans, summary.missing) == (2, 1)
    texts = [getattr(event, "text", "") for event in events]
    assert any("sub-1_seg-first" in text and "segment it again" in text for text in texts)


@pytest.mark.parametrize("there", [True, False])
def test_without_results_the_first_step_is_named(tmp_path: Path, there: bool) -> None:
    raw = save_raw(tmp_path / "raw", "sub-1")
    if there:
        (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match=r"monet bids .* participant"):
        summarise_group(raw, tmp_path / "out")
    assert not (tmp_path / "out/group_report.html").exists()


def test_a_report_of_very_many_scans_stays_small_enough_for_a_browser(
    tmp_path: Path, quality: pd.DataFrame
) -> None:
    rows = quality.reset_index().iloc[np.arange(2 * MOST_ROWS) % len(quality)]
    rows = rows.assign(scan=[f"sub-{n:06d}_ses-1" for n in range(len(rows))])
    picture = "data:image/jpeg;base64," + "A" * 133_000
    cards = [Card(row, picture) for row in rows.head(60).replace({np.nan: None}).to_dict("records")]
    path = tmp_path / "report.html"
    write_report(Report("Many", rows, [], {}, cards, [], ""), path)
    assert path.stat().st_size < 15e6
    page = Page(path.read_text())
    assert len(page.rows["table"]) == 1 + MOST_ROWS
    assert f"The {MOST_ROWS} of {len(rows)} that most want a look" in page.sections["scans"]
    # Many failures of one kind are one line to read, with a list that has an end.
    failed = page.sections["failed"]
    assert failed.count("sub-") < 300
    assert f"{(rows['outcome'] == 'failed').sum()} scans" in failed
