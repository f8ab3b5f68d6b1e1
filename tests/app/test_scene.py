"""What is on the stage, resolved to pictures, values and edited label maps; no Qt."""

from __future__ import annotations

import subprocess
import sys

import nibabel as nib
import numpy as np
import phantoms
import pytest
from stage_volumes import LESION, RIGHT_PUTAMEN_MM, STRAIGHT, labels_of, scan_of, volumes

from monet_app.stage.protocol import PLANES, OnStage
from monet_app.views.display import AXES
from monet_app.views.painter import Painter
from monet_app.views.palette import color_map
from monet_app.views.scene import Scene, level_presets
from monet_app.views.sources import Map, Segmentation
from monet_core.protocols import load_protocol
from monet_core.scans import LabelMap

FIRST = load_protocol("first")
THALAMUS = phantoms.LEFT_THALAMUS


def turned(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = nib.eulerangles.euler2mat(*np.radians((z, y, x)))
    return matrix


def scene_of(codes: str = "RAS", turn: np.ndarray = STRAIGHT) -> Scene:
    scene = Scene()
    scene.set_scan(volumes(codes, turn=turn)[0])
    return scene


def lay(scene: Scene, labels: LabelMap, key: str = "a") -> Segmentation:
    made = Segmentation(OnStage(key, key, FIRST), labels, scene.grid)
    scene.segmentations[key] = made
    return made


def painter_of(scene: Scene) -> tuple[Painter, list[str]]:
    told: list[str] = []
    return Painter(scene, lambda _: None, told.append, lambda *_: None), told


# -- pictures -------------------------------------------------------------------------------


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("codes", ["RAS", "LIA", "PSR"])
def test_pictures_of_a_scan_do_not_depend_on_its_storage(plane, codes) -> None:
    pictures = []
    for stored in ("RAS", codes):
        scene = scene_of(stored)
        scene.move(scene.grid.clamp(LESION))
        lay(scene, volumes("ASL")[1])
        pictures.append(scene.picture(plane))
    assert (pictures[0] == pictures[1]).all()
    _, vertical, horizontal = AXES[plane]
    assert pictures[0].shape == (scene.grid.shape[vertical], scene.grid.shape[horizontal], 3)


def test_finer_labels_are_drawn_in_their_own_voxels() -> None:
    scene = scene_of()
    _, labels = volumes()
    fine = labels.data.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    affine = labels.geometry.affine @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] -= 0.25
    coarse = lay(scene, labels)
    scene.move(scene.grid.clamp(RIGHT_PUTAMEN_MM))
    once = scene.picture("axial")
    del scene.segmentations["a"]
    finer = lay(scene, labels_of(fine, affine))
    assert not finer.turned
    assert finer.parts(scene.grid) == 2
    assert coarse.parts(scene.grid) == 1
    twice = scene.picture("axial")
    assert twice.shape == (2 * once.shape[0], 2 * once.shape[1], 3)
    assert (twice[::2, ::2] == once).all()


def test_labels_that_cover_a_part_leave_the_rest_alone() -> None:
    scene = scene_of()
    _, labels = volumes("LPS")
    part = labels.geometry.affine.copy()
    part[:3, 3] = (part @ [20, 20, 30, 1])[:3]
    lay(scene, labels_of(labels.data[20:50, 20:60, 30:40], part))
    bare = scene_of()
    for each in (scene, bare):
        each.move(scene.grid.clamp(RIGHT_PUTAMEN_MM))
    differs = (scene.picture("axial") != bare.picture("axial")).any(-1)
    assert differs.any()
    assert not differs[:15].any()
    for each in (scene, bare):
        each.move((0, 40, 40))
    assert (scene.picture("axial") == bare.picture("axial")).all()


def test_a_turned_segmentation_is_drawn_over_its_anatomy() -> None:
    turn = turned(9, -6, 14)
    scene = scene_of("LAS")
    _, labels = volumes("PIR", turn=turn)
    held = lay(scene, labels)
    assert held.turned
    there = (turn @ [*RIGHT_PUTAMEN_MM, 1])[:3]
    at = scene.grid.nearest(there)
    assert held.codes.indices[held.values[at]] == phantoms.RIGHT_PUTAMEN
    assert held.index_at(there) == phantoms.RIGHT_PUTAMEN


def test_outlines_are_thinner_than_voxels_where_there_is_room() -> None:
    scene = scene_of()
    lay(scene, volumes()[1])
    scene.outline, scene.opacity = 1, 1.0
    scene.move(scene.grid.clamp(RIGHT_PUTAMEN_MM))
    picture = scene.picture("axial", parts=3)
    assert picture.shape[0] == 3 * scene.grid.shape[1]
    coloured = (np.ptp(picture.astype(int), axis=-1) > 30).sum()
    scene.outline = 0
    filled = (np.ptp(scene.picture("axial", parts=3).astype(int), axis=-1) > 30).sum() * 9
    assert 0 < coloured < filled / 2


def test_only_one_segmentation_is_drawn_even_if_it_is_off() -> None:
    scene = scene_of()
    scene.move(scene.grid.clamp(RIGHT_PUTAMEN_MM))
    bare = scene.picture("axial")
    lay(scene, volumes()[1]).change(visible=False)
    assert (scene.picture("axial") == bare).all()
    assert (scene.picture("axial", only="a") != bare).any()
    assert (scene.picture("axial", only="b") == bare).all()


def test_moving_tells_which_planes_changed() -> None:
    scene = scene_of()
    s, a, r = scene.voxel
    assert scene.move((s + 1, a, r)) == ("axial",)
    assert scene.move((s + 1, a + 1, r - 1)) == ("coronal", "sagittal")
    assert scene.move((s + 1, a + 1, r - 1)) == ()
    assert scene.move((10**6, -5, r)) == ("axial", "coronal", "sagittal")


def test_levels_of_strange_scans_are_proper() -> None:
    for values in (np.zeros((4, 4, 4)), np.full((3, 3, 3), -7.0), np.arange(27.0).reshape(3, 3, 3)):
        presets = level_presets(values.astype(np.float32))
        assert list(presets) == ["Full range", "2–98 %", "Brain"]
        assert all(high > low for low, high in presets.values())


def test_a_map_on_a_turned_grid_is_added_where_it_belongs() -> None:
    turn = turned(5, 10, -8)
    scene = scene_of()
    scan, labels = volumes("RSP", turn=turn)
    values = (labels.data == phantoms.RIGHT_PUTAMEN).astype(np.float32)
    there = (turn @ [*RIGHT_PUTAMEN_MM, 1])[:3]
    bare = scene_of()
    for each in (scene, bare):
        each.move(scene.grid.clamp(there))
    made = Map(values, scan.geometry, scene.grid, color_map("magma"), (0, 1))
    scene.maps["m"] = made
    differs = (scene.picture("axial") != bare.picture("axial")).any(-1)
    assert differs[scene.voxel[1], scene.voxel[2]]
    assert scene.probe(there).maps == {"m": 1.0}


# -- editing --------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ["RAS", "PIR", "LSA"])
@pytest.mark.parametrize("turn", [(0, 0, 0), (7, -12, 20)], ids=["straight", "oblique"])
def test_edits_come_back_on_the_files_own_grid(codes: str, turn) -> None:
    matrix = turned(*turn)
    scene = scene_of("LAS", matrix)
    _, labels = volumes(codes, turn=matrix)
    odd = labels.data.copy()
    odd[0, 0, 0], odd[-1, 0, 5] = 4711, 2**31 - 1  # what no table knows must survive
    held = lay(scene, labels_of(odd, labels.geometry.affine))
    assert not held.turned
    painter, told = painter_of(scene)
    spot = (matrix @ [-14.0, -20.0, 12.0, 1])[:3]
    painter.take("a", THALAMUS, "paint", 5.0, three_d=True)
    painter.press("axial", scene.grid.index_of(spot))
    painter.release()
    assert told == ["a"]
    edited = held.edited_labels()
    changed = np.argwhere(edited != odd)
    assert edited.dtype == np.int32
    assert len(changed) > 30
    world = (labels.geometry.affine @ np.c_[changed, np.ones(len(changed))].T)[:3].T
    assert np.linalg.norm(world - spot, axis=1).max() < 3.5
    assert (edited[tuple(changed.T)] == THALAMUS).all()
    assert held.index_at(spot) == THALAMUS
    painter.undo()
    assert (held.edited_labels() == odd).all()
    assert (labels.data != 4711).all(), "the label map itself is never changed"


def test_edits_of_a_turned_segmentation_reach_its_own_voxels() -> None:
    turn = turned(6, -9, 15)
    scene = scene_of()
    _, labels = volumes("LIA", turn=turn)
    held = lay(scene, labels)
    assert (held.edited_labels() == labels.data).all()
    painter, _ = painter_of(scene)
    spot = (-14.0, -20.0, 12.0)
    painter.take("a", THALAMUS, "paint", 8.0, three_d=True)
    painter.press("coronal", scene.grid.index_of(spot))
    painter.release()
    edited = held.edited_labels()
    changed = np.argwhere(edited != labels.data)
    world = (labels.geometry.affine @ np.c_[changed, np.ones(len(changed))].T)[:3].T
    distance = np.linalg.norm(world - spot, axis=1)
    assert len(changed) > 200
    assert distance.max() < 4 + np.sqrt(3) / 2
    assert held.index_at(spot) == THALAMUS


@pytest.mark.parametrize("size", [0.5, 2.0])
def test_painting_in_finer_and_coarser_labels_is_exact_in_mm(size: float) -> None:
    scene = scene_of()
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = -30
    shape = (round(60 / size),) * 3
    held = lay(scene, labels_of(np.zeros(shape, np.int32), affine))
    painter, _ = painter_of(scene)
    spot = (3.0, -5.0, 7.0)
    painter.take("a", THALAMUS, "paint", 9.0, three_d=True)
    painter.press("axial", scene.grid.index_of(spot))
    painter.release()
    where = np.argwhere(held.edited_labels()) * size - 30
    assert np.linalg.norm(where - spot, axis=1).max() <= 4.5
    assert len(where) * size**3 == pytest.approx(4 / 3 * np.pi * 4.5**3, rel=0.2)


def test_erasing_filling_and_picking() -> None:
    scene = scene_of()
    _, labels = volumes()
    held = lay(scene, labels)
    picked: list[tuple[str, int]] = []
    painter = Painter(scene, lambda _: None, lambda _: None, lambda *each: picked.append(each))
    at = scene.grid.index_of(RIGHT_PUTAMEN_MM)
    painter.take("a", 0, "pick", 3.0, three_d=False)
    painter.press("axial", at)
    assert picked == [("a", phantoms.RIGHT_PUTAMEN)]
    assert not painter.pressed
    painter.take("a", THALAMUS, "fill", 3.0, three_d=True)
    painter.press("axial", at)
    edited = held.edited_labels()
    assert not (edited == phantoms.RIGHT_PUTAMEN).any()
    assert (edited[labels.data == phantoms.RIGHT_PUTAMEN] == THALAMUS).all()
    painter.take("a", THALAMUS, "erase", 3.0, three_d=False)
    painter.press("axial", at)
    painter.release()
    assert held.index_at(RIGHT_PUTAMEN_MM) == 0
    painter.take("a", phantoms.BRAIN_STEM, "paint", 3.0, three_d=False)
    painter.press("axial", at, erase=True)
    painter.release()
    assert held.index_at(RIGHT_PUTAMEN_MM) == 0
    for _ in range(2):
        painter.undo()
    assert (held.edited_labels() == labels.data).all()


def test_tools_need_a_segmentation_and_a_region_of_its_atlas() -> None:
    scene = scene_of()
    lay(scene, volumes()[1])
    painter, told = painter_of(scene)
    with pytest.raises(ValueError, match="9999 is no region of"):
        painter.take("a", 9999, "paint", 3.0, three_d=False)
    with pytest.raises(KeyError):
        painter.take("b", THALAMUS, "paint", 3.0, three_d=False)
    assert not painter.active
    painter.press("axial", (1, 1, 1))
    painter.undo()
    painter.take("a", THALAMUS, "fill", 3.0, three_d=False)
    painter.press("axial", (-50, 900, 3))
    assert told == []


def test_undo_goes_to_what_was_edited_last_when_no_tool_is_in_hand() -> None:
    scene = scene_of()
    _, labels = volumes()
    first, second = lay(scene, labels, "a"), lay(scene, labels, "b")
    painter, _ = painter_of(scene)
    at = scene.grid.index_of((-14.0, -20.0, 12.0))
    for key in ("b", "a"):
        painter.take(key, THALAMUS, "paint", 5.0, three_d=False)
        painter.press("axial", at)
        painter.release()
    painter.take(None, 0, None, 3.0, three_d=False)
    painter.undo()
    assert (first.edited_labels() == labels.data).all()
    assert (second.edited_labels() != labels.data).any()
    painter.redo()
    assert (first.edited_labels() != labels.data).any()
    painter.forget("a")
    painter.undo()


def test_a_scan_without_a_scan() -> None:
    scene = Scene()
    assert scene.cursor == (0.0, 0.0, 0.0)
    assert scene.probe((1, 2, 3)).regions == {}
    with pytest.raises(ValueError, match="needs a scan"):
        _ = scene.grid
    scene.set_scan(scan_of(np.ones((2, 3, 4)), np.eye(4)))
    assert scene.picture("sagittal").shape == (4, 3, 3)


def test_what_is_on_the_stage_needs_no_window() -> None:
    code = (
        "import sys, monet_app.views.painter, monet_app.views.surfaces\n"
        "assert not {'qtpy', 'PySide6', 'napari', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
