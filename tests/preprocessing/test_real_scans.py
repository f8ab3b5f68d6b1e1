"""The whole way with real scans; slow."""

import nibabel as nib
import numpy as np
import pytest
from helpers import SHARED, needs_shared
from scipy.spatial.transform import Rotation

from monet_core.preprocessing import (
    PreprocessingSettings,
    prepare,
    prepare_labels,
    resample,
)
from monet_core.preprocessing.heads import aligned_box
from monet_core.preprocessing.resampling import inverse
from monet_core.preprocessing.template import load_reference
from monet_core.scans.geometry import Geometry
from monet_core.scans.scan import LabelMap, Scan, SpatialForms

pytestmark = [pytest.mark.slow, needs_shared]
DATA = SHARED / "data"
TURNED = PreprocessingSettings(turn_from_deg=0)
WHOLE = ("visualqc", "brainchop", "quicknat", "colin27", "chris")
STRIPPED = ("freesurferformats", "niivue", "voxelmorph", "symnetA", "symnetB", "lapirnB", "c2fvitA")


def volume(name: str, suffix: str = "T1w") -> tuple[np.ndarray, Geometry]:
    (path,) = DATA.glob(f"*/**/sub-{name}_{suffix}.*")
    image = nib.load(path)
    data = np.squeeze(np.asarray(image.dataobj))
    return data, Geometry(data.shape, np.asarray(image.affine, float))


def as_scan(data: np.ndarray, geometry: Geometry) -> Scan:
    forms = SpatialForms(geometry.affine, 1, geometry.affine, 1)
    return Scan(data.astype(np.float32), geometry, forms)


@pytest.mark.parametrize("name", [*WHOLE, *STRIPPED, "1000", "1013", "1116", "1004"])
def test_scan_is_registered(name: str) -> None:
    prepared = prepare(as_scan(*volume(name)), TURNED)
    assert prepared.record["head"] == ("whole" if name in WHOLE else "stripped")
    assert prepared.notes == ()
    assert prepared.record["registration"]["coverage"] > 0.95
    # The brain, scaled as the affine transform tells, lies on the template's.
    reference = load_reference()
    stretch = np.array(prepared.record["registration"]["affine"]) @ np.linalg.inv(
        prepared.transform
    )
    brain = (
        resample(prepared.brain.astype(np.float32), prepared.geometry, reference.grid, stretch)
        > 0.5
    )
    assert 2 * (brain & reference.mask).sum() / (brain.sum() + reference.mask.sum()) > 0.92


@pytest.mark.parametrize("name", ["brainchop", "visualqc", "niivue", "1000"])
@pytest.mark.parametrize("rotvec", [(10, -5, 8), (0, 0, 90), (30, 30, -20), (150, 20, 10)])
def test_moved_scan_lands_at_the_same_place(name: str, rotvec: tuple[float, ...]) -> None:
    data, geometry = volume(name)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.radians(rotvec)).as_matrix()
    turn[:3, 3] = geometry.centre - turn[:3, :3] @ geometry.centre + (5, -8, 3)
    grid = aligned_box(Geometry(geometry.shape, turn @ geometry.affine), 1.0)
    moved = as_scan(resample(data, geometry, grid, turn), grid)
    here, there = prepare(as_scan(data, geometry), TURNED), prepare(moved, TURNED)
    rest = there.transform @ turn @ np.linalg.inv(here.transform)
    middle = np.append(load_reference().middle, 1)
    assert np.degrees(Rotation.from_matrix(rest[:3, :3]).magnitude()) < 0.6
    assert np.linalg.norm((rest @ middle - middle)[:3]) < 0.5


@pytest.mark.parametrize("name", ["brainchop", "1000"])
def test_cut_off_brain_is_told(name: str) -> None:
    data, geometry = volume(name)
    canonical = np.abs(np.linalg.inv(geometry.affine)[:3, 2]).argmax()
    occupied = np.flatnonzero((data > 0).any(axis=tuple({0, 1, 2} - {int(canonical)})))
    half = (slice(None),) * int(canonical) + (slice(0, int(occupied.mean())),)
    part = data[half]
    prepared = prepare(
        as_scan(part, Geometry(part.shape, geometry.affine)), PreprocessingSettings()
    )
    assert prepared.notes, prepared.record["registration"]


@pytest.mark.parametrize(("settings", "least"), [(TURNED, 0.965), (PreprocessingSettings(), 1)])
def test_manual_labels_survive_the_round_trip(
    settings: PreprocessingSettings, least: float
) -> None:
    data, geometry = volume("1010")
    labels, label_geometry = volume("1010", "dseg")
    prepared = prepare(as_scan(data, geometry), settings)
    forms = SpatialForms(label_geometry.affine, 1, label_geometry.affine, 1)
    label_map = LabelMap(labels.astype(np.int32), label_geometry, forms)
    there = prepare_labels(label_map, prepared)
    back = resample(there, prepared.geometry, label_geometry, inverse(prepared.transform), "label")
    scores = [
        2 * ((back == i) & (labels == i)).sum() / ((back == i).sum() + (labels == i).sum())
        for i in np.unique(labels)[1:]
    ]
    assert np.mean(scores) >= least
