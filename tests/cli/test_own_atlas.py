"""A lab's own atlas without any link (AAL): trained as MO-Net and compared by a user's mapping."""

from pathlib import Path

import numpy as np
import platformdirs
import pytest
from aal import AAL, aal_table, aal_to_first
from phantoms import (
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    RIGHT_PUTAMEN,
    RIGHT_THALAMUS,
    brain_phantom,
    save,
)
from typer.testing import CliRunner, Result

from monet_core.cli.console import run_command
from monet_core.cli.main import app
from monet_core.files import read_json
from monet_core.models import load_model
from monet_core.protocols import (
    find_mapping,
    load_protocol,
    mapping_from,
    save_mapping,
    suggest_mapping,
)
from monet_core.training import TrainingSettings, recipe_settings
from monet_core.training.subjects import TrainingData
from monet_core.training.validation import scored_regions

AAL_OF_FIRST = {
    LEFT_THALAMUS: AAL.index("Thalamus_L") + 1,
    RIGHT_THALAMUS: AAL.index("Thalamus_R") + 1,
    LEFT_PUTAMEN: AAL.index("Putamen_L") + 1,
    RIGHT_PUTAMEN: AAL.index("Putamen_R") + 1,
}
TINY = (
    "--epochs 1 --patch 16 --workers 0 --missing-regions absent --spacing 4 --width 4 --levels 2 "
    "--device cpu --set preprocessing.register=false"
).split()


def monet(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def status(*words: object) -> int:
    return run_command(lambda: app([str(word) for word in words], standalone_mode=False))


@pytest.fixture(autouse=True)
def no_mappings_of_the_real_user(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *a, **k: tmp_path / "home")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Two phantoms annotated in AAL, which has no brain stem, and the atlas' table."""
    for split, seed in (("train", 0), ("validation", 9)):
        image, labels, affine = brain_phantom(seed=seed)
        own = np.zeros_like(labels)
        for first, index in AAL_OF_FIRST.items():
            own[labels == first] = index
        save(tmp_path / "data" / split / f"sub-{seed}_T1w.nii.gz", image, affine)
        save(tmp_path / "data" / split / f"sub-{seed}_dseg.nii.gz", own, affine)
        save(tmp_path / "first" / f"sub-{seed}_dseg.nii.gz", labels, affine)
    (tmp_path / "atlases").mkdir()
    (tmp_path / "atlases" / "aal.tsv").write_text(aal_table())
    return tmp_path


def finetune(lab: Path, out: str, *words: object) -> list[object]:
    atlas = lab / "atlases" / "aal.tsv"
    where = ["--protocol", atlas, "--out", lab / out, "--cache", lab / "cache"]
    return ["finetune", lab / "data", *where, *TINY, *words]


def save_suggested(lab: Path, folder: Path | None = None) -> Path:
    aal, first = load_protocol(lab / "atlases" / "aal.tsv"), load_protocol("first")
    return save_mapping(mapping_from(aal, first, suggest_mapping(aal, first)), folder)


def test_without_a_mapping_the_remedy_is_told_before_anything_is_read(lab, capfd):
    assert status(*finetune(lab, "run")) == 1
    said = " ".join(capfd.readouterr().err.split())
    assert "no mapping from aal to first is known" in said
    assert "Atlas panel" in said
    assert "--mapping FILE" in said
    assert not (lab / "run" / "config.json").exists()


def test_a_mo_net_is_trained_with_a_mapping_of_the_users(lab):
    mapping = save_suggested(lab, lab / "elsewhere")
    done = monet(*finetune(lab, "run", "--mapping", mapping))
    assert done.exit_code == 0, done.output
    mapping.unlink()
    model = load_model(lab / "run")
    stored = read_json(lab / "run" / "config.json")["settings"]["mapping"]
    assert {int(index): mapped for index, mapped in stored.items()} == aal_to_first()
    # The model's own protocol knows the way to FIRST, wherever its segmentations go.
    assert find_mapping(model.protocol("full"), "first").table == aal_to_first()


def test_a_mapping_beside_the_atlas_is_found_and_kept_in_the_run(lab):
    mapping = save_suggested(lab)
    done = monet(*finetune(lab, "run"))
    assert done.exit_code == 0, done.output
    assert "your own mapping was used" in " ".join(done.output.split())
    mapping.unlink()
    again = monet(*finetune(lab, "run", "--resume"))
    assert again.exit_code == 0, again.output


def test_convert_and_compare_take_a_mapping(lab):
    mapping = save_suggested(lab, lab / "elsewhere")
    atlas = lab / "atlases" / "aal.tsv"
    own = lab / "data" / "validation" / "sub-9_dseg.nii.gz"
    first = lab / "first" / "sub-9_dseg.nii.gz"
    words = ["convert", own, lab / "out.nii.gz", "--from", atlas, "--to", "first"]
    assert status(*words) == 1
    assert monet(*words, "--mapping", mapping).exit_code == 0
    words = ["compare", f"lab={own}:{atlas}", f"fsl={first}:first", "--out", lab / "comparison"]
    assert status(*words, "--no-distances") == 1
    done = monet(*words, "--no-distances", "--mapping", f"lab={mapping}")
    assert done.exit_code == 0, done.output
    assert "lab - fsl: mean Dice 1.000 over 12 regions" in done.output
    assert status(*words, "--mapping", f"nobody={mapping}") == 1


def test_a_mapping_has_no_meaning_for_one_decoder(lab):
    mapping = save_suggested(lab, lab / "elsewhere")
    assert status(*finetune(lab, "run", "--mapping", mapping, "--decoders", "full")) == 1


def test_what_the_atlas_does_not_have_is_not_learnt_as_background(lab):
    aal, first = load_protocol(lab / "atlases" / "aal.tsv"), load_protocol("first")
    mapping = mapping_from(aal, first, suggest_mapping(aal, first))
    data = TrainingData([], [], {"full": aal, "partial": first}, mapping.class_table(), {})
    group = data.group("partial", ("full", "partial"), ())
    hidden = {index for index, to in zip(first.indices, group[1:], strict=True) if to == 0}
    assert hidden == {16, 26, 58}  # brain stem, accumbens
    assert [to for to in group if to] == [
        k + 1 for k, i in enumerate(first.indices) if i not in hidden
    ]
    assert data.group("full", ("full", "partial"), ()) is None
    assert data.group("partial", ("partial",), ()) is None  # annotated by FIRST itself


def test_what_the_atlas_does_not_have_is_not_scored(lab):
    protocols = {
        "full": load_protocol(lab / "atlases" / "aal.tsv"),
        "partial": load_protocol("first"),
    }
    settings = TrainingSettings(
        **recipe_settings("paper", "finetune"),
        protocols={"full": "aal.tsv", "partial": "first"},
        mapping=aal_to_first(),
    )
    scored = scored_regions(("full", "partial"), protocols, settings)
    assert scored["partial"] == tuple(sorted(aal_to_first().values()))
    assert len(scored["full"]) == 116
    assert (
        scored_regions(("partial",), protocols, settings)["partial"] == protocols["partial"].indices
    )


def test_an_atlas_is_made_of_label_maps_and_mapped_by_overlap(lab):
    own = lab / "data" / "train" / "sub-0_dseg.nii.gz"
    first = lab / "first" / "sub-0_dseg.nii.gz"
    done = monet("atlas", own, "--name", "mine", "--out", lab / "atlases")
    assert done.exit_code == 0, done.output
    assert "4 regions in" in done.output
    atlas, mapping = lab / "atlases" / "mine.tsv", lab / "atlases" / "mine_to_first.tsv"
    done = monet("map", atlas, "--to", "first", "--out", mapping, "--pair", f"{own}={first}")
    assert done.exit_code == 0, done.output
    assert "4 of 4 regions mapped" in done.output
    expected = {own: first for first, own in AAL_OF_FIRST.items()}
    assert find_mapping(atlas, "first").table == expected
    assert status("map", atlas, "--out", mapping, "--pair", own) == 1
    assert status("atlas", own, "--name", "mine", "--out", lab / "atlases") == 1
