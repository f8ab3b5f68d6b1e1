import json
from pathlib import Path

from monet_app.settings import MOST_RECENT, Settings, load_settings, save_settings


def test_settings_come_back_as_they_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    kept = Settings(theme="light", opacity=0.25, rater="ALR", window={"geometry": "00ff"})
    save_settings(kept, path)
    assert load_settings(path) == kept


def test_a_damaged_file_never_blocks_the_start(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for text in ("", "{", "[1, 2]", '"text"', "\x00\xff"):
        path.write_text(text, encoding="utf-8")
        assert load_settings(path) == Settings()


def test_good_parts_of_a_bad_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    stored = {"theme": "pink", "opacity": 7, "rater": "ALR", "of a newer version": 1}
    path.write_text(json.dumps(stored), encoding="utf-8")
    loaded = load_settings(path)
    assert loaded.rater == "ALR"
    assert (loaded.theme, loaded.opacity) == (Settings().theme, Settings().opacity)


def test_a_place_that_cannot_be_written_to_costs_only_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    save_settings(Settings(), tmp_path / "file" / "settings.json")


def test_recent_studies_are_few_and_the_latest_is_first() -> None:
    settings = Settings()
    for number in range(MOST_RECENT + 5):
        settings.remember(Path(f"/study-{number}"))
    settings.remember(Path("/study-10"))
    assert settings.recent[0] == "/study-10"
    assert len(settings.recent) == len(set(settings.recent)) == MOST_RECENT
