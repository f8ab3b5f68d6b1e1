"""The group level on thousands of scans: seconds, memory and the size of its report.

Makes a BIDS data set of links to one scan and derivatives as the participant level writes them,
with volumes drawn around those of a real result, some of them far out, with warnings, failed
scans and scans that were not segmented; then sums them up. Look at the report that it names.

    monet sample --out sample-out
    python benchmarks/group_report.py OUT [--scans 3000] [--results sample-out]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from monet_core.bids import summarise_group
from monet_core.evaluation import read_tsv, write_tsv
from monet_core.files import read_json, write_json

SAMPLE = Path(__file__).parents[1] / "resources/monet_resources/sample/sub-colin27_T1w.nii.gz"
FAILURES = (
    ("truncated", "the file ends too early; 3.2 of 9.8 MB readable. Copy or download it again."),
    ("html-page", "this is a web page saved under a scan's name. Download the scan again."),
    ("fmri", "this is a series of 240 volumes, no single scan. Take one volume of it first."),
)
WARNINGS = (
    ("registration", "the scan could not be registered well to the template; check the result"),
    ("small-field-of-view", "the field of view is only 120 x 180 x 150 mm; regions are cut off"),
)


def main() -> None:
    """Make the data where they are missing, sum up, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scans", type=int, default=3000)
    parser.add_argument("--results", type=Path, default=Path("sample-out"))
    words = parser.parse_args()
    raw, derivatives = words.out / "raw", words.out / "derivatives"
    if not derivatives.is_dir():
        make(raw, derivatives, words.results, words.scans)
    began = time.monotonic()
    summary = summarise_group(raw, derivatives)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    size = summary.report.stat().st_size / 1e6
    seconds = time.monotonic() - began
    print(f"{summary.scans} scans: {seconds:.0f} s, {peak:.0f} MB, report of {size:.1f} MB")
    print(summary.report)


def make(raw: Path, derivatives: Path, results: Path, scans: int) -> None:
    """A data set and its derivatives; every 50th scan has failed, every 199th is not done yet."""
    rng = np.random.default_rng(0)
    atlases = {
        path.name.split("_seg-")[1].split("_")[0]: path
        for path in sorted(results.glob("sub-*_seg-*_desc-volumes_stats.tsv"))
    }
    tables = {atlas: read_tsv(path) for atlas, path in atlases.items()}
    lines = []
    for number in range(1, scans + 1):
        person = f"sub-{number:05d}"
        folder = Path(person, "ses-1", "anat")
        stem = f"{person}_ses-1"
        (raw / folder).mkdir(parents=True)
        (raw / folder / f"{stem}_T1w.nii.gz").symlink_to(SAMPLE)
        if number % 199 == 0:
            continue
        outcome = {"scan": f"{stem}_T1w.nii.gz", "outcome": "done", "notes": []}
        if number % 50 == 0:
            code, message = FAILURES[rng.choice(3, p=(0.7, 0.2, 0.1))]
            outcome |= {"outcome": "failed", "notes": [{"code": code, "message": message}]}
        else:
            (derivatives / folder).mkdir(parents=True)
            brain, odd = rng.normal(1, 0.09), rng.random() < 0.02
            for atlas, path in atlases.items():
                table = varied(tables[atlas], brain, odd, rng)
                write_one(derivatives / folder, stem, atlas, path, table, rng)
        lines.append(json.dumps(outcome))
    (derivatives / "outcomes.jsonl").write_text("\n".join(lines) + "\n")


def varied(table: pd.DataFrame, brain: float, odd: bool, rng: np.random.Generator) -> pd.DataFrame:
    """Volumes of another person; of an odd one some regions are far out or missing."""
    factors = brain * np.exp(rng.normal(0, 0.08, len(table)))
    if odd:
        chosen = rng.choice(len(table), rng.integers(1, 1 + len(table) // 5), replace=False)
        factors[chosen] *= rng.choice([0.0, 0.3, 3.0], len(chosen), p=(0.3, 0.4, 0.3))
    voxels = np.round(table["voxels"] * factors).astype(int)
    each = (table["volume_ml"] / table["voxels"]).median()
    return table.assign(
        voxels=voxels,
        volume_ml=np.where(voxels > 0, voxels * each, np.nan),
        status=np.where(voxels > 0, "present", "missing"),
    )


def write_one(
    folder: Path,
    stem: str,
    atlas: str,
    source: Path,
    table: pd.DataFrame,
    rng: np.random.Generator,
) -> None:
    """The files of one scan and atlas; label map and label table are links."""
    base = f"{stem}_seg-{atlas}"
    beside = str(source.resolve()).removesuffix("_desc-volumes_stats.tsv")
    for ending in ("_dseg.nii.gz", "_dseg.tsv"):
        (folder / f"{base}{ending}").symlink_to(beside + ending)
    write_tsv(table, folder / f"{base}_desc-volumes_stats.tsv")
    record = read_json(Path(f"{beside}_dseg.json"))
    record["Sources"] = [f"bids:raw:{'/'.join(folder.parts[-3:])}/{stem}_T1w.nii.gz"]
    record["MeanEntropy"] = round(float(rng.gamma(20, 0.012)), 4)
    if rng.random() < 0.01:
        code, message = WARNINGS[rng.integers(2)]
        record["Notes"].append({"verdict": "warning", "code": code, "message": message, "file": ""})
    write_json(folder / f"{base}_dseg.json", record)


if __name__ == "__main__":
    os.nice(5)
    main()
