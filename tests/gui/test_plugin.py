"""The plugin in an ordinary napari: reading, writing, the stage, the panels, left and right."""

import shutil
from pathlib import Path

import napari
import nibabel as nib
import numpy as np
import pytest
from live import save_tiny_model
from napari.components import ViewerModel
from napari.layers import Image, Labels
from npe2 import PluginManager, PluginManifest
from phantoms import (
    BRAIN_STEM,
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    RIGHT_THALAMUS,
    brain_phantom,
    reoriented,
    save,
)
from study_phantoms import SMALL, result_of, study_of

import monet_napari
from monet_app.session import key_of
from monet_core.errors import MonetError
from monet_core.jobs.process import JobState
from monet_core.protocols import load_protocol
from monet_core.scans import read_labels, read_scan
from monet_napari.commands import segment_layer
from monet_napari.reading import get_reader, read
from monet_napari.sessions import WIDGETS, home_of
from monet_napari.stage import NapariStage
from monet_napari.writing import write_labels

pytestmark = pytest.mark.filterwarnings("error:Private attribute access:FutureWarning")
MANIFEST = Path(monet_napari.__file__).with_name("napari.yaml")
ORIENTATIONS = ["RAS", "LAS", "LPI", "PIR", "LIA", "ASL"]
FIRST = load_protocol("first")


@pytest.fixture(scope="module")
def own_napari(tmp_path_factory):
    """napari's own settings and caches are not those of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("napari")
        patch.setenv("NAPARI_CONFIG", str(folder / "settings.yaml"))
        PluginManager.instance().discover()
        yield


@pytest.fixture
def viewer(own_napari):
    """A viewer without a window: all that the plugin asks of it but pictures."""
    return ViewerModel()


@pytest.fixture
def stage(viewer):
    return NapariStage(viewer)


def phantom(folder, codes="RAS", oblique=0.0):
    """Scan and labels with axes `codes`, turned by `oblique` degrees about the vertical."""
    image, labels, affine = brain_phantom(SMALL, spacing=2.0)
    angle = np.deg2rad(oblique)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    paths = []
    for name, data in (("T1w", image), ("seg-first_dseg", labels)):
        moved, moved_affine = reoriented(data, affine, codes)
        paths.append(save(folder / f"sub-1_{name}.nii.gz", moved, turn @ moved_affine))
    return paths


def middle(layer, index):
    """Where the voxels of a region lie in the viewer's world, (S, A, R)."""
    voxels = np.argwhere(np.asarray(layer.data) == index)
    return np.asarray(layer.data_to_world(voxels.mean(axis=0)))


# -- manifest ---------------------------------------------------------------------------------


def test_the_manifest_is_valid_and_all_that_it_names_is_there():
    manifest = PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert {widget.display_name for widget in manifest.contributions.widgets} == set(
        WIDGETS.values()
    )


def test_napari_finds_the_plugin_as_it_is_installed():
    assert PluginManifest.from_distribution("monet-studio").name == "monet-studio"


# -- reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_left_is_left_in_every_orientation(viewer, tmp_path, codes):
    scan, labels = phantom(tmp_path, codes)
    image, regions = viewer.open([scan, labels], plugin="monet-studio")
    assert isinstance(image, Image)
    assert isinstance(regions, Labels)
    for layer in (image, regions):
        np.testing.assert_array_equal(layer.affine.affine_matrix, np.eye(4))
        assert (layer.scale > 0).all()
        assert layer.axis_labels == ("S", "A", "R")
    assert middle(regions, LEFT_THALAMUS)[2] < 0 < middle(regions, RIGHT_THALAMUS)[2]
    assert middle(regions, BRAIN_STEM)[0] < middle(regions, LEFT_THALAMUS)[0]
    assert middle(regions, BRAIN_STEM)[1] < middle(regions, LEFT_PUTAMEN)[1]
    bright = np.argwhere(np.asarray(image.data) > 900)  # the phantom's own mark, on the left
    assert image.data_to_world(bright.mean(axis=0))[2] < 0


def test_regions_have_names_and_colours(viewer, tmp_path):
    (layer,) = viewer.open(phantom(tmp_path)[1], plugin="monet-studio")
    names = dict(zip(layer.features["index"], layer.features["name"], strict=True))
    assert names[LEFT_PUTAMEN] == FIRST.region(LEFT_PUTAMEN).name
    color = FIRST.region(LEFT_PUTAMEN).color
    wanted = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(layer.get_color(LEFT_PUTAMEN)[:3], wanted, atol=1e-3)
    np.testing.assert_allclose(layer.get_color(999), [1, 0, 1, 1])


def test_voxels_tell_scans_and_labels_apart_not_names(tmp_path):
    scan, labels = phantom(tmp_path)
    shutil.copy(scan, tmp_path / "odd_dseg.nii.gz")
    shutil.copy(labels, tmp_path / "odd_T1w.nii.gz")
    assert read(str(tmp_path / "odd_dseg.nii.gz"))[0][2] == "image"
    assert read(str(tmp_path / "odd_T1w.nii.gz"))[0][2] == "labels"


def test_labels_of_no_known_atlas_have_distinct_colours(tmp_path):
    _, labels = phantom(tmp_path)
    shutil.copy(labels, tmp_path / "x_dseg.nii.gz")
    _, keywords, _ = read(str(tmp_path / "x_dseg.nii.gz"))[0]
    colors = keywords["colormap"].color_dict
    assert len({tuple(colors[index]) for index in (10, 12, 16, 49, 51)}) == 5


def test_a_label_table_beside_the_file_counts(tmp_path):
    _, labels = phantom(tmp_path)
    shutil.copy(labels, tmp_path / "y_dseg.nii.gz")
    FIRST.to_tsv(tmp_path / "y_dseg.tsv")
    _, keywords, _ = read(str(tmp_path / "y_dseg.nii.gz"))[0]
    assert len(keywords["features"]) == 16


def test_freesurfers_format(tmp_path):
    image, _, affine = brain_phantom(SMALL, spacing=2.0)
    nib.save(nib.MGHImage(image, affine), tmp_path / "orig.mgz")
    assert get_reader(str(tmp_path / "orig.mgz")) is not None
    data, keywords, kind = read(str(tmp_path / "orig.mgz"))[0]
    assert (kind, data.shape) == ("image", SMALL[::-1])
    assert keywords["scale"] == (2.0, 2.0, 2.0)


def test_what_cannot_be_read_says_why(tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing")
    with pytest.raises(MonetError):
        read(str(tmp_path / "broken.nii.gz"))


def test_the_sample_stands_upright_with_letters(viewer, monkeypatch):
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    viewer.open_sample("monet-studio", "colin27")
    assert viewer.scene.camera.orientation2d == ("up", "left")
    overlays = viewer.canvas.overlays
    edges = ("top_center", "bottom_center", "middle_left", "middle_right")
    assert [overlays[f"monet_{edge}"].text for edge in edges] == ["A", "P", "R", "L"]


# -- writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_edits_come_back_on_the_files_own_grid(viewer, tmp_path, codes):
    _, labels = phantom(tmp_path, codes)
    (layer,) = viewer.open(labels, plugin="monet-studio")
    layer.data[layer.data == LEFT_THALAMUS] = 99
    out = tmp_path / "out.nii.gz"
    viewer.layers.selection = {layer}
    assert viewer.layers.save(str(out), selected=True, plugin="monet-studio") == [str(out)]
    before, after = nib.load(labels), nib.load(out)
    assert after.shape == before.shape
    np.testing.assert_array_equal(after.affine, before.affine)
    for code in ("qform_code", "sform_code"):
        assert after.header[code] == before.header[code]
    expected = np.asarray(before.dataobj).copy()
    expected[expected == LEFT_THALAMUS] = 99
    np.testing.assert_array_equal(np.asarray(after.dataobj), expected)
    assert after.get_data_dtype() == np.int16


def test_labels_drawn_in_napari_lie_on_the_open_scans_grid(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    scan, _ = phantom(tmp_path, "PIR")
    (image,) = viewer.open(scan, plugin="monet-studio")
    drawn = viewer.add_labels(
        np.zeros(image.data.shape, np.uint8), scale=image.scale, translate=image.translate
    )
    drawn.data[:, :, : drawn.data.shape[2] // 2] = 1  # the left half
    write_labels(str(tmp_path / "o.nii.gz"), drawn.data, drawn.as_layer_data_tuple()[1])
    out = nib.load(tmp_path / "o.nii.gz")
    voxels = np.argwhere(np.asarray(out.dataobj) == 1)
    assert (nib.affines.apply_affine(out.affine, voxels)[:, 0] < 0).all()


def test_labels_on_no_scans_grid_are_refused(viewer, tmp_path):
    layer = viewer.add_labels(np.zeros((4, 5, 6), np.uint8))
    with pytest.raises(MonetError, match="left and right would be a guess"):
        write_labels(str(tmp_path / "o.nii.gz"), layer.data, layer.as_layer_data_tuple()[1])


# -- stage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("codes", "oblique"), [("RAS", 0), ("LIA", 0), ("PIR", 12)])
def test_the_cross_hair_and_the_voxels_agree(stage, tmp_path, codes, oblique):
    scan, labels = phantom(tmp_path, codes, oblique)
    shown = read_labels(labels)
    stage.show_scan(read_scan(scan), "sub-1")
    stage.show_segmentation("a", shown, FIRST)
    for index in (LEFT_THALAMUS, RIGHT_THALAMUS, BRAIN_STEM):
        voxel = np.argwhere(shown.data == index)[7]
        ras = (shown.geometry.affine @ [*voxel, 1])[:3]
        stage.go_to(ras)
        np.testing.assert_allclose(stage.cursor, ras, atol=1e-3)
        assert stage.probe(stage.cursor).regions == {"a": index}
        layer = stage.viewer.layers["first"]
        assert layer.get_value(stage.viewer.dims.point, world=True) == index


def test_a_cursor_outside_comes_to_the_edge(stage, tmp_path):
    stage.show_scan(read_scan(phantom(tmp_path)[0]))
    stage.go_to((500, 0, 0))
    assert stage.cursor[0] == pytest.approx(39)
    stage.step("sagittal", -2)
    assert stage.cursor[0] == pytest.approx(35)


def test_labels_turned_against_the_scan_are_shown_but_not_painted(stage, tmp_path):
    scan, _ = phantom(tmp_path / "straight")
    _, turned = phantom(tmp_path / "turned", oblique=10)
    labels = read_labels(turned)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", labels, FIRST)
    voxel = np.argwhere(labels.data == LEFT_THALAMUS).mean(axis=0)
    ras = (labels.geometry.affine @ [*voxel, 1])[:3]
    stage.go_to(ras)
    assert stage.viewer.layers["first"].get_value(stage.viewer.dims.point, world=True) == (
        LEFT_THALAMUS
    )
    stage.edit("a", 12, "paint")
    assert stage.viewer.layers["first"].mode == "pan_zoom"
    assert stage.edited_labels("a") is labels.data


def test_painting_is_undone_and_made_again_on_the_files_grid(stage, tmp_path):
    scan, path = phantom(tmp_path, "LIA")
    labels = read_labels(path)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", labels, FIRST)
    told = []
    stage.edited.connect(told.append)
    stage.edit("a", LEFT_PUTAMEN, "paint", brush_mm=6)
    layer = stage.viewer.layers["first"]
    assert (layer.mode, layer.brush_size, layer.selected_label) == ("paint", 3, LEFT_PUTAMEN)
    layer.paint((35, 20, 5), LEFT_PUTAMEN)
    assert told == ["a"]
    edited = stage.edited_labels("a")
    changed = np.argwhere(edited != labels.data)
    world = nib.affines.apply_affine(labels.geometry.affine, changed)
    assert len(changed) > 4
    assert (world[:, 0] < -20).all()  # column 5 of R is far on the left
    stage.undo()
    np.testing.assert_array_equal(stage.edited_labels("a"), labels.data)
    stage.redo()
    np.testing.assert_array_equal(stage.edited_labels("a"), edited)
    stage.edit(None)
    assert layer.mode == "pan_zoom"


def test_filling_between_slices_is_one_step_back(stage, tmp_path):
    scan, path = phantom(tmp_path)
    labels = read_labels(path)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", labels, FIRST)
    stage.edit("a", 26, "paint", brush_mm=8)
    layer = stage.viewer.layers["first"]
    for slice_ in (30, 34):
        layer.paint((slice_, 20, 20), 26)
    added = stage.interpolate("a", 26, "axial")
    assert added == 3 * (layer.data[30] == 26).sum()
    stage.undo()
    assert not (layer.data[31] == 26).any()
    assert (layer.data[30] == 26).any()


def test_the_pick_tool_tells(stage, tmp_path):
    scan, path = phantom(tmp_path)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", read_labels(path), FIRST)
    told = []
    stage.picked.connect(lambda *what: told.append(what))
    stage.edit("a", LEFT_PUTAMEN, "pick")
    stage.viewer.layers["first"].selected_label = LEFT_THALAMUS
    assert told == [("a", LEFT_THALAMUS)]


def test_hiding_and_isolating_regions(stage, tmp_path):
    scan, path = phantom(tmp_path)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", read_labels(path), FIRST)
    layer = stage.viewer.layers["first"]
    stage.set_hidden("a", [LEFT_PUTAMEN])
    assert layer.get_color(LEFT_PUTAMEN)[3] == 0
    stage.isolate("a", [LEFT_THALAMUS])
    assert layer.get_color(RIGHT_THALAMUS)[3] == 0
    stage.isolate("a", None)
    assert layer.get_color(RIGHT_THALAMUS)[3] == 1
    assert layer.get_color(LEFT_PUTAMEN)[3] == 0
    stage.set_visible("a", False)
    assert not layer.visible
    assert not stage.segmentations["a"].visible


def test_sides_turn_together_with_the_letters_and_nothing_is_mirrored_in_3d(stage, tmp_path):
    stage.show_scan(read_scan(phantom(tmp_path)[0]))
    overlays, camera = stage.viewer.canvas.overlays, stage.viewer.scene.camera
    for radiological, left, orientation in (
        (False, "L", ("towards", "up", "right")),
        (True, "R", ("away", "up", "left")),
    ):
        stage.set_radiological(radiological)
        assert overlays["monet_middle_left"].text == left
        assert camera.orientation == orientation
    stage.set_layout("sagittal")
    assert [overlays[f"monet_{e}"].text for e in ("top_center", "middle_left")] == ["S", "A"]
    stage.set_layout("3d")
    assert stage.viewer.dims.ndisplay == 3
    assert overlays["monet_top_center"].text == ""


def test_side_by_side_is_napari_grid_and_ends_as_it_was(stage, tmp_path):
    scan, path = phantom(tmp_path)
    stage.show_scan(read_scan(scan))
    for key in "ab":
        stage.show_segmentation(key, read_labels(path), FIRST, key)
    names = [layer.name for layer in stage.viewer.layers]
    stage.set_side_by_side(["a", "b"])
    assert stage.layout == "side-by-side"
    assert stage.viewer.canvas.grid.enabled
    stage.set_layout("axial")
    assert not stage.viewer.canvas.grid.enabled
    assert [layer.name for layer in stage.viewer.layers] == names
    assert all(layer.visible for layer in stage.viewer.layers)


def test_maps_lie_over_the_scan(stage, tmp_path):
    scan = read_scan(phantom(tmp_path, "LIA")[0])
    stage.show_scan(scan)
    stage.show_map("entropy", scan.data, scan.geometry)
    assert stage.probe((0, 0, 0)).maps["entropy"] == stage.probe((0, 0, 0)).intensity
    stage.remove_map("entropy")
    assert "entropy" not in stage.viewer.layers


def test_a_layer_that_is_open_already_is_used_and_left(stage, viewer, tmp_path):
    scan, _ = phantom(tmp_path)
    (layer,) = viewer.open(scan, plugin="monet-studio")
    stage.show_scan(read_scan(scan), "sub-1")
    assert [each for each in viewer.layers if isinstance(each, Image)] == [layer]
    stage.show_scan(None)
    assert layer in viewer.layers


def test_layers_that_the_user_deletes_are_gone(stage, viewer, tmp_path):
    scan, path = phantom(tmp_path)
    stage.show_scan(read_scan(scan))
    stage.show_segmentation("a", read_labels(path), FIRST)
    viewer.layers.remove("first")
    assert stage.segmentations == {}
    viewer.layers.clear()
    stage.go_to((0, 0, 0))
    assert stage.edited.emit is not None


def test_a_picture_is_taken(shared, tmp_path):
    stage = home_of(shared).session.stage
    stage.show_scan(read_scan(phantom(tmp_path)[0]))
    picture = stage.screenshot()
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 4
    assert picture[..., :3].max() > 100


# -- panels -----------------------------------------------------------------------------------


@pytest.fixture
def study_folder(tmp_path):
    study = study_of(tmp_path / "study", ["sub-1", "sub-2"])
    for seed, scan in enumerate(study.scans()):
        result_of(scan.path, study.derivatives, seed)
    study.register_results(study.derivatives)
    study.close()
    return tmp_path / "study"


@pytest.fixture(scope="module")
def shared(own_napari, qapp):
    """One viewer with a window for the tests that open no study."""
    made = napari.Viewer(show=True)
    yield made
    home_of(made).end()
    made.close()


@pytest.fixture
def plain(own_napari, qtbot):
    """A viewer of its own, whose session ends with it."""
    made = napari.Viewer(show=True)
    yield made
    home = home_of(made)
    home.end()
    made.close()


def open_study(viewer, folder, qtbot):
    session = home_of(viewer).session
    session.open_study(folder)
    qtbot.waitUntil(lambda: session.study is not None, timeout=20_000)
    return session


def test_every_panel_opens_and_they_share_one_session(shared, qtbot):
    sessions = set()
    for name in WIDGETS.values():
        _, widget = shared.window.add_plugin_dock_widget("monet-studio", name)
        sessions.add(widget.home.session)
        qtbot.waitUntil(widget.isVisible)
    assert sessions == {home_of(shared).session}


def test_a_scan_is_shown_and_corrected_in_the_users_viewer(plain, study_folder, qtbot):
    session = open_study(plain, study_folder, qtbot)
    _, atlas = plain.window.add_plugin_dock_widget("monet-studio", "Atlas")
    _, regions = plain.window.add_plugin_dock_widget("monet-studio", "Regions")
    session.open_scan(session.study.scans()[0])
    qtbot.waitUntil(lambda: len(session.shown) == 1, timeout=20_000)
    parent = next(iter(session.shown.values()))
    session.go_to((-9, -6, 3))
    texts = [label.text() for label in regions.findChildren(type(regions.below()[0]))]
    assert any("Left-Thalamus-Proper (10)" in text for text in texts)
    correcting = atlas.panel.correcting
    correcting.begin(parent.key)
    qtbot.waitUntil(lambda: correcting.key is not None, timeout=20_000)
    layer = session.stage._held[correcting.key].layer
    assert layer.mode == "paint"
    layer.paint((35, 20, 20), LEFT_PUTAMEN)
    assert correcting.dirty
    correcting.save()
    qtbot.waitUntil(lambda: not correcting.dirty, timeout=20_000)
    entry = correcting.shown.entry
    assert entry.source == "edited"
    changed = read_labels(entry.path).data != parent.labels.data
    assert changed.any()
    assert key_of(entry) == correcting.key


def test_painting_is_kept_when_napari_quits(plain, study_folder, qtbot):
    session = open_study(plain, study_folder, qtbot)
    _, atlas = plain.window.add_plugin_dock_widget("monet-studio", "Atlas")
    session.open_scan(session.study.scans()[0])
    qtbot.waitUntil(lambda: len(session.shown) == 1, timeout=20_000)
    correcting = atlas.panel.correcting
    correcting.begin(next(iter(session.shown)))
    qtbot.waitUntil(lambda: correcting.key is not None, timeout=20_000)
    session.stage._held[correcting.key].layer.paint((35, 20, 20), LEFT_PUTAMEN)
    home = home_of(plain)
    home.end()
    home.end()
    assert len(list((study_folder / ".monet" / "recovery").glob("*.nii.gz"))) == 1


def test_a_selected_layer_is_segmented_by_a_model_in_a_worker(plain, qtbot, tmp_path, monkeypatch):
    model = save_tiny_model(tmp_path / "models")
    scan, _ = phantom(tmp_path / "scans")
    session = open_study(plain, tmp_path / "study", qtbot)
    plain.open(scan, plugin="monet-studio")
    monkeypatch.setattr(napari, "current_viewer", lambda: plain)
    segment_layer()
    qtbot.waitUntil(lambda: session.current is not None, timeout=20_000)
    assert "Segment (monet-studio)" in plain.window.dock_widgets
    request = {
        "scans": [{"path": str(scan)}],
        "model": str(model),
        "out": str(session.study.derivatives),
        "settings": {"device": "cpu"},
    }
    job = session.submit("segment", "sub-1", request)
    # Nobody drains here: the plugin's own timer does.
    qtbot.waitUntil(lambda: job.state.ended, timeout=120_000)
    assert job.state is JobState.DONE, job.error
    made = lambda: [s for s in session.shown.values() if s.entry.source == "model"]  # noqa: E731
    qtbot.waitUntil(lambda: len(made()) == 1, timeout=20_000)
    shown = made()[0]
    assert shown.entry.model == "tiny"
    assert any(isinstance(layer, Labels) for layer in plain.layers)


def test_a_layer_without_a_file_is_not_segmented(shared, monkeypatch):
    told = []
    monkeypatch.setattr("monet_napari.commands.show_warning", told.append)
    monkeypatch.setattr(napari, "current_viewer", lambda: shared)
    shared.add_image(np.zeros((4, 4, 4)))
    segment_layer()
    assert "opened from a file" in told[0]


def test_errors_become_napari_notices(shared, monkeypatch):
    told = []
    monkeypatch.setitem(home_of.__globals__["_TELL"], "warning", told.append)
    home_of(shared).session.notify("warning", "It is so.", "Do that.")
    assert told == ["It is so. Do that."]
