"""Writing a comparison to files, in the background. No Qt."""

from __future__ import annotations

from pathlib import Path

from monet_app.compare.model import CompareModel
from monet_app.compare.over_study import OverStudy
from monet_app.compare.report import save_picture, save_report


class Exporting:
    """Exports what a `CompareModel` found: table (tsv), picture (png) or report (pdf)."""

    def __init__(self, model: CompareModel, over_study: OverStudy) -> None:
        self.model, self.over_study = model, over_study
        self.session = model.session

    def proposed(self, suffix: str) -> Path:
        """A file in the study's folder, named after the scan."""
        study, current = self.session.study, self.session.current
        folder = study.folder if study is not None else Path.home()
        return folder / f"{current.name if current else 'comparison'}_comparison.{suffix}"

    def export(self, path: Path, suffix: str = "") -> None:
        """Write `path`; its suffix (or `suffix`) says what."""
        result, scan, current = self.model.result, self.session.scan, self.session.current
        if result is None or scan is None or current is None:
            return
        kind = suffix or path.suffix.lower().removeprefix(".")
        path = path if path.suffix else path.with_suffix(f".{kind}")
        at = self.session.stage.cursor if self.session.stage is not None else None
        calls = {
            "tsv": lambda: result.comparison.to_tsv(path),
            "png": lambda: save_picture(result, scan, path, at),
            "pdf": lambda: save_report(
                result, scan, current.name, path, at, self.over_study.figure
            ),
        }
        self.session.run(
            calls[kind], doing="Exporting the comparison",
            done=lambda _: self.session.notify("info", f"The comparison is in {path}."),
        )  # fmt: skip

    def export_study(self, path: Path) -> None:
        """Write the study's table (tsv), or its box plots (png) by the suffix."""
        figure = self.over_study.figure
        if path.suffix.lower() == ".png" and figure is not None:
            self.session.run(_copy, figure, path, doing="Exporting the box plots",
                             done=lambda _: self._told(path))  # fmt: skip
        else:
            path = path if path.suffix else path.with_suffix(".tsv")
            self.session.run(self.over_study.save_table, path, doing="Exporting the table",
                             done=lambda _: self._told(path))  # fmt: skip

    def _told(self, path: Path) -> None:
        self.session.notify("info", f"Saved: {path}.")


def _copy(source: Path, path: Path) -> None:
    from monet_core.files import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_bytes(source.read_bytes())
