"""A paragraph for a paper's methods section, from the record of a segmentation or a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monet_core.errors import MonetError
from monet_core.reports.commands import segment_command, train_command
from monet_core.reports.references import reference_list, with_references
from monet_core.reports.segmenting import segmenting_sentences
from monet_core.reports.training import training_sentences

Record = Mapping[str, Any]


def methods_paragraph(record: Record, manifest: Record | None = None) -> str:
    """What was done, in a paper's words, with the list of references below.

    `record` is the JSON beside a label map, the config.json of a run, or a model's manifest
    (as JSON data); `manifest`, of the model that was used or made, adds what it was trained on.
    Only what these state is said. Raises MonetError where `record` is none of them.
    """
    kind = kind_of(record)
    if kind == "segmentation":
        sentences = segmenting_sentences(record, manifest)
    elif kind == "run":
        sentences = training_sentences(record["settings"], record, manifest)
    else:
        sentences = training_sentences(record["training"].get("settings", {}), {}, record)
    text, keys = with_references(" ".join(sentences))
    return "\n".join([text, "", "References", *reference_list(keys)])


def command_line(record: Record, **places: Any) -> str:
    """The `monet` command that does the same again, quoted for a shell.

    `record` is the JSON beside a label map or the config.json of a run; `places` as
    `segment_command` and `train_command` take them: records do not hold the user's folders.
    Raises MonetError for anything else.
    """
    kind = kind_of(record)
    if kind == "segmentation":
        return segment_command(record, **places)
    if kind == "run":
        return train_command(record, **places)
    problem = "a model alone does not say on which data it was trained"
    raise MonetError("no-command", problem, remedy="Give the config.json of its run.")


def kind_of(record: Record) -> str:
    """ "segmentation", "run" or "model"; MonetError for other data."""
    if isinstance(record.get("Model"), Mapping) and "GeneratedBy" in record:
        return "segmentation"
    if isinstance(record.get("settings"), Mapping) and "stage" in record["settings"]:
        return "run"
    if "decoders" in record and isinstance(record.get("training"), Mapping):
        return "model"
    problem = "this is no record of a segmentation or a training"
    remedy = "Give the .json beside a label map, a run's config.json or a model's manifest."
    raise MonetError("no-record", problem, remedy=remedy)
