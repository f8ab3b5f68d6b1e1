"""Put a run's model into the box: half precision, with a card and scores.

    .venv/bin/python packaging/ship_model.py RUN NAME --card CARD.md --scores full=EVALUATION

RUN is a training's folder, NAME the model's folder under resources/monet_resources/models, each
EVALUATION the folder that `monet evaluate` wrote. Training scans whose labels a model made are
named after --pseudo-labelled: they do not count as annotated. --begun-with says in words that a
user knows what the run began with. Prints the size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from monet_resources import MODELS

from monet_core.files import read_json
from monet_core.models import Model, load_model, save_model

LICENCE = (
    "Non-commercial (CC BY-NC): trained on the MICCAI 2012 Multi-Atlas Labeling Challenge data. "
    "MRI: OASIS (Marcus et al. 2007); labels provided by Neuromorphometrics, Inc. under academic "
    "subscription."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--card", type=Path, required=True)
    parser.add_argument("--scores", action="append", default=[], metavar="LABEL=EVALUATION")
    parser.add_argument("--pseudo-labelled", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--begun-with", metavar="WORDS", help="in place of a run's own name")
    args = parser.parse_args()
    trained = load_model(args.run)
    training = dict(trained.manifest.training)
    if args.pseudo_labelled:
        training["scans"] = sorted(set(training["scans"]) - set(args.pseudo_labelled))
        training["pseudo_labelled"] = sorted(args.pseudo_labelled)
    if args.begun_with:
        training["start"] = args.begun_with
    scores = dict(trained.manifest.scores)
    for text in args.scores:
        label, _, path = text.partition("=")
        summary = read_json(Path(path) / "summary.json")
        regions = pd.read_csv(Path(path) / "regions.tsv", sep="\t")
        each = dict(zip(regions["name"], regions["dice_mean"].round(3), strict=True))
        scores[label] = {key: summary[key] for key in ("dice", "hd95_mm", "scans", "regions")}
        scores[label] |= {"dice_per_region": each}
    manifest = trained.manifest.model_copy(
        update={
            "name": args.name,
            "card": args.card.read_text(encoding="utf-8"),
            "licence": LICENCE,
            "scores": scores,
            "training": training,
            # The training scans of MALC are skull-stripped.
            "preprocessing": {**trained.manifest.preprocessing, "brain_only": True},
        }
    )
    folder = MODELS / args.name
    save_model(folder, Model(manifest, trained.network), half=True)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
