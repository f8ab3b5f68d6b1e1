"""The main window: rail, panel, stage, regions, jobs; wires them and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from qtpy.QtCore import QByteArray, QSize, Qt, QTimer
from qtpy.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QButtonGroup,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monet_app import theme
from monet_app.actions import ACTIVITIES, MENUS, ActionInfo, Activity
from monet_app.banner import Banners
from monet_app.commands import WindowCommands
from monet_app.icons import icon
from monet_app.jobs.panel import JobsDock
from monet_app.preload import DELAY_MS, preload
from monet_app.regions.panel import RegionsPanel
from monet_app.scans.question import ask
from monet_app.session import Question, Session
from monet_app.settings import save_settings
from monet_app.welcome.panel import Welcome

DRAIN_MS = 100
RAIL, PANEL, REGIONS = 76, 370, 340
JOBS = 44


class MainWindow(WindowCommands, QMainWindow):
    """MO-Net Studio's window on a session whose stage is a Qt widget (`stage.widget`)."""

    def __init__(self, session: Session, stage_widget: QWidget) -> None:
        super().__init__()
        self.session = session
        self.setWindowTitle("MO-Net Studio")
        self.setAcceptDrops(True)
        self._panels: dict[str, QWidget] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._build(stage_widget)
        self._menus()
        self._connect()
        self._restore()
        self.show_activity("scans")
        self._timer = QTimer(self, interval=DRAIN_MS)
        self._timer.timeout.connect(session.drain)
        self._timer.start()
        QTimer.singleShot(DELAY_MS, self, lambda: session.run(preload, doing="Loading ahead"))

    # -- building ---------------------------------------------------------------------------

    def _build(self, stage_widget: QWidget) -> None:
        self._panel_stack = QStackedWidget()
        self._panel_stack.setObjectName("panel")
        self._panel_stack.setMinimumWidth(350)
        self.welcome = Welcome(self.session, self)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.welcome)
        self._middle.addWidget(stage_widget)
        self.banners = Banners()
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banners)
        layout.addWidget(self._middle, 1)
        self.regions = RegionsPanel(self.session)
        self._across = QSplitter(Qt.Orientation.Horizontal)
        for part, stretch in ((self._panel_stack, 0), (middle, 1), (self.regions, 0)):
            self._across.addWidget(part)
            self._across.setStretchFactor(self._across.count() - 1, stretch)
        self._across.setSizes([PANEL, 900, REGIONS])
        self.jobs = JobsDock(self.session)
        self._down = QSplitter(Qt.Orientation.Vertical)
        self._down.addWidget(self._across)
        self._down.addWidget(self.jobs)
        self._down.setStretchFactor(0, 1)
        self._down.setCollapsible(0, False)
        self._down.setSizes([900, JOBS])
        central = QWidget()
        across = QHBoxLayout(central)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self._rail())
        across.addWidget(self._down, 1)
        self.setCentralWidget(central)

    def _rail(self) -> QWidget:
        rail = QWidget()
        rail.setObjectName("rail")
        rail.setFixedWidth(RAIL)
        layout = QVBoxLayout(rail)
        layout.setContentsMargins(0, 8, 0, 8)
        layout.setSpacing(2)
        group = QButtonGroup(self)
        for activity in ACTIVITIES:
            made = self._activity_button(activity)
            group.addButton(made)
            layout.addWidget(made)
            self._buttons[activity.key] = made
        layout.addStretch(1)
        return rail

    def _activity_button(self, activity: Activity) -> QToolButton:
        made = QToolButton()
        made.setObjectName("activity")
        made.setText(activity.text)
        made.setIcon(icon(activity.icon))
        made.setToolTip(f"{activity.tip} ({activity.keys})")
        made.setAccessibleName(activity.text)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        made.setIconSize(made.iconSize() * 1.5)
        made.setFixedWidth(RAIL)
        made.setCheckable(True)
        made.setShortcut(QKeySequence(activity.keys))
        made.clicked.connect(lambda: self.show_activity(activity.key))
        return made

    def _menus(self) -> None:
        for title, entries in MENUS.items():
            menu = self.menuBar().addMenu(title)
            for entry in entries:
                self._add_action(menu, entry)
            if title == "&File":
                self.recent = QMenu("&Recent studies", self)
                menu.insertMenu(menu.actions()[4], self.recent)
                self.recent.aboutToShow.connect(self._fill_recent)

    def _add_action(self, menu: QMenu, entry: ActionInfo | None) -> None:
        if entry is None:
            menu.addSeparator()
            return
        action = QAction(icon(entry.icon), entry.text, self)
        action.setToolTip(entry.tip)
        action.setStatusTip(entry.tip)
        if entry.keys:
            action.setShortcut(QKeySequence(entry.keys))
        action.triggered.connect(lambda: getattr(self, entry.calls)())
        menu.addAction(action)

    def _fill_recent(self) -> None:
        self.recent.clear()
        for name in self.session.settings.recent:
            self.recent.addAction(name, lambda folder=name: self.session.open_study(Path(folder)))
        self.recent.setEnabled(bool(self.recent.actions()))

    def _connect(self) -> None:
        session = self.session
        session.noticed.connect(self.banners.show_notice)
        session.asked.connect(self._ask)
        session.current_changed.connect(self._current_changed)
        session.study_changed.connect(self._study_changed)
        session.activity_asked.connect(self._asked_for)
        session.centre_asked.connect(self._show_in_centre)

    # -- what happens -----------------------------------------------------------------------

    def show_activity(self, key: str) -> None:
        """Show an activity's panel, made on its first use."""
        if key not in self._panels:
            activity = next(each for each in ACTIVITIES if each.key == key)
            module, _, name = activity.panel.partition(":")
            panel = getattr(import_module(module), name)(self.session)
            self._panels[key] = panel
            self._panel_stack.addWidget(panel)
        self._buttons[key].setChecked(True)
        self._panel_stack.setCurrentWidget(self._panels[key])
        self._panels[key].setFocus(Qt.FocusReason.OtherFocusReason)

    def _asked_for(self, key: str, subject: object) -> None:
        """A panel asks for another; one that is new could not hear what it is about: again."""
        new = key not in self._panels
        self.show_activity(key)
        if new and subject is not None:
            QTimer.singleShot(0, lambda: self.session.activity_asked.emit(key, subject))

    def panel(self, key: str) -> QWidget:
        """The panel of an activity, made if need be."""
        self.show_activity(key)
        return self._panels[key]

    @property
    def activity(self) -> str:
        """Key of the activity that is shown."""
        return next(key for key, made in self._buttons.items() if made.isChecked())

    def _current_changed(self, entry: object) -> None:
        self._middle.setCurrentIndex(0 if entry is None else 1)
        self._retitle()

    def _study_changed(self, _: object) -> None:
        self._retitle()
        self.session.load_models()

    def _show_in_centre(self, widget: QWidget | None) -> None:
        """A panel's large picture in place of the views; None: the views again."""
        if widget is None:
            self._middle.setCurrentIndex(0 if self.session.current is None else 1)
            return
        if self._middle.indexOf(widget) < 0:
            self._middle.addWidget(widget)
        self._middle.setCurrentWidget(widget)

    def _retitle(self) -> None:
        study, current = self.session.study, self.session.current
        parts = [current.name if current else "", study.name if study else "", "MO-Net Studio"]
        self.setWindowTitle(" – ".join(part for part in parts if part))

    def _ask(self, question: Question) -> None:
        ask(question, self)

    # -- files dropped, closing -------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files and folders may be dropped anywhere."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Add what was dropped and show the first scan."""
        self.open_paths(Path(url.toLocalFile()) for url in event.mimeData().urls())
        event.acceptProposedAction()

    def open_paths(self, paths: Iterable[Path]) -> None:
        """Add scans or folders; a folder that is a study is opened as one."""
        files = [path for path in paths if str(path) not in ("", ".")]
        if len(files) == 1 and (files[0] / ".monet").is_dir():
            self.session.open_study(files[0])
        elif files:
            self.session.add_scans(files, show=True)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask what becomes of unsaved painting and running jobs; keep layout and settings."""
        go_on = self._let_jobs_go_on() if self.session.leaving.may(self.close) else None
        if go_on is None:
            event.ignore()
            return
        self._timer.stop()
        self._keep()
        self.session.close(let_jobs_go_on=go_on)
        event.accept()

    def _let_jobs_go_on(self) -> bool | None:
        """True: they go on without the window; False: stop them; None: do not close."""
        if self.session.jobs is None or not self.session.jobs.active:
            return True
        box = QMessageBox(self)
        box.setWindowTitle("Work is going on")
        box.setText("A training or segmentation is still running.")
        box.setInformativeText(
            "It can go on without the window; you find it again when you open the study."
        )
        on = box.addButton("Let it go on", QMessageBox.ButtonRole.AcceptRole)
        stop = box.addButton("Stop it (keeps the last state)", QMessageBox.ButtonRole.ActionRole)
        box.addButton("Stay here", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return {on: True, stop: False}.get(box.clickedButton())

    def _restore(self) -> None:
        kept = self.session.settings.window
        self.resize(QSize(1480, 920).boundedTo(self.screen().availableSize()))
        for name, restore in (
            ("geometry", self.restoreGeometry),
            ("across", self._across.restoreState),
        ):
            if name in kept:
                restore(QByteArray.fromHex(kept[name].encode()))

    def _keep(self) -> None:
        self.session.settings.window = {
            "geometry": bytes(self.saveGeometry().toHex()).decode(),
            "across": bytes(self._across.saveState().toHex()).decode(),
        }
        save_settings(self.session.settings)

    def switch_theme(self) -> None:
        """Dark to light and back."""
        other = "light" if theme.current().name == "dark" else "dark"
        self.session.settings.theme = other
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply_theme(app, other)
