"""What each part of the training of `malc-1mm` brings: trainings that leave one part out.

Every variant is a MO-Net fine-tuned on the 15 training scans of MALC with the same seed, patches
and number of steps (2 mm, 64^3, small enough for two cores), scored on the two validation scans in
model space by the weights of its last epoch. From scratch, so few steps reach next to nothing;
so all have the network of `malc-2mm` and begin with what stage 1 would give: its encoder and its
sub-cortical decoder. (The encoder has seen these scans' full labels; all variants have that in
common.) Each is a run folder: the script goes on where it was interrupted, and prints the table of
what is finished.

    python benchmarks/ablation.py OUT [--epochs 8] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

from monet_core.augmentation import AugmentationSettings
from monet_core.jobs import Cancel, silent
from monet_core.models import Model, load_model, resolve_model, save_model
from monet_core.networks import MONet, NetworkSettings, transfer
from monet_core.training import TrainingRequest, TrainingSettings, read_metrics, recipe_settings
from monet_core.training import train as train_run

MALC = Path(__file__).parents[2] / "shared" / "data" / "malc"
RESULTS = Path(__file__).parent / "results" / "ablation.json"
BOTH = {"full": "malc", "partial": "first"}
GEOMETRIC = ("elastic", "affine", "mirror")

VARIANTS: dict[str, dict[str, Any]] = {
    "the whole recipe": {},
    "without the second decoder": {"protocols": {"full": "malc"}},
    "cross-entropy alone": {"loss": {"kind": "ce"}},
    "without deep supervision": {"network": {"deep_supervision": False}},
    "loss at every voxel": {"loss": {"every": 1}},
    "without mirroring": {"augmentation": {"mirror_probability": 0.0}},
    "without deformation": {
        "augmentation": {"elastic_probability": 0.0, "affine_probability": 0.0}
    },
    "without changes of intensity": {"augmentation": "no intensities"},
    "patches anywhere": {"foreground_share": 0.0},
    "constant learning rate": {"schedule": "constant", "warm_up_share": 0.0},
    "without averaged weights": {"ema_decay": None},
}


def stage_one(folder: Path, model: Path) -> Model:
    """The encoder and the sub-cortical decoder of a model, as a model of their own."""
    if not folder.exists():
        source = load_model(model)
        network = MONet(source.network.settings, {"partial": source.decoders["partial"]})
        transfer(network, source.network.state_dict())
        decoders = [one for one in source.manifest.decoders if one.name == "partial"]
        save_model(
            folder, Model(source.manifest.model_copy(update={"decoders": decoders}), network)
        )
    return load_model(folder)


def settings_of(change: dict[str, Any], epochs: int, network: NetworkSettings) -> TrainingSettings:
    """The training of `malc-1mm` at the small size, with one thing changed."""
    values = TrainingSettings.model_validate(
        {**recipe_settings("best", "finetune"), "protocols": BOTH}
    ).model_dump()
    values |= {"epochs": epochs, "patch": 64, "patches_per_scan": 4, "workers": 1}
    values |= {"validate_every": max(1, epochs // 4), "ema_decay": 0.99, "learning_rate": 0.002}
    values["network"] = network.model_dump() | {"deep_supervision": True}
    values["loss"]["every"] = 2
    values["preprocessing"]["spacing_mm"] = 2.0
    for name, value in change.items():
        if value == "no intensities":
            chances = (f for f in AugmentationSettings.model_fields if f.endswith("_probability"))
            values[name] |= {f: 0.0 for f in chances if not f.startswith(GEOMETRIC)}
        elif isinstance(value, dict) and name != "protocols":
            values[name] |= value
        else:
            values[name] = value
    return TrainingSettings.model_validate(values)


def run(name: str, out: Path, epochs: int, cache: Path | None) -> list[dict[str, Any]]:
    """Train a variant, or go on with it; its metrics."""
    folder, start = out / name.replace(" ", "-"), out / "start"
    network = stage_one(start, resolve_model("malc-2mm")).network.settings
    request = TrainingRequest(
        data=MALC, out=folder, settings=settings_of(VARIANTS[name], epochs, network), start=start,
        unknown="background", missing="absent", cache=cache,
        resume=(folder / "checkpoint.safetensors").exists(),
    )  # fmt: skip
    metrics = read_metrics(folder)
    if not metrics or metrics[-1]["epoch"] < epochs:
        train_run(request, silent, Cancel())
    return read_metrics(folder)


def main() -> None:
    """Train every variant that is asked for and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    parser.add_argument("--cache", type=Path)
    args = parser.parse_args()
    if not MALC.is_dir():
        raise SystemExit(f"the real scans are not at {MALC}")
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    rows = {}
    for name in args.only:
        last = run(name, args.out, args.epochs, args.cache)[-1]
        rows[name] = {"steps": last["step"]} | {
            decoder: last.get(f"validation/dice/{decoder}") for decoder in ("full", "partial")
        }
        print(name, json.dumps(rows[name]), flush=True)
        RESULTS.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
