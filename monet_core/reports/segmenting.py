"""A segmentation's record in a paper's words."""

from __future__ import annotations

from monet_core.reports.wording import (
    Record,
    atlas_words,
    listed,
    preparing_words,
    program,
    regions_of,
    software_sentence,
    training_data,
)

_DIGITS = 12


def segmenting_sentences(record: Record, manifest: Record | None) -> list[str]:
    """Sentences with {key} for references: what found the regions, how, with which software."""
    versions = record.get("Versions", {})
    sentences = [_by_what(record, manifest, versions), _model(record, manifest)]
    sentences += [_prepared(record), _predicted(record), software_sentence(versions)]
    return [sentence for sentence in sentences if sentence]


def _by_what(record: Record, manifest: Record | None, versions: Record) -> str:
    atlas = record["Atlas"]
    count = regions_of(atlas, record.get("AtlasFingerprint", ""), manifest)
    return (
        f"T1-weighted scans were segmented automatically into {atlas_words(atlas, count)} with "
        f"{program(versions)}, an implementation of MO-Net ({{monet}}): a 3D U-Net ({{unet}}) with "
        f"one encoder and a decoder per label protocol."
    )


def _model(record: Record, manifest: Record | None) -> str:
    model = record["Model"]
    told = f"The model was {model['Name']} (decoder {model['Decoder']}"
    if model.get("WeightsSha256"):
        told += f", SHA-256 of the weights {model['WeightsSha256'][:_DIGITS]}"
    # The licence is in the record itself, so that the data are cited without the manifest too.
    data = training_data({"licence": model.get("Licence", ""), **(manifest or {})})
    return f"{told}), trained on {data}." if data else f"{told})."


def _prepared(record: Record) -> str:
    made = record.get("Preprocessing", {})
    codes = {note.get("code") for note in record.get("Notes", ())}
    stripped = (
        "Whole heads were skull-stripped by the program's own network, which was trained on "
        "synthetic heads (after {synthstrip}). "
        if "head-stripped" in codes
        else ""
    )
    registered = bool(made.get("registration", {}).get("good"))
    return f"{stripped}Scans were {preparing_words(made.get('settings', {}), registered)}."


def _predicted(record: Record) -> str:
    settings, how = record.get("Settings", {}), record.get("Computation", {})
    side = how.get("patch_voxels") or settings.get("patch")
    tiles = f"patches of {side}³ voxels" if side else "patches"
    parts = [f"predictions of {tiles} that overlap by {settings.get('overlap', 0):.0%}"]
    if settings.get("mirror"):
        parts.append("of the scan and its mirror image")
    bits = {"bf16": " in bfloat16 arithmetic", "32": ""}.get(how.get("precision", "32"), "")
    return (
        f"{listed(parts).capitalize()} were averaged{bits}; labels were assigned at the voxels of "
        "each scan's own grid."
    )
