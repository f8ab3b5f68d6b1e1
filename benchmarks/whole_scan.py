"""A whole scan to label maps, 139 + 16 classes: ours and MONAI's sliding window.

The model that ships labels a cube of 256^3 voxels, filled with copies of the sample scan prepared
for it, so that labels mean something all over the cube. Both sides have the same network, tiles
(128^3, one at a time), Gaussian weights and bfloat16 autocast. MONAI's is called as its
documentation shows, the logits of both decoders as a tuple, and followed by the argmax. Neither
mirrors. The share of voxels with equal labels is printed; the rest is rounding, as MONAI averages
logits that the head has rounded to bfloat16.

`--ours` measures what has no counterpart: the cube with mirrored tiles and entropy, and a scan
file through all that `monet segment` does, at 1 mm and with mirrored tiles.

    python benchmarks/whole_scan.py [--size 160] [--overlap 0.25] [--repeats 1] [--ours]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from monet_resources import MODELS, SAMPLE
from numpy.typing import NDArray
from side_by_side import Way, compare

from monet_core.models import Model, load_model
from monet_core.networks import MONet
from monet_core.preprocessing import prepare
from monet_core.scans import read_scan
from monet_core.segmenting import SegmentSettings, predict, preprocessing_of, segment

PATCH = 128
SHIPPED = MODELS / "malc-2mm"
SCAN = Path(__file__).parents[2] / "shared" / "data" / "scans" / "sub-brainchop_T1w.nii.gz"
Labels = Mapping[str, NDArray[np.integer]]
FOUND: dict[str, Labels] = {}  # what each way of this process found last


def cube(size: int) -> NDArray[np.float32]:
    """The sample scan in the model's space, again and again until `size`^3 voxels are filled."""
    image = prepare(read_scan(SAMPLE), preprocessing_of(load_model(SHIPPED).manifest)).image
    filled = np.pad(image, [(0, max(0, size - n)) for n in image.shape], "wrap")
    return filled[:size, :size, :size].copy()


def label(network: MONet, image: NDArray[np.float32], overlap: float) -> Labels:
    """Classes per decoder, our way: in bfloat16."""
    return predict(network, image, patch=PATCH, overlap=overlap, precision="bf16").classes


def slide(network: MONet, image: NDArray[np.float32], overlap: float) -> Labels:
    """Classes per decoder, MONAI's way: sliding window over the dense logits, then the argmax."""

    def dense(tiles: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(finest.dense() for (finest, *_) in network(tiles).values())

    x = torch.from_numpy(image)[None, None]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = sliding_window_inference(x, PATCH, 1, dense, overlap, "gaussian", cval=image.min())
    logits = (found,) if isinstance(found, torch.Tensor) else found
    return {
        name: one.argmax(1)[0].to(torch.uint8).numpy()
        for name, one in zip(network.classes, logits, strict=True)
    }


def way(name: str, image: Path, overlap: float) -> Callable[[], object]:
    """The call from the image to label maps."""
    network, x = load_model(SHIPPED).network, np.load(image)

    def call() -> None:
        FOUND[name] = WAYS[name](network, x, overlap)

    return call


def mirrored(image: Path, overlap: float) -> Callable[[], object]:
    """`predict` with mirrored tiles and entropy."""
    model, x = load_model(SHIPPED), np.load(image)
    swaps = {name: protocol.swap_classes() for name, protocol in model.protocols.items()}
    settings: dict[str, Any] = {"patch": PATCH, "overlap": overlap, "precision": "bf16"}
    return partial(predict, model.network, x, mirror=swaps, entropy=True, **settings)


def agreement() -> str:
    """Per decoder: how many of all voxels, and of those that either labels, have equal labels."""
    lines = []
    for name, left in FOUND["ours"].items():
        right = FOUND["MONAI, argmax"][name]
        equal, labelled = left == right, (left > 0) | (right > 0)
        lines.append(
            f"{name}: equal labels in {equal.mean():.4%} of voxels,"
            f" {equal[labelled].mean():.4%} of the {labelled.mean():.0%} that are labelled"
        )
    return "\n".join(lines)


def one_mm() -> Model:
    """The shipped weights as a model of 1 mm scans: their labels mean little, the work is real."""
    model = load_model(SHIPPED)
    manifest = model.manifest
    preprocessing = {**manifest.preprocessing, "spacing_mm": 1.0}
    changed = manifest.model_copy(update={"preprocessing": preprocessing, "patch": PATCH})
    return Model(changed, model.network)


def segmenting() -> Callable[[], object]:
    """`segment` of a 256^3 scan (the sample where ../shared is absent), mirrored tiles, bf16."""
    model, settings = one_mm(), SegmentSettings(mirror=True, precision="bf16", device="cpu")
    scan = SCAN if SCAN.exists() else SAMPLE

    def call() -> object:
        with tempfile.TemporaryDirectory() as folder:
            return segment(scan, model, Path(folder), settings)

    return call


WAYS = {"ours": label, "MONAI, argmax": slide}


def main() -> None:
    """Print the tables and the agreement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--overlap", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--ours", action="store_true")
    told = parser.parse_args()
    what = f"{told.size}^3, 139 + 16 classes, overlap {told.overlap}"
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.npy"
        np.save(image, cube(told.size))
        if told.ours:
            alone = Way("with mirrored tiles and entropy", partial(mirrored, image, told.overlap))
            compare(f"whole scan, {what}, mirrored", [alone], repeats=1, memory=True)
            alone = Way("`monet segment`", segmenting)
            compare("scan file to files, 1 mm, mirrored", [alone], repeats=1, memory=True)
            return
        ways = [Way(name, partial(way, name, image, told.overlap)) for name in WAYS]
        goal = "at most 0.3x the time, 0.15x the peak memory and 3 GB, 99.9 % equal labels"
        compare(f"whole scan, {what}", ways, repeats=told.repeats, memory=True, goal=goal)
        print("\n" + agreement())


if __name__ == "__main__":
    main()
