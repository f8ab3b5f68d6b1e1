import json
import subprocess
import sys

import psutil
import pytest
import torch

from monet_core.networks import NetworkSettings
from monet_core.segmenting import free_bytes, predict_peak_bytes

MEASURE = """
import json, re, sys
import numpy as np, torch
from pathlib import Path
from monet_core.networks import MONet, NetworkSettings
from monet_core.segmenting import predict
torch.set_num_threads(1)
case = json.loads(sys.argv[1])
network = MONet(NetworkSettings(**case["network"]), case["decoders"])
predict(network, np.zeros((16, 16, 16), np.float32), patch=16)
image = np.random.default_rng(0).normal(size=case["shape"]).astype(np.float32)
def kilobytes(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = kilobytes("VmRSS")
swap = {name: np.arange(n) for name, n in case["decoders"].items()}
predict(
    network, image, patch=case["patch"], precision=case["precision"], overlap=0.25,
    mirror=swap if case["mirror"] else None, entropy=case["mirror"],
)
print(json.dumps([before * 1024, kilobytes("VmHWM") * 1024]))
"""

CASES = [
    {"shape": [64, 64, 64], "patch": 64, "decoders": {"a": 139, "b": 16}, "network": {}},
    {"shape": [80, 80, 80], "patch": 80, "decoders": {"a": 16}, "network": {"width": 8}},
    {"shape": [72, 48, 48], "patch": 48, "decoders": {"a": 139}, "network": {"width": 8}},
    {"shape": [64, 64, 64], "patch": 64, "decoders": {"a": 16}, "network": {"residual": True}},
    {"shape": [128, 96, 112], "patch": 96, "decoders": {"a": 139, "b": 16}, "precision": "bf16"},
]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("case", CASES)
def test_the_predicted_peak_is_at_least_the_measured_and_at_most_1_4_times_it(case):
    case = {"precision": "32", "network": {}, "mirror": case["patch"] in (48, 96), **case}
    command = [sys.executable, "-c", MEASURE, json.dumps(case)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, peak = json.loads(done.stdout.splitlines()[-1])
    working = predict_peak_bytes(
        case["shape"],
        case["patch"],
        case["decoders"],
        NetworkSettings(**case["network"]),
        case["precision"],
        overlap=0.25,
        mirror=case["mirror"],
        entropy=case["mirror"],
    )
    assert peak <= before + working <= 1.4 * peak


def test_a_slab_of_features_costs_the_same_for_any_number_of_classes():
    shape, few, many = (176, 208, 176), {"first": 16}, {"malc": 139}
    peak = predict_peak_bytes(shape, 64, many, NetworkSettings())
    assert peak == predict_peak_bytes(shape, 64, few, NetworkSettings())
    assert peak < 0.25 * 4 * 139 * 176 * 208 * 176


def test_free_memory_is_what_the_system_says():
    free = free_bytes(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


def test_a_containers_limit_counts(monkeypatch):
    monkeypatch.setattr("monet_core.segmenting.memory._container_limits", lambda: [12345])
    assert free_bytes(torch.device("cpu")) == 12345
