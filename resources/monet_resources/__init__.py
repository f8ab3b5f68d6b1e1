"""Files that ship with the program: label tables, the MNI template, the sample scan, models."""

from pathlib import Path

ROOT = Path(__file__).parent
LABELS = ROOT / "labels"
"""Label tables, one BIDS dseg TSV per protocol."""
SAMPLE = ROOT / "sample" / "sub-colin27_T1w.nii.gz"
"""The sample scan: a whole head, 1 mm."""
MODELS = ROOT / "models"
"""Models that ship with the program, one folder each (may be missing)."""
BRAIN = ROOT / "brain"
"""The model that finds the brain in whole heads, of any contrast."""
REFERENCE = ROOT / "reference"
"""How large regions usually are, one TSV per protocol."""
ICONS = ROOT / "icons"
"""The program's own icon."""
