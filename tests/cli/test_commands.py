"""The command line end to end on small phantoms, as a user would type it."""

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from phantoms import MALC_OF_FIRST, brain_phantom, save, save_malc_dataset
from typer.testing import CliRunner, Result

from monet_core.cli.console import run_command
from monet_core.cli.main import app
from monet_core.models import load_model

TINY = (
    "--patch 24 --workers 0 --patches-per-scan 2 --seed 1 --missing-regions absent "
    "--learning-rate 0.02 --set loss.kind=dice_ce"
).split()


def monet(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def status(*words: object) -> int:
    """Exit status as the program itself gives it, errors drawn on standard error."""

    def command() -> None:
        app([str(word) for word in words], standalone_mode=False)

    return run_command(command)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where both stages were trained by the command line on three phantoms."""
    root = tmp_path_factory.mktemp("world")
    save_malc_dataset(root / "malc")
    cache = ["--cache", root / "cache"]
    done = monet("convert", root / "malc", root / "partial", "--from", "malc", "--to", "first")
    assert done.exit_code == 0, done.output
    small = ["--spacing", 3, "--width", 8, "--levels", 2, "--set", "preprocessing.register=false"]
    done = monet(
        "pretrain", root / "malc", "--labels", root / "partial", "--out", root / "stage1",
        "--epochs", 25, "--validate-every", 25, *TINY, *small, *cache,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    done = monet(
        "finetune", root / "malc", "--from", root / "stage1", "--out", root / "stage2",
        "--epochs", 25, "--validate-every", 25, *TINY, *cache,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return root


def test_partial_labels_are_extracted_with_firsts_indices(world: Path) -> None:
    partial = nib.load(world / "partial/validation/sub-9_dseg.nii.gz")
    _, labels, affine = brain_phantom(seed=9)
    np.testing.assert_array_equal(np.asarray(partial.dataobj), labels)
    np.testing.assert_array_equal(partial.affine, affine)


def test_the_second_stage_takes_network_and_preprocessing_from_the_first(world: Path) -> None:
    manifest = load_model(world / "stage2").manifest
    assert manifest.network.width == 8
    assert manifest.preprocessing["spacing_mm"] == 3.0
    assert (world / "stage2/curves.png").stat().st_size > 1000
    assert [decoder.name for decoder in manifest.decoders] == ["full", "partial"]
    assert manifest.training["start"] == "stage1"


def test_segment_then_evaluate_finds_the_structures(world: Path, tmp_path: Path) -> None:
    scans = world / "malc/validation"
    words = ("--model", world / "stage2", "--out", tmp_path / "seg", "--picture")
    done = monet("segment", scans, *words)
    assert done.exit_code == 0, done.output
    assert "1 of 1 scans segmented" in done.output
    full = tmp_path / "seg/sub-9_seg-malc_dseg.nii.gz"
    partial = tmp_path / "seg/sub-9_seg-first_dseg.nii.gz"
    assert set(np.unique(np.asarray(nib.load(full).dataobj))) <= {0, *MALC_OF_FIRST.values()}
    assert partial.exists()
    assert (tmp_path / "seg/sub-9_overlay.png").stat().st_size > 1000
    done = monet("evaluate", tmp_path / "seg", scans, "--protocol", "malc", "--out", tmp_path / "e")
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "e/summary.json").read_text())
    assert summary["dice"]["mean"] > 0.3
    table = pd.read_csv(tmp_path / "e/per_region.tsv", sep="\t")
    assert set(table.dropna(subset="dice")["index"]) == set(MALC_OF_FIRST.values())
    assert (tmp_path / "e/dice.png").stat().st_size > 1000


def test_compare_maps_tools_to_one_protocol(world: Path, tmp_path: Path) -> None:
    malc = world / "malc/validation/sub-9_dseg.nii.gz"
    first = world / "partial/validation/sub-9_dseg.nii.gz"
    done = monet("compare", f"manual={malc}:malc", f"fsl={first}:first", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "manual - fsl: mean Dice 1.000" in done.output
    assert status("compare", "manual", "--out", tmp_path) == 1


def test_check_prints_the_report_and_its_status(world: Path, tmp_path: Path) -> None:
    table = tmp_path / "report.tsv"
    data = world / "malc"
    done = monet("check", data, "--protocol", "malc", "--missing-regions", "absent", "--out", table)
    assert done.exit_code == 0, done.output
    assert "2 of 2 train" in done.output
    assert "code" in table.read_text().splitlines()[0]
    done = monet("check", data, "--protocol", "first")
    assert done.exit_code == 1
    assert "--unknown-labels" in done.output


def test_an_error_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        status("segment", tmp_path / "none.nii", "--out", tmp_path / "o", "--model", "nobody") == 1
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no model 'nobody'" in said.err
    assert "Traceback" not in said.err


def test_a_scan_that_fails_gives_status_1_and_the_others_go_on(world: Path, tmp_path: Path) -> None:
    (tmp_path / "bad_T1w.nii.gz").write_text("<html>not found</html>")
    good = world / "malc/validation/sub-9_T1w.nii.gz"
    words = ("--model", world / "stage2", "--out", tmp_path / "seg")
    done = monet("segment", tmp_path / "bad_T1w.nii.gz", good, *words)
    assert done.exit_code == 1
    assert "1 of 2 scans segmented" in done.output
    assert (tmp_path / "seg/sub-9_seg-malc_dseg.nii.gz").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "colour=red"], "there is no such setting"),
        (["--set", "network.depth=3"], "There are: .*levels"),
        (["--patch", "-3"], "setting patch"),
        (["--set", "augmentation.mirror_probability=often"], "mirror_probability"),
        (["--assume-orientation", "LLL"], "not three axis codes"),
        (["--device", "cuda:77"], "is not available"),
    ],
)
def test_wrong_settings_are_named(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("pretrain", tmp_path, "--out", tmp_path / "run", *words) == 1
    assert re.search(says, capsys.readouterr().err.replace("\n", " "))
    assert not (tmp_path / "run/config.json").exists()


def test_unknown_labels_ask_and_the_answer_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = np.zeros((12, 12, 12), np.int16)
    labels[2:6] = 60
    labels[6] = 9999
    path = save(tmp_path / "a_dseg.nii.gz", labels, np.eye(4))
    words = ("convert", path, tmp_path / "b_dseg.nii.gz", "--from", "malc", "--to", "first")
    assert status(*words) == 1
    said = capsys.readouterr().err
    assert "9999" in said
    assert "--unknown-labels" in said
    assert status(*words, "--unknown-labels", "background") == 0
    assert set(np.unique(np.asarray(nib.load(tmp_path / "b_dseg.nii.gz").dataobj))) == {0, 10}


def test_help_names_units_and_the_version_is_told() -> None:
    assert "in mm" in monet("pretrain", "--help").output
    assert monet("--version").output.startswith("monet 0.")


def test_the_program_starts_without_torch() -> None:
    import subprocess
    import sys

    code = "import sys, monet_core.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_fault_of_the_program_is_one_line_and_its_place_only_where_asked_for(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def faulty() -> None:
        raise KeyError("colour")

    with caplog.at_level("INFO", logger="monet_core"):
        assert run_command(faulty) == 1
    said = capsys.readouterr().err
    assert "unexpected error: KeyError: 'colour'" in said
    assert "Traceback" not in said
    assert "in faulty" in caplog.text
