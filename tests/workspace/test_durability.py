"""Nothing that a person told the study is lost: kills, damage, two windows."""

import json
import multiprocessing
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_phantoms import labels_file, result_of, scan_file, study_of

from monet_core.errors import DatasetError, OutputError
from monet_core.scans import Decisions
from monet_core.workspace import Study, journal
from monet_core.workspace.opening import INDEX, JOURNAL

RATE = """
import sys
from pathlib import Path
from monet_core.workspace import Study
study = Study.open(Path(sys.argv[1]))
scan = study.scans()[0].id
for number in range(100_000):
    study.rate(scan, "pass", note=f"{sys.argv[2]}-{number}")
    print(number, flush=True)
"""


def index_of(study: Study) -> Path:
    return study.folder / ".monet" / INDEX


def start(study: Study, who: str) -> subprocess.Popen:
    command = [sys.executable, "-c", RATE, str(study.folder), who]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_after(process: subprocess.Popen, count: int) -> int:
    """Kill without warning after so many ratings; the last that was said to be kept."""
    said = -1
    while said < count:
        said = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    return int(rest[-1]) if rest else said


def test_killed_while_rating_keeps_every_rating(tmp_path):
    study = study_of(tmp_path, ["sub-1"])
    kept = {}
    for round_ in range(4):
        who = f"round{round_}"
        kept[who] = killed_after(start(study, who), 3 + 5 * round_)
    again = Study.open(tmp_path)
    assert again.notes == ()
    notes = {rating.note for rating in again.ratings()}
    for who, last in kept.items():
        assert {f"{who}-{n}" for n in range(last + 1)} <= notes
    again.close()
    index_of(study).unlink()
    rebuilt = Study.open(tmp_path)
    # What was being written when it was killed may stand in the journal already.
    found = {rating.note for rating in rebuilt.ratings()}
    assert notes <= found
    assert len(found - notes) <= 1


def test_two_programs_rate_at_once(tmp_path):
    study = study_of(tmp_path, ["sub-1"])
    one, two = start(study, "one"), start(study, "two")
    for _ in range(10):
        study.rate(study.scans()[0].id, "fail", note="here")
    counts = {"one": killed_after(one, 10), "two": killed_after(two, 10)}
    notes = [rating.note for rating in study.ratings()]
    assert notes.count("here") == 10
    for who, last in counts.items():
        assert {f"{who}-{n}" for n in range(last + 1)} <= set(notes)


def test_any_thread_may_rate_and_look(tmp_path):
    study = study_of(tmp_path, ["sub-1", "sub-2"])
    ids = [entry.id for entry in study.scans()]

    def work(number: int) -> None:
        study.rate(ids[number % 2], "edit", note=str(number))
        study.set_split(ids[number % 2], "test")
        study.latest(ids[0])
        study.scans()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert {r.note for r in study.ratings()} == {str(n) for n in range(40)}
    assert {entry.split for entry in study.scans()} == {"test"}


def filled(folder: Path) -> Study:
    """A study with one of everything that people tell."""
    study = study_of(folder, ["sub-1", "sub-2", "sub-3"])
    one, two, three = study.scans()
    study.set_decisions(one.id, Decisions(orientation="LAS"))
    study.set_split(two.id, "validation")
    study.remove(three.id)
    result_of(one.path, study.derivatives)
    study.register_results(study.derivatives)
    drawn = labels_file(folder / "drawn" / "mine.nii.gz", 1)
    labels = study.add_segmentation(two.id, drawn, "", "edited", "My version", parent_id=1)
    study.set_protocol(labels.id, "first")
    study.rate(one.id, "pass", segmentation_id=1, tags=["gut", "schön"], rater="AL", seconds=2.5)
    study.rate(two.id, "edit", note="line\nbreak\t'\"")
    return study


def all_of(study: Study) -> tuple:
    return study.scans(), study.all_segmentations(), study.ratings()


def broken_header(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)


def broken_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100 : len(data)] = bytes(len(data) - 100)
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def another_programs(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")


@pytest.mark.parametrize("damage", [broken_header, broken_middle, cut_short, another_programs])
def test_a_damaged_index_is_kept_aside_and_rebuilt(tmp_path, damage):
    study = filled(tmp_path)
    before = all_of(study)
    study.close()
    for rest in index_of(study).parent.glob(f"{INDEX}-*"):
        rest.unlink()
    damage(index_of(study))
    broken = index_of(study).read_bytes()
    again = Study.open(tmp_path)
    assert all_of(again) == before
    (note,) = again.notes
    (aside,) = index_of(study).parent.glob(f"{INDEX}.damaged-*")
    assert aside.read_bytes() == broken
    assert aside.name in note
    assert Study.open(tmp_path).notes == ()
    again.rate(before[0][0].id, "fail")
    assert len(Study.open(tmp_path).ratings()) == 3


def test_numbers_are_not_given_twice_after_a_rebuild(tmp_path):
    study = filled(tmp_path)
    index_of(study).unlink()
    again = Study.open(tmp_path)
    assert "rebuilt" in again.notes[0]
    (new,) = again.add([scan_file(tmp_path / "sub-9_T1w.nii.gz")])
    assert new.id == 4
    (back,) = again.add([tmp_path / "scans" / "sub-3_T1w.nii.gz"])
    assert back.id == 3


def test_without_a_journal_the_folder_itself_is_looked_through(tmp_path):
    study = filled(tmp_path)
    study.close()
    broken_header(index_of(study))
    (index_of(study).parent / JOURNAL).unlink()
    again = Study.open(tmp_path)
    assert [e.name for e in again.scans()] == ["sub-1", "sub-2", "sub-3"]
    assert [s.model for s in again.all_segmentations()] == ["tiny"]


def test_an_open_window_notices_that_the_index_was_replaced(tmp_path):
    study = filled(tmp_path)
    study.scans()
    shutil.copy(index_of(study), tmp_path / "copy")
    for path in index_of(study).parent.glob(f"{INDEX}*"):
        path.unlink()
    with pytest.raises(OutputError, match="not there any more"):
        study.scans()
    other = Study.open(tmp_path)
    other.set_split(1, "test")
    assert study.scan(1).split == "test"
    assert len(study.scans()) == 2


def test_a_torn_line_of_the_journal_costs_only_itself(tmp_path):
    study = filled(tmp_path)
    path = index_of(study).parent / JOURNAL
    rated = len(study.ratings())
    path.write_bytes(path.read_bytes()[:-7])
    study.rate(1, "fail", note="after the tear")
    index_of(study).unlink()
    again = Study.open(tmp_path)
    assert len(again.ratings()) == rated
    assert again.ratings()[-1].note == "after the tear"


REBUILD = """
import os, sys
from pathlib import Path
from monet_core.workspace import Study, opening
real, done = opening._replay_row, []
def replay(*row):
    done.append(row)
    if len(done) > 3:
        os.kill(os.getpid(), 9)
    return real(*row)
opening._replay_row = replay
Study.open(Path(sys.argv[1]))
"""


def test_killed_while_rebuilding(tmp_path):
    study = filled(tmp_path)
    before = all_of(study)
    study.close()
    broken_header(index_of(study))
    done = subprocess.run([sys.executable, "-c", REBUILD, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert all_of(Study.open(tmp_path)) == before


def test_damage_while_it_is_open_is_told_and_mended_by_opening_again(tmp_path):
    study = filled(tmp_path)
    before = all_of(study)
    study.close()
    with index_of(study).open("r+b") as stream:
        stream.write(b"x" * 5000)
    with pytest.raises(OutputError, match="open the study again"):
        study.rate(1, "pass")
    assert before[0][0].thumbnail is None
    assert all_of(Study.open(tmp_path)) == before
    study.rate(1, "pass")
    assert len(study.ratings()) == 3


def test_a_newer_programs_study_is_left_alone(tmp_path):
    study = filled(tmp_path)
    study.close()
    with sqlite3.connect(index_of(study)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutputError, match="newer version"):
        Study.open(tmp_path)
    assert not list(index_of(study).parent.glob("*.damaged-*"))


def test_nothing_half_is_kept_when_the_journal_cannot_be_written(tmp_path, monkeypatch):
    study = filled(tmp_path)
    before = all_of(study)

    def full(path, rows):
        raise OutputError("disk-full", "the disk is full", file=path)

    monkeypatch.setattr(journal, "append", full)
    with pytest.raises(OutputError, match="disk is full"):
        study.rate(1, "pass")
    monkeypatch.undo()
    assert all_of(study) == before
    study.rate(1, "pass")


def test_a_read_only_index_is_told_in_words(tmp_path, monkeypatch):
    study = filled(tmp_path)
    study.close()
    real = sqlite3.connect

    def read_only(path, **how):
        return real(f"file:{path}?mode=ro&immutable=1", uri=True, **how)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(OutputError, match="cannot be written to"):
        study.rate(1, "pass")


def test_a_busy_study_is_told_in_words(tmp_path, monkeypatch):
    study = filled(tmp_path)
    monkeypatch.setattr("monet_core.workspace.database.BUSY_S", 0.05)
    blocker = sqlite3.connect(index_of(study), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    study.close()
    assert len(study.ratings()) == 2  # looking goes on
    with pytest.raises(OutputError, match="keeps the study busy"):
        study.rate(1, "pass")
    blocker.close()


def test_on_a_network_drive_no_shared_memory_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr("monet_core.workspace.database.on_network", lambda _: True)
    study = filled(tmp_path)
    assert not list(index_of(study).parent.glob("*-shm"))
    assert len(Study.open(tmp_path).ratings()) == 2


def test_opening_at_the_same_time_makes_one_index(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        assert pool.map(_open_and_count, [tmp_path] * 6) == [0] * 6


def _open_and_count(folder: Path) -> int:
    return len(Study.open(folder).scans())


class TestRatings:
    def test_what_is_kept(self, tmp_path):
        study = filled(tmp_path)
        first, second = study.ratings()
        assert study.ratings(2) == [second]
        assert study.latest(1) == first
        assert study.latest(99) is None
        assert (first.tags, first.rater, first.seconds) == (("gut", "schön"), "AL", 2.5)
        assert first.time.endswith("+00:00")
        assert second.note == "line\nbreak\t'\""

    def test_export(self, tmp_path):
        import pandas as pd

        study = filled(tmp_path)
        study.export_ratings(tmp_path / "ratings.tsv")
        table = pd.read_csv(tmp_path / "ratings.tsv", sep="\t", keep_default_na=False)
        assert list(table["scan"]) == ["sub-1", "sub-2"]
        assert list(table["segmentation"]) == ["first, tiny", "n/a"]
        assert list(table["tags"]) == ["gut, schön", "n/a"]
        assert table["note"][1] == "line\nbreak\t'\""

    def test_an_unknown_grade_or_scan(self, tmp_path):
        study = filled(tmp_path)
        with pytest.raises(DatasetError, match="pass, fail, edit"):
            study.rate(1, "good")
        with pytest.raises(DatasetError, match="no scan number 77"):
            study.rate(77, "pass")

    def test_a_rating_is_quick(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        began = time.process_time()
        for _ in range(20):
            study.rate(1, "pass")
        assert (time.process_time() - began) / 20 < 0.02


text = st.text(st.characters(codec="utf-8"), max_size=30)


def test_half_a_character_is_kept_as_what_it_is(tmp_path):
    study = study_of(tmp_path, ["sub-1"])
    study.rate(1, "pass", note="odd \ud83d", tags=["\ud83d"], rater="\udcff")
    assert study.latest(1).note == r"odd \ud83d"
    study.export_ratings(tmp_path / "r.tsv")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(note=text, tags=st.lists(text, max_size=3), rater=text, cut=st.integers(0, 40))
def test_the_journal_gives_back_what_was_rated(tmp_path_factory, note, tags, rater, cut):
    folder = tmp_path_factory.mktemp("study")
    study = study_of(folder, ["sub-1"])
    kept = study.rate(1, "edit", note=note, tags=tags, rater=rater)
    path = index_of(study).parent / JOURNAL
    path.write_bytes(path.read_bytes() + b"\n" + json.dumps(["ratings", {}]).encode()[:cut])
    for part in path.parent.glob(f"{INDEX}*"):
        part.unlink()
    assert Study.open(folder).ratings() == [kept]
