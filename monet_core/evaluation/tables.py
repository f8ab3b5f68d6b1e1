"""Tables as every lab program reads them: TSV, UTF-8, "n/a" for missing, a point in decimals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from monet_core.files import atomic_path


def write_tsv(table: pd.DataFrame, path: Path, digits: int = 6) -> None:
    """Write `table` atomically, floats with `digits` significant digits, infinity as "inf".

    Raises OutputError where `path` cannot be written.
    """
    with atomic_path(path) as temporary:
        table.to_csv(
            temporary,
            sep="\t",
            index=False,
            na_rep="n/a",
            float_format=f"%.{digits}g",
            encoding="utf-8",
            lineterminator="\n",
        )


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table of `write_tsv`; scan names stay text even where they look like numbers."""
    return pd.read_csv(
        path, sep="\t", na_values=["n/a"], keep_default_na=False, dtype={"scan": str}
    )
