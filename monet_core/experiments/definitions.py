"""The paper's experiments as data: atlases, tables, methods, and the figures it printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from monet_core.errors import MonetError
from monet_core.evaluation import Summary, read_tsv

PARTIAL_PROTOCOL = "first"
PRETRAINING = "pretrain"


@dataclass(frozen=True)
class Method:
    """One way to train: from scratch or from stage 1, with one decoder or two."""

    key: str
    name: str
    pretrained: bool
    decoders: tuple[str, ...]


METHODS = {
    method.key: method
    for method in (
        Method("fs", "U-Net (FS)", pretrained=False, decoders=("full",)),
        Method("ft", "U-Net (FT)", pretrained=True, decoders=("full",)),
        Method("monet", "MO-Net", pretrained=True, decoders=("full", "partial")),
    )
}


@dataclass(frozen=True)
class ResultTable:
    """One table of results: in which protocol, over which set of regions (see `region_set`).

    `paper` is the number of the paper's table that it stands beside, None where there is none.
    """

    key: str
    title: str
    protocol: str
    regions: str
    paper: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Experiment:
    """A comparison of the paper: data of one full protocol and the tables made of it.

    The first table is in `protocol`, and `boxes` are its regions for figure 3.
    """

    name: str
    title: str
    protocol: str
    tables: tuple[ResultTable, ...]
    boxes: tuple[int, ...]


MALC = Experiment(
    name="malc",
    title="MALC",
    protocol="malc",
    tables=(
        ResultTable("table1", "132 regions", "malc", "evaluated", paper=1),
        ResultTable(
            "table3",
            "QuickNAT's 25 structures",
            "quicknat27",
            "quicknat25",
            paper=3,
            note="Which 25 of QuickNAT's 27 classes the paper compared is not published; here both "
            "ventral DC are left out, and the 27 stand in a table of their own.",
        ),
        ResultTable("table3-27", "QuickNAT's 27 classes", "quicknat27", "all"),
        ResultTable("table4", "15 sub-cortical structures", PARTIAL_PROTOCOL, "all", paper=4),
    ),
    boxes=(60, 37, 58, 56, 48, 32, 30, 52),
)

HAA = Experiment(
    name="haa",
    title="HAA (Hammers)",
    protocol="hammers67",
    tables=(
        ResultTable("table2", "67 regions", "hammers67", "all", paper=2),
        ResultTable("table5", "15 sub-cortical structures", PARTIAL_PROTOCOL, "all", paper=5),
    ),
    boxes=(40, 34, 38, 42, 2, 4, 36, 46),
)

EXPERIMENTS = {experiment.name: experiment for experiment in (MALC, HAA)}


@dataclass(frozen=True)
class Tool:
    """Segmentations of another program: `folder` of NAME_dseg files in `protocol`."""

    name: str
    folder: Path
    protocol: str


_PROTOCOL_OF_TOOL = {
    "slant": "malc",
    "quicknat": "quicknat27",
    "first": "first",
    "fsl": "first",
    "freesurfer": "freesurfer",
    "fastsurfer": "freesurfer",
    "synthseg": "freesurfer",
}


def parse_tool(text: str) -> Tool:
    """The tool that NAME=FOLDER[:PROTOCOL] means; well-known programs bring their protocol.

    Raises MonetError where the text reads otherwise, the folder is missing, or the protocol of
    an unknown program is not given.
    """
    name, _, rest = text.partition("=")
    folder, protocol = (rest, "") if Path(rest).is_dir() else _parted(rest)
    known = (p for tool, p in _PROTOCOL_OF_TOOL.items() if tool in name.lower())
    protocol = protocol or next(known, "")
    if not (name.strip() and Path(name).name == name and folder and protocol):
        raise MonetError(
            "bad-argument",
            f"--tool {text!r} does not read NAME=FOLDER:PROTOCOL",
            remedy="Write for example --tool SLANT=slant-out:malc",
        )
    if not Path(folder).is_dir():
        raise MonetError(
            "not-found", "there is no such folder of segmentations",
            remedy="Check the path after --tool.", file=folder,
        )  # fmt: skip
    return Tool(name.strip(), Path(folder), protocol)


def _parted(rest: str) -> tuple[str, str]:
    folder, colon, protocol = rest.rpartition(":")
    return (folder, protocol) if colon else (protocol, "")


@cache
def _printed() -> pd.DataFrame:
    return read_tsv(Path(__file__).with_name("paper.tsv"))


def paper_figures(table: ResultTable) -> dict[str, str]:
    """The Dice that the paper prints (arXiv 1908.10851), ".785±.070", by method."""
    rows = _printed()[_printed()["table"] == table.paper]
    columns = (rows[name] for name in ("method", "dice_mean", "dice_std", "note"))
    return {str(m): _text(float(a), float(s), n) for m, a, s, n in zip(*columns, strict=True)}


def printed_name(name: str, printed: Mapping[str, str]) -> str | None:
    """What the paper calls a tool: its name, or the only one that holds it (FIRST: FSL FIRST)."""
    if name in printed:
        return name
    close = [known for known in printed if name.lower() in known.lower()]
    return close[0] if len(close) == 1 else None


def _text(mean: float, std: float, note: object) -> str:
    printed = Summary(mean, std, 2).paper()
    return f"{printed} ({note})" if isinstance(note, str) else printed
