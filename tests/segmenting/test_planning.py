import numpy as np
import pytest
import torch

from monet_core.errors import MonetError, NotEnoughMemoryError, Verdict
from monet_core.jobs import Cancel, Message
from monet_core.networks import NetworkSettings
from monet_core.segmenting import (
    SegmentSettings,
    plan,
    predict_peak_bytes,
    resolve_device,
    resolve_precision,
)
from monet_core.segmenting.planning import predict_within_memory

SHAPE, DECODERS, NETWORK = (160, 190, 160), {"malc": 139}, NetworkSettings()
SETTINGS = SegmentSettings(mirror=False)
CPU = SegmentSettings(mirror=False, device="cpu", precision="32", overlap=0.0)


def planned(free, patch=128):
    return plan(SHAPE, patch, DECODERS, NETWORK, "32", free, SETTINGS)


def test_the_wanted_tile_is_taken_where_it_fits():
    made = planned(64 * 10**9)
    assert made.patches[0] == 128
    assert made.patches == tuple(sorted(made.patches, reverse=True))
    assert made.peak_bytes == predict_peak_bytes(SHAPE, 128, DECODERS, NETWORK)
    assert made.notes == ()


def test_smaller_tiles_are_taken_and_told_where_memory_is_short():
    free = predict_peak_bytes(SHAPE, 64, DECODERS, NETWORK) + 1
    made = planned(free)
    assert made.patches[0] == 64
    assert made.peak_bytes <= free
    (note,) = made.notes
    assert note.verdict is Verdict.WARNING
    assert "tiles of 64 are used" in note.message


def test_too_little_memory_is_refused_with_needed_and_free():
    with pytest.raises(NotEnoughMemoryError, match=r"0\.\d GB of memory are needed and 0\.1 GB"):
        planned(10**8)


def test_tiles_are_never_made_too_small_to_see_anything():
    assert min(planned(64 * 10**9, patch=64).patches) == 32


def run(model, monkeypatch, failures, error):
    """`predict_within_memory`, with a prediction that fails so many times first."""
    from monet_core.segmenting import planning

    tried, events = [], []

    def predict(network, image, **options):
        tried.append((options["patch"], str(options["device"])))
        if len(tried) <= failures:
            raise error
        return planning_predict(network, image, **options)

    planning_predict = planning.predict
    monkeypatch.setattr(planning, "predict", predict)
    image = np.zeros((64, 64, 64), np.float32)
    outcome = predict_within_memory(model, image, CPU, events.append, Cancel())
    return tried, events, outcome


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:128] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_memory_that_runs_out_leads_to_smaller_tiles(model_of, monkeypatch, error):
    tried, events, outcome = run(model_of(patch=64), monkeypatch, 1, error)
    assert tried == [(64, "cpu"), (48, "cpu")]
    assert outcome.patch == 48
    (note,) = outcome.notes
    assert "ran out with tiles of 64 voxels" in note.message
    assert str(note) in [event.text for event in events if isinstance(event, Message)]


def test_memory_that_runs_out_at_every_size_is_refused(model_of, monkeypatch):
    with pytest.raises(NotEnoughMemoryError, match="are needed and"):
        run(model_of(patch=64), monkeypatch, 99, MemoryError())


def test_other_errors_are_not_swallowed(model_of, monkeypatch):
    with pytest.raises(RuntimeError, match="shapes"):
        run(model_of(patch=64), monkeypatch, 1, RuntimeError("shapes do not fit"))


@pytest.mark.parametrize("lost", [True, False])
def test_a_gpu_that_fails_leaves_the_work_to_the_cpu(model_of, monkeypatch, lost):
    from monet_core.segmenting import planning

    real = planning._on

    def on(device, *rest):
        if device.type == "cuda":
            error = torch.AcceleratorError if lost else NotEnoughMemoryError
            raise error("CUDA error: gone") if lost else error("x", "8 GB are needed")
        return real(device, *rest)

    monkeypatch.setattr(planning, "resolve_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(planning, "_on", on)
    events = []
    image = np.zeros((32, 32, 32), np.float32)
    outcome = predict_within_memory(model_of(), image, CPU, events.append, Cancel())
    assert outcome.device == "cpu"
    assert outcome.notes[0].code == "cpu-instead-of-gpu"
    assert ("gone" if lost else "8 GB are needed") in outcome.notes[0].message
    assert events[0].level == "warning"


def test_devices_are_resolved_or_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert resolve_device("auto").type == "cpu"
    assert resolve_device("cpu").type == "cpu"
    for name, words in (("cuda", "not available"), ("meta", "not supported"), ("x y", "no")):
        with pytest.raises(MonetError, match=words):
            resolve_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("auto").type == "cuda"
    with pytest.raises(MonetError, match="not available"):
        resolve_device("cuda:1")


def test_precision_is_bf16_only_where_it_is_native(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert resolve_precision("bf16", cpu) == "bf16"
    assert resolve_precision("32", gpu) == "32"
    for capability, expected in (((7, 5), "32"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert resolve_precision("auto", gpu) == expected
    for units, expected in (({}, "32"), ({"avx512_bf16": True}, "bf16"), ({"avx2": True}, "32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda u=units: u, raising=False)
        assert resolve_precision("auto", cpu) == expected
    with pytest.raises(MonetError, match="precision '16' is not known"):
        resolve_precision("16", cpu)
