"""Parts of sentences that segmentations and trainings share; {key} stands for a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monet_core.errors import ProtocolError
from monet_core.protocols import Protocol, is_shipped, load_protocol

Record = Mapping[str, Any]

_ATLASES = {
    "malc": "the MICCAI 2012 Multi-Atlas Labeling Challenge protocol ({malc})",
    "first": "the sub-cortical protocol of FSL FIRST ({first})",
    "hammers67": "the Hammers atlas ({hammers})",
    "hammers83": "the Hammers atlas ({hammers})",
    "quicknat27": "the protocol of QuickNAT ({quicknat})",
    "freesurfer": "the protocol of FreeSurfer ({freesurfer})",
}
_PROGRAMS = (
    ("torch", "PyTorch"),
    ("nibabel", "nibabel"),
    ("SimpleITK", "SimpleITK"),
    ("numpy", "NumPy"),
)
_MALC_TERMS = "Multi-Atlas Labeling"


def atlas_words(name: str, regions: int | None) -> str:
    """ "the 138 regions of the MICCAI 2012 ... protocol"."""
    called = _ATLASES.get(name, f"the atlas {name}")
    return f"the {regions} regions of {called}" if regions else f"the regions of {called}"


def regions_of(name: str, fingerprint: str = "", manifest: Record | None = None) -> int | None:
    """How many regions a protocol has: by the manifest, else of a shipped one; None: not known."""
    for entry in (manifest or {}).get("decoders", ()):
        if entry["protocol"].get("name") == name:
            return len(entry["protocol"]["regions"])
    if not is_shipped(name):
        return None
    protocol = load_protocol(name)
    return len(protocol.regions) if fingerprint in ("", protocol.fingerprint) else None


def protocol_title(name_or_path: str) -> tuple[str, int | None]:
    """Name and number of regions of what settings call a protocol."""
    try:
        protocol: Protocol = load_protocol(name_or_path)
    except ProtocolError:  # a table that has moved since
        return name_or_path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".tsv"), None
    return protocol.name, len(protocol.regions)


def training_data(manifest: Record | None) -> str:
    """ "15 annotated scans of ... and 11 scans labelled by ...", as far as the manifest says."""
    training = (manifest or {}).get("training", {})
    scans = training.get("scans") or ()
    taught = len(training.get("pseudo_labelled") or ())
    count = f"{len(scans)} annotated scan{'s' * (len(scans) != 1)}" if scans else ""
    if _MALC_TERMS in (manifest or {}).get("licence", ""):
        source = "the MICCAI 2012 Multi-Atlas Labeling Challenge ({malc}; MRI: OASIS, {oasis})"
        count = f"{count or 'scans'} of {source}"
    if taught:
        count += f" and {taught} scan{'s' * (taught != 1)} labelled by an earlier model"
    return count


def preparing_words(settings: Record, registered: bool = True) -> str:
    """What was done to a scan before the network saw it."""
    steps = ["corrected for the bias field by N4 ({n4})"] if settings.get("n4") else []
    if settings.get("register") and registered:
        steps.append("rigidly registered to MNI152 space ({mni})" + _unturned(settings))
    spacing = settings.get("spacing_mm")
    steps.append(f"resampled to {spacing:g} mm isotropic voxels" if spacing else "resampled")
    steps.append("normalised to zero mean and unit standard deviation over the brain")
    return listed(steps)


def _unturned(settings: Record) -> str:
    limit = settings.get("turn_from_deg")
    return f", without a turn where it was below {limit:g}°" if limit else ""


def software_sentence(versions: Record) -> str:
    """The libraries that a result depends on, with versions; "" where none are recorded."""
    named = [
        f"{title} {versions[key]} ({{{key}}})" for key, title in _PROGRAMS if versions.get(key)
    ]
    python = versions.get("python")
    named = [f"Python {python}", *named] if python else named
    return f"The software used {listed(named)}." if named else ""


def program(versions: Record) -> str:
    """ "MO-Net Studio 0.1.0"."""
    return f"MO-Net Studio {versions.get('monet-studio', '')}".strip()


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
