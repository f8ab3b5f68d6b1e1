"""What the Regions panel does to the stage and the session, without Qt."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fake_stage import FakeStage
from phantoms import (
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    MALC_OF_FIRST,
    RIGHT_PUTAMEN,
    RIGHT_THALAMUS,
    brain_phantom,
)

from monet_app.regions.model import RegionsModel
from monet_app.session import Session, Shown, key_of
from monet_core.evaluation import read_tsv
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, forms_from_affine
from monet_core.workspace import ScanEntry, SegmentationEntry

FULL, PART = "segmentation-1", "segmentation-2"


@cache
def phantom_labels(protocol: str, seed: int) -> LabelMap:
    _, data, affine = brain_phantom(seed=seed)
    if protocol == "malc":
        table = np.zeros(100, np.int32)
        table[list(MALC_OF_FIRST)] = list(MALC_OF_FIRST.values())
        data = table[data]
    geometry = Geometry(data.shape, affine)
    return LabelMap(data.astype(np.int32), geometry, forms_from_affine(affine))


def shown(number: int, protocol: str, seed: int = 0) -> Shown:
    entry = SegmentationEntry(number, 1, f"made-{number}", Path("x.nii.gz"), protocol, "manual")
    return Shown(entry, phantom_labels(protocol, seed), load_protocol(protocol))


def put(session: Session, *segmentations: Shown) -> None:
    for each in segmentations:
        session.shown[each.key] = each
        session.stage.show_segmentation(each.key, each.labels, each.protocol)
    session.shown_changed.emit()


@pytest.fixture
def session():
    made = Session(stage=FakeStage())
    made.current = ScanEntry(1, "sub-1", Path("sub-1.nii.gz"))
    return made


@pytest.fixture
def model(session):
    made = RegionsModel(session)
    put(session, shown(1, "malc"), shown(2, "first"))
    return made


def test_full_and_sub_cortical_have_a_tree_each(model):
    assert list(model.views) == [FULL, PART]
    assert [model.title(key) for key in model.views] == ["Whole brain (138)", "Sub-cortical (15)"]
    assert model.active == FULL
    assert model.view.measured is not None


def test_two_of_one_atlas_are_told_apart_by_name(session, model):
    put(session, shown(3, "malc"))
    assert model.title("segmentation-3").endswith(" · Whole brain (138)")


def test_the_stage_is_told_once_per_action(session, model):
    branch = next(node for node in model.view.root.children if node.name.startswith("Subcort"))
    model.set_drawn(branch.indices, False)
    assert session.stage.called("set_hidden") == [(FULL, frozenset(branch.indices))]
    assert model.view.drawn(branch) is False
    assert model.view.drawn(model.view.root) is None
    model.set_drawn(branch.children[0].indices, True)
    assert model.view.drawn(branch) is None
    model.only((57, 58))
    assert len(session.stage.segmentations[FULL].hidden) == 136
    model.set_drawn(model.view.root.indices, True)
    assert session.stage.segmentations[FULL].hidden == frozenset()


def test_isolating_twice_brings_the_others_back(session, model):
    model.isolate((57, 58))
    assert session.stage.isolated[FULL] == (57, 58)
    model.isolate((57, 58))
    assert session.stage.isolated[FULL] is None
    model.isolate((57,))
    model.set_drawn((58,), False)
    assert session.stage.isolated[FULL] is None, "ticking ends it"


def test_going_to_a_region_moves_the_crosshair_into_it_and_tells_others(session, model):
    told = []
    session.region_picked.connect(lambda *picked: told.append(picked))
    model.activate(PART)
    model.go_to(LEFT_THALAMUS)
    assert told == [(PART, LEFT_THALAMUS)]
    assert session.stage.cursor[0] < 0
    labels = model.view.shown.labels
    voxel = np.rint(np.linalg.inv(labels.geometry.affine) @ (*session.stage.cursor, 1))[:3]
    assert labels.data[tuple(voxel.astype(int))] == LEFT_THALAMUS


def test_stepping_skips_what_is_missing_and_stops_at_the_ends(model):
    model.activate(PART)
    order = [11, LEFT_PUTAMEN, 50, RIGHT_PUTAMEN]
    assert model.step(order, None, 1) == LEFT_PUTAMEN, "11 is missing"
    assert model.step(order, LEFT_PUTAMEN, 1) == RIGHT_PUTAMEN
    assert model.step(order, RIGHT_PUTAMEN, 1) is None
    assert model.step(order, RIGHT_PUTAMEN, -1) == LEFT_PUTAMEN
    assert model.step(order, LEFT_PUTAMEN, -1) is None
    assert model.step(order, None, -1) == RIGHT_PUTAMEN


def test_stepping_takes_isolation_along(session, model):
    model.activate(PART)
    model.isolate((LEFT_PUTAMEN,))
    model.step([LEFT_PUTAMEN, RIGHT_PUTAMEN], LEFT_PUTAMEN, 1)
    assert session.stage.isolated[PART] == (RIGHT_PUTAMEN,)


def test_the_next_scan_hides_the_same_regions(session, model):
    model.activate(PART)
    model.set_drawn((LEFT_THALAMUS,), False)
    for key in list(session.shown):
        session.stage.remove_segmentation(key)
    session.shown.clear()
    put(session, shown(8, "malc"), shown(9, "first", seed=3))
    assert model.active == "segmentation-9", "the atlas that was looked at"
    assert model.view.hidden == {LEFT_THALAMUS}
    assert session.stage.segmentations["segmentation-9"].hidden == {LEFT_THALAMUS}


def test_switching_a_segmentation_off_keeps_its_tree(session, model):
    before = model.view
    session.set_visible(FULL, False)
    assert model.views[FULL] is before
    assert not before.shown.visible


def test_switching_the_active_one_off_turns_to_one_that_is_seen(session, model):
    listed = []
    model.listed.connect(lambda: listed.append(model.active))
    session.set_visible(FULL, False)
    assert listed == [model.active] == [PART]
    session.set_visible(FULL, True)  # whoever looks at PART goes on doing so
    assert model.active == PART


def test_the_tree_of_one_switched_off_can_be_looked_at(session, model):
    session.set_visible(PART, False)
    model.activate(PART)
    session.set_visible(FULL, False)
    assert model.active == PART


def test_surfaces_are_made_of_what_is_chosen_or_drawn_and_there(session, model):
    model.activate(PART)
    session.stage.layout = "axial"
    model.show_in_3d((LEFT_THALAMUS, 11))
    assert session.stage.meshes[PART] == (LEFT_THALAMUS,), "11 is missing"
    assert session.stage.layout == "four"
    model.set_drawn((16,), False)
    model.show_in_3d(())
    present = (LEFT_THALAMUS, LEFT_PUTAMEN, RIGHT_THALAMUS, RIGHT_PUTAMEN)
    assert session.stage.meshes[PART] == tuple(sorted(present))


def test_looks_are_kept_and_followed(session, model):
    assert session.stage.opacity == session.settings.opacity, "set at the start"
    model.set_opacity(0.25)
    model.set_outline(2)
    assert (session.stage.opacity, session.stage.outline) == (0.25, 2)
    told = []
    model.looks.connect(lambda: told.append(True))
    session.stage.set_outline(0)
    assert session.settings.outline == 0
    assert told


def test_painting_is_measured_again(session, model):
    before = model.view.measured.of((57,)).volume_ml
    painted = model.view.shown.labels.data.copy()
    painted[:4, :4, :4] = 57
    session.stage.labels[FULL] = replace(session.stage.labels[FULL], data=painted)
    model.measure_edited(FULL)
    assert model.view.measured.of((57,)).volume_ml == pytest.approx(before + 0.064)


@pytest.mark.parametrize("ending", [".tsv", ".csv"])
def test_volumes_are_exported(session, model, tmp_path, ending):
    model.activate(PART)
    path = tmp_path / f"volumes{ending}"
    told = []
    session.noticed.connect(told.append)
    model.export(path)
    table = read_tsv(path) if ending == ".tsv" else None
    text = path.read_text()
    assert text.splitlines()[0].split("\t" if ending == ".tsv" else ",")[:3] == [
        "scan",
        "segmentation",
        "index",
    ]
    assert "n/a" in text, "missing is not 0"
    assert str(path) in told[0].text
    if table is not None:
        assert len(table) == 15


def test_an_export_that_cannot_be_written_is_told(session, model):
    told = []
    session.noticed.connect(told.append)
    model.export(Path("/proc/nowhere/volumes.tsv"))
    assert told[0].level == "error"


def test_a_pick_elsewhere_turns_to_that_segmentation(session, model):
    picked = []
    model.picked.connect(lambda *each: picked.append(each))
    session.pick_region(PART, LEFT_THALAMUS)
    assert model.active == PART
    assert picked == [(PART, LEFT_THALAMUS)]
    session.pick_region("elsewhere", 3)
    assert model.active == PART


def test_nothing_on_the_stage_is_fine():
    empty = RegionsModel(Session())
    assert empty.view is None
    empty.set_drawn((1,), False)
    empty.isolate((1,))
    empty.go_to(3)
    empty.show_in_3d(())
    empty.export(Path("never.tsv"))
    assert empty.step([1], None, 1) is None
    assert key_of(SegmentationEntry(4, 1, "", Path(), "", "manual")) == "segmentation-4"
