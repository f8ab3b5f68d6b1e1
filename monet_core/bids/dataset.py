"""What makes a folder of results a BIDS derivative data set: its files at the top."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monet_core import __version__
from monet_core.errors import OutputError
from monet_core.files import read_json, require_writable, write_json, write_text
from monet_core.models.manifest import Manifest
from monet_core.protocols.dseg import LINK_COLUMNS
from monet_core.segmenting.settings import SegmentSettings
from monet_core.workspace.labels import PROGRAM, is_ours

DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.11.1"
RAW = "raw"
"""What BIDS URIs in the derivatives call the data set that the scans are of."""

_IGNORED = ("*_desc-volumes_stats.tsv", "outcomes.jsonl", "group_*")
"""What BIDS has no name for yet."""

_README = """\
# Regions of T1 scans, by MO-Net Studio

For every scan and atlas, in `sub-*/[ses-*/]anat`, on the scan's own grid:

- `*_seg-ATLAS_dseg.nii.gz`: the label map; `*_dseg.tsv`: its regions; `*_dseg.json`: what made it,
  from which scan, and all that was noticed on the way;
- `*_seg-ATLAS_desc-volumes_stats.tsv`: volumes in ml, shares and asymmetry;
- `*_seg-ATLAS_desc-entropy_probseg.nii.gz`, where asked for: how unsure the model was, in nats.

Of all scans, written by the group level:

- `group_seg-ATLAS_volumes.tsv`: a row per scan, a column per region, in ml;
- `group_quality.tsv`: a row per scan: what is unusual, what failed and why;
- `group_report.html`: both to look at, with pictures.

`outcomes.jsonl` has a line for every scan and run. Research use only, no medical device.
"""

_COLUMNS = {
    "hemisphere": "L, R, or M on the midline",
    "tissue": "Kind of tissue",
    "pair": "Index of the same region on the other side",
    "group": "Anatomical group",
    "path": "Place in the hierarchy of regions, from the top group down",
}


def prepare_derivatives(
    out: Path, dataset: Path, manifest: Manifest, settings: SegmentSettings
) -> None:
    """Make `out` a derivative data set of `dataset` for results of one model.

    What is there already stays. Raises OutputError where `out` cannot be written to, or belongs
    to another data set, program or model.
    """
    out = require_writable(Path(out))
    require_own(out, dataset)
    description = _description(out, dataset, manifest)
    _require_same_model(out, description)
    _add_ignored(out / ".bidsignore")
    write_json(out / DESCRIPTION, description)
    write_json(out / "dseg.json", _columns_of_dseg(manifest))
    if settings.entropy:
        text = "Entropy of the posterior over the atlas's regions at every voxel"
        write_json(out / "desc-entropy_probseg.json", {"Description": text, "Units": "nats"})
    if not any(out.glob("README*")):
        write_text(out / "README.md", _README)


def require_own(out: Path, dataset: Path) -> None:
    """OutputError where `out` is the data set itself, or holds what another program made."""
    remedy = f"Choose a folder of its own, such as {Path(dataset) / 'derivatives' / 'monet'}."
    if out.exists() and Path(dataset).exists() and out.samefile(dataset):
        raise OutputError("out-is-input", "this is the data set itself", remedy=remedy, file=out)
    there = description_of(out)
    if there and not is_ours(there):
        name = there.get("Name", "without a name")
        problem = f"the folder holds another data set ({name})"
        raise OutputError("other-dataset", problem, remedy=remedy, file=out)


def description_of(folder: Path) -> dict[str, Any]:
    """The description of a data set; {} where there is none that can be read."""
    try:
        found = read_json(folder / DESCRIPTION)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def title_of(dataset: Path) -> str:
    """A data set's own name, else its folder's."""
    return str(description_of(dataset).get("Name") or Path(dataset).absolute().name)


def _description(out: Path, dataset: Path, manifest: Manifest) -> dict[str, Any]:
    raw = description_of(dataset)
    # Relative, since both are often moved together, and another's folders are nobody's business.
    link = Path(os.path.relpath(Path(dataset).resolve(), out.resolve())).as_posix()
    source = {"URL": link, "DOI": raw.get("DatasetDOI"), "Version": raw.get("DatasetVersion")}
    model = {"Name": manifest.name, "WeightsSha256": manifest.weights_sha256}
    text = f"Segmented with the model {model['Name']} (SHA-256 {model['WeightsSha256'][:12]})"
    return {
        "Name": f"{title_of(dataset)}: regions by {PROGRAM}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": PROGRAM, "Version": __version__, "Description": text}],
        "SourceDatasets": [{key: value for key, value in source.items() if value}],
        "DatasetLinks": {RAW: link},
        "Model": model,
    }


def _require_same_model(out: Path, description: dict[str, Any]) -> None:
    before, now = description_of(out).get("Model"), description["Model"]
    if isinstance(before, dict) and before.get("WeightsSha256") != now["WeightsSha256"]:
        raise OutputError(
            "other-model",
            f"the folder holds results of the model {before.get('Name')}, not of {now['Name']} as "
            "it is now",
            remedy="One derivative data set has one model: choose another folder, or that model.",
            file=out,
        )


def _add_ignored(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    missing = [line for line in _IGNORED if line not in lines]
    if missing:
        write_text(path, "\n".join([*lines, *missing]) + "\n")


def _columns_of_dseg(manifest: Manifest) -> dict[str, dict[str, str]]:
    """What the columns of the label tables mean that BIDS does not define."""
    protocols = manifest.protocols().values()
    subsets = _names(protocol.subsets for protocol in protocols)
    links = [name for name in _names(p.links for p in protocols) if name in LINK_COLUMNS]
    texts = {
        **_COLUMNS,
        **{f"in_{name}": f"1 where the subset {name} has the region" for name in subsets},
        **{name: f"Indices of the same structures in the atlas {name}" for name in links},
        **{f"{name}_relation": f"How the region relates to those of {name}" for name in links},
    }
    return {name: {"Description": text} for name, text in texts.items()}


def _names(mappings: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))
