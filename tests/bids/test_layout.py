"""Which files of a BIDS data set are scans, and what is said where there are none."""

from pathlib import Path

import pytest

from monet_core.bids import find_scans
from monet_core.errors import DatasetError


def tree(root: Path, *files: str) -> Path:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")
    return root


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    root = tree(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_acq-mprage_run-1_T1w.nii",
        "sub-02/ses-1/anat/sub-02_ses-1_acq-mprage_run-2_T1w.nii.gz",
        "sub-02/ses-2/anat/sub-02_ses-2_T1w.nii.gz",
        "sub-02/ses-2/anat/sub-02_ses-2_space-MNI_desc-preproc_T1w.nii.gz",
        "sub-02/ses-2/anat/sub-02_ses-2_part-phase_T1w.nii.gz",
        "sub-02/ses-2/func/sub-02_ses-2_T1w.nii.gz",
        "sub-03/dwi/sub-03_dwi.nii.gz",
        "derivatives/x/sub-01/anat/sub-01_desc-x_T1w.nii.gz",
        "sourcedata/sub-09/anat/sub-09_T1w.nii.gz",
    )
    (root / "sub-04/anat").mkdir(parents=True)
    # As in a DataLad data set whose content was not fetched.
    (root / "sub-04/anat/sub-04_T1w.nii.gz").symlink_to("../../.git/annex/objects/gone")
    return root


def stems(*words, **chosen) -> list[str]:
    return [scan.stem for scan in find_scans(*words, **chosen)]


def test_every_t1_of_every_session_and_run_and_nothing_else(raw: Path) -> None:
    assert stems(raw) == [
        "sub-01",
        "sub-02_ses-1_acq-mprage_run-1",
        "sub-02_ses-1_acq-mprage_run-2",
        "sub-02_ses-2",
        "sub-04",
    ]
    first, second = find_scans(raw)[:2]
    assert (first.folder, first.session) == ("sub-01/anat", "")
    assert second.folder == "sub-02/ses-1/anat"
    assert second.uri == "bids:raw:sub-02/ses-1/anat/sub-02_ses-1_acq-mprage_run-1_T1w.nii"


def test_labels_choose_with_and_without_prefix(raw: Path) -> None:
    assert stems(raw, participants=["01"]) == stems(raw, participants=["sub-01"]) == ["sub-01"]
    assert stems(raw, participants=["sub-02"], sessions=["2"]) == ["sub-02_ses-2"]
    assert stems(raw, sessions=["ses-2"]) == ["sub-02_ses-2"]


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"participants": ["01", "7"]}, r"no participant sub-7\. There are: 01, 02, 03, 04"),
        ({"sessions": ["9"]}, r"no session ses-9\. There are: 1, 2"),
        ({"participants": ["01"], "sessions": ["1"]}, r"no session ses-1\. There are: none"),
        ({"participants": ["03"]}, "no T1 scan was found of sub-03"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(raw: Path, chosen: dict, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        find_scans(raw, **chosen)


def test_a_folder_that_is_no_data_set_is_told_with_the_remedy(tmp_path: Path) -> None:
    tree(tmp_path, "a_T1w.nii.gz")
    with pytest.raises(DatasetError, match=r"no BIDS data set.*monet segment"):
        find_scans(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        find_scans(tmp_path / "none")
    tree(tmp_path, "sub-1/anat/sub-1_T2w.nii.gz")
    with pytest.raises(DatasetError, match="no T1 scan was found of any of 1 participants"):
        find_scans(tmp_path)
