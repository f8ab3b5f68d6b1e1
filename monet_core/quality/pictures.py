"""Arrays as PNG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monet_core.files import atomic_path


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    """A picture, grey (H, W) or RGB (H, W, 3), as a PNG file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def save_png(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a picture (H, W) or (H, W, 3) as PNG; OutputError where `path` cannot be written."""
    content = png_bytes(picture)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
