"""What `pip wheel` packs: code, manifest, entry points, and every file that ships."""

import subprocess
import sys
import zipfile
from pathlib import Path

import monet_resources
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_a_wheel_holds_the_manifest_and_the_resources(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(tmp_path), "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("hatchling is not to be had here")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        entries = next(name for name in names if name.endswith("entry_points.txt"))
        text = wheel.read(entries).decode()
    assert "monet-studio = monet_napari:napari.yaml" in text
    assert "monet = monet_core.cli.main:run" in text
    assert "monet_napari/napari.yaml" in names
    assert "monet_app/pictures/check-dark.png" in names
    assert "monet_core/bids/templates/report.html" in names
    shipped = [path for path in monet_resources.ROOT.rglob("*") if path.is_file()]
    wanted = {
        f"monet_resources/{path.relative_to(monet_resources.ROOT).as_posix()}"
        for path in shipped
        if "__pycache__" not in path.parts
    }
    assert wanted <= names
