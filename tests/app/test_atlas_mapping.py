"""Mapping one atlas to another, and from a correction to a training; no window."""

import shutil

import numpy as np
import pytest
from fake_stage import FakeStage
from phantoms import (
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    RIGHT_THALAMUS,
    brain_phantom,
    save,
)
from study_phantoms import SMALL, entropy_file, result_of, scan_file, study_of

from monet_app.atlas.mapping import MappingModel, suggestions
from monet_app.atlas.teaching import describe, next_scans, teach
from monet_app.session import Session
from monet_core.protocols import find_mapping, load_protocol

LAB = """index\tname\themisphere
1\tFoo left\tL
2\tFoo right\tR
3\tPutamen left\tL
4\tPutamen right\tR
5\tSomething else\tM
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A study whose scan has FIRST labels and the same ones in a lab's own numbers."""
    folder = tmp_path_factory.mktemp("mapped") / "study"
    scan_file(folder / "scans" / "sub-1_T1w.nii.gz")
    _, labels, affine = brain_phantom(SMALL, spacing=2.0)
    save(folder / "scans" / "sub-1_seg-first_dseg.nii.gz", labels, affine)
    own = np.zeros_like(labels)
    for first, lab in {LEFT_THALAMUS: 1, RIGHT_THALAMUS: 2, LEFT_PUTAMEN: 3, 51: 4}.items():
        own[labels == first] = lab
    save(folder / "scans" / "sub-1_seg-lab_dseg.nii.gz", own, affine)
    (folder / "atlases").mkdir()
    (folder / "atlases" / "lab.tsv").write_text(LAB)
    return folder


@pytest.fixture
def session(tmp_path, prepared):
    shutil.copytree(prepared, tmp_path / "study")
    made = Session(stage=FakeStage())
    made.open_study(tmp_path / "study")
    made.add_scans([tmp_path / "study" / "scans"])
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def lab(session):
    return str(session.study.atlases / "lab.tsv")


@pytest.fixture
def model(session, lab):
    made = MappingModel(session)
    made.choose(lab, "first")
    return made


def row(model, index):
    return next(each for each in model.rows if each.source.index == index)


def test_names_and_places_suggest(model):
    assert model.scans == 1
    assert {r.source.index: r.target for r in model.rows} == {
        1: LEFT_THALAMUS, 2: RIGHT_THALAMUS, 3: LEFT_PUTAMEN, 4: 51, 5: None,
    }  # fmt: skip
    assert row(model, 1).by == "by place"
    assert row(model, 3).by == "by name and place"
    assert all(r.open for r in model.rows)


def test_what_nobody_knows_comes_first(model):
    assert model.rows[0].source.index == 5
    confidences = [r.confidence for r in model.rows[1:]]
    assert confidences == sorted(confidences)


def test_accepting_one_and_all(model):
    model.accept(1)
    assert model.mapped == 1
    model.accept_all()
    assert model.mapped == 4
    assert model.summary.startswith("4 of 5 regions mapped, 1 open; 4 of 15")
    model.clear(1)
    assert row(model, 1).target is None
    model.clear_all()
    assert model.mapped == 0


def test_sides_are_never_exchanged(model):
    assert not model.set_target(1, RIGHT_THALAMUS)
    assert "must not exchange the sides" in model.error
    assert row(model, 1).target == LEFT_THALAMUS
    left = {region.hemisphere for region in model.choices(1)}
    assert "R" not in left
    assert model.set_target(5, 16)
    assert model.error == ""
    assert model.set_target(5, None)
    assert row(model, 5).accepted


def test_the_saved_mapping_is_what_conversions_use(session, model, lab):
    model.accept_all()
    path = model.save()
    assert path == session.study.atlases / "lab_to_first.tsv"
    assert not model.unsaved
    assert find_mapping(lab, "first").table == {
        1: LEFT_THALAMUS, 2: RIGHT_THALAMUS, 3: LEFT_PUTAMEN, 4: 51,
    }  # fmt: skip
    again = MappingModel(session)
    again.choose(lab, "first")
    assert again.mapped == 4
    assert row(again, 1).by == "saved"
    assert again.rows[0].source.index == 5
    assert lab in again.atlases
    assert str(path) not in again.atlases


def test_nothing_accepted_is_not_saved(model):
    assert model.save() is None
    assert "Nothing is accepted" in model.error


def test_another_pair_saves_what_was_decided(session, model, lab):
    model.accept_all()
    model.choose(lab, "malc")
    assert (session.study.atlases / "lab_to_first.tsv").is_file()


def test_an_atlas_to_itself_is_refused(model, lab):
    model.choose(lab, lab)
    assert model.error == "Choose two different atlases."
    assert model.rows == []


def test_between_shipped_atlases_the_tables_know(session):
    found = suggestions(session.study, "malc", "first")
    assert {r.by for r in found.rows if r.target} >= {"from the tables"}
    assert load_protocol("malc").indices == tuple(sorted(r.source.index for r in found.rows))


# -- teaching ---------------------------------------------------------------------------------


@pytest.fixture
def taught(tmp_path):
    study = study_of(tmp_path / "t", ["sub-1", "sub-2", "sub-3"])
    for seed, scan in enumerate(study.scans()):
        labels = result_of(scan.path, study.derivatives, seed)
        entropy_file(labels, dict.fromkeys((10, 12, 16, 49, 51), (0.1, 0.2, 0.9)[seed]))
    study.register_results(study.derivatives)
    study.close()
    made = Session(stage=FakeStage())
    made.open_study(tmp_path / "t")
    yield made
    made.close(let_jobs_go_on=False)


def test_the_next_scan_is_the_one_the_model_was_least_sure_of(taught):
    found = next_scans(taught.study, "first")
    assert [each.entry.name for each in found] == ["sub-3", "sub-2", "sub-1"]
    assert "0.90 nats" in found[0].reason


def test_a_corrected_scan_is_not_suggested_and_is_taught(taught):
    asked = []
    taught.activity_asked.connect(lambda *what: asked.append(what))
    model = next(e for e in taught.study.all_segmentations() if e.scan_id == 1)
    entry = taught.study.add_segmentation(
        1, model.path, "first", "edited", model="tiny", parent_id=model.id
    )
    assert len(next_scans(taught.study, "first")) == 2
    teach(taught, entry)
    activity, subject = asked[0]
    assert activity == "train"
    assert subject["atlas"] == "first"
    assert "sub-1" in subject["data"].read_text()
    assert taught.study.scan(1).split == "train"
    assert describe(taught.study, entry) == "1 annotated scan in the training set."
