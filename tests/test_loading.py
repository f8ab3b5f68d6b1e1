"""What a window needs loads without torch, which takes seconds."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import monet_core

LAZY = ("augmentation", "bids", "losses", "models", "networks", "segmenting", "training")
WINDOW = """
import sys
import monet_core.bids, monet_core.datasets, monet_core.evaluation
import monet_core.jobs.process, monet_core.worker.requests
from monet_core.augmentation import AugmentationSettings
from monet_core.losses import LossSettings
from monet_core.models import Manifest, list_models, resolve_model
from monet_core.networks import NetworkSettings
from monet_core.segmenting import SegmentSettings, find_scans, preprocessing_of
from monet_core.training import TrainingSettings, complete_settings, read_metrics, recipe_settings
entries = list_models()
for entry in entries:
    entry.manifest.card, entry.manifest.protocols(), preprocessing_of(entry.manifest)
start = entries[0].path if entries else None
complete_settings("finetune", "best", start, {"protocols": {"full": "malc", "partial": "first"}})
heavy = {"torch", "monai", "lightning_fabric", "tensorboard"} & set(sys.modules)
print(sorted(heavy))
"""


def test_a_window_loads_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", WINDOW], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", LAZY)
def test_every_name_of_a_lazy_package_is_there_and_no_module_hides_one(name: str) -> None:
    package = importlib.import_module(f"monet_core.{name}")
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)
    for public in package.__all__:
        assert getattr(package, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = package.nonsense
    assert monet_core.__version__
