"""What is known of a label map file without opening it: its atlas, who or what made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_core.datasets import names
from monet_core.errors import ProtocolError
from monet_core.files import read_json
from monet_core.protocols import load_protocol, shipped_protocols
from monet_core.workspace.entries import Source

PROGRAM = "MO-Net Studio"
_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".hdr")


@dataclass(frozen=True)
class LabelsFound:
    """A label map to register; `protocol` "" where it is not known, else as in entries."""

    path: Path
    protocol: str
    source: Source
    model: str = ""
    created: str = ""


def base_of(labels: Path) -> str:
    """The path of a label map without its ending: ".../sub-01_seg-malc_dseg"."""
    text = str(labels)
    ending = next((e for e in _ENDINGS if text.lower().endswith(e)), "")
    return text[: len(text) - len(ending)]


def beside(labels: Path, ending: str) -> Path:
    """A file of the same results: "_dseg.tsv", "_desc-volumes_stats.tsv"."""
    return Path(base_of(labels).removesuffix("_dseg") + ending)


def record_of(labels: Path) -> dict[str, Any]:
    """The JSON sidecar of a label map, {} where there is none that can be read."""
    try:
        found = read_json(Path(base_of(labels) + ".json"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ours(record: dict[str, Any]) -> bool:
    """Whether `monet segment` wrote the record."""
    makers = record.get("GeneratedBy")
    if not isinstance(makers, list) or not makers or not isinstance(makers[0], dict):
        return False
    return makers[0].get("Name") == PROGRAM


def source_name(record: dict[str, Any]) -> str:
    """The file name of the scan that was segmented, "" where the record does not tell."""
    sources = record.get("Sources")
    return Path(str(sources[0])).name if isinstance(sources, list) and sources else ""


def same_source(labels: Path, scan: Path) -> bool:
    """False where our own record says that the labels are of another file than `scan`."""
    record = record_of(labels)
    return not is_ours(record) or source_name(record) in ("", scan.name)


def described(
    labels: Path, atlases: Path, *, protocol: str = "", beside: bool = True
) -> LabelsFound:
    """What file name, sidecar and label table tell. `protocol` is what a table says of it.

    What another program wrote under derivatives (not `beside` the scan) is an import.
    """
    record = record_of(labels)
    known = protocol_of(labels, record, atlases, protocol)
    if is_ours(record) and record.get("Manual") is False:
        model = record.get("Model")
        name = str(model.get("Name", "")) if isinstance(model, dict) else ""
        return LabelsFound(labels, known, "model", name, str(record.get("Created", "")))
    manual = beside or record.get("Manual") is True
    return LabelsFound(labels, known, "manual" if manual else "import")


def protocol_of(labels: Path, record: dict[str, Any], atlases: Path, told: str = "") -> str:
    """A shipped protocol's name or the path of a label table; "" where neither is found."""
    name = told or str(record.get("Atlas") or names.segmentation(names.labels_stem(labels) or ""))
    shipped = _shipped(name)
    fingerprint = record.get("AtlasFingerprint")
    if shipped and fingerprint in (None, load_protocol(shipped).fingerprint):
        return shipped
    tables = [Path(name), Path(base_of(labels) + ".tsv"), labels.parent / f"seg-{name}_dseg.tsv"]
    if atlases.is_dir():
        tables += [t for t in sorted(atlases.iterdir()) if names.same_protocol(t.name, name)]
    return next((str(t) for t in tables if _is_table(t)), "")


def _shipped(name: str) -> str:
    if name.casefold() in ("hammers", "quicknat"):
        return load_protocol(name).name
    return next((known for known in shipped_protocols() if names.same_protocol(known, name)), "")


def _is_table(path: Path) -> bool:
    if not path.suffix or not path.is_file():
        return False
    try:
        load_protocol(path)
    except ProtocolError:
        return False
    return True


def title(protocol: str, source: Source, model: str) -> str:
    """What users see a segmentation called: "malc, malc-1mm", "mylab, manual"."""
    words = {"model": "model", "manual": "manual", "import": "imported"}
    maker = model if model and source in ("model", "preview") else words.get(source, source)
    return f"{atlas_title(protocol)}, {maker}"


def atlas_title(protocol: str) -> str:
    """A protocol's name for people, of a label table its file's."""
    if not protocol:
        return "atlas not known"
    stem = Path(protocol).name.removesuffix(".tsv").removesuffix(".txt")
    return (names.segmentation(stem) or stem.removesuffix("_dseg")) if "." in protocol else protocol
