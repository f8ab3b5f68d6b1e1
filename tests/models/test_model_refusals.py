"""Bad inputs 41 to 43: what a model from elsewhere may be, and the words it is refused with."""

import hashlib
import json
import os
import pickle
import stat
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from monet_core.errors import ModelError
from monet_core.models import load_model, read_manifest, sources
from monet_core.networks import NetworkSettings


def refusal(path: Path) -> ModelError:
    with pytest.raises(ModelError) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    assert error.value.file == str(path)
    return error.value


def edit_manifest(folder: Path, **update) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | update))


def replace_weights(folder: Path, content: bytes) -> None:
    (folder / "weights.safetensors").write_bytes(content)
    edit_manifest(folder, weights_sha256=hashlib.sha256(content).hexdigest())


def edit_weights(folder: Path, change) -> None:
    state = safetensors.torch.load_file(folder / "weights.safetensors")
    replace_weights(folder, safetensors.torch.save(change(state)))


def zipped(folder: Path, archive: Path, *more: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.iterdir():
            packed.write(file, file.name)
        for name, content in more:
            packed.writestr(name, content)
    return archive


class Bomb:
    """Touches a file when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


# Row 41: pickles, code, configurations


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".ckpt", ".bin", ".model", ""])
def test_pickles_are_refused_unopened(tmp_path, suffix):
    mark = tmp_path / "executed"
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    error = refusal(path)
    assert error.code == "pickle-refused"
    assert "nothing was executed" in error.problem
    assert "safetensors" in error.remedy
    assert not mark.exists()


def test_torch_files_are_refused_under_any_name(tmp_path):
    """torch.save writes a zip that holds a pickle."""
    for name in ("net.pt", "net.zip", "net.weights"):
        torch.save({"a": torch.zeros(3)}, tmp_path / name)
        assert refusal(tmp_path / name).code == "pickle-refused"


def test_a_pickle_in_the_place_of_the_weights_is_refused(tmp_path, saved):
    mark = tmp_path / "executed"
    replace_weights(saved, pickle.dumps(Bomb(mark)))
    assert refusal(saved).code == "pickle-refused"
    torch.save({}, saved / "net.pt")
    replace_weights(saved, (saved / "net.pt").read_bytes())
    assert refusal(saved).code == "pickle-refused"
    assert not mark.exists()


def test_a_folder_of_pickles_is_refused_as_such(tmp_path):
    (tmp_path / "model.pth").write_bytes(b"\x80\x04.")
    assert refusal(tmp_path).code == "pickle-refused"


def test_a_header_length_that_looks_like_a_pickle_is_none():
    sources.refuse_pickle(b"\x80\x02\0\0\0\0\0\0{", Path("weights"))


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "train.py", "setup.cfg"])
def test_configurations_and_code_are_refused(tmp_path, name):
    mark = tmp_path / "executed"
    (tmp_path / name).write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    error = refusal(tmp_path / name)
    assert error.code == "config-refused"
    assert "nothing was executed" in error.problem
    assert not mark.exists()


def test_expressions_in_a_manifest_stay_text(tmp_path, saved):
    mark = tmp_path / "executed"
    code = f"__import__('os').mkdir('{mark}')"
    edit_manifest(saved, training={"optimiser": code})
    loaded = load_model(saved)
    assert loaded.manifest.training["optimiser"].startswith("__import__('os').mkdir(")
    edit_manifest(saved, eval=code)
    assert "eval: Extra inputs are not permitted" in refusal(saved).problem
    edit_manifest(saved, network={"width": "2*2"})
    assert refusal(saved).code == "manifest-invalid"
    assert not mark.exists()


# Row 42: archives


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "C:evil", "..\\evil", "\\\\host\\evil"],
)
def test_archives_that_lead_out_of_their_folder_are_refused(tmp_path, saved, name):
    error = refusal(zipped(saved, tmp_path / "m.zip", (name, b"x")))
    assert error.code == "archive-unsafe"
    assert "leads out of its folder" in error.problem
    assert "nothing was unpacked" in error.problem
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.zip", "toy"]


def test_archives_with_links_are_refused(tmp_path, saved):
    link = zipfile.ZipInfo("weights")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    error = refusal(zipped(saved, tmp_path / "m.zip", (link, b"/etc/passwd")))
    assert "holds a link" in error.problem


def test_archives_with_pickles_are_refused(tmp_path, saved):
    archive = zipped(saved, tmp_path / "m.zip", ("old/optimiser.pt", b"\x80\x04."))
    assert refusal(archive).code == "pickle-refused"


def test_archives_of_many_files_are_refused(tmp_path, saved):
    more = [(f"{n}.txt", b"") for n in range(15)]
    error = refusal(zipped(saved, tmp_path / "m.zip", *more))
    assert "holds 17 files" in error.problem


def test_archives_that_grow_out_of_proportion_are_refused(tmp_path, saved):
    bomb = zipfile.ZipInfo("zeros")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    error = refusal(zipped(saved, tmp_path / "m.zip", (bomb, bytes(5_000_000))))
    assert "100-fold" in error.problem


def test_archives_that_hold_too_much_are_refused(tmp_path, saved, monkeypatch):
    archive = zipped(saved, tmp_path / "m.zip")
    monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 1000)
    error = refusal(archive)
    assert error.code == "model-too-large"
    assert "MB allowed" in error.problem


def test_each_file_has_its_own_bound(tmp_path, saved, monkeypatch):
    archive = zipped(saved, tmp_path / "m.zip")
    monkeypatch.setitem(sources.MAX_BYTES, "manifest.json", 100)
    for path in (archive, saved):
        error = refusal(path)
        assert error.code == "model-too-large"
        assert error.problem.startswith("manifest.json")


def test_two_manifests_in_one_archive_are_refused(tmp_path, saved):
    archive = zipped(saved, tmp_path / "m.zip", ("x/manifest.json", b"{}"))
    assert "manifest.json 2 times" in refusal(archive).problem


def test_files_deep_in_an_archive_are_not_looked_for(tmp_path, saved):
    archive = tmp_path / "m.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(saved / "manifest.json", "a/b/manifest.json")
    error = refusal(archive)
    assert error.code == "model-incomplete"
    assert "manifest.json is missing" in error.problem


def test_damaged_archives_are_refused(tmp_path, saved):
    archive = zipped(saved, tmp_path / "m.zip")
    content = bytearray(archive.read_bytes())
    middle = content.index(b'"network"')
    content[middle : middle + 3] = b"###"
    archive.write_bytes(content)
    assert refusal(archive).code == "archive-damaged"  # the CRC
    archive.write_bytes(content[: len(content) // 2])
    assert refusal(archive).code == "not-a-model"  # its list of files is gone


def test_encrypted_archives_are_refused(tmp_path, saved):
    archive = zipped(saved, tmp_path / "m.zip")
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = content.find(signature)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(signature, start + 4)
    archive.write_bytes(content)
    error = refusal(archive)
    assert error.code == "archive-damaged"
    assert "encrypted" in error.problem


# Row 43: versions, keys, classes, channels


def test_a_newer_format_is_refused_naming_the_version(saved):
    edit_manifest(saved, format_version=2, monet_version="3.1.0", new_field=[])
    error = refusal(saved)
    assert error.code == "model-newer"
    assert "format 2" in error.problem
    assert "Update to version 3.1.0 or newer" in error.remedy


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.5])
def test_other_strange_versions_are_refused(saved, version):
    edit_manifest(saved, format_version=version)
    assert refusal(saved).code == "manifest-invalid"


def test_missing_and_surplus_weights_are_named(saved):
    name = "decoders.full.ups.0.bias"
    edit_weights(saved, lambda state: {k: v for k, v in state.items() if k != name})
    error = refusal(saved)
    assert error.code == "architecture-differs"
    assert f"an entry '{name}', got none" in error.problem
    assert error.file == str(saved)
    edit_weights(saved, lambda state: {**state, name: torch.zeros(8), "extra": torch.zeros(1)})
    assert "no entry 'extra', got one" in refusal(saved).problem


def test_another_class_count_is_told(saved):
    fields = json.loads((saved / "manifest.json").read_text())
    fields["decoders"][0]["protocol"]["regions"].pop()
    edit_manifest(saved, decoders=fields["decoders"])
    assert "classes full 4, partial 3, got full 5, partial 3" in refusal(saved).problem


def test_other_channels_are_told(saved):
    edit_manifest(saved, network=NetworkSettings(width=8, levels=3).model_dump())
    assert "channels 8/16/32, got 4/8/16" in refusal(saved).problem


def test_a_huge_network_in_the_manifest_allocates_nothing(saved):
    wide = NetworkSettings(width=256, max_width=2048, levels=7)
    edit_manifest(saved, network=wide.model_dump())
    assert "levels 7, got 3" in refusal(saved).problem


def test_changed_weights_are_noticed(saved):
    path = saved / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    error = refusal(saved)
    assert error.code == "weights-changed"
    assert "SHA-256" in error.problem


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"\xff" * 100, b"\x08" + bytes(7) + b"{}      ", b"\x10" + bytes(7) + b"{"],
)
def test_weights_that_are_no_safetensors_are_refused(saved, content):
    replace_weights(saved, content)
    assert refusal(saved).code in ("weights-damaged", "architecture-differs")


def test_weights_that_are_not_finite_are_refused(saved):
    name = "encoder.stages.0.first.0.weight"
    edit_weights(saved, lambda state: {**state, name: state[name] * float("nan")})
    error = refusal(saved)
    assert error.code == "weights-not-finite"
    assert name in error.problem


def test_weights_of_unknown_types_are_refused(saved):
    edit_weights(saved, lambda state: {k: v.to(torch.float8_e5m2) for k, v in state.items()})
    error = refusal(saved)
    assert error.code == "weights-dtype"
    assert "float8" in error.problem


def test_a_scalar_for_a_kernel_is_refused(saved):
    edit_weights(saved, lambda state: {k: torch.tensor(1.0) for k in state})
    assert refusal(saved).code == "architecture-differs"


# The manifest and the folder


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", "<html>", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"]
)
def test_manifests_that_are_no_json_are_refused(saved, text):
    (saved / "manifest.json").write_text(text)
    assert refusal(saved).code == "manifest-damaged"


def test_a_manifest_that_is_no_text_is_refused(saved):
    (saved / "manifest.json").write_bytes(b"\xff\xfe\x00\x01")
    assert refusal(saved).code == "manifest-damaged"


@pytest.mark.parametrize(
    ("update", "where"),
    [
        ({"patch": 0}, "patch"),
        ({"patch": "16; rm"}, "patch"),
        ({"decoders": []}, "decoders"),
        ({"name": ""}, "name"),
        ({"weights_sha256": "x"}, "weights_sha256"),
        ({"network": {"width": 10**9}}, "network > width"),
    ],
)
def test_manifests_with_impossible_fields_are_refused_naming_the_field(saved, update, where):
    edit_manifest(saved, **update)
    error = refusal(saved)
    assert error.code == "manifest-invalid"
    assert f"{where}: " in error.problem


def test_two_decoders_of_one_name_are_refused(saved):
    fields = json.loads((saved / "manifest.json").read_text())
    edit_manifest(saved, decoders=[fields["decoders"][0]] * 2)
    assert "two decoders have one name" in refusal(saved).problem


def test_a_bad_protocol_is_refused_as_a_model(saved):
    fields = json.loads((saved / "manifest.json").read_text())
    fields["decoders"][0]["protocol"]["regions"][0]["index"] = -4
    edit_manifest(saved, decoders=fields["decoders"])
    error = refusal(saved)
    assert error.code == "bad-manifest-protocol"
    assert error.file == str(saved)


def test_a_bad_decoder_name_is_refused(saved):
    fields = json.loads((saved / "manifest.json").read_text())
    fields["decoders"][0]["name"] = "a.b"
    edit_manifest(saved, decoders=fields["decoders"])
    assert refusal(saved).code == "decoder-name"


def test_missing_files_and_folders_are_told(tmp_path, saved):
    assert refusal(tmp_path / "nothing").code == "model-missing"
    (tmp_path / "empty").mkdir()
    error = refusal(tmp_path / "empty")
    assert error.code == "not-a-model"
    assert "training run" in error.remedy
    (tmp_path / "photo.jpg").write_bytes(b"jpeg")
    assert refusal(tmp_path / "photo.jpg").code == "not-a-model"
    (saved / "weights.safetensors").unlink()
    error = refusal(saved)
    assert error.code == "model-incomplete"
    assert "weights.safetensors is missing" in error.problem
    assert read_manifest(saved).name == "toy"


def test_unreadable_files_are_told(saved, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    error = refusal(saved)
    assert error.code == "model-unreadable"
    assert "Permission denied" in error.problem


def test_folders_that_may_not_be_entered_are_told(saved, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", denied)
    assert refusal(saved).code == "model-unreadable"
