"""The segmentations of the scan on the stage: shown or not, where from, when."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from monet_app.icons import icon
from monet_app.scans.rows import source_words
from monet_app.session import Session, key_of
from monet_app.widgets import button, label
from monet_app.words import when
from monet_core.workspace import ScanEntry, SegmentationEntry


class Segmentations(QWidget):
    """A row per segmentation with an eye, what it is, and a button that takes it off the list."""

    def __init__(self, session: Session, choose_atlas: Callable[[SegmentationEntry], None]) -> None:
        super().__init__()
        self.session = session
        self.rows: dict[int, SegmentationRow] = {}
        self._choose_atlas = choose_atlas
        self._entries: list[SegmentationEntry] = []
        self._head = label("", "hint")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self._head)
        session.current_changed.connect(self._current_changed)
        session.segmentations_changed.connect(self.reload)
        session.shown_changed.connect(self._shown_changed)
        self.reload()

    def reload(self) -> None:
        """List the segmentations of the scan on the stage anew."""
        session, current = self.session, self.session.current
        if session.study is None or current is None:
            self._fill([])
            return
        session.run(
            session.study.segmentations, current.id, doing="Listing segmentations",
            done=lambda found: self._found(current, found), key="segmentations of the scan",
        )  # fmt: skip

    def _current_changed(self, _: ScanEntry | None) -> None:
        self.reload()

    def _found(self, scan: ScanEntry, found: list[SegmentationEntry]) -> None:
        current = self.session.current
        if current is not None and current.id == scan.id:
            self._fill(found)

    def _fill(self, entries: list[SegmentationEntry]) -> None:
        self._entries = entries
        for made in self.rows.values():
            self._layout.removeWidget(made)
            made.deleteLater()
        self.rows = {entry.id: SegmentationRow(entry, self) for entry in reversed(entries)}
        for made in self.rows.values():
            self._layout.addWidget(made)
        current = self.session.current
        if current is None:
            self._head.setText("")
        elif not entries:
            self._head.setText(
                f"{current.name} has no segmentation yet. Segment it, or add labels."
            )
        else:
            self._head.setText(f"Segmentations of {current.name}")
        self._shown_changed()

    def _shown_changed(self) -> None:
        for entry in self._entries:
            shown = self.session.shown.get(key_of(entry))
            if entry.id in self.rows:
                self.rows[entry.id].show_state(shown is not None and shown.visible)

    def toggle(self, entry: SegmentationEntry, visible: bool) -> None:
        """Show a segmentation on the stage, or not."""
        key = key_of(entry)
        if not entry.protocol:
            self._choose_atlas(entry)
        elif key in self.session.shown:
            self.session.set_visible(key, visible)
        elif visible:
            self.session.show(entry)
        self._shown_changed()  # the eye says what is, not what was clicked

    def choose_atlas(self, entry: SegmentationEntry) -> None:
        """Ask which atlas a segmentation is of."""
        self._choose_atlas(entry)

    def remove(self, entry: SegmentationEntry) -> None:
        """Take a segmentation out of the study; its file stays."""
        session = self.session
        if session.study is None:
            return

        def done(_: None) -> None:
            session.hide(key_of(entry))
            session.segmentations_changed.emit()
            session.notify(
                "info", f"{entry.name} is off the list.", f"Its file stays: {entry.path}"
            )

        session.run(session.study.remove_segmentation, entry.id, done=done, doing="Removing")


class SegmentationRow(QWidget):
    """One segmentation."""

    def __init__(self, entry: SegmentationEntry, owner: Segmentations) -> None:
        super().__init__()
        self.entry = entry
        self.eye = QToolButton()
        self.eye.setCheckable(True)
        self.eye.setAutoRaise(True)
        self.eye.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.eye.clicked.connect(lambda shown: owner.toggle(entry, shown))
        self.text = label(source_words(entry))
        self.text.setToolTip(str(entry.path))
        self.below = label(f"{entry.name} · {when(entry.created)}", "hint")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.text)
        words.addWidget(self.below)
        self.remove = QToolButton()
        self.remove.setIcon(icon("mdi6.close"))
        self.remove.setAutoRaise(True)
        self.remove.setToolTip("Take it off the list; its file stays where it is")
        self.remove.setAccessibleName(f"Take {entry.name} off the list")
        self.remove.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.remove.clicked.connect(lambda: owner.remove(entry))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self.eye)
        layout.addLayout(words, 1)
        self.atlas = button("Choose atlas…", lambda: owner.choose_atlas(entry))
        self.atlas.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.atlas.setVisible(not entry.protocol)
        layout.addWidget(self.atlas)
        layout.addWidget(self.remove)
        self.show_state(False)

    def show_state(self, visible: bool) -> None:
        """Whether it is seen on the stage."""
        self.eye.setChecked(visible)
        name, role = ("mdi6.eye-outline", "text") if visible else ("mdi6.eye-off-outline", "faint")
        self.eye.setIcon(icon(name, role))
        self.eye.setToolTip("Hide it on the stage" if visible else "Show it on the stage")
        self.eye.setAccessibleName(f"{self.entry.name} on the stage")
