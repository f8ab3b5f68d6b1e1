import logging
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers import MALC, SHARED, needs_shared

from monet_core.datasets import check_dataset, find_dataset
from monet_core.errors import Verdict
from monet_core.protocols import load_protocol

pytestmark = [pytest.mark.slow, needs_shared]
PARTIAL, SCANS = SHARED / "data" / "partial", SHARED / "data" / "scans"
log = logging.getLogger(__name__)


def test_manual_annotations_are_all_usable() -> None:
    dataset = find_dataset(MALC, "malc")
    report = check_dataset(dataset, load_protocol("malc"))
    log.info("%s", report.text())
    assert len(report.usable("train")) == 15
    assert len(report.usable("validation")) == 2
    assert {f.verdict for f in report.findings} <= {Verdict.WARNING, Verdict.FIXED}
    assert report.excluded_regions == {}
    report.raise_if_blocking()


def test_five_manual_annotations_are_all_usable(tmp_path: Path) -> None:
    for number in (1000, 1007, 1010, 1014, 1036):
        for kind in ("T1w", "dseg"):
            name = f"sub-{number}_{kind}.nii.gz"
            (tmp_path / name).symlink_to(MALC / "train" / name)
    report = check_dataset(find_dataset(tmp_path, "malc"), load_protocol("malc"), deep=False)
    assert len(report.usable("train")) == 5


def test_automatic_annotations_are_sensible() -> None:
    for folder, expected in ((MALC / "train", 15), (SCANS, 11)):
        dataset = find_dataset(folder, "first", labels_folder=PARTIAL)
        report = check_dataset(dataset, load_protocol("first"))
        log.info("%s", report.text())
        assert len(report.usable("train")) == expected
        assert report.excluded_regions == {}
        report.raise_if_blocking()


def test_a_failed_automatic_annotation_among_real_ones_is_left_out(tmp_path: Path) -> None:
    labels = Path(shutil.copytree(PARTIAL, tmp_path / "partial"))

    def spoil(name: str, change: object) -> None:
        path = labels / f"sub-{name}_desc-partial_dseg.nii.gz"
        image = nib.load(path)
        data = change(np.asarray(image.dataobj))  # type: ignore[operator]
        nib.save(nib.Nifti1Image(data, image.affine, image.header), path)

    spoil("1006", lambda d: np.roll(d, 30, axis=2))  # registered too high
    hippocampus, roll = 53, 15
    spoil(
        "1010",
        lambda d: np.where(
            np.roll(d == hippocampus, roll, axis=1), hippocampus, np.where(d == hippocampus, 0, d)
        ),
    )
    spoil("1012", lambda d: np.where((d == 10) & (np.indices(d.shape).sum(0) % 3 > 0), 0, d))
    dataset = find_dataset(MALC / "train", "first", labels_folder=labels)
    report = check_dataset(dataset, load_protocol("first"))
    log.info("%s", report.text())
    assert report.left_out == {"sub-1006"}
    assert report.excluded_regions == {"sub-1010": (53,), "sub-1012": (10,)}


def test_a_mirrored_real_annotation_is_told(tmp_path: Path) -> None:
    for name in ("1000", "1001", "1002"):
        shutil.copy(MALC / "train" / f"sub-{name}_T1w.nii.gz", tmp_path)
        shutil.copy(MALC / "train" / f"sub-{name}_dseg.nii.gz", tmp_path)
    path = tmp_path / "sub-1001_dseg.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine, image.header), path)
    report = check_dataset(find_dataset(tmp_path), load_protocol("malc"), deep=False)
    exchanged = [f.subject for f in report.findings if f.code == "sides-exchanged"]
    assert exchanged == ["sub-1001"]
