"""What the tests of bad inputs share: a tiny model, scans that go wrong, and `monet` as it is."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from phantoms import brain_phantom, save

from monet_core.cli.main import run
from monet_core.models import DecoderEntry, Manifest, Model, save_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.preprocessing import PreprocessingSettings
from monet_core.protocols import load_protocol

# 3 mm, so that a whole head's field of view has few voxels.
IMAGE, LABELS, AFFINE = brain_phantom((38, 43, 38), 3.0, seed=1)
FULL = {10: 60, 49: 59, 12: 58, 51: 57, 16: 35}  # FIRST's index -> MALC's


@dataclass(frozen=True)
class Told:
    """How a command ended: exit status, and what it said on both streams."""

    status: int
    out: str
    err: str

    def line(self, *words: str) -> str:
        """The one line of standard error with all `words`; fails where it is not exactly one."""
        assert "Traceback" not in self.err + self.out, self.err
        found = [line for line in self.err.splitlines() if all(word in line for word in words)]
        assert len(found) == 1, f"{words} in {len(found)} lines of:\n{self.err}"
        return found[0]


class Bed:
    """A folder to work in, and the commands to try there."""

    def __init__(
        self,
        folder: Path,
        model: Path,
        patch: pytest.MonkeyPatch,
        read: Callable[[], tuple[str, str]],
    ) -> None:
        self.folder, self.model, self.patch, self._read = folder, model, patch, read
        self.out = folder / "out"

    def monet(self, *words: object) -> Told:
        """Run the program with these words, in this process."""
        with pytest.raises(SystemExit) as left:
            run([str(word) for word in words])
        status = left.value.code
        assert isinstance(status, int)
        return Told(status, *self._read())

    def segment(self, scan: Path, *words: object) -> Told:
        """`monet segment` with the tiny model into `out`."""
        model = [] if "--model" in words else ["--model", self.model]
        return self.monet("segment", scan, *model, "--out", self.out, *words)

    def refused(
        self, scan: Path, code: str, *words: str, verdict: str = "refused", named: str = ""
    ) -> None:
        """Segmenting `scan` ends with status 1, one line that names file, problem and remedy, the
        same verdict on record, and nothing else written. `named` is the file where it is not the
        scan."""
        told = self.segment(scan)
        assert told.status == 1, told
        told.line(f"{named or scan.name}: ", *words)
        assert "0 of 1 scans segmented" in told.out
        (outcome,) = outcomes(self.out)
        assert outcome["outcome"] == "failed"
        (note,) = outcome["notes"]
        assert (note["verdict"], note["code"]) == (verdict, code)
        assert {path.name for path in self.out.iterdir()} == {"outcomes.jsonl"}

    def asked(self, scan: Path, code: str, option: str, *words: str) -> None:
        """Segmenting `scan` is refused with a question, and `option` is the answer."""
        name = option.split()[0]
        self.refused(scan, code, name, *words, verdict="ask")
        (self.out / "outcomes.jsonl").unlink()
        answered = self.segment(scan, *option.split())
        assert answered.status == 0, answered.err

    def accepted(self, scan: Path, code: str = "", verdict: str = "fixed", *words: str) -> dict:
        """`scan` is segmented on its own grid; with `code`, that note is told once and on record.

        Returns the record beside the label map.
        """
        told = self.segment(scan)
        assert told.status == 0, told.err
        (labels,) = self.out.glob("*_dseg.nii.gz")
        record = json.loads(labels.with_name(labels.name.replace(".nii.gz", ".json")).read_text())
        (outcome,) = outcomes(self.out)
        assert outcome["notes"] == record["Notes"]
        found = [note for note in record["Notes"] if note["code"] == code]
        assert [note["verdict"] for note in found] == ([verdict] if code else [])
        for note in found:
            assert all(word in note["message"] for word in words), note
            assert note["file"] == scan.name
            told.line(str(scan.parent), note["message"].replace(scan.name, ""))
        return record

    def check(self, *words: object, status: int = 0) -> list[dict[str, str]]:
        """`monet check` of the folder `data`; the rows of its table, all of them also printed."""
        table = self.folder / "check.tsv"
        told = self.monet(
            "check", self.folder / "data", "--protocol", "first", "--out", table, *words
        )
        assert told.status == status, told
        with table.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        assert all(row["message"].rstrip(".") in told.out for row in rows)
        return rows

    def scan(self, name: str = "sub-1_T1w.nii.gz", data: object = None, **kwargs: object) -> Path:
        """A phantom's scan in `folder`, with other `data` or `affine` where given."""
        image = IMAGE if data is None else np.asarray(data)
        return save(self.folder / name, image, kwargs.get("affine", AFFINE))  # type: ignore[arg-type]

    def raw(self, name: str, content: bytes) -> Path:
        """A file with just these bytes."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def subjects(self, number: int, *, split: str = "train", full: bool = False) -> Path:
        """Phantoms of different people below `data`, one for validation; returns `data`."""
        for seed in range(number):
            self.subject(f"sub-{seed}", split, seed, full=full)
        self.subject("sub-val", "validation", 90, full=full)
        return self.folder / "data"

    def subject(
        self,
        name: str,
        split: str = "train",
        seed: int = 0,
        change: Callable[[np.ndarray], np.ndarray] = lambda labels: labels,
        full: bool = False,
    ) -> Path:
        """One phantom with labels changed by `change`; returns the label file."""
        image, labels, affine = brain_phantom(IMAGE.shape, 3.0, seed=seed)  # type: ignore[arg-type]
        if full:
            labels = np.vectorize(lambda v: FULL.get(v, 0))(labels).astype(np.int16)
        place = self.folder / "data" / split
        save(place / f"{name}_T1w.nii.gz", image, affine)
        return save(place / f"{name}_dseg.nii.gz", change(labels), affine)

    def pretrain(self, *words: object, out: str = "run", data: Path | None = None) -> Told:
        """Two epochs of stage 1 on `data`, as small as can be."""
        small = "--epochs 2 --patch 24 --workers 0 --spacing 3 --width 4 --levels 2 --device cpu"
        small += " --missing-regions absent --set preprocessing.register=false"
        source = data or self.folder / "data"
        places = ["--out", self.folder / out, "--cache", self.folder / "cache"]
        return self.monet("pretrain", source, *places, *small.split(), *words)


def outcomes(out: Path) -> list[dict]:
    """The record of all segmentations into a folder."""
    return [json.loads(line) for line in (out / "outcomes.jsonl").read_text().splitlines()]


def forms(
    path: Path, qform: np.ndarray, q_code: int, sform: np.ndarray, s_code: int, **fields: object
) -> Path:
    """The phantom with two orientations of one's choice."""
    image = nib.Nifti1Image(IMAGE, None)
    image.header.set_qform(qform, q_code, strip_shears=True)
    image.header.set_sform(sform, s_code)
    for name, value in fields.items():
        image.header[name][1:4] = value
    image.to_filename(path)
    return path


def tiny_model(folder: Path) -> Path:
    """A model with random weights and FIRST's regions."""
    torch.manual_seed(0)
    network, first = NetworkSettings(width=4, levels=2), load_protocol("first")
    manifest = Manifest(
        name="tiny",
        network=network,
        decoders=[DecoderEntry(name="partial", protocol=first.as_dict())],
        preprocessing=PreprocessingSettings(register=False, spacing_mm=3).model_dump(mode="json"),
        patch=64,
    )
    return save_model(folder, Model(manifest, MONet(network, {"partial": first.n_classes})))


def files_below(folder: Path) -> Iterator[str]:
    """Names of all files below a folder."""
    return (path.name for path in folder.rglob("*") if path.is_file())
