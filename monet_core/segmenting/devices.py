"""Which device and number format to compute with."""

from __future__ import annotations

from typing import Literal

import torch

from monet_core.errors import MonetError


def resolve_device(name: str = "auto") -> torch.device:
    """The torch device of "auto" (CUDA where there is one, else CPU), "cpu", "cuda" or "cuda:N".

    Raises MonetError where the device is unknown or not on this machine.
    """
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _no_device(name, "is not a device") from error
    if device.type not in ("cpu", "cuda"):
        raise _no_device(name, "is not supported")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise _no_device(name, "is not available on this machine")
    return device


def resolve_precision(name: str, device: torch.device) -> Literal["32", "bf16"]:
    """The number format of "auto", "32" or "bf16" on `device`.

    "auto" is bf16 where it is computed natively and 32 elsewhere, where it would be emulated more
    slowly: on GPUs of compute capability 8.0 (Ampere) or newer, and on CPUs with AVX-512 or AMX
    instructions for it, of which newer versions of torch tell.
    """
    if name == "32":
        return "32"
    if name == "bf16":
        return "bf16"
    if name != "auto":
        raise MonetError(
            "unknown-precision", f"precision {name!r} is not known", remedy="Use auto, 32 or bf16."
        )
    return "bf16" if _native_bf16(device) else "32"


def _native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(unit, False) for unit in ("avx512_bf16", "amx_bf16"))


def _no_device(name: str, problem: str) -> MonetError:
    return MonetError("no-device", f"device {name!r} {problem}", remedy="Use auto, cpu or cuda.")
