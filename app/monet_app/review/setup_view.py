"""The first page of a review: what, in which order, by whom."""

from __future__ import annotations

import random

from qtpy.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from monet_app.origins import Origin
from monet_app.review.model import ReviewModel
from monet_app.review.queue import ORDERS, Choice
from monet_app.settings import save_settings
from monet_app.widgets import button, label
from monet_app.words import count

SEEDS = 2**31
KEYS_TEXT = (
    "By keys: P pass, F fail, E to edit, N next, Shift+N previous, 1 to 5 tags, T note, M slices, "
    "G all scans, U uncertainty. Every rating is saved at once."
)


class SetupView(QWidget):
    """Fills in a `Choice` and starts the review."""

    def __init__(self, model: ReviewModel) -> None:
        super().__init__()
        self.model = model
        self._origins: dict[Origin, int] = {}
        self.origin = QComboBox()
        self.origin.setAccessibleName("What to review")
        self.order = QComboBox()
        self.order.setAccessibleName("Order")
        for key, text in ORDERS.items():
            self.order.addItem(text, key)
        self.unrated = QCheckBox("Only what I have not rated yet")
        self.unrated.setChecked(True)
        self.blinded = QCheckBox("Blinded: hide the names")
        self.blinded.setToolTip("Scans are numbered; who or what made a segmentation is not shown")
        self.rater = QLineEdit(model.rater)
        self.rater.setPlaceholderText("Initials or name")
        self.rater.setAccessibleName("Rater")
        self.rater.setMaxLength(60)
        self.start = button("Start", self._start, "", "mdi6.play", primary=True)
        self._waiting = label("", "hint")
        self._build()
        self.origin.currentIndexChanged.connect(lambda _: self._count())
        self.unrated.toggled.connect(lambda _: self._count())
        self.rater.editingFinished.connect(self._keep_rater)
        self.rater.returnPressed.connect(self.start.setFocus)

    def _build(self) -> None:
        self.origin.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (
            label("What to review", "hint"), self.origin, label("Order", "hint"), self.order,
            self.unrated, self.blinded, label("Rater", "hint"), self.rater, self._waiting,
            self.start, label(KEYS_TEXT, "hint"),
        ):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Look again what there is to review."""
        found = self.model.origins()
        if found != self._origins:
            before = self.origin.currentData()
            self._origins = found
            self.origin.blockSignals(True)
            self.origin.clear()
            for origin, scans in found.items():
                self.origin.addItem(f"{origin.title}: {count(scans, 'scan')}", origin)
            at = list(found).index(before) if before in found else 0
            self.origin.setCurrentIndex(at)
            self.origin.blockSignals(False)
        self._count()

    def choice(self, seed: int = 0) -> Choice | None:
        """What is filled in; None while there is nothing to review."""
        origin = self.origin.currentData()
        if origin is None:
            return None
        return Choice(
            origin, self.order.currentData(), self.unrated.isChecked(), self.blinded.isChecked(),
            self.rater.text().strip(), seed,
        )  # fmt: skip

    def _count(self) -> None:
        choice = self.choice()
        waiting = self.model.waiting(choice) if choice is not None else 0
        self.start.setEnabled(waiting > 0)
        self._waiting.setText(
            f"{count(waiting, 'segmentation')} to rate" if waiting else "All of these are rated."
        )

    def _keep_rater(self) -> None:
        settings = self.model.session.settings
        name = self.rater.text().strip()
        if name != settings.rater:
            settings.rater = name
            save_settings(settings)
            self._count()

    def _start(self) -> None:
        self._keep_rater()
        # No two raters shall see the same "random" order, so the seed is new each time.
        choice = self.choice(seed=random.randrange(SEEDS))
        if choice is not None:
            self.model.start(choice)
