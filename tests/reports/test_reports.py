"""Methods text and commands: only what the records state, and the same settings again."""

import json
import shlex
import subprocess
import sys

import pytest
from aal import aal_to_first
from monet_resources import ROOT
from typer.testing import CliRunner

from monet_core.cli.main import app
from monet_core.errors import MonetError
from monet_core.reports import (
    REFERENCES,
    command_line,
    methods_paragraph,
    segment_command,
    train_command,
)
from monet_core.scans import Decisions
from monet_core.training.settings import TrainingSettings, recipe_settings

MALC_TERMS = (
    "Non-commercial (CC BY-NC): trained on the MICCAI 2012 Multi-Atlas Labeling Challenge data. "
    "MRI: OASIS (Marcus et al. 2007)"
)
VERSIONS = {
    "python": "3.11.7",
    "monet-studio": "0.1.0",
    "torch": "2.8.0",
    "nibabel": "5.2.0",
    "monai": "1.4.0",
}
RECORD = {
    "Manual": False,
    "Atlas": "malc",
    "Sources": ["sub 1_T1w.nii.gz"],
    "GeneratedBy": [{"Name": "MO-Net Studio", "Version": "0.1.0"}],
    "Model": {
        "Name": "malc-1mm",
        "Decoder": "full",
        "WeightsSha256": "0123456789abcdef" * 4,
        "Licence": MALC_TERMS,
    },
    "Settings": {"overlap": 0.5, "mirror": True, "precision": "auto", "device": "auto"},
    "Computation": {"device": "cpu", "precision": "bf16", "patch_voxels": 96},
    "Preprocessing": {
        "settings": {"spacing_mm": 1.0, "n4": False, "register": True},
        "head": "stripped",
        "registration": {"good": True},
    },
    "Notes": [],
    "Versions": VERSIONS,
}


def manifest(name="malc-1mm"):
    return json.loads((ROOT / "models" / name / "manifest.json").read_text())


def changed(record, **parts):
    return {**record, **{key: {**record[key], **value} for key, value in parts.items()}}


def test_a_segmentation_in_a_papers_words():
    text, _, references = methods_paragraph(RECORD).partition("\n\nReferences\n")
    assert "into the 138 regions of the MICCAI 2012 Multi-Atlas Labeling Challenge" in text
    assert "MO-Net Studio 0.1.0, an implementation of MO-Net (Dai et al. 2019)" in text
    assert "malc-1mm (decoder full, SHA-256 of the weights 0123456789ab)" in text
    assert "MRI: OASIS, Marcus et al. 2007" in text
    assert "rigidly registered to MNI152 space (Fonov et al. 2009), resampled to 1 mm" in text
    assert "patches of 96³ voxels that overlap by 50% and of the scan and its mirror image" in text
    assert "PyTorch 2.8.0 (Paszke et al. 2019) and nibabel 5.2.0 (Brett et al.)" in text
    assert "arXiv:1908.10851" in references
    assert "Neuromorphometrics" in references
    # Nothing of what was not used: MONAI is installed, but no part of the work.
    for absent in ("MONAI", "N4", "SynthStrip", "SimpleITK"):
        assert absent not in text + references


def test_the_manifest_adds_the_number_of_scans():
    text = methods_paragraph(RECORD, manifest())
    assert "trained on 15 annotated scans of the MICCAI 2012" in text
    assert "and 11 scans labelled by an earlier model" in text


def test_what_was_done_to_the_scan_is_told():
    record = changed(RECORD, Preprocessing={"settings": {"spacing_mm": 2.0, "n4": True}})
    record["Notes"] = [{"code": "head-stripped", "message": "..."}]
    text = methods_paragraph(record)
    assert "skull-stripped by the program's own network" in text
    assert "Hoopes" in text
    assert "Scans were corrected for the bias field by N4 (Tustison et al. 2010), resampled" in text
    assert "MNI152" not in text


def test_a_head_that_keeps_its_voxels_is_not_said_to_be_turned():
    settings = {"spacing_mm": 1.0, "register": True, "turn_from_deg": 15.0}
    text = methods_paragraph(changed(RECORD, Preprocessing={"settings": settings}))
    assert "space (Fonov et al. 2009), without a turn where it was below 15°, resampled" in text


def test_a_registration_that_failed_is_not_claimed():
    record = changed(RECORD, Preprocessing={"registration": {"good": False}})
    assert "MNI152" not in methods_paragraph(record)


def test_a_labs_own_model_cites_no_other_data():
    record = {
        **changed(RECORD, Model={"Name": "ours", "Licence": "as the training data allow"}),
        "Atlas": "lab",
    }
    text = methods_paragraph(record)
    assert "into the regions of the atlas lab" in text
    for absent in ("OASIS", "Challenge", "trained on"):
        assert absent not in text


def run(stage="finetune", recipe="best", start=None, **values):
    protocols = {"full": "malc", "partial": "first"}
    if stage == "pretrain":
        protocols = {"partial": "first"}
    settings = TrainingSettings(
        **{**recipe_settings(recipe, stage), "protocols": protocols, **values}
    )
    return {
        "settings": settings.model_dump(mode="json"),
        "start": start,
        "decisions": {"form": None, "orientation": None, "labels_as_scan": False, "series": None},
        "unknown": "ask",
        "missing": "ask",
        "versions": VERSIONS,
    }


def test_a_training_in_a_papers_words():
    config = run(start="../models/first-20", mapping=aal_to_first(), epochs=30, seed=4)
    text = methods_paragraph(config)
    assert "with one encoder and two decoders was trained: one decoder for the 138 regions" in text
    assert "extracted from the full ones by a mapping of our own" in text
    assert "began with the weights of the model first-20" in text
    assert "30 epochs of 1 patch of 128³ voxels per scan (batch 1, seed 4)" in text
    assert "AdamW (Loshchilov and Hutter 2019) at a learning rate of 0.001, falling to zero" in text
    assert "left-right mirroring" in text
    assert "Kingma" not in text
    paper = methods_paragraph(run("pretrain", "paper"))
    assert "for the 15 regions of the sub-cortical protocol of FSL FIRST" in paper
    assert "Adam (Kingma and Ba 2015)" in paper
    assert "to minimise cross-entropy (the published method)" in paper
    assert "augmented on the fly by elastic deformation." in paper


def test_a_model_tells_its_training_and_its_scores():
    model = manifest()
    full, partial = (model["scores"][decoder]["dice"]["mean"] for decoder in ("full", "partial"))
    text = methods_paragraph(model)
    assert "trained on 15 annotated scans of the MICCAI 2012" in text
    assert f"scans was {full:.3f} for the full decoder and {partial:.3f} for the partial" in text


@pytest.mark.parametrize("record", [{}, {"settings": {}}, {"Model": "x"}, {"decoders": []}])
def test_other_data_are_refused(record):
    with pytest.raises(MonetError, match="no record"):
        methods_paragraph(record)
    with pytest.raises(MonetError, match="no record"):
        command_line(record)


def test_a_model_alone_has_no_command():
    with pytest.raises(MonetError, match="on which data"):
        command_line(manifest())


def test_every_reference_has_year_and_text():
    for key, reference in REFERENCES.items():
        assert reference.full.endswith("."), key
        assert reference.short.split()[0] in reference.full


# Commands ---------------------------------------------------------------------------------------


def asked(monkeypatch, target, command):
    """What the program would do if the user typed `command`: the arguments of `target`."""
    seen = {}

    def instead(*arguments, **named):
        seen["arguments"] = arguments
        return []

    monkeypatch.setattr(target, instead)
    monkeypatch.setattr("monet_core.models.load_model", lambda path: path)
    words = shlex.split(command)
    assert words[0] == "monet"
    done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return seen["arguments"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"overlap": 0.25, "mirror": False, "entropy": True},
        {"patch": 64, "precision": "bf16", "device": "cuda:1"},
    ],
)
def test_the_command_of_a_segmentation_gives_the_same_settings(monkeypatch, settings):
    record = changed(RECORD, Settings=settings)
    decisions = Decisions(form="sform", orientation="LAS", labels_as_scan=True)
    command = segment_command(record, out="my results", decisions=decisions)
    scans, model, out, found, decided, *_ = asked(
        monkeypatch, "monet_core.cohort.segment_paths", command
    )
    assert [path.name for path in scans] == record["Sources"]
    assert (model.name, str(out)) == ("malc-1mm", "my results")
    assert found.model_dump(exclude_unset=False) == {**found.model_dump(), **record["Settings"]}
    assert decided == decisions


def test_places_take_the_part_of_what_records_do_not_hold():
    command = command_line(RECORD, scans=["/data/a b.nii.gz"], model="/models/x", out="/out")
    assert command == "monet segment '/data/a b.nii.gz' --out /out --model /models/x"
    assert command_line(RECORD) == "monet segment 'sub 1_T1w.nii.gz' --out OUT --model malc-1mm"


@pytest.mark.parametrize(
    "config",
    [
        run(),
        run("pretrain", "paper", epochs=3, patch=64, deterministic=True, devices=2, workers=0),
        run("pretrain", "best", network={"width": 8, "levels": 3, "residual": False}),
        run("finetune", "paper", protocols={"full": "malc"}, seed=7, precision="bf16"),
        run(mapping={47: 53, 48: 17}, mapping_variant="core", ema_decay=None),
        run(loss={"kind": "ce", "weights": {"full": 0.7, "partial": 0.3}}, clip_norm=None),
        run(preprocessing={"spacing_mm": 1.5, "n4": True, "register": False}),
        run(augmentation={"mirror_probability": 0.1, "noise_sd": 0.5}),
        {**run(), "unknown": "background", "missing": "absent"},
    ],
    ids=range(9),
)
def test_the_command_of_a_training_gives_the_same_settings(monkeypatch, config):
    command = train_command(config, data="my data", labels="my labels", out="runs/1")
    (request, *_) = asked(monkeypatch, "monet_core.training.train", command)
    assert request.settings == TrainingSettings.model_validate(config["settings"])
    assert (str(request.data), str(request.labels)) == ("my data", "my labels")
    assert (request.unknown, request.missing) == (config["unknown"], config["missing"])
    assert request.start is None


def test_the_processes_of_torchrun_are_part_of_the_command():
    command = train_command({**run(), "processes": 8})
    assert command.startswith("torchrun --nproc-per-node 8 -m monet_core.cli finetune DATA")
    assert train_command({**run(), "processes": 1}) == train_command(run())


def test_what_a_start_model_brings_is_said(monkeypatch, tmp_path):
    """The run's own settings count, also where the start model would bring others."""
    model = ROOT / "models" / "malc-1mm"  # 1 mm, patches of 96
    start = str(model.relative_to(ROOT))
    config = run(start=start, network=manifest()["network"], patch=128)
    command = train_command(config, out=ROOT)
    (request, *_) = asked(monkeypatch, "monet_core.training.train", command)
    assert request.settings == TrainingSettings.model_validate(config["settings"])
    assert request.start == model


def test_the_program_tells_them_of_a_file_and_of_a_run(tmp_path):
    (tmp_path / "a_dseg.json").write_text(json.dumps(RECORD))
    done = CliRunner().invoke(app, ["methods", str(tmp_path / "a_dseg.json")])
    assert done.exit_code == 0, done.output
    assert "Dai et al. 2019" in done.output
    assert "monet segment 'sub 1_T1w.nii.gz'" in done.output
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps(run()))
    done = CliRunner().invoke(app, ["methods", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert f"monet finetune DATA --out {tmp_path / 'run'}" in done.output


def test_reports_need_no_torch():
    code = "import monet_core.reports, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
