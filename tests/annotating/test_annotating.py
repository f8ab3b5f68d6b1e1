"""Annotations by FIRST (a stand-in for FSL's program), by FreeSurfer's folders and by a model."""

import builtins
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from one_loss import as_they_are
from phantoms import (
    LEFT_THALAMUS,
    RIGHT_THALAMUS,
    brain_phantom,
    reoriented,
    save,
)
from typer.testing import CliRunner

from monet_core.annotating import (
    annotate_scans,
    fsl_first,
    import_freesurfer,
    teacher,
)
from monet_core.cli.main import app
from monet_core.datasets import check_dataset, find_dataset
from monet_core.errors import DatasetError, MonetError, OutputError, ProtocolError
from monet_core.jobs import Cancel, CancelledError
from monet_core.models import DecoderEntry, Manifest, Model
from monet_core.networks import NetworkSettings
from monet_core.protocols import load_protocol
from monet_core.scans import read_geometry, read_labels
from monet_core.segmenting import Failure, SegmentSettings

FIRST = load_protocol("first")

# What is bright is the left thalamus; it fails on what is brighter still. Like FIRST it writes
# surfaces beside the label map, and says on standard error why it failed.
FAKE = """#!{python}
import sys
from pathlib import Path
import nibabel as nib
import numpy as np

words = sys.argv[1:]
image = nib.load(words[words.index("-i") + 1])
out = words[words.index("-o") + 1]
data = np.asarray(image.dataobj)
Path({log!r}).open("a").write(" ".join(words) + "\\n")
if data.max() > 5000:
    sys.exit("first_flirt: registration failed")
labels = np.where(data > 920, {thalamus}, 0).astype(np.int16)
nib.save(nib.Nifti1Image(labels, image.affine), out + "_all_fast_firstseg.nii.gz")
nib.save(nib.Nifti1Image(labels, image.affine), out + "_all_fast_origsegs.nii.gz")
names = "Hipp Accu Amyg Caud Pall Puta Thal".split()
for name in [f"{{side}}_{{name}}" for side in "LR" for name in names] + ["BrStem"]:
    for kind in ("vtk", "bvars"):
        Path(f"{{out}}-{{name}}_first.{{kind}}").touch()
"""


@pytest.fixture
def fsl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FSL's program on the PATH; returns the log of its calls."""
    pytest.importorskip("nipype")
    log = tmp_path / "calls.txt"
    program = tmp_path / "bin/run_first_all"
    program.parent.mkdir()
    text = FAKE.format(python=sys.executable, log=str(log), thalamus=LEFT_THALAMUS)
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return log


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    image, _, affine = brain_phantom((48, 56, 48), spacing=1.5)
    save(tmp_path / "scans/sub-1_T1w.nii.gz", *reoriented(image, affine, "PIR"))
    save(tmp_path / "scans/sub-2_T1w.nii.gz", image, affine)
    return tmp_path / "scans"


class Bright(torch.nn.Module):
    """Every decoder calls what is bright its region of index `regions[decoder]`."""

    divisor = 4

    def __init__(self, regions):
        super().__init__()
        self.regions = regions

    def forward(self, x, only=None):
        answers = {}
        for name, index in self.regions.items():
            protocol = load_protocol(name)
            logits = torch.zeros(1, protocol.n_classes, *x.shape[2:])
            logits[:, protocol.indices.index(index) + 1] = 50 * (x[:, 0] - 0.5)
            answers[name] = [as_they_are(logits)]
        return answers


def make_model(**regions: int) -> Model:
    known = {name: load_protocol(name) for name in regions}
    manifest = Manifest(
        name="old",
        network=NetworkSettings(width=2, levels=3),
        decoders=[DecoderEntry(name=k, protocol=p.as_dict()) for k, p in known.items()],
        preprocessing={"register": False, "margin_mm": 2.0},
        patch=32,
        weights_sha256="a" * 64,
    )
    return Model(manifest, Bright(regions).eval())


def monet(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_firsts_labels_lie_on_the_scans_own_grid_with_sides_kept(fsl, scans, tmp_path):
    outcomes = annotate_scans(scans, tmp_path / "out", fsl_first())
    assert [outcome.labels.name for outcome in outcomes] == [
        "sub-1_dseg.nii.gz", "sub-2_dseg.nii.gz"
    ]  # fmt: skip
    for outcome in outcomes:
        labels = read_labels(outcome.labels)
        assert labels.geometry.same_grid(read_geometry(outcome.scan))
        assert set(np.unique(labels.data)) == {0, LEFT_THALAMUS}
        where = np.argwhere(labels.data).mean(axis=0)
        world = nib.affines.apply_affine(labels.geometry.affine, where)
        np.testing.assert_allclose(world, (-14, 20, 12), atol=1.5)  # the bright ball, left
    report = check_dataset(find_dataset(scans, "first", tmp_path / "out"), FIRST, missing="absent")
    assert report.ok, report.text()


def test_first_is_told_whether_the_skull_is_gone(fsl, scans, tmp_path):
    annotate_scans(scans / "sub-2_T1w.nii.gz", tmp_path / "out", fsl_first())
    words = fsl.read_text().split()
    assert "-b" in words
    assert words[words.index("-m") + 1] == "auto"


def test_a_scan_that_fails_is_told_and_the_others_go_on(fsl, scans, tmp_path):
    image, _, affine = brain_phantom((48, 56, 48), spacing=1.5)
    save(scans / "sub-0_T1w.nii.gz", image * 20, affine)
    (scans / "sub-3_T1w.nii.gz").write_bytes(b"no scan")
    said = []
    outcomes = annotate_scans(scans, tmp_path / "out", fsl_first(), report=said.append)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [f.scan.name for f in failed] == ["sub-0_T1w.nii.gz", "sub-3_T1w.nii.gz"]
    assert "registration failed" in str(failed[0])
    assert "sub-0_T1w.nii.gz" in str(failed[0])
    assert any("registration failed" in getattr(event, "text", "") for event in said)
    assert len(list((tmp_path / "out").glob("*_dseg.nii.gz"))) == 2


def test_finished_scans_are_kept_and_other_annotations_never_overwritten(fsl, scans, tmp_path):
    annotate_scans(scans, tmp_path / "out", fsl_first())
    again = annotate_scans(scans, tmp_path / "out", fsl_first())
    assert all(outcome.kept for outcome in again)
    assert len(fsl.read_text().splitlines()) == 2
    (tmp_path / "out/sub-1_dseg.nii.gz").unlink()  # as a kill before the end leaves it
    assert [o.kept for o in annotate_scans(scans, tmp_path / "out", fsl_first())] == [False, True]
    others = annotate_scans(
        scans, tmp_path / "out", teacher(make_model(first=LEFT_THALAMUS), FIRST)
    )
    assert all(isinstance(outcome, Failure) for outcome in others)
    assert "made otherwise" in str(others[0])


def test_a_raters_labels_beside_the_scans_are_never_overwritten(fsl, scans):
    (scans / "sub-1_dseg.nii.gz").write_bytes(b"a month of work")
    outcomes = annotate_scans(scans, scans, fsl_first())
    assert isinstance(outcomes[0], Failure)
    assert "sub-1_dseg.nii.gz is there already" in str(outcomes[0])
    assert (scans / "sub-1_dseg.nii.gz").read_bytes() == b"a month of work"
    assert outcomes[1].labels.exists()


def test_a_cancelled_batch_keeps_what_is_done(fsl, scans, tmp_path):
    cancel = Cancel()

    def report(event):
        if getattr(event, "name", "") == "Running FSL FIRST":
            cancel.set()

    with pytest.raises(CancelledError):
        annotate_scans(scans, tmp_path / "out", fsl_first(), report=report, cancel=cancel)
    assert len(list((tmp_path / "out").glob("*_dseg.nii.gz"))) == 1


def test_without_fsl_it_says_what_to_install(monkeypatch, tmp_path):
    pytest.importorskip("nipype")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MonetError, match="Install FSL"):
        fsl_first()


def test_without_nipype_it_gives_the_command(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("nipype"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MonetError, match=r"pip install 'monet-studio\[annotate\]'"):
        fsl_first()


def save_mgz(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.MGHImage(*reoriented(data, affine, "LIA")), path)


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    """A SUBJECTS_DIR: FreeSurfer's and FastSurfer's files, a template, one unfinished."""
    image, labels, affine = brain_phantom((48, 56, 48), spacing=1.5)
    root = tmp_path / "subjects"
    full = labels.astype(np.int32)
    full[(full == 0) & (image > 300)] = 2
    full[0, 0, 0] = 3999  # a value that no table knows
    for name, segmentation in (
        ("bert", "aparc+aseg.mgz"),
        ("sub-2", "aseg.mgz"),
        ("fast_1", "aparc.DKTatlas+aseg.deep.mgz"),
        ("fsaverage", "aparc+aseg.mgz"),
    ):
        save_mgz(root / name / "mri" / segmentation, full, affine)
        save_mgz(root / name / "mri/orig.mgz", image, affine)
    save_mgz(root / "unfinished/mri/orig.mgz", image, affine)
    return root


def test_freesurfers_folders_become_a_data_set(subjects, tmp_path):
    outcomes = import_freesurfer(subjects, tmp_path / "out", FIRST)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [f.scan.name for f in failed] == ["unfinished"]
    assert "recon-all" in str(failed[0])
    found = find_dataset(tmp_path / "out", "first").subjects
    assert [subject.name for subject in found] == ["bert", "fast_1", "sub-2"]
    _, labels, affine = brain_phantom((48, 56, 48), spacing=1.5)
    for subject in found:
        read = read_labels(subject.labels)
        assert read.geometry.same_grid(read_geometry(subject.scan))
        for index in (LEFT_THALAMUS, RIGHT_THALAMUS):
            middle = nib.affines.apply_affine(
                read.geometry.affine, np.argwhere(read.data == index).mean(axis=0)
            )
            want = nib.affines.apply_affine(affine, np.argwhere(labels == index).mean(axis=0))
            np.testing.assert_allclose(middle, want, atol=1e-3)
        assert set(np.unique(read.data)) == set(np.unique(labels))
    again = import_freesurfer(subjects, tmp_path / "out", FIRST)
    assert all(isinstance(each, Failure) or each.kept for each in again)


def test_one_subjects_folder_and_freesurfers_own_labels(subjects, tmp_path):
    made = import_freesurfer(subjects / "bert", tmp_path / "out", load_protocol("freesurfer"))
    assert [each.labels.name for each in made] == ["bert_dseg.nii.gz"]
    assert 2 in np.unique(read_labels(made[0].labels).data)


def test_a_segmentation_on_another_grid_is_a_failure(subjects, tmp_path):
    _, labels, affine = brain_phantom((40, 56, 48), spacing=1.5)
    save_mgz(subjects / "bert/mri/aparc+aseg.mgz", labels.astype(np.int32), affine)
    made = import_freesurfer(subjects / "bert", tmp_path / "out", FIRST)
    assert "not on the scan's grid" in str(made[0])
    assert not list((tmp_path / "out").glob("*.nii.gz"))


def test_a_folder_without_subjects_is_told(tmp_path):
    with pytest.raises(DatasetError, match="SUBJECTS_DIR"):
        import_freesurfer(tmp_path, tmp_path / "out", FIRST)
    with pytest.raises(DatasetError):
        import_freesurfer(tmp_path / "nowhere", tmp_path / "out", FIRST)


@pytest.mark.parametrize("regions", [{"malc": 60}, {"malc": 35, "first": LEFT_THALAMUS}])
def test_a_model_teaches_the_protocol_that_is_wanted(regions, scans, tmp_path):
    """MALC's 60 is the left thalamus; the model's own decoder of FIRST goes before it."""
    annotator = teacher(make_model(**regions), FIRST, SegmentSettings(mirror=False))
    made = annotate_scans(scans / "sub-1_T1w.nii.gz", tmp_path / "out", annotator)
    assert not isinstance(made[0], Failure), made[0]
    labels = read_labels(made[0].labels)
    assert set(np.unique(labels.data)) == {0, LEFT_THALAMUS}
    assert labels.geometry.same_grid(read_geometry(made[0].scan))
    record = json.loads((tmp_path / "out/sub-1_dseg.json").read_text())
    assert record["annotator"].startswith("model old")
    assert record["protocol"] == "first"


def test_a_model_that_finds_nothing_is_told(scans, tmp_path):
    annotator = teacher(make_model(malc=100), FIRST)  # a part of the cortex
    made = annotate_scans(scans / "sub-1_T1w.nii.gz", tmp_path / "out", annotator)
    assert "no region of first" in str(made[0])
    assert not list((tmp_path / "out").glob("*_dseg.*"))


def test_a_model_that_knows_nothing_of_the_protocol_is_refused(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text("index\tname\n1\tThing\n")
    with pytest.raises(ProtocolError):
        teacher(make_model(first=LEFT_THALAMUS), load_protocol(own))


def test_the_command_line_annotates_and_imports(fsl, scans, subjects, tmp_path):
    done = monet("annotate", scans, tmp_path / "a", "--with", "first")
    assert done.exit_code == 0, done.output
    assert "2 of 2 scans annotated" in done.output
    done = monet("annotate", subjects, tmp_path / "b", "--from", "freesurfer")
    assert done.exit_code == 1
    assert "3 of 4 scans annotated" in done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "by what"),
        (("--with", "first", "--from", "freesurfer"), "by what"),
        (("--with", "first", "--to", "malc"), "does not know the protocol malc"),
    ],
)
def test_contradictory_options_are_refused(words, problem, fsl, scans, tmp_path):
    with pytest.raises(MonetError, match=problem):
        monet("annotate", scans, tmp_path / "out", *words)


def test_a_folder_without_scans_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    said = []
    model = teacher(make_model(first=LEFT_THALAMUS), FIRST)
    annotate_scans(tmp_path / "empty", tmp_path / "out", model, report=said.append)
    assert any("no scan was found" in getattr(event, "text", "") for event in said)


def test_an_output_folder_that_cannot_be_made_is_refused(scans, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        annotate_scans(
            scans, tmp_path / "file/out", teacher(make_model(first=LEFT_THALAMUS), FIRST)
        )
