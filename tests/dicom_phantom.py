"""A minimal DICOM writer (explicit VR, little endian) for synthetic MR series."""

import struct
from pathlib import Path

import numpy as np

_LONG = {"OB", "OW", "SQ", "UN", "UT"}
_ROOT = "1.2.826.0.1.3680043.8.498"


def _element(tag: tuple[int, int], vr: str, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        value = struct.pack("<H", value)
    if isinstance(value, str):
        value = value.encode()
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    head = struct.pack("<HH", *tag) + vr.encode()
    if vr in _LONG:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def _slice(
    pixels: np.ndarray, z: float, number: int, series: int, description: str, spacing: float
) -> bytes:
    rows, columns = pixels.shape
    uid = f"{_ROOT}.{series}.{number}"
    meta = [
        ((0x0002, 0x0001), "OB", b"\0\1"),
        ((0x0002, 0x0002), "UI", "1.2.840.10008.5.1.4.1.1.4"),
        ((0x0002, 0x0003), "UI", uid),
        ((0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1"),
        ((0x0002, 0x0012), "UI", _ROOT),
    ]
    body = [
        ((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\M\\ND"),
        ((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.4"),
        ((0x0008, 0x0018), "UI", uid),
        ((0x0008, 0x0020), "DA", "20200101"),
        ((0x0008, 0x0030), "TM", "120000"),
        ((0x0008, 0x0060), "CS", "MR"),
        ((0x0008, 0x0070), "LO", "SIEMENS"),
        ((0x0008, 0x103E), "LO", description),
        ((0x0010, 0x0010), "PN", "Phantom^Test"),
        ((0x0010, 0x0020), "LO", "phantom"),
        ((0x0018, 0x0020), "CS", "GR"),
        ((0x0018, 0x0023), "CS", "3D"),
        ((0x0018, 0x0050), "DS", f"{spacing:g}"),
        ((0x0018, 0x0080), "DS", "2000"),
        ((0x0018, 0x0081), "DS", "3"),
        ((0x0018, 0x5100), "CS", "HFS"),
        ((0x0020, 0x000D), "UI", f"{_ROOT}.1"),
        ((0x0020, 0x000E), "UI", f"{_ROOT}.2.{series}"),
        ((0x0020, 0x0010), "SH", "1"),
        ((0x0020, 0x0011), "IS", str(series)),
        ((0x0020, 0x0012), "IS", "1"),
        ((0x0020, 0x0013), "IS", str(number)),
        ((0x0020, 0x0032), "DS", f"{-columns / 2:g}\\{-rows / 2:g}\\{z:g}"),
        ((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0"),
        ((0x0020, 0x0052), "UI", f"{_ROOT}.3"),
        ((0x0028, 0x0002), "US", 1),
        ((0x0028, 0x0004), "CS", "MONOCHROME2"),
        ((0x0028, 0x0010), "US", rows),
        ((0x0028, 0x0011), "US", columns),
        ((0x0028, 0x0030), "DS", "1\\1"),
        ((0x0028, 0x0100), "US", 16),
        ((0x0028, 0x0101), "US", 16),
        ((0x0028, 0x0102), "US", 15),
        ((0x0028, 0x0103), "US", 0),
        ((0x7FE0, 0x0010), "OW", pixels.astype("<u2").tobytes()),
    ]
    group = b"".join(_element(*each) for each in meta)
    length = _element((0x0002, 0x0000), "UL", struct.pack("<I", len(group)))
    return b"\0" * 128 + b"DICM" + length + group + b"".join(_element(*each) for each in body)


def save_series(
    folder: Path,
    volume: np.ndarray,
    series: int = 3,
    description: str = "T1_MPRAGE",
    spacing: float = 1.0,
    leave_out: tuple[int, ...] = (),
) -> Path:
    """An axial series of `volume` (columns x, rows y towards the back, slices z), one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(volume.shape[2]):
        if k not in leave_out:
            content = _slice(volume[:, :, k].T, k * spacing, k + 1, series, description, spacing)
            (folder / f"s{series:03d}_{k:04d}.dcm").write_bytes(content)
    return folder
