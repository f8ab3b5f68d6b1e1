"""Trainings on small phantoms: they learn, stop clearly, and resume to the same bits."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from phantoms import brain_phantom, save, save_malc_dataset, save_subject

from monet_core.errors import NotEnoughMemoryError, OutputError, TrainingError
from monet_core.jobs import Cancel, CancelledError, Event, Message, Metrics, Progress, silent
from monet_core.losses import JointLoss, LossSettings
from monet_core.models import load_model, resolve_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.preprocessing import PreprocessingSettings
from monet_core.training import (
    AugmentationSettings,
    TrainingRequest,
    TrainingSettings,
    complete_settings,
    read_metrics,
    recipe_settings,
    train,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    for seed in range(2):
        save_subject(folder / "train", f"sub-{seed}", seed=seed)
    save_subject(folder / "validation", "sub-9", seed=9)
    return folder


@pytest.fixture(scope="module")
def full_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same people with MALC indices: the full annotation of stage 2."""
    return save_malc_dataset(tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def settings(stage: str = "pretrain", **kwargs: object) -> TrainingSettings:
    protocols = {"partial": "first"}
    if stage == "finetune":
        protocols = {"full": "malc", "partial": "first"}
    small = {
        "protocols": protocols,
        "epochs": 2,
        "patch": 24,
        "workers": 0,
        "network": NetworkSettings(width=4, levels=2),
        "preprocessing": PreprocessingSettings(register=False, spacing_mm=3.0),
    }
    return TrainingSettings(**{**recipe_settings("paper", stage), **small, **kwargs})


def request(data: Path, out: Path, cache: Path, **kwargs: object) -> TrainingRequest:
    what = kwargs.pop("settings", settings())
    return TrainingRequest(data, out, what, missing="absent", cache=cache, **kwargs)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_model(run).network.state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a.keys() | b.keys())


def test_stage_one_learns_the_structures_of_phantoms(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    what = settings(
        epochs=30, patches_per_scan=4, learning_rate=0.02, validate_every=15,
        network=NetworkSettings(width=8, levels=2), loss=LossSettings(kind="dice_ce"),
    )  # fmt: skip
    train(request(data, tmp_path / "run", cache, settings=what), silent, Cancel())
    rows = read_metrics(tmp_path / "run")
    assert len(rows) == 30
    assert rows[-1]["train/loss"] < 0.3 * rows[0]["train/loss"]
    assert rows[-1]["validation/dice/partial"] > 0.3
    regions = [json.loads(x) for x in (tmp_path / "run/regions.jsonl").read_text().splitlines()]
    assert {row["scan"] for row in regions} == {"sub-9"}
    assert set(regions[-1]["dice"]) >= {"10", "49", "16"}
    manifest = load_model(tmp_path / "run").manifest
    assert manifest.scores["validation/dice/partial"] == rows[-1]["validation/dice/partial"]
    assert manifest.preprocessing["brain_only"] is True  # all phantoms were stripped
    assert str(tmp_path) not in (tmp_path / "run/model/manifest.json").read_text()


def test_stage_two_begins_with_the_weights_of_stage_one_in_both_decoders(
    data: Path, full_data: Path, cache: Path, tmp_path: Path
) -> None:
    first = settings(learning_rate=1e-12)
    train(request(data, tmp_path / "one", cache, settings=first), silent, Cancel())
    second = settings("finetune", epochs=1, learning_rate=1e-12)
    said: list[Event] = []
    job = request(full_data, tmp_path / "two", cache, settings=second, start=tmp_path / "one")
    train(job, said.append, Cancel())
    before, after = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in before.items():
        if name.startswith("encoder") or ".heads." not in name:
            copies = [name, name.replace("decoders.partial", "decoders.full")]
            for copy in copies:
                torch.testing.assert_close(after[copy], value, atol=1e-8, rtol=0)
    assert after["decoders.full.heads.0.weight"].shape[0] == 139
    assert any(isinstance(e, Message) and "fresh: decoders.full" in e.text for e in said)


def test_a_narrower_start_is_widened_and_goes_on_with_what_it_knew(
    data: Path, full_data: Path, cache: Path, tmp_path: Path
) -> None:
    still = {"epochs": 1, "learning_rate": 1e-12}
    train(request(data, tmp_path / "one", cache, settings=settings(**still)), silent, Cancel())
    second = settings("finetune", network=NetworkSettings(width=6, levels=2), **still)
    said: list[Event] = []
    job = request(full_data, tmp_path / "two", cache, settings=second, start=tmp_path / "one")
    train(job, said.append, Cancel())
    narrow, wide = (load_model(tmp_path / run).network.eval() for run in ("one", "two"))
    assert wide.settings.widths == second.network.widths != narrow.settings.widths
    x = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        few, many = (network(x)["partial"][0].dense() for network in (narrow, wide))
    torch.testing.assert_close(many, few, atol=1e-4, rtol=1e-4)
    assert any(isinstance(e, Message) and "was widened" in e.text for e in said)


def test_what_validation_shows_the_network_is_what_training_showed_it(
    data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scans smaller than the patch: the very same voxels, padding included."""
    seen: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    forward = MONet.forward

    def watch(self: MONet, x: torch.Tensor, *rest: object, **named: object) -> object:
        seen[self.training].append(x.detach().clone())
        return forward(self, x, *rest, **named)

    monkeypatch.setattr(MONet, "forward", watch)
    shutil.copytree(data / "validation", tmp_path / "d/train")
    shutil.copytree(data / "validation", tmp_path / "d/validation")
    plain = AugmentationSettings.none()
    what = settings(epochs=1, patch=40, augmentation=plain, precision="32")
    train(request(tmp_path / "d", tmp_path / "run", cache, settings=what), silent, Cancel())
    torch.testing.assert_close(seen[True][0], seen[False][0], rtol=0, atol=0)


def test_heads_are_left_unturned_only_where_turned_ones_are_trained_on() -> None:
    chosen = {"protocols": {"full": "malc"}, "preprocessing": {"spacing_mm": 2.0}}
    paper = complete_settings("finetune", "paper", None, chosen)
    best = complete_settings("finetune", "best", None, chosen)
    assert paper.preprocessing == PreprocessingSettings(spacing_mm=2.0, turn_from_deg=0)
    assert 0 < best.preprocessing.turn_from_deg <= best.augmentation.rotation_degrees
    assert best.augmentation.affine_probability > 0
    onward = complete_settings("finetune", "best", resolve_model("malc-2mm"), chosen)
    assert onward.preprocessing.turn_from_deg == 0


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        what = settings(seed=seed, deterministic=True)
        train(request(data, tmp_path / name, cache, settings=what), silent, Cancel())
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


@pytest.mark.parametrize("recipe", ["paper", "best"])
def test_a_cancelled_run_resumes_to_the_same_weights_and_curves(
    recipe: str, data: Path, cache: Path, tmp_path: Path
) -> None:
    what = settings(epochs=3, precision="32")
    if recipe == "best":
        best = recipe_settings("best", "pretrain")
        network = NetworkSettings(width=4, levels=3, residual=True, deep_supervision=True)
        keep = {k: v for k, v in best.items() if k not in ("network", "epochs", "stage")}
        what = settings(epochs=3, network=network, workers=1, **keep)
    train(request(data, tmp_path / "whole", cache, settings=what), silent, Cancel())

    for stop_at in (1, 4):
        cancel = Cancel()

        def stop(event: Event, cancel: Cancel = cancel, stop_at: int = stop_at) -> None:
            if isinstance(event, Progress) and event.total == 6 and event.done == stop_at:
                cancel.set()

        job = request(data, tmp_path / "broken", cache, settings=what, resume=stop_at > 1)
        with pytest.raises(CancelledError):
            train(job, stop, cancel)
    job = request(data, tmp_path / "broken", cache, resume=True)
    train(job, silent, Cancel())
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    assert read_metrics(tmp_path / "whole") == read_metrics(tmp_path / "broken")


def test_cancelling_during_validation_does_not_lose_that_epoch(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    what = settings(epochs=1)
    train(request(data, tmp_path / "whole", cache, settings=what), silent, Cancel())
    cancel = Cancel()

    def stop(event: Event) -> None:
        if getattr(event, "name", "").startswith("Validating"):
            cancel.set()

    with pytest.raises(CancelledError):
        train(request(data, tmp_path / "broken", cache, settings=what), stop, cancel)
    assert read_metrics(tmp_path / "broken") == []
    train(request(data, tmp_path / "broken", cache, resume=True), silent, Cancel())
    assert read_metrics(tmp_path / "whole") == read_metrics(tmp_path / "broken")


def test_a_run_stopped_before_its_first_checkpoint_still_begins_where_it_was_told(
    data: Path, full_data: Path, cache: Path, tmp_path: Path
) -> None:
    train(request(data, tmp_path / "one", cache), silent, Cancel())
    cancel = Cancel()

    def stop(event: Event) -> None:
        if getattr(event, "name", "") == "Preparing scans":
            cancel.set()

    second = {"settings": settings("finetune", epochs=1), "start": tmp_path / "one"}
    train(request(full_data, tmp_path / "whole", cache, **second), silent, Cancel())
    with pytest.raises(CancelledError):
        train(request(full_data, tmp_path / "broken", cache, **second), stop, cancel)
    train(request(full_data, tmp_path / "broken", cache, resume=True), silent, Cancel())
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))


def test_scans_that_changed_since_the_run_began_are_named(cache: Path, tmp_path: Path) -> None:
    for seed in range(2):
        save_subject(tmp_path / "d/train", f"sub-{seed}", seed=seed)
    train(request(tmp_path / "d", tmp_path / "run", cache), silent, Cancel())
    save_subject(tmp_path / "d/train", "sub-1", seed=5)
    with pytest.raises(TrainingError, match=r"changed: sub-1\. Put them back") as caught:
        train(request(tmp_path / "d", tmp_path / "run", cache, resume=True), silent, Cancel())
    assert caught.value.code == "inputs-changed"


def test_a_finished_run_is_left_as_it_is(data: Path, cache: Path, tmp_path: Path) -> None:
    train(request(data, tmp_path / "run", cache, settings=settings(epochs=1)), silent, Cancel())
    before = weights(tmp_path / "run")
    said: list[Event] = []
    train(request(data, tmp_path / "run", cache, resume=True), said.append, Cancel())
    assert not any(isinstance(event, Metrics) for event in said)
    assert same(before, weights(tmp_path / "run"))


def test_a_loss_that_is_not_finite_stops_at_the_last_good_state_and_names_the_scan(
    data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = JointLoss.__call__
    count = iter(range(100))

    def sometimes_nan(*given):
        total, parts = call(*given)
        return (total * float("nan") if next(count) == 2 else total), parts

    monkeypatch.setattr(JointLoss, "__call__", sometimes_nan)
    with pytest.raises(TrainingError, match=r"loss became nan at step 3 on sub-\d") as caught:
        train(request(data, tmp_path / "run", cache), silent, Cancel())
    assert caught.value.code == "loss-not-finite"
    monkeypatch.undo()
    train(request(data, tmp_path / "run", cache, resume=True), silent, Cancel())
    assert all(v.isfinite().all() for v in weights(tmp_path / "run").values())


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
        MemoryError(),
    ],
)
def test_out_of_memory_says_which_patch_and_what_to_do(
    error: Exception, data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(JointLoss, "__call__", fails)
    with pytest.raises(NotEnoughMemoryError, match=r"patches of 24\^3.*smaller --patch"):
        train(request(data, tmp_path / "run", cache), silent, Cancel())


def test_other_runtime_errors_are_not_taken_for_memory(
    data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(JointLoss, "__call__", fails)
    with pytest.raises(RuntimeError, match="shapes differ"):
        train(request(data, tmp_path / "run", cache), silent, Cancel())


def test_a_run_that_learns_nothing_stops_and_says_so(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    what = settings(epochs=9, learning_rate=1e-9, stop_after_zero_dice=3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "monet_core.training.validation.dice_per_region", lambda p, t, c: dict.fromkeys(c, 0.0)
        )
        with pytest.raises(TrainingError, match=r"0 for 3 epochs.*monet check"):
            train(request(data, tmp_path / "run", cache, settings=what), silent, Cancel())
    assert len(read_metrics(tmp_path / "run")) == 3


def test_a_folder_with_a_run_is_not_overwritten(data: Path, cache: Path, tmp_path: Path) -> None:
    train(request(data, tmp_path / "run", cache, settings=settings(epochs=1)), silent, Cancel())
    with pytest.raises(TrainingError, match=r"a run was begun here.*--resume"):
        train(request(data, tmp_path / "run", cache), silent, Cancel())
    with pytest.raises(TrainingError, match="holds no run"):
        train(request(data, tmp_path / "other", cache, resume=True), silent, Cancel())
    (tmp_path / "run/config.json").write_text("{}")
    with pytest.raises(TrainingError, match="settings cannot be read"):
        train(request(data, tmp_path / "run", cache, resume=True), silent, Cancel())


def test_a_place_that_cannot_be_written_is_refused_first(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write here"):
        train(request(data, tmp_path / "file" / "run", cache), silent, Cancel())


def test_without_validation_scans_the_last_weights_are_kept_and_it_is_told(
    data: Path, cache: Path, tmp_path: Path
) -> None:
    said: list[Event] = []
    job = request(data / "train", tmp_path / "run", cache)
    train(job, said.append, Cancel())
    assert "validation" in " ".join(e.text for e in said if isinstance(e, Message))
    assert (tmp_path / "run/model/manifest.json").exists()


def test_scans_with_partial_labels_only_teach_the_full_decoder_too(
    data: Path, full_data: Path, cache: Path, tmp_path: Path
) -> None:
    """One scan annotated in FIRST beside one in MALC, in one batch (marginal loss)."""
    rows = ["scan\tlabels\tprotocol\tsplit"]
    for folder, name, protocol in ((full_data, "sub-0", "malc"), (data, "sub-1", "first")):
        stem = folder / "train" / name
        rows.append(f"{stem}_T1w.nii.gz\t{stem}_dseg.nii.gz\t{protocol}\ttrain")
    (tmp_path / "mixed.tsv").write_text("\n".join(rows) + "\n")
    what = settings("finetune", epochs=3, batch=2)
    train(request(tmp_path / "mixed.tsv", tmp_path / "run", cache, settings=what), silent, Cancel())
    rows = read_metrics(tmp_path / "run")
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[-1]["train/loss/full"] < rows[0]["train/loss/full"]


def test_a_region_that_was_not_annotated_in_a_scan_is_hidden_from_the_loss(
    data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, labels, affine = brain_phantom(seed=0)
    labels[labels == 12] = 0
    save(tmp_path / "d/train/sub-0_T1w.nii.gz", image, affine)
    save(tmp_path / "d/train/sub-0_dseg.nii.gz", labels, affine)
    save_subject(tmp_path / "d/train", "sub-1", seed=1)
    seen: list[tuple[int, ...] | None] = []
    call = JointLoss.__call__

    def watch(self: JointLoss, outputs, targets, step):
        group = targets["partial"].group
        seen.append(None if group is None else tuple(group.tolist()))
        return call(self, outputs, targets, step)

    monkeypatch.setattr(JointLoss, "__call__", watch)
    job = request(tmp_path / "d", tmp_path / "run", cache, settings=settings(epochs=1))
    train(replace(job, missing="unannotated"), silent, Cancel())
    hidden = [group for group in seen if group is not None]
    assert len(seen) == 2
    assert len(hidden) >= 1
    assert any(group[3] == 0 and group[1] == 1 for group in hidden)  # class 3 is index 12
