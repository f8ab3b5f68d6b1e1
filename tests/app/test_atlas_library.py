"""A lab's own atlas: imported, changed within the rules, exported; no window."""

import numpy as np
import pytest
from fake_stage import FakeStage
from phantoms import save
from study_phantoms import labels_file, scan_file

from monet_app.atlas.editing import paired, recoloured, renamed, sided
from monet_app.atlas.library import LibraryModel
from monet_app.session import Session
from monet_core.errors import ProtocolError
from monet_core.protocols import load_protocol

TABLE = """index\tname\tcolor
1\tLeft Alpha\t#ff0000
2\tRight Alpha\t#00ff00
3\tBeta\t#0000ff
4\tGamma\t#888888
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lab_dseg.tsv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def session(tmp_path):
    made = Session(stage=FakeStage())
    made.open_study(tmp_path / "study")
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def model(session, table):
    made = LibraryModel(session)
    made.import_file(table)
    return made


def test_shipped_atlases_are_listed_and_cannot_be_changed(session):
    model = LibraryModel(session)
    assert [entry.key for entry in model.entries][:2] == ["malc", "first"]
    assert model.entries[0].title == "Whole brain (138)"
    assert not model.own
    assert not model.change(lambda atlas: renamed(atlas, 23, "x"))


def test_an_imported_table_is_the_studys_own(session, model):
    assert model.own
    assert model.chosen == str(session.study.atlases / "lab.tsv")
    assert model.entries[-1].title == "lab (4)"
    assert [region.pair for region in model.atlas.regions] == [2, 1, None, None]
    assert model.notes


def test_importing_it_twice_keeps_both(model, table):
    model.import_file(table)
    assert model.chosen.endswith("lab-2.tsv")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lut.txt", "1 Left-Alpha 255 0 0 0\n2 Right-Alpha 0 255 0 0\n"),
        ("snap.label", '1 255 0 0 1 1 1 "Left Alpha"\n2 0 255 0 1 1 1 "Right Alpha"\n'),
    ],
)
def test_luts_of_other_programs(session, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    model = LibraryModel(session)
    model.import_file(tmp_path / name)
    assert [region.hemisphere for region in model.atlas.regions] == ["L", "R"]


def test_what_is_no_table_is_told(session, tmp_path):
    told = []
    session.noticed.connect(told.append)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    model = LibraryModel(session)
    model.import_file(tmp_path / "letter.txt")
    assert told[-1].level == "error"
    assert model.chosen == "malc"


def test_an_atlas_of_the_values_in_label_maps_becomes_theirs(session, tmp_path):
    scan_file(tmp_path / "in" / "sub-1_T1w.nii.gz")
    labels_file(tmp_path / "in" / "sub-1_dseg.nii.gz")
    session.add_scans([tmp_path / "in"])
    model = LibraryModel(session)
    assert len(model.unknown_maps) == 1
    model.import_maps(model.unknown_maps)
    assert model.atlas.indices == (10, 12, 16, 49, 51)
    assert model.unknown_maps == []
    assert session.study.all_segmentations()[0].protocol == model.chosen


def test_a_shipped_atlas_is_copied_to_be_changed(model):
    model.choose("first")
    model.copy()
    assert model.own
    assert model.chosen.endswith("first-copy.tsv")
    assert model.atlas.indices == load_protocol("first").indices


def test_changes_are_saved_undone_and_made_again(model):
    assert model.change(lambda atlas: renamed(atlas, 3, "Delta"))
    assert model.change(lambda atlas: recoloured(atlas, 3, "#ABCDEF"))
    model.undo()
    assert model.atlas.region(3).color == "#0000ff"
    model.redo()
    assert model.changed
    model.save()
    assert not model.changed
    kept = load_protocol(model.chosen).region(3)
    assert (kept.name, kept.color) == ("Delta", "#abcdef")


def test_another_atlas_saves_the_changes_of_the_last(model):
    key = model.chosen
    model.change(lambda atlas: renamed(atlas, 3, "Delta"))
    model.choose("malc")
    assert load_protocol(key).region(3).name == "Delta"


def test_a_refused_change_says_why_and_changes_nothing(model):
    before = model.atlas
    assert not model.change(lambda atlas: renamed(atlas, 3, "Gamma"))
    assert "Gamma" in model.error
    assert model.atlas is before
    assert not model.change(lambda atlas: renamed(atlas, 3, " "))


def test_pairs_and_sides_follow_each_other(model):
    atlas = sided(model.atlas, 1, "R")
    assert [region.hemisphere for region in atlas.regions[:2]] == ["R", "L"]
    atlas = sided(atlas, 1, "M")
    assert [region.pair for region in atlas.regions[:2]] == [None, None]
    atlas = paired(sided(atlas, 3, "L"), 3, 4)
    assert (atlas.region(4).hemisphere, atlas.region(4).pair) == ("R", 3)
    atlas = paired(atlas, 3, 1)
    assert atlas.region(4).pair is None
    assert paired(atlas, 3, None).region(1).pair is None


@pytest.mark.parametrize(("one", "other"), [(3, 4), (3, 3)])
def test_pairs_that_are_none(model, one, other):
    with pytest.raises(ProtocolError):
        paired(model.atlas, one, other)


def test_two_left_regions_are_no_pair(model):
    atlas = sided(sided(model.atlas, 3, "L"), 4, "L")
    with pytest.raises(ProtocolError, match="both left"):
        paired(atlas, 3, 4)


@pytest.mark.parametrize("name", ["out.tsv", "out.txt", "out.label"])
def test_exported_tables_are_read_back(model, tmp_path, name):
    model.export(tmp_path / name)
    again = load_protocol(tmp_path / name)
    assert [r.index for r in again.regions] == [1, 2, 3, 4]
    assert [r.color for r in again.regions] == [r.color for r in model.atlas.regions]
    assert [r.hemisphere for r in again.regions] == ["L", "R", "M", "M"]


def test_a_damaged_table_is_listed_with_its_problem(session):
    session.study.atlases.mkdir()
    (session.study.atlases / "broken.tsv").write_text("index\tname\n1\tA\n1\tB\n")
    model = LibraryModel(session)
    assert "more than once" in model.entries[-1].problem
    model.choose(model.entries[-1].key)
    assert model.atlas is None
    assert model.error


def test_what_is_on_the_stage_takes_the_new_colours(session, model, tmp_path):
    scan = scan_file(tmp_path / "in" / "sub-1_T1w.nii.gz")
    data = np.zeros((40, 44, 40), np.int16)
    data[5:9, 5:9, 5:9] = 3
    import nibabel as nib

    save(tmp_path / "in" / "sub-1_dseg.nii.gz", data, nib.load(scan).affine)
    session.add_scans([tmp_path / "in"])
    entry = session.study.all_segmentations()[0]
    session.study.set_protocol(entry.id, model.chosen)
    session.open_scan(session.study.scans()[0])
    model.change(lambda atlas: renamed(atlas, 3, "Delta"))
    model.save()
    shown = next(iter(session.shown.values()))
    assert shown.protocol.region(3).name == "Delta"
