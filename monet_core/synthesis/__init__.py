"""Scans painted from label maps, in any contrast: training data whose labels are exact.

The generative model of SynthSeg (Billot et al., Medical Image Analysis 2023): a label map is
deformed, every tissue gets a brightness and a texture at random, then coil, resolution and noise
do what they do to a scan.
"""

from monet_core.synthesis.dataset import synthesise_dataset
from monet_core.synthesis.generating import Synthetic, synthesise
from monet_core.synthesis.maps import find_label_maps, read_label_map
from monet_core.synthesis.painting import paint
from monet_core.synthesis.settings import SynthesisSettings
from monet_core.synthesis.tissues import LARGEST, mirrored, outside

__all__ = [
    "LARGEST",
    "SynthesisSettings",
    "Synthetic",
    "find_label_maps",
    "mirrored",
    "outside",
    "paint",
    "read_label_map",
    "synthesise",
    "synthesise_dataset",
]
