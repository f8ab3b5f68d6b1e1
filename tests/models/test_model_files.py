import json
import zipfile
from pathlib import Path

import pytest
import torch

from monet_core.errors import ModelError, OutputError
from monet_core.files import sha256
from monet_core.models import (
    DecoderEntry,
    Manifest,
    Model,
    load_model,
    pack_model,
    read_manifest,
    save_model,
)
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import load_protocol

X = torch.randn(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))


def answers(model: Model) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([out[0].dense() for out in model.network.eval()(X).values()], dim=1)


def names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(width=4, levels=3),
        NetworkSettings(width=4, levels=2, residual=True, deep_supervision=True, norm="batch"),
    ],
)
def test_a_model_comes_back_the_same(tmp_path, make_model, settings):
    model = make_model(settings=settings, scores={"dice": 0.8}, licence="MIT", card="Toy.\nNo use.")
    loaded = load_model(save_model(tmp_path / "m", model))
    assert torch.equal(answers(loaded), answers(model))
    same = loaded.manifest.model_copy(update={"weights_sha256": ""})
    assert same == model.manifest
    assert loaded.manifest.weights_sha256 == sha256(tmp_path / "m" / "weights.safetensors")
    assert names(tmp_path / "m") == ["manifest.json", "weights.safetensors"]


def test_decoders_and_protocols_are_those_saved(saved):
    model = load_model(saved)
    assert model.decoders == {"full": 5, "partial": 3}
    assert model.protocol("full").name == "atlas"
    assert model.protocol("partial").indices == (10, 20)
    with pytest.raises(ModelError, match=r"no decoder malc.*It has: full, partial"):
        model.protocol("malc")


def test_a_loaded_model_is_in_eval_mode_and_can_be_trained_on(saved):
    network = load_model(saved).network
    assert not network.training
    network.train()(X)["full"][0].dense().sum().backward()
    assert all(p.grad is not None for p in network.encoder.parameters())


def test_loading_draws_no_random_numbers(saved):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    load_model(saved)
    assert torch.equal(torch.rand(1), expected)


def test_half_takes_half_the_space_and_loads_as_float32(tmp_path, make_model):
    model = make_model()
    save_model(tmp_path / "full", model)
    save_model(tmp_path / "half", model, half=True)
    weights = [(tmp_path / n / "weights.safetensors").stat().st_size for n in ("full", "half")]
    assert weights[1] < 0.75 * weights[0]
    loaded = load_model(tmp_path / "half")
    assert {p.dtype for p in loaded.network.parameters()} == {torch.float32}
    assert torch.allclose(answers(loaded), answers(model), atol=0.02)


def test_a_run_folder_and_either_file_mean_the_model_too(tmp_path, make_model):
    model = make_model()
    folder = save_model(tmp_path / "run" / "model", model)
    for path in (tmp_path / "run", folder / "manifest.json", folder / "weights.safetensors"):
        assert torch.equal(answers(load_model(path)), answers(model))
    assert read_manifest(tmp_path / "run").name == "toy"


def test_a_newer_model_takes_the_place_of_the_old(tmp_path, make_model):
    save_model(tmp_path / "m", make_model(seed=1))
    newer = make_model(seed=2, name="newer")
    save_model(tmp_path / "m", newer)
    loaded = load_model(tmp_path / "m")
    assert loaded.manifest.name == "newer"
    assert torch.equal(answers(loaded), answers(newer))
    assert names(tmp_path) == ["m"]


def test_a_failed_replacement_leaves_the_old_model(tmp_path, make_model, monkeypatch):
    old = make_model(seed=1)
    save_model(tmp_path / "m", old)
    rename = Path.rename

    def broken(self, target):
        if self.name.endswith(".writing"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OutputError, match="Input/output error"):
        save_model(tmp_path / "m", make_model(seed=2))
    assert torch.equal(answers(load_model(tmp_path / "m")), answers(old))
    assert names(tmp_path) == ["m"]


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path, make_model, monkeypatch):
    old, new = make_model(seed=1), make_model(seed=2)
    folder = save_model(tmp_path / "run" / "model", old)
    rename = Path.rename

    def killed(self, target):
        if self.name.endswith(".writing"):
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            save_model(folder, new)
    assert not folder.exists()
    assert torch.equal(answers(load_model(folder)), answers(old))
    assert torch.equal(answers(load_model(tmp_path / "run")), answers(old))
    save_model(folder, new)
    assert torch.equal(answers(load_model(folder)), answers(new))
    assert names(tmp_path / "run") == ["model"]


def test_what_a_killed_save_left_behind_is_no_hindrance(tmp_path, make_model):
    left = tmp_path / ".m.writing"
    left.mkdir()
    (left / "weights.safetensors").write_bytes(b"half")
    (left / "stranger").write_bytes(b"")
    load_model(save_model(tmp_path / "m", make_model()))
    assert names(tmp_path) == ["m"]


def test_a_full_disk_leaves_the_old_model_and_nothing_half_written(
    tmp_path, make_model, monkeypatch
):
    old = make_model(seed=1)
    save_model(tmp_path / "m", old)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        save_model(tmp_path / "m", make_model(seed=2))
    assert torch.equal(answers(load_model(tmp_path / "m")), answers(old))
    assert names(tmp_path) == ["m"]


def test_folders_with_other_files_are_not_replaced(tmp_path, make_model):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter1.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"chapter1\.tex.*new folder"):
        save_model(folder, make_model())
    with pytest.raises(OutputError, match="other files"):
        save_model(folder / "chapter1.tex", make_model())
    assert (folder / "chapter1.tex").read_text() == "years of work"


def test_a_network_that_does_not_fit_its_manifest_is_not_saved(tmp_path, make_model):
    model = make_model()
    other = make_model(settings=NetworkSettings(width=8, levels=3))
    with pytest.raises(ModelError, match=r"expected .*width=4.* got .*width=8"):
        save_model(tmp_path / "m", Model(model.manifest, other.network))
    assert names(tmp_path) == []


@pytest.mark.parametrize(("value", "half"), [(float("nan"), False), (1e6, True)])
def test_weights_that_are_not_finite_are_not_saved(tmp_path, make_model, value, half):
    model = make_model()
    with torch.no_grad():
        next(model.network.parameters())[0] = value
    with pytest.raises(ModelError, match="not finite"):
        save_model(tmp_path / "m", model, half=half)
    assert names(tmp_path) == []


def test_a_packed_model_loads_from_the_zip_and_from_what_it_unpacks_to(tmp_path, saved, make_model):
    archive = pack_model(saved, tmp_path / "shared model.zip")
    assert torch.equal(answers(load_model(archive)), answers(make_model()))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "out")
    assert load_model(tmp_path / "out" / "shared model").manifest == read_manifest(archive)
    with pytest.raises(ModelError, match="archive already"):
        pack_model(archive, tmp_path / "again.zip")


def test_a_broken_model_is_not_packed(tmp_path, saved):
    (saved / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError):
        pack_model(saved, tmp_path / "m.zip")
    assert not (tmp_path / "m.zip").exists()


def test_a_zip_as_desktops_make_it_loads(tmp_path, saved):
    """At the top level, compressed, with a Mac's extra files."""
    archive = tmp_path / "m.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(saved / "manifest.json", "manifest.json")
        packed.write(saved / "weights.safetensors", "weights.safetensors")
        packed.writestr("__MACOSX/manifest.json", "junk")
        packed.writestr(".DS_Store", "junk")
    assert load_model(archive).manifest == read_manifest(saved)


def test_the_manifest_is_plain_json_that_people_can_read(saved):
    fields = json.loads((saved / "manifest.json").read_text())
    assert fields["format_version"] == 1
    assert fields["network"]["width"] == 4
    assert [d["protocol"]["name"] for d in fields["decoders"]] == ["atlas", "part"]
    assert fields["patch"] == 16
    assert fields["created"].endswith("+00:00")


def test_a_shipped_protocol_comes_back_whole(tmp_path):
    malc, settings = load_protocol("malc"), NetworkSettings(width=2, levels=2)
    manifest = Manifest(
        name="malc",
        network=settings,
        decoders=[DecoderEntry(name="full", protocol=malc.as_dict())],
        preprocessing={},
        patch=16,
    )
    model = Model(manifest, MONet(settings, {"full": malc.n_classes}))
    loaded = load_model(save_model(tmp_path / "m", model))
    assert loaded.protocol("full").fingerprint == malc.fingerprint
    assert loaded.protocol("full").as_dict() == malc.as_dict()
    assert loaded.decoders == {"full": 139}
