"""A small cohort, one of its scans broken, and what a serial run makes of it."""

import pytest
from small_cohort import SETTINGS, Cohort, tiny_items, tiny_model

from monet_core.cohort import Scheduler, segment_cohort


@pytest.fixture(scope="package")
def cohort(tmp_path_factory) -> Cohort:
    root = tmp_path_factory.mktemp("cohort")
    items = tiny_items(root / "in", 6)
    # The header can be read, so that it is a worker that finds the file cut off.
    broken = items[3].scan
    broken.write_bytes(broken.read_bytes()[:-5000])
    model, one = tiny_model(root / "model"), Scheduler(workers=1)
    outcomes = segment_cohort(items, model, root / "serial", SETTINGS, scheduler=one)
    return Cohort(items, 3, model, root / "serial", outcomes)
