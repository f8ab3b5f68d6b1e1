import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from phantoms import brain_phantom, reoriented, save

from monet_core.errors import DatasetError, OutputError, ProtocolError
from monet_core.evaluation import evaluate_folders, read_tsv, region_set
from monet_core.evaluation.matching import match_files, scan_name
from monet_core.jobs.events import Cancel, CancelledError, Message, Phase, Progress
from monet_core.protocols import Protocol, Region

FIRST = Protocol(
    "first",
    (
        Region(10, "Left-Thalamus", "L_Thal", hemisphere="L", pair=49, path=("deep_grey",)),
        Region(49, "Right-Thalamus", "R_Thal", hemisphere="R", pair=10, path=("deep_grey",)),
        Region(12, "Left-Putamen", "L_Puta", hemisphere="L", pair=51, path=("deep_grey",)),
        Region(51, "Right-Putamen", "R_Puta", hemisphere="R", pair=12, path=("deep_grey",)),
        Region(16, "Brain-Stem", "BS", group="stem"),
        Region(17, "Left-Hippocampus", "L_Hipp", hemisphere="L"),
    ),
    subsets={"thalami": (10, 49)},
)
SHAPE = (64, 72, 64)


@pytest.fixture(scope="module")
def maps():
    return {seed: brain_phantom(SHAPE, seed=seed)[1:] for seed in range(3)}


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def shifted(labels):
    return np.roll(labels, 1, axis=0)


def test_a_folder_is_scored_scan_by_scan(tmp_path, maps):
    for seed, (labels, affine) in maps.items():
        save(tmp_path / "truth" / "train" / f"sub-{seed}_dseg.nii.gz", labels, affine)
        moved, moved_affine = reoriented(shifted(labels) if seed else labels, affine, "LAS")
        name = f"sub-{seed}_seg-first_dseg.nii.gz"
        save(tmp_path / "pred" / f"sub-{seed}" / "anat" / name, moved, moved_affine)
        (tmp_path / "pred" / f"sub-{seed}" / "anat" / f"sub-{seed}_seg-malc_dseg.nii.gz").touch()
    events = []
    found = evaluate_folders(
        tmp_path / "pred", tmp_path / "truth", FIRST, out=tmp_path / "out", report=events.append
    )
    assert found.notes == ()
    assert found.per_scan["scan"].tolist() == ["sub-0", "sub-1", "sub-2"]
    assert found.per_scan["dice"][0] == 1
    assert 0.7 < found.per_scan["dice"][1] < 0.97
    assert found.per_scan["regions"].tolist() == [5, 5, 5]  # 17 is absent everywhere
    assert found.summary.mean == pytest.approx(found.per_scan["dice"].mean())
    moved = found.per_region[found.per_region["scan"] == "sub-1"].set_index("index")
    assert moved.loc[10, "hd95_mm"] == pytest.approx(1)
    assert moved.loc[10, "volume_error_percent"] == 0
    assert isinstance(events[0], Phase)
    assert [e.done for e in events if isinstance(e, Progress)] == [0, 1, 2, 3]


def test_what_is_written(tmp_path, maps):
    labels, affine = maps[0]
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    pred = save(tmp_path / "anything.nii.gz", shifted(labels), affine)
    out = tmp_path / "with space ü" / "out"
    found = evaluate_folders(pred, truth, FIRST, out=out)
    assert sorted(p.name for p in out.iterdir()) == [
        "dice.png",
        "per_region.tsv",
        "per_scan.tsv",
        "regions.tsv",
        "summary.json",
    ]
    assert found.files["dice.png"] == out / "dice.png"
    written = read_tsv(out / "per_region.tsv")
    assert written["dice"].tolist() == pytest.approx(
        found.per_region["dice"].tolist(), rel=1e-5, nan_ok=True
    )
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["dice"]["mean"] == found.summary.mean
    assert summary["dice"]["std"] is None
    assert summary["regions"] == {"set": "evaluated", "n": 6}
    assert summary["protocol"] == {"name": "first", "fingerprint": FIRST.fingerprint}
    assert summary["scans"] == ["anything"]
    assert str(tmp_path) not in json.dumps(summary)


def test_one_damaged_file_does_not_stop_the_others(tmp_path, maps):
    for seed, (labels, affine) in maps.items():
        save(tmp_path / "truth" / f"sub-{seed}_dseg.nii.gz", labels, affine)
        save(tmp_path / "pred" / f"sub-{seed}_dseg.nii.gz", labels, affine)
    damaged = tmp_path / "pred" / "sub-1_dseg.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:500])
    events = []
    found = evaluate_folders(
        tmp_path / "pred", tmp_path / "truth", FIRST, out=tmp_path / "out", report=events.append
    )
    assert found.per_scan["scan"].tolist() == ["sub-0", "sub-2"]
    assert [note.file for note in found.notes] == [str(damaged)]
    assert any("sub-1_dseg.nii.gz" in e.text for e in events if isinstance(e, Message))
    notes = json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]
    assert notes[0]["file"] == "sub-1_dseg.nii.gz"


def test_where_every_pair_fails_the_reason_is_told(tmp_path, maps):
    labels, affine = maps[0]
    for name in ("sub-1", "sub-2"):
        save(tmp_path / "truth" / f"{name}_dseg.nii.gz", labels, affine)
        save(tmp_path / "pred" / f"{name}_dseg.nii.gz", labels[1:], affine)
    with pytest.raises(DatasetError, match=r"none of the 2 scans.*not on the grid"):
        evaluate_folders(tmp_path / "pred", tmp_path / "truth", FIRST)
    one = tmp_path / "pred" / "sub-1_dseg.nii.gz", tmp_path / "truth" / "sub-1_dseg.nii.gz"
    with pytest.raises(DatasetError) as error:
        evaluate_folders(*one, FIRST)
    assert error.value.code == "off-grid"


def test_labels_of_another_protocol_are_told(tmp_path, maps):
    labels, affine = maps[0]
    strange = labels.copy()
    strange[strange == 12] = 777
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    pred = save(tmp_path / "pred.nii.gz", strange, affine)
    found = evaluate_folders(pred, truth, FIRST)
    assert [note.code for note in found.notes] == ["unknown-labels"]
    assert "777" in found.notes[0].message
    with pytest.raises(DatasetError, match="none of the 1 regions of first"):
        evaluate_folders(truth, pred, FIRST, regions="12")


def test_an_empty_segmentation_scores_zero_with_a_warning(tmp_path, maps):
    labels, affine = maps[0]
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    pred = save(tmp_path / "pred.nii.gz", np.zeros_like(labels), affine)
    found = evaluate_folders(pred, truth, FIRST, out=tmp_path / "out")
    assert found.summary.mean == 0
    assert found.per_scan["missed"].tolist() == [5]
    assert "no-region" in [note.code for note in found.notes]


def test_subsets_of_regions(tmp_path, maps):
    labels, affine = maps[0]
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    found = evaluate_folders(truth, truth, FIRST, regions="thalami", distances=False)
    assert found.regions["index"].tolist() == [10, 49]
    assert region_set(FIRST) == FIRST.indices
    with pytest.raises(ProtocolError, match="no set of regions 'cerebellum'"):
        evaluate_folders(truth, truth, FIRST, regions="cerebellum")


def test_cancelling_stops_before_the_next_scan(tmp_path, maps):
    labels, affine = maps[0]
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        evaluate_folders(truth, truth, FIRST, cancel=cancel)


def test_a_place_that_cannot_be_written_to_is_told_before_any_work(tmp_path, maps):
    labels, affine = maps[0]
    truth = save(tmp_path / "truth.nii.gz", labels, affine)
    (tmp_path / "file").write_text("in the way")
    events = []
    with pytest.raises(OutputError):
        evaluate_folders(truth, truth, FIRST, out=tmp_path / "file", report=events.append)
    assert events == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sub-1000_dseg.nii.gz", "sub-1000"),
        ("sub-1000_seg-malc_dseg.nii.gz", "sub-1000"),
        ("sub-01_ses-2_run-1_desc-partial_dseg.mgz", "sub-01_ses-2_run-1"),
        ("sub-01_space-T1w_acq-mp_label-x_dseg.nii", "sub-01_acq-mp"),
        ("1003_dseg.nii", "1003"),
        ("IXI 12_seg-first_dseg.NII.GZ", "IXI 12"),
        ("a01_seg.nii.gz", "a01"),
        ("dseg.nii.gz", "dseg"),
    ],
)
def test_whose_label_map_it_is(tmp_path, file, name):
    assert scan_name(tmp_path / file) == name


def test_matching_prefers_the_protocol_and_tells_who_is_alone(tmp_path):
    pred = touch(
        tmp_path / "pred",
        "sub-1_seg-first_dseg.nii.gz",
        "sub-1_seg-malc_dseg.nii.gz",
        "sub-2_seg-malc_dseg.nii.gz",
        "sub-9_seg-malc_dseg.nii.gz",
        "sub-1_seg-malc_entropy.nii.gz",
        "sub-1_seg-malc_dseg.tsv",
        ".writing-x_dseg.nii.gz",
    )
    truth = touch(
        tmp_path / "truth",
        "a/sub-1_dseg.nii.gz",
        "a/sub-1_T1w.nii.gz",
        "a/sub-1_desc-partial_dseg.nii.gz",
        "b/sub-2_dseg.mgz",
        "b/sub-3_dseg.nii",
    )
    pairs, notes = match_files(pred, truth, "malc")
    assert [(p.name, p.pred.name, p.truth.name) for p in pairs] == [
        ("sub-1", "sub-1_seg-malc_dseg.nii.gz", "sub-1_dseg.nii.gz"),
        ("sub-2", "sub-2_seg-malc_dseg.nii.gz", "sub-2_dseg.mgz"),
    ]
    assert [(n.code, n.file.rsplit("/", 1)[-1]) for n in notes] == [
        ("no-partner", "sub-9_seg-malc_dseg.nii.gz"),
        ("no-partner", "sub-3_dseg.nii"),
    ]


def test_sessions_are_kept_apart_and_subjects_joined_where_unambiguous(tmp_path):
    pred = touch(
        tmp_path / "pred",
        "sub-1_ses-1_dseg.nii.gz",
        "sub-1_ses-2_dseg.nii.gz",
        "sub-2_acq-fast_dseg.nii.gz",
        "sub-3_run-1_dseg.nii.gz",
        "sub-3_run-2_dseg.nii.gz",
    )
    truth = touch(
        tmp_path / "truth", "sub-1_ses-2_dseg.nii.gz", "sub-2_dseg.nii.gz", "sub-3_dseg.nii.gz"
    )
    pairs, notes = match_files(pred, truth, "malc")
    assert [(p.name, p.pred.name) for p in pairs] == [
        ("sub-1_ses-2", "sub-1_ses-2_dseg.nii.gz"),
        ("sub-2", "sub-2_acq-fast_dseg.nii.gz"),
    ]
    assert len(notes) == 4


def test_two_equally_good_files_of_one_scan_are_not_chosen_between(tmp_path):
    pred = touch(tmp_path / "pred", "a/s1_dseg.nii.gz", "b/s1_dseg.nii.gz", "a/s2_dseg.nii.gz")
    truth = touch(tmp_path / "truth", "s1_dseg.nii.gz", "s2_dseg.nii.gz")
    pairs, notes = match_files(pred, truth, "malc")
    assert [p.name for p in pairs] == ["s2"]
    assert notes[0].code == "several-label-maps"
    assert "s1_dseg.nii.gz" in notes[0].message


def test_folders_without_dseg_names_are_matched_by_the_whole_name(tmp_path):
    pred = touch(tmp_path / "pred", "x1.nii.gz", "x1_T1w.nii.gz")
    truth = touch(tmp_path / "truth", "x1.mgz", "x2.mgz")
    pairs, _ = match_files(pred, truth, "malc")
    assert [(p.pred.name, p.truth.name) for p in pairs] == [("x1.nii.gz", "x1.mgz")]


def test_nothing_matched_and_nothing_there(tmp_path):
    pred = touch(tmp_path / "pred", "sub-1_dseg.nii.gz")
    truth = touch(tmp_path / "truth", "sub-2_dseg.nii.gz")
    with pytest.raises(DatasetError, match=r"1 \(sub-1\) here, 1 \(sub-2\) there") as error:
        match_files(pred, truth, "malc")
    assert error.value.code == "nothing-matched"
    shutil.rmtree(truth)
    with pytest.raises(DatasetError, match="no such file or folder"):
        match_files(pred, truth, "malc")


def test_mgz_and_nifti_of_one_scan_are_scored(tmp_path, maps):
    labels, affine = maps[1]
    pred = tmp_path / "pred" / "sub-1_dseg.mgz"
    pred.parent.mkdir()
    nib.save(nib.MGHImage(labels.astype(np.int32), affine), pred)
    save(tmp_path / "truth" / "sub-1_dseg.nii", labels, affine)
    assert evaluate_folders(pred.parent, tmp_path / "truth", FIRST).summary.mean == 1
