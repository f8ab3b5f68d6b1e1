"""Make the tables of usual volumes that ship with the program, from the MALC training scans.

    .venv/bin/python packaging/reference_volumes.py ../shared/data/malc/train

Writes malc.tsv and, through the mapping between both atlases, first.tsv. Means and standard
deviations only; nothing of a single person.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from monet_resources import REFERENCE

from monet_core.datasets import find_dataset
from monet_core.evaluation import region_volumes
from monet_core.protocols import find_mapping, load_protocol
from monet_core.quality import reference_from, save_reference
from monet_core.scans import read_labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", type=Path)
    args = parser.parse_args()
    subjects = [s for s in find_dataset(args.scans).subjects if s.labels is not None]
    malc = load_protocol("malc")
    for name in ("malc", "first"):
        target = load_protocol(name)
        mapping = find_mapping(malc, target)
        tables = []
        for subject in subjects:
            labels = read_labels(subject.labels)
            table = region_volumes(mapping.apply(labels.data), labels.geometry, target)
            tables.append(table.assign(scan=subject.name))
        reference = reference_from(pd.concat(tables, ignore_index=True), name)
        save_reference(reference, REFERENCE / f"{name}.tsv")
        print(f"{name}: {len(reference.table)} regions of {len(subjects)} scans")


if __name__ == "__main__":
    main()
