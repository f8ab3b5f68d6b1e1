"""What a training step takes is known before it starts, and made to fit."""

import json
import subprocess
import sys

import pytest

from monet_core.errors import NotEnoughMemoryError
from monet_core.networks import NetworkSettings
from monet_core.training import TrainingSettings, recipe_settings
from monet_core.training.memory import fitted, step_bytes

MEASURE = """
import json, re, sys
from pathlib import Path
import monet_core
import torch
from monet_core.losses import JointLoss, LossSettings, Target
from monet_core.networks import MONet, NetworkSettings
case = json.loads(sys.argv[1])
side, decoders = case["patch"], case["decoders"]
network = MONet(NetworkSettings(**case["network"]), decoders)
optimizer = torch.optim.Adam(network.parameters())
loss = JointLoss(LossSettings(kind="dice_ce"))
def step(n):
    targets = {k: Target(torch.randint(0, c, (1, n, n, n))) for k, c in decoders.items()}
    with torch.autocast("cpu", torch.bfloat16, enabled=case["precision"] == "bf16"):
        outputs = network(torch.zeros(1, 1, n, n, n))
    total, _ = loss(outputs, targets)
    total.backward()
    optimizer.step()
step(16)
def kilobytes(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = kilobytes("VmRSS")
step(side)
print(json.dumps((kilobytes("VmHWM") - before) * 1024))
"""
CASES = [
    {"patch": 64, "precision": "32", "decoders": {"a": 139, "b": 16}, "network": {}},
    {"patch": 64, "precision": "bf16", "decoders": {"a": 300}, "network": {"width": 24}},
    {
        "patch": 64,
        "precision": "32",
        "decoders": {"a": 16},
        "network": {"residual": True, "deep_supervision": True},
    },
    {
        "patch": 64,
        "precision": "bf16",
        "decoders": {"a": 139, "b": 16},
        "network": {"levels": 4, "thin_top": True, "deep_supervision": True},
    },
]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("case", CASES)
def test_the_prediction_holds_what_a_step_takes_and_not_much_more(case):
    command = [sys.executable, "-c", MEASURE, json.dumps(case)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    taken = json.loads(done.stdout.splitlines()[-1])
    network = NetworkSettings(**case["network"])
    known = step_bytes(network, case["decoders"], case["patch"], 1, case["precision"])
    # What a process is seen to take varies: 304 to 392 MB for the third case on one machine.
    assert taken <= known <= 1.5 * taken + 2**28


def wanted(**kwargs) -> TrainingSettings:
    given = {"protocols": {"full": "malc", "partial": "first"}, "device": "cpu", **kwargs}
    return TrainingSettings(**{**recipe_settings("paper", "finetune"), **given})


CLASSES = {"full": 139, "partial": 16}


def test_settings_that_fit_stay_as_they_are():
    settings = wanted(batch=2)
    assert fitted(settings, CLASSES, free=2**36) == (settings, [])


def test_the_batch_shrinks_before_the_patch():
    settings = wanted(batch=4, precision="bf16")
    needed = [step_bytes(settings.network, CLASSES, 128, b, "bf16", 2) for b in (1, 2, 4)]
    chosen, notes = fitted(settings, CLASSES, free=needed[1])
    assert (chosen.patch, chosen.batch) == (128, 2)
    chosen, notes = fitted(settings, CLASSES, free=needed[0])
    assert (chosen.patch, chosen.batch) == (128, 1)
    assert "patches of 128 and batch 1 are used" in str(notes[0])
    chosen, notes = fitted(settings, CLASSES, free=needed[0] - 1)
    assert (chosen.patch, chosen.batch) == (112, 1)
    assert chosen.model_copy(update={"patch": 128, "batch": 4}) == settings


def test_patches_stay_multiples_of_what_the_network_divides_by():
    settings = wanted(network=NetworkSettings(levels=6), patch=160, precision="32")
    chosen, _ = fitted(settings, CLASSES, free=step_bytes(settings.network, CLASSES, 128, 1, "32"))
    assert chosen.patch == 96


def test_too_little_memory_is_told_before_anything_begins():
    with pytest.raises(NotEnoughMemoryError, match=r"at least 0\.\d GB .* 0\.1 GB are free"):
        fitted(wanted(), CLASSES, free=10**8)


def test_the_number_of_classes_hardly_matters():
    few, many = (step_bytes(NetworkSettings(), {"full": n}, 128) for n in (2, 1000))
    assert many < 1.01 * few
