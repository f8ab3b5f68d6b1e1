"""The participant level through the command line, as a user would type it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import pytest
from bids_phantoms import place, save_raw
from phantoms import brain_phantom, save
from typer.testing import CliRunner, Result

from monet_core.cli.bids import one_label_each
from monet_core.cli.console import run_command
from monet_core.cli.main import app

NAMES = ("sub-01", "sub-02_ses-a_acq-fast_run-1", "sub-02_ses-a_acq-fast_run-2", "sub-02_ses-b")
BROKEN = "sub-03_run-1"
QUICK = "--no-mirror --overlap 0 --device cpu --precision 32 --entropy --workers 1".split()


def monet(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def said_on_error(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What the program says on standard error as it ends with status 1."""
    assert run_command(lambda: app([str(word) for word in words], standalone_mode=False)) == 1
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A folder with a data set, `raw`, and its derivatives; one scan of it is broken."""
    root = tmp_path_factory.mktemp("world")
    save_raw(root / "raw", *NAMES, BROKEN)
    (place(root / "raw", BROKEN) / f"{BROKEN}_T1w.nii.gz").write_text("<html>not found</html>")
    (root / "raw/sub-04/anat").mkdir(parents=True)
    done = monet("bids", root / "raw", root / "out", "participant", "--model", model, *QUICK)
    (root / "said.txt").write_text(done.output)
    assert done.exit_code == 1
    return root


def record(world: Path, name: str, atlas: str = "malc") -> dict:
    path = place(world / "out", name) / f"{name}_seg-{atlas}_dseg.json"
    return json.loads(path.read_text())


def test_a_broken_scan_is_told_and_the_others_are_done_under_their_own_names(world: Path) -> None:
    said = (world / "said.txt").read_text()
    assert "web page" in said
    assert "no T1 scan in the chosen sessions: sub-04" in said
    assert "4 of 5 scans segmented" in said
    for name in NAMES:
        for atlas in ("malc", "first"):
            base = place(world / "out", name) / f"{name}_seg-{atlas}"
            scan = nib.load(place(world / "raw", name) / f"{name}_T1w.nii.gz")
            labels = nib.load(f"{base}_dseg.nii.gz")
            assert labels.shape == scan.shape
            for ending in ("_dseg.tsv", "_desc-volumes_stats.tsv", "_desc-entropy_probseg.nii.gz"):
                assert Path(f"{base}{ending}").is_file()
    assert not list((world / "out").glob("sub-03/**/*_dseg*"))
    outcomes = [json.loads(line) for line in (world / "out/outcomes.jsonl").open()]
    assert [one["scan"] for one in outcomes if one["outcome"] == "failed"] == [
        f"{BROKEN}_T1w.nii.gz"
    ]


def test_records_name_the_scan_by_its_uri_in_the_linked_data_set(world: Path) -> None:
    name = NAMES[1]
    uri = f"bids:raw:sub-02/ses-a/anat/{name}_T1w.nii.gz"
    found = record(world, name)
    assert found["Sources"] == [uri]
    assert found["SpatialReference"] == uri
    assert 0 < found["MeanEntropy"] < 5
    description = json.loads((world / "out/dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "MO-Net Studio"
    assert description["DatasetLinks"] == {"raw": "../raw"}
    assert description["SourceDatasets"] == [{"URL": "../raw"}]
    assert str(world) not in json.dumps(description)


def test_what_is_finished_is_left_alone_when_run_again(world: Path, model: Path) -> None:
    maps = sorted((world / "out").rglob("*_dseg.nii.gz"))
    before = [path.stat().st_mtime_ns for path in maps]
    done = monet("bids", world / "raw", world / "out", "participant", "--model", model, *QUICK)
    assert "4 of 5 scans segmented, 4 of them before" in done.output
    assert [path.stat().st_mtime_ns for path in maps] == before


def test_results_of_a_scan_that_was_exchanged_are_not_overwritten(
    world: Path, model: Path, tmp_path: Path
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(world / "raw", raw)
    shutil.copytree(world / "out", out)
    image, _, affine = brain_phantom(shape=(40, 44, 40), spacing=1.8, seed=77)
    save(raw / "sub-01/anat/sub-01_T1w.nii.gz", image, affine)
    labels = out / "sub-01/anat/sub-01_seg-malc_dseg.nii.gz"
    before = labels.read_bytes()
    words = ("--participant-label", "01", "--model", model, *QUICK)
    done = monet("bids", raw, out, "participant", *words)
    assert done.exit_code == 1
    assert "belongs to another scan" in done.output
    assert labels.read_bytes() == before


def test_one_derivative_data_set_has_one_model(
    world: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(world / "out", out)
    description = json.loads((out / "dataset_description.json").read_text())
    description["Model"] = {"Name": "older", "WeightsSha256": "b" * 64}
    (out / "dataset_description.json").write_text(json.dumps(description))
    said = said_on_error(
        capsys, "bids", world / "raw", out, "participant", "--model", model, *QUICK
    )
    assert "results of the model older, not of tiny" in said


@pytest.mark.parametrize("level", ["participant", "group"])
def test_a_folder_of_another_program_or_the_data_set_itself_is_refused(
    level: str, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, other = save_raw(tmp_path / "raw", "sub-1"), tmp_path / "fmriprep"
    other.mkdir()
    text = {"Name": "fMRIPrep", "GeneratedBy": [{"Name": "fMRIPrep"}]}
    (other / "dataset_description.json").write_text(json.dumps(text))
    words = ("--model", model, *QUICK) if level == "participant" else ()
    assert "another data set (fMRIPrep)" in said_on_error(capsys, "bids", raw, other, level, *words)
    said = said_on_error(capsys, "bids", raw, raw, level, *words)
    assert "this is the data set itself" in said
    assert "derivatives/monet" in said.replace("\n", "")
    assert sorted(path.name for path in raw.iterdir()) == ["dataset_description.json", "sub-1"]


def test_only_the_chosen_are_segmented(world: Path, model: Path, tmp_path: Path) -> None:
    words = ("--participant_label", "01", "sub-02", "--session_label", "b", "--model", model)
    done = monet("bids", world / "raw", tmp_path, "participant", *words, *QUICK)
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted(tmp_path.glob("sub-*"))] == ["sub-02"]
    assert [path.name for path in (tmp_path / "sub-02").iterdir()] == ["ses-b"]


@pytest.mark.parametrize(
    ("words", "become"),
    [
        ("R O participant --participant-label 01 02", "01|02"),
        ("R O participant --participant_label 01 --participant_label 02 --device cpu", "01|02"),
        ("--participant-label 01 R O group", "01"),
        ("R O group --model m --participant-label 01 02 03 --session-label a b", "01|02|03"),
    ],
)
def test_several_labels_may_follow_one_option(words: str, become: str) -> None:
    found = one_label_each(words.split())
    options = [n for n, word in enumerate(found) if word.startswith("--participant")]
    assert [found[n + 1] for n in options] == become.split("|")
    assert [word for word in found if not word.startswith("--")] == [
        word for word in words.split() if not word.startswith("--")
    ]


def test_the_derivatives_pass_the_validator_of_bids(world: Path, tmp_path: Path) -> None:
    program = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("the BIDS validator is not installed (pip install bids-validator-deno)")
    done = monet("bids", world / "raw", world / "out", "group")
    assert done.exit_code == 0, done.output
    command = [program, str(world / "out"), "--format", "json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    issues = json.loads(found.stdout)["issues"]["issues"]
    errors = [issue for issue in issues if issue["severity"] == "error"]
    assert errors == []
    assert found.returncode == 0
    # What BIDS recommends is there too, but authors, and a reference for maps of entropy.
    known = {("TOO_FEW_AUTHORS", None), ("SIDECAR_KEY_RECOMMENDED", "SpatialReference")}
    assert {(issue["code"], issue.get("subCode")) for issue in issues} <= known
