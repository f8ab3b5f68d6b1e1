"""What many tests share: where the real scans are, and how to skip without them."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
MALC = SHARED / "data" / "malc"
needs_shared = pytest.mark.skipif(
    not MALC.is_dir(), reason="the real scans (../shared/data) are not on this machine"
)
