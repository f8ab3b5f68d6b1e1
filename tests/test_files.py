"""Files are whole or not there at all, and errors say what to do."""

import errno
import os
import pickle
from pathlib import Path

import pytest

from monet_core.errors import DecisionNeeded, Note, OutputError, ScanError, Verdict
from monet_core.files import (
    atomic_path,
    read_json,
    require_space,
    require_writable,
    sha256,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "map.nii.gz"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"out\.txt: the disk is full.*Free some space") as caught:
        with atomic_path(tmp_path / "out.txt"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.code == "disk-full"
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_a_folder_is_refused_before_work_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write here"):
        require_writable(tmp_path / "file" / "sub")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot write here"):
        require_writable(tmp_path)


def test_too_little_space_says_how_much_is_needed(tmp_path: Path) -> None:
    require_space(tmp_path, 1)
    with pytest.raises(OutputError, match=r"about 1000000000 MB are needed"):
        require_space(tmp_path, 10**15)


def test_text_json_and_hash_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"name": "Größe"})
    assert read_json(tmp_path / "deep" / "a.json") == {"name": "Größe"}
    write_text(tmp_path / "b", "abc")
    assert sha256(tmp_path / "b").startswith("ba7816bf")
    assert (tmp_path / "b").stat().st_mode & 0o444 == 0o444


def test_errors_read_as_one_line_with_file_problem_and_remedy() -> None:
    error = ScanError("empty", "the file is empty", remedy="Copy it again.", file="sub-1.nii")
    assert str(error) == "sub-1.nii: the file is empty. Copy it again."
    note = error.note()
    assert note.verdict is Verdict.REFUSED
    assert str(note) == str(error)


def test_a_question_names_its_option_and_survives_a_process_boundary() -> None:
    error = DecisionNeeded(
        "forms", "qform and sform differ", option="--use-form", choices=("sform", "qform"), file="a"
    )
    assert str(error) == "a: qform and sform differ. Decide with --use-form (sform or qform)"
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.option, copy.choices) == (str(error), "--use-form", ("sform", "qform"))
    assert copy.verdict is Verdict.ASK


def test_records_hold_the_name_of_a_file_but_not_its_folder() -> None:
    note = Note(Verdict.FIXED, "x", "fixed", "/home/ada/secret/sub-1.nii")
    assert note.as_dict()["file"] == "sub-1.nii"
    assert str(note) == "/home/ada/secret/sub-1.nii: fixed"
