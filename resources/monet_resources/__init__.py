"""Files that ship with the program: label tables, the MNI template, the sample scan, models."""

from pathlib import Path

ROOT = Path(__file__).parent
LABELS = ROOT / "labels"
"""Label tables, one BIDS dseg TSV per protocol."""
