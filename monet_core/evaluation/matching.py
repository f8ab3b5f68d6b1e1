"""Finding which segmentation belongs to which truth, by the names of the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from monet_core.errors import DatasetError, Note, Verdict

SUFFIXES = (".nii.gz", ".nii", ".mgz", ".mgh")
_SUBJECT = re.compile(r"^sub-[^_]+")
# What a label map's name says about how it was made, not about whose it is.
_MADE = re.compile(r"_(?:seg|desc|space|res|den|label|atlas)-[^_]*|_(?:dseg|seg|labels?)(?=_|$)")
_SEG = re.compile(r"_seg-([^_]+)")


@dataclass(frozen=True)
class Pair:
    """The prediction and the truth of one scan."""

    name: str
    pred: Path
    truth: Path


def scan_name(path: Path) -> str:
    """Whose label map a file is: its name without suffix, `_dseg`, `_seg-...`, `_desc-...`."""
    return _MADE.sub("", _stem(path)) or _stem(path)


def match_files(pred: Path, truth: Path, protocol_name: str) -> tuple[list[Pair], list[Note]]:
    """Pair the label maps of two folders (or two files, which always belong together).

    Names must be equal as `scan_name` gives them; failing that, subjects (`sub-XXX`) that have
    one label map on either side. Of several label maps of one scan the one of the protocol
    (`_seg-<protocol>_`) is taken, then one without `_seg-` or `_desc-`. Files without a partner
    are told in the notes. Raises DatasetError where nothing matches or a place does not exist.
    """
    for place in (pred, truth):
        if not place.exists():
            raise DatasetError(
                "not-found", "no such file or folder", remedy="Check the path.", file=place
            )
    if pred.is_file() and truth.is_file():
        return [Pair(scan_name(pred), pred, truth)], []
    notes: list[Note] = []
    found_pred = _by_name(pred, protocol_name, notes)
    found_truth = _by_name(truth, protocol_name, notes)
    pairs = _pairs(found_pred, found_truth)
    used = {pair.pred for pair in pairs} | {pair.truth for pair in pairs}
    notes += [_alone(file, "truth") for file in found_pred.values() if file not in used]
    notes += [_alone(file, "segmentation") for file in found_truth.values() if file not in used]
    if not pairs:
        raise _nothing_matched(pred, truth, found_pred, found_truth)
    return pairs, notes


def label_files(place: Path) -> list[Path]:
    """Label maps under a folder, sorted: those with `_dseg` in the name or, if none, all volumes.

    Hidden files (half-written ones among them) and T1 scans are not taken.
    """
    if place.is_file():
        return [place]
    volumes = [
        file
        for file in sorted(place.rglob("*"))
        if file.name.lower().endswith(SUFFIXES) and not file.name.startswith(".")
    ]
    named = [file for file in volumes if re.search(r"_dseg$", _stem(file))]
    return named or [file for file in volumes if not re.search(r"_T[12]w$", _stem(file))]


def _stem(path: Path) -> str:
    lower = path.name.lower()
    suffix = next((s for s in SUFFIXES if lower.endswith(s)), path.suffix)
    return path.name[: len(path.name) - len(suffix)]


def _by_name(place: Path, protocol_name: str, notes: list[Note]) -> dict[str, Path]:
    """The one label map to use of every scan under `place`."""
    several: dict[str, list[Path]] = {}
    for file in label_files(place):
        several.setdefault(scan_name(file), []).append(file)
    chosen = {}
    for name, files in several.items():
        ranks = [_rank(file, protocol_name) for file in files]
        best = [f for f, rank in zip(files, ranks, strict=True) if rank == min(ranks)]
        if len(best) == 1:
            chosen[name] = best[0]
        else:
            notes.append(_ambiguous(name, best))
    return chosen


def _rank(file: Path, protocol_name: str) -> int:
    """How well a label map's name fits the protocol; the smallest is taken."""
    stem = _stem(file)
    seg = _SEG.search(stem)
    if seg:
        return 0 if seg.group(1) == protocol_name else 3
    return 2 if "_desc-" in stem else 1


def _pairs(preds: dict[str, Path], truths: dict[str, Path]) -> list[Pair]:
    pairs = [Pair(name, preds[name], truths[name]) for name in preds if name in truths]
    rest_pred = _single_subjects({n: f for n, f in preds.items() if n not in truths})
    rest_truth = _single_subjects({n: f for n, f in truths.items() if n not in preds})
    pairs += [Pair(s, rest_pred[s], rest_truth[s]) for s in rest_pred if s in rest_truth]
    return sorted(pairs, key=lambda pair: pair.name)


def _single_subjects(files: dict[str, Path]) -> dict[str, Path]:
    """By `sub-XXX`, those subjects that have one file only."""
    several: dict[str, list[Path]] = {}
    for name, file in files.items():
        subject = _SUBJECT.match(name)
        if subject:
            several.setdefault(subject.group(), []).append(file)
    return {subject: found[0] for subject, found in several.items() if len(found) == 1}


def _alone(file: Path, what: str) -> Note:
    text = f"there is no {what} of the same name; not scored"
    return Note(Verdict.WARNING, "no-partner", text, str(file))


def _ambiguous(name: str, files: list[Path]) -> Note:
    names = ", ".join(str(file.name) for file in files)
    text = f"{name} has several label maps ({names}); not scored. Keep one of them"
    return Note(Verdict.WARNING, "several-label-maps", text, str(files[0]))


def _nothing_matched(
    pred: Path, truth: Path, preds: dict[str, Path], truths: dict[str, Path]
) -> DatasetError:
    def some(names: dict[str, Path]) -> str:
        return f"{len(names)} ({', '.join(list(names)[:3]) or 'none'})"

    return DatasetError(
        "nothing-matched",
        f"no label map has a partner in {truth}: {some(preds)} here, {some(truths)} there",
        remedy="Files are matched by name: sub-X_..._dseg.nii.gz on both sides.",
        file=pred,
    )
