"""Questions about a scan that only the user can answer, with pictures of what each answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QMouseEvent, QShowEvent
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from monet_app.background import Background
from monet_app.scans.planes import Drawn, contradiction, draw_choices
from monet_app.scans.planes_view import PlanesView
from monet_app.session import Question
from monet_app.threads import ThreadBackground
from monet_app.widgets import GAP, button, label
from monet_core.workspace import Question as Asked

FORMS, NONE, LABELS, SERIES = (
    "forms-contradict", "no-orientation", "labels-as-scan", "several-series",
)  # fmt: skip
DRAWN = (FORMS, NONE, LABELS)
ACCEPT = "yes"


@dataclass(frozen=True)
class _Words:
    title: str
    explanation: str
    accept: str = "Use this"
    leave: str = "Not now"


_TEXTS = {
    FORMS: _Words(
        "Which of the two orientations is right?",
        "This file holds two orientations, and they contradict each other. Choose the one in which "
        "the head lies as its letters say. Left and right look alike: if in doubt, look for "
        "something whose side you know, such as a marker or a lesion.",
    ),
    NONE: _Words(
        "Which way does the head lie?",
        "This file does not say how its voxels lie in the head. Choose the picture whose letters "
        "are right: the nose towards A (anterior), the top of the head towards S (superior). Left "
        "and right look alike, so RAS and LAS differ only in their letters: only a marker, a "
        "lesion or the file's history can tell them apart.",
    ),
    LABELS: _Words(
        "Is this a scan?",
        "If it is one after all (a synthetic one, perhaps), it can be used. A label map belongs to "
        "its scan: add it together with that one.",
        accept="Yes, use it as a scan",
        leave="No, leave it",
    ),
    SERIES: _Words("Which series?", "This folder holds several series. Choose the T1 scan."),
}
_CHOICES = {
    "sform": "sform: what most programs read first",
    "qform": "qform: often what the scanner wrote",
}
_WAYS = {"R": "right", "L": "left", "A": "front", "P": "back", "S": "top", "I": "bottom"}


def ask(question: Question, parent: QWidget) -> None:
    """Ask without blocking; the answer goes to `question.answer`. The same is asked once."""
    for other in parent.findChildren(QuestionDialog):
        if other.isVisible() and other.about == _about(question):
            other.raise_()
            return
    dialog = QuestionDialog(question, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


class QuestionDialog(QDialog):
    """The question, its answers as cards with pictures, and nothing chosen beforehand."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = _about(question)
        self.cards: dict[str, ChoiceCard] = {}
        self._question = question
        self._open = True
        error = question.error
        words = _TEXTS.get(error.code, _Words("A question only you can answer", ""))
        self.setWindowTitle("A question about a scan")
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GAP)
        layout.addWidget(label(words.title, "title"))
        layout.addWidget(label(f"<b>{question.entry.name}</b>   {question.entry.path}", "hint"))
        if words.explanation:
            layout.addWidget(label(words.explanation))
        layout.addWidget(label(f"What was found: {error.problem.rstrip('.')}.", "hint"))
        self.difference = label("", "warning")
        self.difference.setVisible(error.code == FORMS)
        layout.addWidget(self.difference)
        layout.addWidget(self._choices(error.choices or (ACCEPT,)))
        layout.addLayout(self._buttons(words))
        self.finished.connect(self._closed)
        self._draw()

    def _choices(self, choices: tuple[str, ...]) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP)
        columns = 1 if len(choices) <= 2 else 2
        pictures = self._question.error.code in DRAWN
        for place, choice in enumerate(choices):
            text = "" if choice == ACCEPT else _choice_words(choice, self._question.error.problem)
            card = ChoiceCard(text, self._radiological if pictures else None)
            card.chosen.connect(self._chosen)
            self._group.addButton(card.radio)
            self.cards[choice] = card
            grid.addWidget(card, *divmod(place, columns))
        return holder

    def _buttons(self, words: _Words) -> QHBoxLayout:
        self.leave: QPushButton = button(words.leave, self.reject, "Asked again when it is opened")
        self.accept_: QPushButton = button(words.accept, self._answer, primary=True)
        self.accept_.setEnabled(ACCEPT in self.cards)
        self.leave.setAutoDefault(False)
        self.accept_.setAutoDefault(False)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.leave)
        line.addWidget(self.accept_)
        return line

    @property
    def choice(self) -> str:
        """What is chosen; "" where nothing is yet."""
        if ACCEPT in self.cards:
            return ACCEPT
        return next((c for c, card in self.cards.items() if card.radio.isChecked()), "")

    @property
    def _radiological(self) -> bool:
        session = getattr(self.parent(), "session", None)
        return session.settings.radiological if session is not None else True

    def _background(self) -> Background:
        session = getattr(self.parent(), "session", None)
        return session.background if session is not None else ThreadBackground(self)

    def _draw(self) -> None:
        error, entry = self._question.error, self._question.entry
        if error.code not in DRAWN:
            return
        asked = Asked.of(error)
        background = self._background()
        background.run(
            draw_choices, entry, asked, tuple(self.cards), self._radiological,
            done=self._drawn, failed=self._not_drawn,
        )  # fmt: skip
        if error.code == FORMS:
            background.run(contradiction, entry, done=self._tell_difference)

    def _drawn(self, answers: list[Drawn]) -> None:
        if self._open:
            for drawn in answers:
                self.cards[drawn.choice].show_drawn(drawn)
            self._fit()

    def _not_drawn(self, error: Exception) -> None:
        self._drawn([Drawn(choice, {}, f"There is no picture: {error}") for choice in self.cards])

    def _tell_difference(self, words: str) -> None:
        if self._open and words:
            self.difference.setText(words)
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """As high as the texts need at this width."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        needed = self.layout().totalHeightForWidth(self.width())
        self.resize(self.width(), max(needed, self.layout().totalSizeHint().height()))

    def _chosen(self) -> None:
        self.accept_.setEnabled(bool(self.choice))

    def _answer(self) -> None:
        choice = self.choice
        if choice:
            self.accept()
            self._question.answer(choice)

    def _closed(self, _: int) -> None:
        self._open = False


class ChoiceCard(QFrame):
    """One answer; a click anywhere on it chooses it. Without pictures where None is radiological.

    Without `text` there is nothing to choose from: the card is a picture.
    """

    chosen = Signal()

    def __init__(self, text: str, radiological: bool | None) -> None:
        super().__init__()
        self.setObjectName("card")
        self.radio = QRadioButton(text)
        self.radio.setVisible(bool(text))
        self.radio.toggled.connect(lambda _: self.chosen.emit())
        self.says = label("", "hint")
        self.says.setVisible(radiological is not None)
        self.planes = None if radiological is None else PlanesView(radiological)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        layout.addWidget(self.radio)
        if self.planes is not None:
            layout.addWidget(self.planes)
        layout.addWidget(self.says)

    def show_drawn(self, drawn: Drawn) -> None:
        """Show the pictures of the answer, or why it cannot be taken."""
        if self.planes is not None:
            self.planes.show_pictures(drawn.pictures, "No picture")
        if drawn.problem:
            self.radio.setEnabled(False)
            self.says.setObjectName("error")
            self.says.style().polish(self.says)
        self.says.setText(drawn.problem or drawn.says)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose this answer."""
        if self.radio.isEnabled() and self.radio.text():
            self.radio.setChecked(True)
            self.radio.setFocus()
        super().mousePressEvent(event)


def _about(question: Question) -> tuple[int, str, str]:
    return question.entry.id, str(question.entry.path), question.error.code


def _choice_words(choice: str, problem: str) -> str:
    if choice in _CHOICES:
        return _CHOICES[choice]
    if len(choice) == 3 and set(choice) <= set(_WAYS):
        ways = ", ".join(_WAYS[letter] for letter in choice)
        return f"{choice}: the file's axes run to the {ways}"
    told = re.search(rf"\b{re.escape(choice)} \((.+?)\)(?:,|$)", problem)
    return f"Series {choice}: {told[1]}" if told else choice
