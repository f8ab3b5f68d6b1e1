"""`monet synthesise`, and a training on what it makes."""

import pytest
from label_heads import head, save_map
from typer.testing import CliRunner

from monet_core.cli.main import app, run
from monet_core.models import load_model


def monet(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_painted_scans_can_be_trained_on(tmp_path):
    save_map(tmp_path / "maps/a.nii.gz", *head())
    words = ("--number", 2, "--to", "first", "--contrast", "t1", "--stripped", "--seed", 3)
    done = monet("synthesise", tmp_path / "maps", tmp_path / "data", *words)
    assert done.exit_code == 0, done.output
    assert "2 scans with labels" in done.output
    done = monet(
        "pretrain", tmp_path / "data", "--protocol", "first", "--out", tmp_path / "run",
        "--epochs", 1, "--patch", 16, "--spacing", 4, "--width", 4, "--levels", 2,
        "--workers", 0, "--missing-regions", "absent", "--cache", tmp_path / "cache",
        "--set", "preprocessing.register=false",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert load_model(tmp_path / "run").protocol("partial").name == "first"


def test_a_folder_without_label_maps_is_one_readable_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(["synthesise", str(tmp_path), str(tmp_path / "out")])
    assert "no label map" in capsys.readouterr().err
