"""What the study table says, and how it is sorted and filtered, without Qt."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from monet_app.scans.rows import (
    FILTERS,
    Column,
    Row,
    State,
    arranged,
    cell_text,
    labels_text,
    source_words,
    spacing_text,
    summary,
)
from monet_core.workspace import Question, Rating, ScanEntry, SegmentationEntry


def entry(number: int, **values: object) -> ScanEntry:
    made = ScanEntry(
        number, f"sub-{number}", Path(f"/data/sub-{number}_T1w.nii.gz"), (1.0, 1.0, 1.0),
        (10, 20, 30), "RAS", inspected=True,
    )  # fmt: skip
    return replace(made, **values)  # type: ignore[arg-type]


def labels(number: int, protocol: str, **values: object) -> SegmentationEntry:
    made = SegmentationEntry(number, 1, f"n{number}", Path("/x.nii.gz"), protocol, "manual")
    return replace(made, **values)  # type: ignore[arg-type]


ASKING = Question("forms-contradict", "two orientations", "--use-form", ("sform", "qform"))
ROWS = [
    Row(entry(1, split="train"), (labels(1, "malc"), labels(2, "first")), place=0,
        rating=Rating(1, None, "pass")),
    Row(entry(2, spacing=(0.9, 0.9, 1.2), split="test"), (labels(3, ""),), place=1),
    Row(entry(3, problem="it is empty. Copy it again"), place=2, rating=Rating(3, None, "fail")),
    Row(entry(4, question=ASKING, inspected=True), (labels(4, "/lab/own.tsv"),), place=3),
    Row(entry(5, notes=("Warning: bright", "Gzip was mended")), place=4,
        rating=Rating(5, None, "edit")),
    Row(entry(10, inspected=False, spacing=None, shape=None), place=5),
]  # fmt: skip


def ids(rows: list[Row]) -> list[int]:
    return [row.entry.id for row in rows]


def test_the_state_of_a_scan_and_why():
    states = [row.state for row in ROWS]
    assert states == [
        State.FINE, State.FINE, State.PROBLEM, State.QUESTION, State.WARNING, State.WAITING,
    ]  # fmt: skip
    assert ROWS[2].trouble == "It is empty. Copy it again"
    assert "only you" in ROWS[3].trouble
    assert ROWS[4].trouble == "Warning: bright"
    gone = replace(ROWS[0], gone=True)
    assert gone.state is State.PROBLEM
    assert "not there any more" in gone.trouble
    assert "remove" in gone.trouble, "what to do"


def test_badges_tell_which_labels_exist():
    assert [row.badges for row in ROWS[:4]] == [("138", "15"), ("?",), (), ("own",)]
    preview = replace(ROWS[0], labels=(labels(9, "malc", source="preview"),))
    assert preview.badges == (), "a training's preview is no result"
    assert labels_text(ROWS[2]) == "No labels yet"
    assert labels_text(ROWS[0]) == "138: n1\n15: n2"
    assert source_words(labels(1, "malc", source="model", model="malc-1mm")) == (
        "Whole brain (138) · malc-1mm"
    )


def test_cells_read_as_words():
    assert spacing_text(ROWS[0].entry) == "1 mm"
    assert spacing_text(ROWS[1].entry) == "0.9 × 0.9 × 1.2 mm"
    texts = [cell_text(ROWS[0], column) for column in Column]
    assert texts == ["", "", "sub-1", "1 mm", "10 × 20 × 30", "138 15", "passed", "Training"]
    assert cell_text(ROWS[5], Column.SHAPE) == ""


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("all", [1, 2, 3, 4, 5, 10]),
        ("odd", [3, 4, 5]),
        ("plain", [3, 5, 10]),
        ("labelled", [1, 2, 4]),
        ("unknown", [2]),
        ("unrated", [2, 4, 10]),
        ("pass", [1]),
        ("fail", [3]),
        ("edit", [5]),
        ("train", [1]),
        ("validation", []),
        ("test", [2]),
        ("no split", [3, 4, 5, 10]),
    ],
)
def test_filters_by_state(state, found):
    assert ids(arranged(ROWS, "", state, Column.NAME, False)) == found
    assert state in FILTERS


@pytest.mark.parametrize(
    ("text", "found"),
    [("sub-1", [1, 10]), ("SUB 10", [10]), ("own", [4]), ("empty", [3]), ("zzz", [])],
)
def test_finding_by_name_label_or_problem(text, found):
    assert ids(arranged(ROWS, text, "all", Column.NAME, False)) == found


@pytest.mark.parametrize(
    ("column", "first"),
    [
        (Column.STATE, 3),
        (Column.SPACING, 10),
        (Column.LABELS, 3),
        (Column.GRADE, 3),
        (Column.SPLIT, 1),
        (Column.NAME, 1),
    ],
)
def test_sorting_by_every_column(column, first):
    up = arranged(ROWS, "", "all", column, False)
    assert up[0].entry.id == first
    down = arranged(ROWS, "", "all", column, True)
    assert down[0].entry.id != first


def test_names_with_numbers_keep_the_studys_order():
    assert ids(arranged(reversed(ROWS), "", "all", Column.NAME, False))[-1] == 10


def test_the_summary_tells_how_many_need_a_look():
    assert summary(ROWS, 6) == "6 scans · 2 need a look"
    assert summary(ROWS[:1], 1) == "1 scan"
    assert summary(ROWS[:3], 1) == "1 of 3 scans · 1 needs a look"


def test_ten_thousand_rows_are_sorted_and_filtered_at_once():
    rows = [replace(ROWS[k % 6], place=k, entry=replace(ROWS[k % 6].entry, id=k))
            for k in range(10_000)]  # fmt: skip
    start = time.perf_counter()
    assert len(arranged(rows, "", "all", Column.STATE, True)) == 10_000
    assert len(arranged(rows, "sub-1", "all", Column.NAME, False)) > 3000
    assert time.perf_counter() - start < 2, "some 0.1 s on an idle machine"
