"""Slow: real scans by two workers, one of them killed, against a serial run."""

import os
import signal

import nibabel as nib
import numpy as np
import psutil
import pytest
from helpers import MALC, needs_shared

from monet_core.cohort import Scheduler, segment_cohort
from monet_core.jobs import Message
from monet_core.models import resolve_model
from monet_core.segmenting import Failure
from monet_core.segmenting.many import Item

pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, needs_shared]
SCANS = (
    *sorted(MALC.glob("validation/*_T1w.nii.gz")),
    *sorted(MALC.glob("train/*_T1w.nii.gz"))[:2],
)


def kill_the_busiest_worker() -> int:
    workers = [
        each
        for each in psutil.Process().children(recursive=True)
        if "spawn_main" in " ".join(each.cmdline())
    ]
    for each in workers:
        each.cpu_percent()
    psutil.cpu_percent(interval=2)
    busiest = max(workers, key=lambda each: each.cpu_percent())
    os.kill(busiest.pid, signal.SIGKILL)
    return busiest.pid


def test_a_killed_worker_and_a_broken_scan_change_no_label_map_of_real_scans(tmp_path):
    items = [Item(scan, scan.name.split("_")[0]) for scan in SCANS]
    broken = tmp_path / "sub-broken_T1w.nii.gz"
    broken.write_bytes(SCANS[0].read_bytes()[:-100_000])
    items.insert(2, Item(broken, "sub-broken"))
    killed, told = [], []

    def finished(item, outcome):
        if not killed and not isinstance(outcome, Failure):
            killed.append(kill_the_busiest_worker())

    def run(name, workers, **words):
        return segment_cohort(
            items, resolve_model("malc-2mm"), tmp_path / name,
            scheduler=Scheduler(workers=workers), report=told.append, **words,
        )  # fmt: skip

    two, one = run("two", 2, finished=finished), run("one", 1)
    assert [isinstance(each, Failure) for each in two] == [False, False, True, False, False]
    assert str(two[2]) == str(one[2])
    texts = [event.text for event in told if isinstance(event, Message)]
    assert any(text.startswith("a worker was lost that segmented sub-1") for text in texts)
    for each, same in zip(two, one, strict=True):
        for decoder in () if isinstance(each, Failure) else each.files:
            maps = [nib.load(r.files[decoder].labels) for r in (each, same)]
            np.testing.assert_array_equal(*(np.asarray(image.dataobj) for image in maps))
            np.testing.assert_array_equal(*(image.affine for image in maps))
    print([text for text in texts if "worker" in text])
    print([(each.stem, round(each.seconds)) for each in one if not isinstance(each, Failure)])
