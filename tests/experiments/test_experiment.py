"""The whole command on small phantoms: trained once, resumed, refused, with tools as rows."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import typer
from phantoms import save_subject

from monet_core.cli.console import run_command
from monet_core.cli.experiment import _request
from monet_core.cli.main import app
from monet_core.evaluation import evaluate_folders, read_tsv
from monet_core.experiments import run_experiment
from monet_core.jobs import Cancel, CancelledError, Event
from monet_core.models import load_model
from monet_core.protocols import convert_labels, find_mapping, load_protocol

RUNS = [f"{r}/{m}/run" for r in ("paper", "best") for m in ("pretrain", "fs", "ft", "monet")]


def table(world, name: str) -> pd.DataFrame:
    return read_tsv(world.out / f"tables/{name}.tsv")


def test_every_method_of_both_recipes_is_trained_with_the_same_budget(malc_world) -> None:
    for run in RUNS:
        assert (malc_world.out / run / "checkpoint.safetensors").exists(), run
    configs = {r: json.loads((malc_world.out / r / "config.json").read_text()) for r in RUNS}
    for recipe in ("paper", "best"):
        fs, ft, monet = (configs[f"{recipe}/{m}/run"] for m in ("fs", "ft", "monet"))
        assert [c["start"] for c in (fs, ft, monet)] == [None, *["../../pretrain/run"] * 2]
        protocols = [c["settings"].pop("protocols") for c in (fs, ft, monet)]
        assert protocols == [{"full": "malc"}] * 2 + [{"full": "malc", "partial": "first"}]
        assert fs["settings"] == ft["settings"] == monet["settings"]
        assert configs[f"{recipe}/pretrain/run"]["settings"]["protocols"] == {"partial": "first"}
    trained = load_model(malc_world.out / "paper/monet/run").manifest.training
    assert trained["scans"] == ["sub-0", "sub-1"]


def test_partial_labels_are_extracted_without_those_of_the_test_scans(malc_world) -> None:
    names = {path.name for path in (malc_world.out / "partial").glob("*.nii.gz")}
    assert names == {f"sub-{seed}_dseg.nii.gz" for seed in (0, 1, 9)}


def test_scores_are_those_of_evaluate_on_the_test_scans(malc_world, tmp_path: Path) -> None:
    pred, truth = malc_world.out / "best/fs/segmentations", malc_world.data / "test"
    expected = evaluate_folders(pred, truth, load_protocol("malc")).summary
    row = table(malc_world, "table1").query("method == 'U-Net (FS)' and recipe == 'best'").iloc[0]
    assert (row.scans, row.failed, row.regions) == (2, 0, 132)
    assert row.dice_mean == pytest.approx(expected.mean, abs=1e-5)
    assert row.paper_dice == ".623±.095"


def test_the_15_are_the_partial_decoders_in_a_monet_and_mapped_in_a_unet(
    malc_world, tmp_path: Path
) -> None:
    first = load_protocol("first")
    mapping = find_mapping("malc", "first")
    truth = tmp_path / "truth"
    convert_labels(malc_world.data / "test", truth, mapping)
    rows = table(malc_world, "table4").query("recipe == 'paper'").set_index("method")
    joint = evaluate_folders(malc_world.out / "paper/monet/segmentations", truth, first)
    assert rows.loc["MO-Net", "dice_mean"] == pytest.approx(joint.summary.mean, abs=1e-5)
    convert_labels(malc_world.out / "paper/ft/segmentations", tmp_path / "ft", mapping)
    single = evaluate_folders(tmp_path / "ft", truth, first)
    assert rows.loc["U-Net (FT)", "dice_mean"] == pytest.approx(single.summary.mean, abs=1e-5)


def test_tools_are_rows_and_a_missing_scan_counts_as_failed(malc_world) -> None:
    for name in ("table1", "table3", "table3-27", "table4"):
        row = table(malc_world, name).query("method == 'SLANT'").iloc[0]
        assert (row.scans, row.failed, row.dice_mean) == (1, 1, 1.0)
    report = (malc_world.out / "report.md").read_text()
    assert "Failed, SLANT: sub-6 (no segmentation of it was found)." in report
    own = table(malc_world, "table4").query("method == 'own'").iloc[0]
    assert (own.scans, own.failed) == (2, 0)
    assert own.dice_mean > 0.9  # one of both was resampled onto its scan
    for name in ("table1", "table3"):  # it knows 14 of 132 and 13 of 25 regions
        assert "own" not in set(table(malc_world, name)["method"])


def test_comparisons_name_the_better_one_and_are_corrected_within_a_table(malc_world) -> None:
    rows = table(malc_world, "table4-comparisons")
    pairs = set(zip(rows["a"], rows["b"], strict=True))
    assert ("MO-Net, recipe best", "U-Net (FT), recipe best") in pairs
    assert not any("paper" in a and "best" in b for a, b in pairs)
    row = rows.query("a == 'U-Net (FS), recipe best' and b == 'SLANT'").iloc[0]
    assert row.difference < -0.5
    assert (row.share_better, row.n_scans, row.n) == (0, 1, 5)
    assert (rows["p_holm"] >= rows["p"]).all()


def test_the_report_tells_split_tables_figures_and_the_papers_figures(malc_world) -> None:
    report = (malc_world.out / "report.md").read_text()
    assert "Scored on 2 test scans: sub-5, sub-6." in report
    assert "| SLANT27 |" in report
    assert ".637±.216 (9 failed)" in report
    assert "Which 25 of QuickNAT's 27 classes the paper compared is not published" in report
    assert str(malc_world.out) not in report
    for recipe in ("paper", "best"):
        for figure in ("dice", "overlays"):
            assert f"(figures/{figure}-{recipe}.png)" in report
            assert (malc_world.out / f"figures/{figure}-{recipe}.png").stat().st_size > 5000


def test_a_second_call_trains_and_segments_nothing(malc_world) -> None:
    def stamps() -> dict[Path, int]:
        kept = ("run/**/*", "segmentations/*", "evaluation/**/*")
        files = [f for pattern in kept for f in malc_world.out.glob(f"paper/*/{pattern}")]
        return {file: file.stat().st_mtime_ns for file in files if file.is_file()}

    before, tables = stamps(), table(malc_world, "table4")
    done = malc_world.run("--recipe", "paper")
    assert done.exit_code == 0, done.output
    assert done.output.count("trained before") == 3
    assert len(before) > 50
    assert stamps() == before
    again = table(malc_world, "table4")
    same = tables.query("recipe == 'paper'").reset_index(drop=True)
    pd.testing.assert_frame_equal(again.query("recipe == 'paper'").reset_index(drop=True), same)


def refusal(world, *more: object, capsys: pytest.CaptureFixture[str]) -> str:
    words = [str(word) for word in ("experiment", *world.words, *more)]
    assert run_command(lambda: app(words, standalone_mode=False)) == 1
    return capsys.readouterr().err.replace("\n", " ")


def test_other_settings_in_the_same_folder_are_refused_and_named(
    malc_world, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (malc_world.out / "experiment.json").read_bytes()
    said = refusal(malc_world, "--epochs", 3, capsys=capsys)
    assert "recipes.best.finetune.epochs is 3, was 2" in said
    shutil.copytree(malc_world.data, tmp_path / "data")
    path = tmp_path / "data/train/sub-1_dseg.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.int16), image.affine), path)
    said = refusal(malc_world, "--data", tmp_path / "data", capsys=capsys)
    assert "scans.sub-1.labels is" in said
    assert (malc_world.out / "experiment.json").read_bytes() == before


def test_mistakes_are_told_before_anything_is_trained(
    malc_world, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = ("--out", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    for words, says in (
        (("--methods", "fs,xx"), "there is no method xx"),
        (("--tool", f"new={tmp_path}/empty"), "does not read NAME=FOLDER:PROTOCOL"),
        (("--tool", "FIRST=/nowhere"), "no such folder"),
        (("--tool", f"FIRST={tmp_path}/empty"), "holds no segmentation by FIRST"),
        (("--tool", f"SLANT={tmp_path}/empty"), "two tools have the same name"),
        (("--set", "colour=red"), "there is no such setting"),
        (("--data", malc_world.data / "train"), "no annotated scan is in the split test"),
    ):
        assert says in refusal(malc_world, *fresh, *words, capsys=capsys)
        assert not list((tmp_path / "out").glob("*/*/run"))


def test_hammers_atlas_has_its_own_tables(haa_world) -> None:
    full, partial = table(haa_world, "table2"), table(haa_world, "table5")
    assert list(full["regions"].dropna()) == [67] * 3
    assert list(full["paper_dice"]) == [".706±.032", ".821±.019", ".843±.037"]
    assert list(partial["method"]) == ["U-Net (FS)", "U-Net (FT)", "MO-Net", "FSL FIRST"]
    report = (haa_world.out / "report.md").read_text()
    assert "Scored on 1 validation scan: sub-9." in report
    assert "a little too good" in report


def test_an_interrupted_experiment_goes_on_to_the_same_figures(haa_world, tmp_path: Path) -> None:
    """Cancelled in the middle of U-Net (FT)'s training, then before MO-Net segments."""
    world = replace(
        haa_world, out=tmp_path / "out", words=(*haa_world.words, "--out", tmp_path / "out")
    )
    fs, ft = (world.out / f"paper/{m}/run/checkpoint.safetensors" for m in ("fs", "ft"))
    interrupt(world, lambda event: ft.parent.exists() and getattr(event, "total", 0) == 4)
    assert ft.exists()
    before = fs.stat().st_mtime_ns
    interrupt(world, lambda event: "MO-Net, recipe paper: scan 1" in getattr(event, "name", ""))
    done = world.run()
    assert done.exit_code == 0, done.output
    assert fs.stat().st_mtime_ns == before
    for name in ("table2", "table5-comparisons"):
        pd.testing.assert_frame_equal(table(world, name), table(haa_world, name))


def interrupt(world, when: Callable[[Event], bool]) -> None:
    """Run the experiment until an event, then cancel it."""
    command = typer.main.get_command(app).commands["experiment"]
    context = command.make_context("experiment", [str(word) for word in world.words])
    cancel = Cancel()

    def watch(event: Event) -> None:
        if when(event):
            cancel.set()

    with pytest.raises(CancelledError):
        run_experiment(_request(context.params), watch, cancel)
    assert not (world.out / "report.md").exists()


def test_stage_one_trains_on_other_scans_where_they_are_given(haa_world, tmp_path: Path) -> None:
    for seed in (20, 21, 22):
        save_subject(tmp_path / "many", f"sub-{seed}", seed=seed, shape=(36, 42, 36), spacing=2.0)
    (tmp_path / "labels").mkdir()
    for path in (tmp_path / "many").glob("*_dseg.nii.gz"):
        path.rename(tmp_path / "labels" / path.name)
    out = ("--out", tmp_path / "out", "--methods", "ft")
    partial = ("--partial", tmp_path / "many", "--partial-labels", tmp_path / "labels")
    done = haa_world.run(*out, *partial)
    assert done.exit_code == 0, done.output
    trained = {
        key: load_model(tmp_path / f"out/paper/{key}/run").manifest.training["scans"]
        for key in ("pretrain", "ft")
    }
    assert trained == {"pretrain": ["sub-20", "sub-21", "sub-22"], "ft": ["sub-0", "sub-1"]}
    assert not (tmp_path / "out/partial").exists()
    assert "Stage 1 saw partial labels extracted" not in (tmp_path / "out/report.md").read_text()
    words = [str(word) for word in ("experiment", *haa_world.words, *out)]
    # Without --partial it would be another experiment.
    assert run_command(lambda: app(words, standalone_mode=False)) == 1
