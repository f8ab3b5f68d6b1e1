import multiprocessing
import shutil
import threading
import time

import numpy as np
import pytest
from filelock import FileLock
from phantoms import (
    BRAIN_STEM,
    LEFT_THALAMUS,
    RIGHT_THALAMUS,
    brain_phantom,
    reoriented,
    save,
    save_subject,
)

from monet_core.errors import DatasetError, DecisionNeeded, OutputError, ProtocolError, ScanError
from monet_core.files import read_json
from monet_core.jobs import Cancel, CancelledError, Message
from monet_core.preprocessing import PreprocessingSettings, prepare
from monet_core.protocols import find_mapping, load_protocol
from monet_core.scans import read_scan
from monet_core.training import cache as module
from monet_core.training.cache import LabelSource, PreparedCache

SETTINGS = PreprocessingSettings(register=False, spacing_mm=2.0)
FIRST = load_protocol("first")
SMALL = {"shape": (36, 42, 36), "spacing": 2.0}
# The phantom's structures in MALC's numbers.
MALC_OF_FIRST = {10: 60, 49: 59, 12: 58, 51: 57, 16: 35}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return save_subject(tmp_path_factory.mktemp("scans"), "sub-01", **SMALL)


@pytest.fixture
def cache(tmp_path):
    return PreparedCache(tmp_path / "cache")


def first(labels):
    return {"partial": LabelSource(labels, FIRST)}


def entries(cache):
    return [path for path in cache.folder.iterdir() if path.is_dir()]


@pytest.fixture
def builds(monkeypatch):
    """Counts how often a scan is really prepared."""
    calls = []

    def counted(scan, settings, report):
        calls.append(scan.path)
        return prepare(scan, settings, report)

    monkeypatch.setattr(module, "prepare", counted)
    return calls


def test_a_subject_is_prepared_as_preprocessing_says(cache, files):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    wanted = prepare(read_scan(files[0]), SETTINGS)
    assert np.array_equal(subject.image, wanted.image)
    assert subject.shape == wanted.image.shape
    assert subject.background == wanted.image.min()
    classes = subject.labels["partial"]
    assert classes.dtype == np.uint8
    assert set(np.unique(FIRST.decode(classes))) == {0, 10, 12, 16, 49, 51}
    assert np.array_equal(classes[tuple(subject.centres[:, 1:].T)], subject.centres[:, 0])


def test_what_is_prepared_once_is_found_again(cache, files, builds):
    one = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    again = cache.prepare("another name", files[0], first(files[1]), SETTINGS)
    later = PreparedCache(cache.folder).prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert len(builds) == 1
    assert one.folder == again.folder == later.folder
    assert again.name == "another name"
    assert one == later


def test_a_copy_of_a_scan_is_the_same_scan(cache, files, builds, tmp_path):
    cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    copy = shutil.copy(files[0], tmp_path / "copy.nii.gz")
    cache.prepare("copy", copy, first(files[1]), SETTINGS)
    assert len(builds) == 1


def test_other_content_settings_or_labels_are_other_entries(cache, files, builds, tmp_path):
    other = save_subject(tmp_path, "sub-02", seed=2, **SMALL)
    coarser = SETTINGS.model_copy(update={"spacing_mm": 3.0})
    cache.prepare("a", files[0], first(files[1]), SETTINGS)
    cache.prepare("a", other[0], first(files[1]), SETTINGS)
    cache.prepare("a", files[0], first(other[1]), SETTINGS)
    cache.prepare("a", files[0], first(files[1]), coarser)
    cache.prepare("a", files[0], {"full": LabelSource(files[1], FIRST)}, SETTINGS)
    cache.prepare("a", files[0], first(files[1]), SETTINGS, unknown="background")
    assert len(builds) == len(entries(cache)) == 6


def test_partial_labels_are_extracted_from_the_full_ones(cache, tmp_path):
    image, labels, affine = brain_phantom(**SMALL)
    full = np.zeros_like(labels)
    for index, number in MALC_OF_FIRST.items():
        full[labels == index] = number
    full[image > 950] = 4  # a region that FIRST does not have
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    path = save(tmp_path / "s_dseg.nii.gz", full, affine)
    malc = load_protocol("malc")
    mapping = find_mapping(malc, FIRST)
    sources = {"full": LabelSource(path, malc), "partial": LabelSource(path, FIRST, mapping)}
    subject = cache.prepare("s", scan, sources, SETTINGS)
    whole, partial = malc.decode(subject.labels["full"]), FIRST.decode(subject.labels["partial"])
    assert (whole == 4).any()
    assert not partial[whole == 4].any()
    for index in (LEFT_THALAMUS, RIGHT_THALAMUS, BRAIN_STEM):
        assert (partial == index).any()
        assert np.array_equal(partial == index, whole == MALC_OF_FIRST[index])
    assert subject.centres[:, 0].max() == subject.labels["full"].max()


def test_unknown_labels_are_refused_asked_about_or_taken_as_background(cache, tmp_path):
    image, labels, affine = brain_phantom(**SMALL)
    labels[labels == BRAIN_STEM] = 99
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    path = save(tmp_path / "s_dseg.nii.gz", labels, affine)
    with pytest.raises(ProtocolError, match="99"):
        cache.prepare("s", scan, first(path), SETTINGS)
    with pytest.raises(DecisionNeeded, match="99"):
        cache.prepare("s", scan, first(path), SETTINGS, unknown="ask")
    mapped = {"partial": LabelSource(path, FIRST, find_mapping(FIRST, FIRST))}
    with pytest.raises(ProtocolError, match="99"):
        cache.prepare("s", scan, mapped, SETTINGS)
    assert not entries(cache)
    subject = cache.prepare("s", scan, mapped, SETTINGS, unknown="background")
    assert set(np.unique(FIRST.decode(subject.labels["partial"]))) == {0, 10, 12, 49, 51}


# --- bad days ------------------------------------------------------------------------------------


def damage_array(entry):
    with (entry / "image.npy").open("r+b") as stream:
        stream.seek(-100, 2)
        stream.write(b"\x01\x02\x03")


def lose_labels(entry):
    (entry / "labels-partial.npy").unlink()


def garble_record(entry):
    (entry / "record.json").write_text("[1, 2")


def replace_record(entry):
    (entry / "record.json").write_text("[]")


def truncate_centres(entry):
    (entry / "centres.npy").write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [damage_array, lose_labels, garble_record, replace_record, truncate_centres]
)
def test_a_damaged_entry_is_noticed_rebuilt_and_told(cache, files, damage):
    whole = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    image = np.array(whole.image)
    damage(whole.folder)
    said = []
    later = PreparedCache(cache.folder)
    subject = later.prepare("sub-01", files[0], first(files[1]), SETTINGS, report=said.append)
    assert np.array_equal(subject.image, image)
    assert subject.labels["partial"].any()
    assert [note.code for note in subject.notes].count("cache-damaged") == 1
    warnings = [event.text for event in said if isinstance(event, Message)]
    assert len(warnings) == 1
    assert "sub-01" in warnings[0]
    again = PreparedCache(cache.folder).prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert not [note for note in again.notes if note.code == "cache-damaged"]


def test_an_entry_that_was_checked_is_not_read_again(cache, files, monkeypatch):
    cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    read = []
    monkeypatch.setattr(module, "sha256", lambda path: read.append(path.name) or "0" * 64)
    monkeypatch.setattr(module, "_key", lambda _: entries(cache)[0].name)
    cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert read == []


def test_an_entry_removed_under_our_feet_is_made_again(cache, files, builds):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    shutil.rmtree(subject.folder)
    again = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert len(builds) == 2
    assert again.image.shape == again.shape
    assert again == subject


def test_an_interrupted_preparation_leaves_no_entry(cache, files, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert not entries(cache)
    assert cache.prepare("sub-01", files[0], first(files[1]), SETTINGS).image.any()


def _prepare_and_die(folder, scan, labels):
    import os

    module.write_json = lambda *_: os._exit(9)
    PreparedCache(folder).prepare("sub-01", scan, first(labels), SETTINGS)


def test_a_killed_program_leaves_nothing_that_disturbs(cache, files):
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_prepare_and_die, args=(cache.folder, *files))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert len(entries(cache)) == 1  # half-written, under its temporary name
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert entries(cache) == [subject.folder]


def test_another_program_is_waited_for_and_its_work_used(cache, files, builds):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    lock = FileLock(cache.folder / f"{subject.folder.name}.lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    said = []
    began = time.monotonic()
    cache.prepare("sub-01", files[0], first(files[1]), SETTINGS, report=said.append)
    assert time.monotonic() - began > 0.2
    assert ["another program" in event.text for event in said] == [True]
    assert len(builds) == 1


def test_waiting_can_be_cancelled(cache, files):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    cancel = Cancel()
    cancel.set()
    with (
        FileLock(cache.folder / f"{subject.folder.name}.lock"),
        pytest.raises(CancelledError),
    ):
        cache.prepare("sub-01", files[0], first(files[1]), SETTINGS, cancel=cancel)


def test_a_full_disk_is_told_before_anything_is_written(cache, files, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1000, 990, 10))
    with pytest.raises(OutputError, match="MB are needed"):
        cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert not entries(cache)


def test_a_missing_scan_is_told(cache, files, tmp_path):
    with pytest.raises(ScanError, match=r"gone\.nii"):
        cache.prepare("s", tmp_path / "gone.nii", first(files[1]), SETTINGS)


def test_labels_on_another_grid_are_refused(cache, files, tmp_path):
    _, labels, affine = brain_phantom(**SMALL)
    affine[0, 3] += 0.5
    moved = save(tmp_path / "moved_dseg.nii.gz", labels, affine)
    with pytest.raises(DatasetError, match=r"moved_dseg.*grid"):
        cache.prepare("s", files[0], first(moved), SETTINGS)
    assert not entries(cache)


def test_labels_that_are_only_stored_with_other_axes_are_taken(cache, files, tmp_path):
    _, labels, affine = brain_phantom(**SMALL)
    turned = save(tmp_path / "turned_dseg.nii.gz", *reoriented(labels, affine, "PIL"))
    plain = cache.prepare("s", files[0], first(files[1]), SETTINGS)
    subject = cache.prepare("s", files[0], first(turned), SETTINGS)
    assert (subject.labels["partial"] != plain.labels["partial"]).mean() < 1e-3
    assert [note.code for note in subject.notes].count("labels-reoriented") == 1
    found = PreparedCache(cache.folder).prepare("s", files[0], first(turned), SETTINGS)
    assert found.notes == subject.notes


def test_both_halves_of_a_pair_count(cache, tmp_path, builds, files):
    import nibabel as nib

    image, _, affine = brain_phantom(**SMALL)
    nib.save(nib.Nifti1Pair(image, affine), tmp_path / "s.hdr")
    cache.prepare("s", tmp_path / "s.hdr", first(files[1]), SETTINGS)
    nib.save(nib.Nifti1Pair(image[::-1], affine), tmp_path / "s.hdr")
    cache.prepare("s", tmp_path / "s.hdr", first(files[1]), SETTINGS)
    assert len(builds) == 2


# --- housekeeping --------------------------------------------------------------------------------


def test_the_record_explains_the_entry_without_paths(cache, files):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    record = read_json(subject.folder / "record.json")
    assert record["preprocessing"]["settings"]["spacing_mm"] == 2.0
    assert set(record["sha256"]) == {"image.npy", "labels-partial.npy", "centres.npy"}
    assert str(files[0].parent) not in (subject.folder / "record.json").read_text()


def test_clearing_removes_all_but_what_is_being_made(cache, files):
    subject = cache.prepare("sub-01", files[0], first(files[1]), SETTINGS)
    assert cache.size_bytes() > subject.image.nbytes
    (cache.folder / "notes.txt").write_text("the user's own")
    with FileLock(cache.folder / f"{subject.folder.name}.lock"):
        cache.clear()
        assert entries(cache) == [subject.folder]
    cache.clear()
    assert [path.name for path in cache.folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_to_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        PreparedCache(tmp_path / "file")
