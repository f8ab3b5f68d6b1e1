"""Dark and light: one palette, one style sheet for the whole application; none in panels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QApplication, QWidget


@dataclass(frozen=True)
class Theme:
    """Colours by role. Greys are neutral, so that label colours beside them are judged fairly."""

    name: str
    window: str
    panel: str
    field: str
    line: str
    text: str
    faint: str
    accent: str
    on_accent: str
    warning: str
    error: str
    good: str
    disabled: str
    done: str
    """The done part of a progress bar: text stands on it."""


DARK = Theme("dark", "#262626", "#2e2e2e", "#1e1e1e", "#454545", "#ececec", "#a9a9a9",
             "#5aa9e6", "#0c1620", "#f0b64c", "#ff8577", "#7fce8f",
             "#7d7d7d", "#2b6699")  # fmt: skip
LIGHT = Theme("light", "#efefef", "#f8f8f8", "#ffffff", "#c9c9c9", "#1c1c1c", "#5c5c5c",
              "#12609f", "#ffffff", "#8a5a00", "#b3261e", "#1d6b34",
              "#979797", "#a9cdec")  # fmt: skip
THEMES = {"dark": DARK, "light": LIGHT}
PICTURES = Path(__file__).parent / "pictures"
"""Ticks and arrows: what a style sheet cannot draw."""
_current = DARK


def current() -> Theme:
    """The theme in use."""
    return _current


def apply_theme(app: QApplication, name: str) -> Theme:
    """Colour the application; "system" follows the desktop's own choice."""
    global _current
    if name == "system":
        name = (
            "dark" if app.palette().color(QPalette.ColorRole.Window).lightness() < 128 else "light"
        )
    _current = THEMES.get(name, DARK)
    app.setStyle("Fusion")
    app.setPalette(_palette(_current))
    app.setStyleSheet(_sheet(_current))
    return _current


def dress(widget: QWidget, name: str) -> None:
    """Colour one widget and what is in it, as a guest in another program's window."""
    global _current
    _current = THEMES.get(name, DARK)
    widget.setPalette(_palette(_current))
    widget.setStyleSheet(_sheet(_current))


def _sheet(theme: Theme) -> str:
    return _STYLE.format(pictures=PICTURES.as_posix(), **vars(theme))


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    colors = {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.field,
        role.AlternateBase: theme.panel, role.Text: theme.text, role.Button: theme.panel,
        role.ButtonText: theme.text, role.BrightText: theme.error, role.Link: theme.accent,
        role.Highlight: theme.accent, role.HighlightedText: theme.on_accent,
        role.ToolTipBase: theme.panel, role.ToolTipText: theme.text,
        role.PlaceholderText: theme.faint, role.Mid: theme.line, role.Dark: theme.line,
    }  # fmt: skip
    for where, color in colors.items():
        palette.setColor(where, QColor(color))
    disabled = QPalette.ColorGroup.Disabled
    for where in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(disabled, where, QColor(theme.disabled))
    return palette


_STYLE = """
QToolTip {{ background: {panel}; color: {text}; border: 1px solid {line}; padding: 4px; }}
QWidget#rail {{ background: {field}; }}
QToolButton#tool {{ padding: 5px 8px; border: 1px solid {line}; border-radius: 4px;
    background: {panel}; color: {text}; }}
QToolButton#tool:hover {{ border-color: {faint}; }}
QToolButton#tool:focus {{ border-color: {accent}; }}
QToolButton#tool:checked {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QToolButton#activity {{ border: none; padding: 8px 4px; color: {faint}; }}
QToolButton#activity:hover {{ color: {text}; background: {panel}; }}
QToolButton#activity:focus {{ border: 1px solid {accent}; }}
QToolButton#activity:checked {{ color: {text}; background: {window};
    border-left: 3px solid {accent}; }}
QWidget#canvas {{ background: #000000; }}
QWidget#panel {{ background: {window}; }}
QLabel#title {{ font-size: 15px; font-weight: 600; }}
QLabel#hero {{ font-size: 26px; font-weight: 600; }}
QLabel#faint, QLabel#hint {{ color: {faint}; }}
QLabel#warning {{ color: {warning}; }}
QLabel#error {{ color: {error}; }}
QLabel#good {{ color: {good}; }}
QFrame#card {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QFrame#notice {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QFrame#notice[level="error"] {{ border-left: 4px solid {error}; }}
QFrame#notice[level="warning"] {{ border-left: 4px solid {warning}; }}
QFrame#notice[level="info"] {{ border-left: 4px solid {accent}; }}
QPushButton {{ padding: 6px 12px; border: 1px solid {line}; border-radius: 4px;
    background: {panel}; }}
QPushButton:hover {{ border-color: {faint}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:disabled {{ color: {disabled}; }}
QPushButton:checked {{ background: {line}; border-color: {accent}; font-weight: 600; }}
QPushButton#primary {{ background: {accent}; color: {on_accent}; border-color: {accent};
    font-weight: 600; }}
QPushButton#primary:disabled {{ background: {panel}; color: {faint}; border-color: {line}; }}
QPushButton#primary:focus {{ border: 2px solid {text}; }}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QPlainTextEdit {{ padding: 3px 6px;
    border: 1px solid {line}; border-radius: 4px; background: {field};
    selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QPlainTextEdit:focus, QAbstractItemView:focus {{ border-color: {accent}; }}
QTableView, QTreeView, QListView {{ border: 1px solid {line}; background: {field};
    alternate-background-color: {panel}; gridline-color: {line}; }}
QHeaderView::section {{ background: {panel}; color: {faint}; padding: 4px 6px; border: none;
    border-bottom: 1px solid {line}; border-right: 1px solid {line}; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ subcontrol-origin: padding;
    subcontrol-position: top center; width: 12px; height: 8px; }}
QHeaderView::up-arrow {{ image: url({pictures}/up-{name}.png); }}
QHeaderView::down-arrow {{ image: url({pictures}/down-{name}.png); }}
QProgressBar {{ border: 1px solid {line}; border-radius: 4px; background: {field};
    text-align: center; height: 16px; }}
QProgressBar::chunk {{ background: {done}; border-radius: 3px; }}
QSplitter::handle {{ background: {field}; }}
QGroupBox {{ border: 1px solid {line}; border-radius: 6px; margin-top: 10px; padding-top: 8px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 8px; padding: 0 4px; color: {faint}; }}
QTabBar::tab {{ padding: 6px 12px; color: {faint}; border: none;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QScrollArea {{ border: none; }}
QCheckBox::indicator, QTreeView::indicator, QTableView::indicator, QListView::indicator {{
    width: 14px; height: 14px; border: 1px solid {faint}; border-radius: 3px;
    background: {field}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked, QTableView::indicator:checked,
QListView::indicator:checked {{ background: {accent}; border-color: {accent};
    image: url({pictures}/check-{name}.png); }}
QCheckBox::indicator:indeterminate, QTreeView::indicator:indeterminate,
QTableView::indicator:indeterminate, QListView::indicator:indeterminate {{
    background: {accent}; border-color: {accent}; image: url({pictures}/dash-{name}.png); }}
QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {faint};
    border-radius: 8px; background: {field}; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {accent};
    background: {on_accent}; }}
QRadioButton::indicator:focus {{ border-color: {accent}; }}
QRadioButton::indicator:disabled {{ border-color: {line}; }}
QCheckBox::indicator:disabled {{ border-color: {line}; background: {panel}; }}
QCheckBox::indicator:focus {{ border: 2px solid {accent}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({pictures}/down-{name}.png); width: 16px; height: 16px; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button,
QDoubleSpinBox::down-button {{ border: none; width: 18px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({pictures}/up-{name}.png);
    width: 12px; height: 12px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({pictures}/down-{name}.png);
    width: 12px; height: 12px; }}
"""
