"""A training's settings in a paper's words."""

from __future__ import annotations

from monet_core.reports.wording import (
    Record,
    atlas_words,
    listed,
    preparing_words,
    program,
    protocol_title,
    regions_of,
    software_sentence,
    training_data,
)

_RECIPES = {
    "paper": "the published method",
    "best": "the published method with changes for few scans",
}


def training_sentences(settings: Record, config: Record, manifest: Record | None) -> list[str]:
    """Sentences with {key} for references: what was trained on what, how, with which software.

    `config` is a run's config.json, or empty where only the manifest is there.
    """
    trained = (manifest or {}).get("training", {})
    versions = config.get("versions") or trained.get("versions", {})
    sentences = [
        _what(settings, versions, manifest),
        _start(trained, config),
        f"Scans were {preparing_words(settings.get('preprocessing', {}))}.",
        _network(settings.get("network", {})),
        _optimised(settings),
        _augmented(settings.get("augmentation", {})),
        _validated(manifest),
        software_sentence(versions),
    ]
    return [sentence for sentence in sentences if sentence]


def _what(settings: Record, versions: Record, manifest: Record | None) -> str:
    protocols = settings.get("protocols", {})
    data = training_data(manifest)
    on = f" on {data}" if data else ""
    regions = {name: _atlas(protocol, manifest) for name, protocol in protocols.items()}
    first = (
        f"With {program(versions)}, an implementation of MO-Net ({{monet}}), a 3D U-Net ({{unet}})"
    )
    if {"full", "partial"} <= regions.keys():
        own = " by a mapping of our own" if settings.get("mapping") else ""
        return (
            f"{first} with one encoder and two decoders was trained{on}: one decoder for "
            f"{regions['full']}, the other for {regions['partial']}, whose labels were extracted "
            f"from the full ones{own}."
        )
    return f"{first} was trained{on} for {listed(list(regions.values()))}."


def _atlas(protocol: str, manifest: Record | None) -> str:
    name, count = protocol_title(protocol)
    return atlas_words(name, regions_of(name, manifest=manifest) or count)


def _start(trained: Record, config: Record) -> str:
    start = trained.get("start") or (config.get("start") or "").rstrip("/").rsplit("/", 1)[-1]
    return f"Encoder and decoders began with the weights of the model {start}." if start else ""


def _network(network: Record) -> str:
    if not network:
        return ""
    extras = [
        words
        for key, words in (
            ("residual", "residual blocks"),
            ("deep_supervision", "deep supervision"),
        )
        if network.get(key)
    ]
    more = f", with {listed(extras)}" if extras else ""
    return (
        f"The network had {network['levels']} resolutions, {network['width']} channels at the "
        f"finest (doubled at every level) and {network['norm']} normalisation{more}."
    )


def _optimised(settings: Record) -> str:
    optimiser = {"adam": "Adam ({adam})", "adamw": "AdamW ({adamw})"}[settings["optimizer"]]
    loss = {"ce": "cross-entropy", "dice_ce": "the sum of cross-entropy and soft Dice loss"}
    schedule = ", falling to zero along a cosine" if settings["schedule"] == "cosine" else ""
    decay = f", weight decay {settings['weight_decay']:g}" if settings["weight_decay"] else ""
    average = settings.get("ema_decay")
    averaged = f" Weights were averaged over steps (decay {average:g})." if average else ""
    count = settings["patches_per_scan"]
    return (
        f"It was trained for {settings['epochs']} epochs of {count} patch{'es' * (count != 1)} of "
        f"{settings['patch']}³ voxels per scan (batch {settings['batch']}, seed "
        f"{settings['seed']}), with {optimiser} at a learning rate of "
        f"{settings['learning_rate']:g}{schedule}{decay}, to minimise "
        f"{loss[settings['loss']['kind']]} ({_RECIPES[settings['recipe']]}).{averaged}"
    )


def _augmented(augmentation: Record) -> str:
    kinds = (
        ("elastic_probability", "elastic deformation"),
        ("affine_probability", "rotation and scaling"),
        ("mirror_probability", "left-right mirroring with exchanged labels"),
        ("contrast_probability", "random contrast"),
        ("gamma_probability", "gamma"),
        ("bias_probability", "bias fields"),
        ("brightness_probability", "brightness"),
        ("blur_probability", "blurring"),
        ("resolution_probability", "lower resolution"),
        ("noise_probability", "noise"),
    )
    used = [words for key, words in kinds if augmentation.get(key)]
    return f"Patches were augmented on the fly by {listed(used)}." if used else ""


def _validated(manifest: Record | None) -> str:
    scores = (manifest or {}).get("scores", {})
    told = []
    for decoder in ("full", "partial"):
        full = scores.get(decoder)
        value = full["dice"]["mean"] if isinstance(full, dict) and "dice" in full else None
        value = value if value is not None else scores.get(f"validation/dice/{decoder}")
        if isinstance(value, float):
            told.append(f"{value:.3f} for the {decoder} decoder")
    return f"The mean Dice on the validation scans was {listed(told)}." if told else ""
