"""The integrity check: its findings by gravity, with buttons where the user must decide."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from monet_app.fold import Fold
from monet_app.train.checking import CHOICES, WORDS, FindingLine
from monet_app.train.model import TrainModel
from monet_app.widgets import button, card, column, label, row

LOOK_MS = 300
MOST = 30
_KINDS = {"ask": "warning", "refused": "error", "warning": "warning", "fixed": "hint"}


class CheckView(QWidget):
    """A button, what it does, and what it found."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self._model = model
        self._drawn: object = None
        self.check = button("Check the data", model.check, "Reads every scan and label map",
                            "mdi6.clipboard-search-outline")  # fmt: skip
        self.stop = button("Stop", model.checking.cancel, "Give up the check")
        self._line = label("", "hint")
        self._questions = QVBoxLayout()
        self._findings = column(gap=4)
        self.fold = Fold("Findings", self._findings)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row(self.check, self.stop, None))
        layout.addWidget(self._line)
        layout.addLayout(self._questions)
        layout.addWidget(self.fold)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._show_line)
        model.checking.changed.connect(self.refresh)
        model.changed.connect(self.refresh)
        self.refresh()
        self._draw()

    def refresh(self) -> None:
        """Show the check as it stands."""
        checking = self._model.checking
        self.check.setEnabled(self._model.data is not None and not checking.running)
        self.stop.setVisible(checking.running)
        if checking.running:
            self._timer.start()
        else:
            self._timer.stop()
        self._show_line()
        if checking.result is not self._drawn:
            self._drawn = checking.result
            self._draw()

    def _show_line(self) -> None:
        checking = self._model.checking
        text, kind = "", "hint"
        if checking.running:
            text = f"Checking: {checking.doing}"
        elif checking.problem:
            text, kind = checking.problem, "error"
        elif checking.result is not None:
            text = checking.result.summary
            kind = "good" if checking.result.ok else "warning"
        self._line.setText(text)
        self._line.setVisible(bool(text))
        if self._line.objectName() != kind:
            self._line.setObjectName(kind)
            self._line.style().polish(self._line)

    def _draw(self) -> None:
        result = self._model.checking.result
        _empty(self._questions)
        layout = self._findings.layout()
        assert layout is not None
        _empty(layout)
        questions = result.questions if result else ()
        lines = [line for line in result.lines if line not in questions] if result else []
        for line in questions:
            self._questions.addWidget(self._question(line))
        for line in lines[:MOST]:
            layout.addWidget(label(_text(line), _KINDS.get(line.verdict, "hint")))
        if len(lines) > MOST:
            layout.addWidget(label(f"and {len(lines) - MOST} more; all are in the run's check.tsv"))
        self.fold.set_text(f"{len(lines)} findings" if len(lines) != 1 else "1 finding")
        self.fold.setVisible(bool(lines))

    def _question(self, line: FindingLine) -> QWidget:
        who = f"{line.who}: " if line.who else ""
        answers = [self._answer(line, choice) for choice in line.choices or ("yes",)]
        return card(label(f"{who}{line.text}", "warning"), column(*answers, gap=4))

    def _answer(self, line: FindingLine, choice: str) -> QWidget:
        text, tip = CHOICES.get(choice, (choice.capitalize(), line.option))
        return button(text, lambda: self._model.decide(line, choice), tip)


def _text(line: FindingLine) -> str:
    who = f"{line.who}: " if line.who else ""
    return f"{WORDS.get(line.verdict, line.verdict)} · {who}{line.text}"


def _empty(layout: object) -> None:
    while layout.count():  # type: ignore[attr-defined]
        item = layout.takeAt(0)  # type: ignore[attr-defined]
        if item.widget() is not None:
            item.widget().hide()
            item.widget().deleteLater()
