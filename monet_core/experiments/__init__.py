"""The paper's comparisons, rerun: U-Net (FS), U-Net (FT) and MO-Net on the same data."""

from monet_core.experiments.definitions import (
    EXPERIMENTS,
    HAA,
    MALC,
    METHODS,
    Experiment,
    Method,
    ResultTable,
    Tool,
    parse_tool,
)
from monet_core.experiments.experiment import run_experiment
from monet_core.experiments.request import ExperimentRequest, Stages

__all__ = [
    "EXPERIMENTS",
    "HAA",
    "MALC",
    "METHODS",
    "Experiment",
    "ExperimentRequest",
    "Method",
    "ResultTable",
    "Stages",
    "Tool",
    "parse_tool",
    "run_experiment",
]
