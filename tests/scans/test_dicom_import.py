import json

import numpy as np
import pytest
from dicom_phantom import save_series
from phantoms import brain_phantom

from monet_core.errors import DecisionNeeded, OutputError, ScanError
from monet_core.scans import Decisions, import_dicom, is_dicom_folder, read_scan


@pytest.fixture(scope="module")
def volume():
    return np.clip(brain_phantom((30, 34, 24), 2.0)[0], 0, None).astype(np.uint16)


def test_a_series_becomes_a_scan_with_the_right_sides(tmp_path, volume):
    folder = save_series(tmp_path / "Frau Müller 1", volume)
    path = import_dicom(folder, tmp_path / "out")
    assert path.name == "Frau-Müller-1_series-3_T1w.nii.gz"
    scan = read_scan(path)
    # DICOM's x runs to the left and y to the back, so the stored volume is LPS.
    index = tuple(int(i) for i in np.argwhere(volume == volume.max())[0])
    world = np.array([-1, -1, 1]) * np.subtract(index, (15, 17, 0))
    there = np.linalg.inv(scan.geometry.affine) @ [*world, 1]
    assert scan.data[tuple(np.rint(there[:3]).astype(int))] == volume.max()
    sidecar = json.loads(path.with_name("Frau-Müller-1_series-3_T1w.json").read_text())
    assert sidecar["SeriesNumber"] == 3
    assert "Phantom" not in json.dumps(sidecar)
    assert import_dicom(folder, tmp_path / "out") == path


def test_several_series_ask_and_a_localiser_is_left_out(tmp_path, volume):
    folder = save_series(tmp_path / "d", volume)
    save_series(folder, volume, series=5, description="T2_SPACE")
    save_series(folder, volume[:, :, :3], series=1, description="localizer", spacing=10)
    with pytest.raises(DecisionNeeded) as caught:
        import_dicom(folder, tmp_path / "out")
    assert caught.value.option == "--series"
    assert caught.value.choices == ("3", "5")
    assert "T1_MPRAGE" in str(caught.value)
    assert "T2_SPACE" in str(caught.value)
    assert "localizer" not in str(caught.value)
    path = import_dicom(folder, tmp_path / "out", Decisions(series=5))
    assert path.name == "d_series-5_T1w.nii.gz"
    with pytest.raises(ScanError, match="no series 9"):
        import_dicom(folder, tmp_path / "out", Decisions(series=9))


@pytest.mark.parametrize("missing", [(7, 8), (11,), tuple(range(1, 24, 2))])
def test_missing_slices_are_refused(tmp_path, volume, missing):
    folder = save_series(tmp_path / "d", volume, leave_out=missing)
    with pytest.raises(ScanError, match="missing") as caught:
        import_dicom(folder, tmp_path / "out")
    assert caught.value.code == "missing-slices"
    assert not list((tmp_path / "out").iterdir())


def test_a_series_with_gaps_is_marked_in_the_question(tmp_path, volume):
    folder = save_series(tmp_path / "d", volume)
    save_series(folder, volume, series=5, description="other", leave_out=(7, 8))
    with pytest.raises(DecisionNeeded, match=r"5 \(other, 22 slices, slices missing\)"):
        import_dicom(folder, tmp_path / "out")
    assert import_dicom(folder, tmp_path / "out", Decisions(series=3)).is_file()


def test_folders_without_a_scan(tmp_path, volume):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("hello")
    save_series(tmp_path / "few", volume[:, :, :4])
    for name in ("empty", "text", "few"):
        with pytest.raises(ScanError) as caught:
            import_dicom(tmp_path / name, tmp_path / "out")
        assert caught.value.code == "no-dicom-series"
    with pytest.raises(ScanError, match="cannot be read as a folder"):
        import_dicom(tmp_path / "gone", tmp_path / "out")


def test_another_scan_is_never_written_over(tmp_path, volume):
    import_dicom(save_series(tmp_path / "a" / "DICOM", volume), tmp_path / "out")
    with pytest.raises(OutputError, match="another scan"):
        import_dicom(save_series(tmp_path / "b" / "DICOM", volume[::-1]), tmp_path / "out")


def test_a_missing_dcm2niix_is_told(tmp_path, volume, monkeypatch):
    monkeypatch.setattr("dcm2niix.bin", str(tmp_path / "nothing"))
    with pytest.raises(ScanError, match="Install it again"):
        import_dicom(save_series(tmp_path / "d", volume), tmp_path / "out")


def test_dicom_folders_are_known_by_content(tmp_path, volume):
    assert is_dicom_folder(save_series(tmp_path / "d", volume[:, :, :2]))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.dcm").write_text("hello")
    assert not is_dicom_folder(tmp_path / "text")
    assert not is_dicom_folder(tmp_path / "gone")
