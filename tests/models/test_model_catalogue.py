import logging

import monet_resources
import pytest

from monet_core.errors import ModelError
from monet_core.models import (
    default_folders,
    list_models,
    pack_model,
    resolve_model,
    save_model,
)


@pytest.fixture
def shelf(tmp_path, make_model):
    """A folder with one model unpacked, one packed, one broken, one hidden, and something else."""
    folder = tmp_path / "shelf"
    save_model(folder / "brain", make_model(name="Whole Brain 1"))
    save_model(tmp_path / "other", make_model(name="Sub-cortical"))
    pack_model(tmp_path / "other", folder / "sub.zip")
    save_model(folder / "broken", make_model())
    (folder / "broken" / "manifest.json").write_text("{")
    save_model(folder / ".old.previous", make_model())
    (folder / "notes.txt").write_text("")
    (folder / "empty").mkdir()
    return folder


def test_models_are_listed_and_broken_ones_logged(shelf, caplog):
    with caplog.at_level(logging.WARNING):
        entries = list_models([shelf, shelf / "missing"])
    assert [(e.key, e.manifest.name) for e in entries] == [
        ("brain", "Whole Brain 1"),
        ("sub", "Sub-cortical"),
    ]
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("brain", "brain"), ("BRAIN", "brain"), ("whole brain 1", "brain"), ("sub", "sub.zip")],
)
def test_models_are_found_by_folder_or_name(shelf, wanted, found):
    assert resolve_model(wanted, [shelf]) == shelf / found


def test_models_are_found_by_path(shelf):
    assert resolve_model(shelf / "brain", []) == shelf / "brain"
    assert resolve_model(str(shelf / "sub.zip"), []) == shelf / "sub.zip"


def test_a_folder_that_is_no_model_does_not_hide_one_of_its_name(shelf, tmp_path, monkeypatch):
    (tmp_path / "brain").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve_model("brain", [shelf]) == shelf / "brain"


def test_unknown_models_are_refused_with_what_exists(shelf):
    with pytest.raises(ModelError, match=r"no model 'x'.*one of: brain, sub"):
        resolve_model("x", [shelf])
    with pytest.raises(ModelError, match="No model is installed yet"):
        resolve_model("x", [])
    with pytest.raises(ModelError, match="one of: brain, sub"):
        resolve_model("x" * 5000, [shelf])


def test_a_path_that_is_no_model_is_refused_for_what_it_is(shelf):
    with pytest.raises(ModelError) as error:
        resolve_model(shelf / "empty", [shelf])
    assert error.value.code == "not-a-model"


def test_shipped_models_come_before_the_users():
    shipped, users = default_folders()
    assert shipped == monet_resources.ROOT / "models"
    assert users.name == "models"
    assert "monet-studio" in str(users)
