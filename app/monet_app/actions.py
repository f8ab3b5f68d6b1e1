"""Menus, keys and buttons as data: what they say, their key, and what of the window they call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionInfo:
    """One entry. `calls` is the name of a method of the main window without arguments."""

    text: str
    calls: str
    icon: str = ""
    keys: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Activity:
    """One entry of the left rail; `panel` reads module:class and is imported when first shown."""

    key: str
    text: str
    icon: str
    tip: str
    panel: str
    keys: str


ACTIVITIES = (
    Activity("scans", "Scans", "mdi6.image-multiple-outline",
             "The study's scans: open, sort, see what exists and what is odd",
             "monet_app.scans.panel:ScansPanel", "Ctrl+1"),
    Activity("segment", "Segment", "mdi6.brain", "Let a model find the regions of scans",
             "monet_app.segment.panel:SegmentPanel", "Ctrl+2"),
    Activity("train", "Train", "mdi6.school-outline", "Teach a model your own annotations",
             "monet_app.train.panel:TrainPanel", "Ctrl+3"),
    Activity("review", "Review", "mdi6.clipboard-check-outline",
             "Rate segmentations one after the other", "monet_app.review.panel:ReviewPanel",
             "Ctrl+4"),
    Activity("compare", "Compare", "mdi6.compare",
             "Segmentations of one scan beside each other, measured",
             "monet_app.compare.panel:ComparePanel", "Ctrl+5"),
    Activity("atlas", "Atlas", "mdi6.book-open-page-variant-outline",
             "Your own atlas: import, map, paint, correct", "monet_app.atlas.panel:AtlasPanel",
             "Ctrl+6"),
)  # fmt: skip

SEPARATOR = None

MENUS: dict[str, tuple[ActionInfo | None, ...]] = {
    "&File": (
        ActionInfo("Open &scans…", "open_scans", "mdi6.file-plus-outline", "Ctrl+O",
                   "Add T1 scans (NIfTI, MGZ) to the study and show the first"),
        ActionInfo("Open &folder or BIDS data set…", "open_folder", "mdi6.folder-plus-outline",
                   "Ctrl+Shift+O", "Add all scans of a folder, with the labels beside them"),
        ActionInfo("Import &DICOM…", "import_dicom", "mdi6.import", "",
                   "Convert a DICOM series to NIfTI and add it"),
        SEPARATOR,
        ActionInfo("&New or open study…", "open_study", "mdi6.folder-open-outline", "Ctrl+Shift+N",
                   "A study is a folder that remembers scans, results and ratings"),
        ActionInfo("Try the sa&mple", "open_sample", "mdi6.head-outline", "",
                   "Colin27, the head that ships with the program"),
        SEPARATOR,
        ActionInfo("&Quit", "close", "mdi6.exit-to-app", "Ctrl+Q", ""),
    ),
    "&View": (
        ActionInfo("&Four views", "layout_four", "mdi6.view-grid-outline", "", ""),
        ActionInfo("&Axial", "layout_axial", "mdi6.square-outline", "", ""),
        ActionInfo("&Coronal", "layout_coronal", "mdi6.square-outline", "", ""),
        ActionInfo("&Sagittal", "layout_sagittal", "mdi6.square-outline", "", ""),
        ActionInfo("&3-D", "layout_3d", "mdi6.cube-outline", "", ""),
        SEPARATOR,
        ActionInfo("&Left side on the right (radiological)", "toggle_radiological",
                   "mdi6.swap-horizontal", "", "Or as seen from behind (neurological)"),
        ActionInfo("Switch &theme", "switch_theme", "mdi6.theme-light-dark", "", "Dark or light"),
        ActionInfo("Full sc&reen", "toggle_full_screen", "mdi6.fullscreen", "F11", ""),
    ),
    "&Help": (
        ActionInfo("&Keys", "show_keys", "mdi6.keyboard-outline", "?", ""),
        ActionInfo("Copy the &methods paragraph", "copy_methods", "mdi6.text-box-outline", "",
                   "Text for a paper: versions, model, citations"),
        ActionInfo("Copy the &command", "copy_command", "mdi6.console", "",
                   "The command line that does what was done last"),
        ActionInfo("Open the &log folder", "open_log", "mdi6.text-search", "", ""),
        SEPARATOR,
        ActionInfo("&About", "show_about", "mdi6.information-outline", "", ""),
    ),
}  # fmt: skip
"""The menu bar, in order."""
