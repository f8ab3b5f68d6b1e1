"""Reading delimited text tables from anywhere: encodings, delimiters, line numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from monet_core.errors import Note, ProtocolError, Verdict

MAX_BYTES = 20_000_000
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_MISSING = {"", "n/a", "nan", "none"}  # not "na": somebody's nucleus accumbens


@dataclass(frozen=True)
class Row:
    """One line of a table: its number in the file (from 1) and its cells by lower-case header."""

    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        """The cell, "" where the column is missing or says n/a."""
        text = self.cells.get(column, "").strip()
        return "" if text.lower() in _MISSING else text


@dataclass
class Table:
    """Rows, headers and what had to be fixed while reading."""

    file: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def fixed(self, code: str, message: str) -> None:
        """Record one thing that was fixed."""
        self.notes.append(Note(Verdict.FIXED, code, message, self.file))


def read_bytes(path: Path) -> bytes:
    """The bytes of a small text file; ProtocolError where it is missing, a folder or huge."""
    remedy = "Give the path of a label table (BIDS dseg TSV or FreeSurfer LUT)."
    try:
        if path.stat().st_size > MAX_BYTES:
            problem = f"the file is larger than {MAX_BYTES // 1_000_000} MB, so no label table"
            raise ProtocolError("not-a-table", problem, remedy=remedy, file=path)
        return path.read_bytes()
    except OSError as error:
        problem = f"the label table cannot be read ({error.strerror or error})"
        raise ProtocolError("table-unreadable", problem, remedy=remedy, file=path) from error


def decode_text(data: bytes, file: str) -> tuple[str, list[Note]]:
    """The text of `data`: UTF-8, UTF-16 with a mark, else Windows' Latin-1, which is noted."""
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        if encoding != "utf-16" and b"\0" in data:
            raise ProtocolError(
                "not-a-table", "this is a binary file, not a label table", file=file
            )
        return data.decode(encoding), []
    except UnicodeDecodeError:
        message = "the table is not UTF-8; it was read as Latin-1 (Windows-1252), check the names"
        note = Note(Verdict.FIXED, "table-encoding", message, file)
        try:
            return data.decode("cp1252"), [note]
        except UnicodeDecodeError:
            return data.decode("latin-1"), [note]


def parse_table(data: bytes, file: str) -> Table:
    """Rows of a table with a header; tabs, or semicolons or commas where the header has those.

    Raises ProtocolError where a row has more cells than the header.
    """
    text, notes = decode_text(data, file)
    table = Table(file, notes=notes)
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((mark for mark in "\t;," if mark in header), "\t")
    if delimiter != "\t":
        table.fixed("table-delimiter", f"the columns are separated by {delimiter!r}, not by tabs")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            _add_row(table, cells, reader.line_num)
    except csv.Error as error:
        problem = f"line {reader.line_num} cannot be read ({error})"
        raise ProtocolError("bad-row", problem, file=file) from error
    return table


def _add_row(table: Table, cells: list[str], line: int) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if not table.columns:
        table.columns = [cell.strip().lower() for cell in cells]
        return
    if any(cell.strip() for cell in cells[len(table.columns) :]):
        problem = f"line {line} has {len(cells)} cells, the header has {len(table.columns)}"
        remedy = "Mend that line, or put quotes around cells that hold the separator."
        raise ProtocolError("bad-row", problem, remedy=remedy, file=table.file)
    table.rows.append(Row(line, dict(zip(table.columns, cells, strict=False))))
