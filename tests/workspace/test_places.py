"""Paths as stored; workspace and quality load without torch."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from monet_core.workspace.places import Places

part = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12)
parts = st.lists(part.filter(lambda p: p not in (".", "..")), min_size=1, max_size=4)


@given(parts)
def test_paths_come_back_and_move_with_the_study(names):
    before, after = Places(Path("/data/study")), Places(Path("/else/where"))
    inside = Path("/data/study", *names)
    stored = before.store(inside)
    assert before.path(stored) == inside
    assert after.path(stored) == Path("/else/where", *names)
    outside = Path("/data/other", *names)
    assert after.path(before.store(outside)) == outside


@given(st.binary(min_size=1, max_size=8).filter(lambda b: b"/" not in b and b"\0" not in b))
def test_names_of_any_bytes_come_back(name):
    import os

    places = Places(Path("/data/study"))
    path = Path("/data/study") / ("x" + os.fsdecode(name))
    assert places.path(places.store(path)) == path


def test_protocols():
    places = Places(Path("/data/study"))
    assert places.store_protocol("malc") == "malc"
    assert places.protocol("malc") == "malc"
    stored = places.store_protocol("/data/study/atlases/lab.tsv")
    assert stored == "atlases/lab.tsv"
    assert places.protocol(stored) == "/data/study/atlases/lab.tsv"
    assert places.store_protocol("") == places.protocol("") == ""


def test_without_torch_or_windows():
    code = (
        "import sys, monet_core.workspace, monet_core.quality; "
        "print(sorted({'torch', 'monai', 'PySide6', 'napari'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
