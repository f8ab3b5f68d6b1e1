"""Correcting by hand without a window: versions, what is kept, what is asked."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from paintable_stage import PaintableStage
from phantoms import LEFT_PUTAMEN, LEFT_THALAMUS, reoriented, save
from study_phantoms import SMALL, brain_phantom, result_of, study_of

from monet_app.atlas.correct import CorrectModel
from monet_app.atlas.versions import model_behind
from monet_app.session import Session, key_of
from monet_core.scans import read_labels


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """A study of two scans that a model segmented."""
    folder = tmp_path_factory.mktemp("segmented") / "study"
    study = study_of(folder, ["sub-1", "sub-2"])
    for seed, scan in enumerate(study.scans()):
        result_of(scan.path, study.derivatives, seed)
    study.register_results(study.derivatives)
    study.close()
    return folder


@pytest.fixture
def session(tmp_path, segmented):
    shutil.copytree(segmented, tmp_path, dirs_exist_ok=True)
    made = Session(stage=PaintableStage())
    made.open_study(tmp_path)
    made.open_scan(made.study.scans()[0])
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def model(session):
    return CorrectModel(session)


def painting(model, voxels=(slice(0, 3), 0, 0), index=LEFT_PUTAMEN):
    """Begin a copy of the first segmentation and paint a little."""
    parent = model.choices[0]
    model.begin(parent.key)
    model.session.stage.paint(model.key, voxels, index)
    return parent


def test_a_copy_is_painted_in_and_the_first_stays(session, model):
    parent = model.choices[0]
    before = parent.entry.path.read_bytes()
    painting(model)
    assert model.dirty
    assert model.shown.entry.parent_id == parent.entry.id
    assert not session.shown[parent.key].visible
    assert model.shown.entry.path.name == "sub-1_seg-first_desc-edited_dseg.nii.gz"
    assert session.stage.hand[:3] == (model.key, LEFT_THALAMUS, "paint")
    model.save()
    assert not model.dirty
    assert parent.entry.path.read_bytes() == before


def test_a_saved_version_is_edited_and_says_so(session, model):
    parent = painting(model)
    model.save()
    entry = session.study.segmentation(model.shown.entry.id)
    assert (entry.source, entry.parent_id, entry.protocol) == ("edited", parent.entry.id, "first")
    data = read_labels(entry.path).data
    assert (data[:3, 0, 0] == LEFT_PUTAMEN).all()
    changed = data != parent.labels.data
    assert changed.sum() == 3
    record = json.loads(entry.path.with_name(entry.path.name[:-7] + ".json").read_text())
    assert record["Manual"] is True
    assert record["Sources"] == ["sub-1_T1w.nii.gz", parent.entry.path.name]
    assert entry.path.with_name(entry.path.name[:-7] + ".tsv").is_file()


def test_written_on_the_scans_own_grid_in_its_axis_order(tmp_path):
    image, labels, affine = brain_phantom(SMALL, spacing=2.0)
    scan = save(tmp_path / "in" / "sub-9_T1w.nii.gz", *reoriented(image, affine, "PIR"))
    save(tmp_path / "in" / "sub-9_seg-first_dseg.nii.gz", *reoriented(labels, affine, "LAS"))
    session = Session(stage=PaintableStage())
    session.open_study(tmp_path / "study")
    session.add_scans([tmp_path / "in"], show=True)
    model = CorrectModel(session)
    model.begin(model.choices[0].key)
    where = np.argwhere(session.stage.painted[model.key] == LEFT_THALAMUS)
    session.stage.paint(model.key, tuple(where.T), LEFT_PUTAMEN)
    model.save()
    written, source = nib.load(model.shown.entry.path), nib.load(scan)
    assert written.shape == source.shape
    np.testing.assert_array_equal(written.affine, source.affine)
    world = nib.affines.apply_affine(
        written.affine, np.argwhere(np.asarray(written.dataobj) == LEFT_PUTAMEN)
    )
    assert (world[:, 0] < 0).all()
    assert len(world) == (np.isin(labels, (LEFT_THALAMUS, LEFT_PUTAMEN))).sum()
    session.close(let_jobs_go_on=False)


def test_a_second_copy_has_another_name(session, model):
    painting(model)
    model.save()
    model.finish()
    model.begin(key_of(next(e for e in session.study.all_segmentations() if e.source == "model")))
    assert model.shown.entry.path.name.endswith("_desc-edited2_dseg.nii.gz")


def test_a_corrected_version_can_be_gone_on_with(session, model):
    painting(model)
    model.save()
    key = model.key
    model.finish()
    model.begin(key, copy=False)
    assert model.key == key


def test_a_copy_without_a_stroke_leaves_nothing(session, model):
    parent = model.choices[0]
    model.begin(parent.key)
    path = model.shown.entry.path
    assert path.is_file()
    model.finish()
    assert model.key is None
    assert not path.exists()
    assert [e.source for e in session.study.segmentations(session.current.id)] == ["model"]


def test_an_unsaved_copy_is_no_training_data(session, model):
    painting(model)
    assert session.study.segmentation(model.shown.entry.id).source == "preview"


@pytest.mark.parametrize("answer", ["save", "keep", "discard", "stay"])
def test_another_scan_asks_first(session, model, answer):
    asked = []
    model.ask = lambda name, told: asked.append((name, told))
    painting(model)
    entry, path = model.shown.entry, model.shown.entry.path
    first, second = session.study.scans()
    session.open_scan(second)
    assert session.current == first, "it waits for the answer"
    assert len(asked) == 1
    asked[0][1](answer)
    if answer == "stay":
        assert session.current == first
        assert model.dirty
        return
    assert session.current.id == second.id
    assert model.key is None
    saved = path.exists() and (read_labels(path).data[:3, 0, 0] == LEFT_PUTAMEN).all()
    assert saved == (answer == "save")
    assert path.exists() == (answer != "discard")
    assert [kept.segmentation_id for kept in model.keeping.found] == (
        [entry.id] if answer == "keep" else []
    )


def test_hiding_what_is_painted_asks_too_and_reading_it_again_is_refused(session, model):
    asked = []
    model.ask = lambda name, told: asked.append(told)
    painting(model)
    key = model.key
    session.show(model.shown.entry)
    assert (session.stage.painted[key][:3, 0, 0] == LEFT_PUTAMEN).all()
    session.hide(key)
    assert key in session.shown
    asked[0]("keep")
    assert key not in session.shown


def test_without_anybody_to_ask_it_is_kept(session, model):
    painting(model)
    session.open_scan(session.study.scans()[1])
    assert session.current.name == session.study.scans()[1].name
    assert len(model.keeping.found) == 1


def test_after_a_crash_it_is_offered_and_restored(session, model, tmp_path):
    painting(model)
    model.autosave()
    assert model.kept_at is not None
    # No farewell: the program is gone. A new one opens the study.
    session.jobs.close(detach=True)
    later = Session(stage=PaintableStage())
    later.open_study(tmp_path)
    again = CorrectModel(later)
    assert len(again.keeping.found) == 1
    assert again.keeping.title(again.keeping.found[0]).startswith("sub-1")
    again.restore(again.keeping.found[0])
    assert again.dirty
    assert later.current.name == "sub-1"
    assert (later.stage.painted[again.key][:3, 0, 0] == LEFT_PUTAMEN).all()
    again.save()
    assert again.keeping.found == []
    assert (read_labels(again.shown.entry.path).data[:3, 0, 0] == LEFT_PUTAMEN).all()
    later.close(let_jobs_go_on=False)


def test_the_end_of_the_program_keeps_it(session, model, tmp_path):
    painting(model)
    session.close(let_jobs_go_on=False)
    later = Session(stage=PaintableStage())
    later.open_study(tmp_path)
    assert len(CorrectModel(later).keeping.found) == 1
    later.close(let_jobs_go_on=False)


def test_recovery_that_is_not_wanted_goes_with_its_copy(session, model):
    painting(model)
    path = model.shown.entry.path
    session.open_scan(session.study.scans()[1])
    model.keeping.forget(model.keeping.found[0])
    assert model.keeping.found == []
    assert not path.exists()


def test_autosave_writes_only_what_is_new(session, model, monkeypatch):
    painting(model)
    kept = []
    monkeypatch.setattr("monet_app.atlas.recovery.keep", lambda *args: kept.append(args))
    model.autosave()
    model.autosave()
    assert len(kept) == 1


def test_edits_during_a_save_stay_unsaved(session, model):
    painting(model)
    waiting = []
    session.run = lambda f, *args, done=None, **_: waiting.append((f, args, done))
    model.save()
    session.stage.paint(model.key, (4, 4, 4), LEFT_PUTAMEN)
    function, args, done = waiting[0]
    done(function(*args))
    assert model.dirty


def test_a_failed_save_tells_and_loses_nothing(session, model):
    told = []
    session.noticed.connect(told.append)
    painting(model)
    path = model.shown.entry.path
    path.parent.chmod(0o500)
    try:
        model.session.run = _failing
        model.save()
    finally:
        path.parent.chmod(0o700)
    assert model.dirty
    assert model.busy == ""
    assert told[-1].level == "error"


def _failing(function, *args, done=None, failed=None, **_):
    failed(OSError(28, "No space left on device"))


def test_the_region_is_picked_in_regions_or_in_the_views(session, model):
    parent = painting(model)
    session.pick_region(parent.key, LEFT_PUTAMEN)
    assert model.region.index == LEFT_PUTAMEN
    model.take("pick")
    session.stage.picked.emit(model.key, LEFT_THALAMUS)
    assert model.region.index == LEFT_THALAMUS
    assert session.stage.hand[2] == "paint"
    model.choose_region(999)
    assert model.region.index == LEFT_THALAMUS


def test_another_panel_puts_the_brush_down(session, model):
    painting(model)
    model.set_active(False)
    assert session.stage.hand[2] is None
    model.set_active(True)
    assert session.stage.hand[2] == "paint"


def test_brush_size_stays_sensible(session, model):
    painting(model)
    model.set_size(0)
    assert model.brush.size_mm == 1
    model.set_size(1e6)
    assert model.brush.size_mm == 40
    model.set_three_d(True)
    assert session.stage.hand[3:] == (40, True)


def test_filling_between_slices_says_how_much(session, model):
    told = []
    session.noticed.connect(told.append)
    painting(model)
    model.interpolate("coronal")
    assert "7 voxels" in told[-1].text


def test_the_model_behind_a_correction_is_found(session, model):
    from types import SimpleNamespace

    painting(model)
    model.save()
    tiny = SimpleNamespace(key="x", manifest=SimpleNamespace(name="tiny"))
    assert model_behind(session.study, model.shown.entry, [tiny]) is tiny
    assert model_behind(session.study, model.shown.entry, []) is None
