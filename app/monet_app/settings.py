"""What the app remembers between starts: one JSON file that never blocks a start."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monet_core.errors import OutputError
from monet_core.files import read_json, write_json

log = logging.getLogger(__name__)
MOST_RECENT = 12


class Settings(BaseModel):
    """The user's choices; `load_settings` reads them, `save_settings` keeps them.

    `window` holds Qt's geometry and splitter states as hexadecimal text, by name.
    """

    model_config = ConfigDict(validate_assignment=True)

    theme: Annotated[str, Field(pattern="^(dark|light|system)$")] = "dark"
    radiological: bool = True
    opacity: Annotated[float, Field(ge=0, le=1)] = 0.5
    outline: Annotated[int, Field(ge=0, le=5)] = 0
    device: str = "auto"
    cluster: str = ""
    """Where segmentations are shared out: slurm, or the address of a Dask scheduler."""
    model: str = ""
    rater: str = ""
    colors: str = "atlas"
    recent: list[str] = []
    """Folders of studies, the latest first."""
    window: dict[str, str] = {}
    toured: bool = False
    timings: dict[str, float] = {}
    """Seconds that a scan took here, by model and options (`timings.timing_key`)."""

    def remember(self, study: Path) -> None:
        """Put `study` first among the recent ones."""
        name = str(study)
        self.recent = [name, *(other for other in self.recent if other != name)][:MOST_RECENT]


def settings_path() -> Path:
    """Where the settings live on this machine."""
    return platformdirs.user_config_path("monet-studio", appauthor=False) / "settings.json"


def personal_study() -> Path:
    """The study of scans that were opened without one."""
    return platformdirs.user_data_path("monet-studio", appauthor=False) / "my-scans"


def load_settings(path: Path | None = None) -> Settings:
    """The stored settings; what is damaged or of another version falls back to its default."""
    path = path or settings_path()
    try:
        stored = read_json(path)
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        log.warning("Settings not read (%s); defaults are used", error)
        return Settings()
    return _good_parts(stored if isinstance(stored, dict) else {})


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Keep the settings; a place that cannot be written to is logged, since nothing is lost."""
    try:
        write_json(path or settings_path(), settings.model_dump(mode="json"))
    except OutputError as error:
        log.warning("Settings not kept: %s", error)


def _good_parts(stored: dict[str, Any]) -> Settings:
    settings = Settings()
    for name in Settings.model_fields.keys() & stored.keys():
        try:
            setattr(settings, name, stored[name])
        except ValidationError as error:
            log.warning("Setting %s left out: %s", name, error.errors()[0]["msg"])
    return settings
