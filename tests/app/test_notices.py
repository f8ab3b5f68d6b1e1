import errno

from monet_app.notices import notice_of
from monet_core.errors import OutputError


def test_the_programs_own_errors_speak_for_themselves() -> None:
    error = OutputError("x", "the disk is full", remedy="Free some space.", file="out/a.nii.gz")
    notice = notice_of(error, "Saving")
    assert notice.text == "out/a.nii.gz: the disk is full."
    assert notice.remedy == "Free some space."
    assert not notice.details


def test_errors_of_the_system_name_the_file() -> None:
    notice = notice_of(OSError(errno.ENOENT, "No such file or directory", "gone.nii"))
    assert notice.text == "gone.nii: No such file or directory."
    assert notice.remedy


def test_a_fault_of_the_program_brings_details_for_a_report() -> None:
    try:
        {}["missing"]
    except KeyError as error:
        notice = notice_of(error, "Segmenting")
    assert notice.text.startswith("Segmenting failed")
    assert "test_notices" in notice.details
    assert notice_of(MemoryError(), "Segmenting").text.startswith("Segmenting needs more memory")
