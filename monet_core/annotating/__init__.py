"""Partial annotations for pre-training, made by other tools or by a model of ours, in batch."""

from monet_core.annotating.batch import Annotation, Annotator, annotate_items, annotate_scans
from monet_core.annotating.first import fsl_first
from monet_core.annotating.freesurfer import import_freesurfer
from monet_core.annotating.teacher import teacher

__all__ = [
    "Annotation",
    "Annotator",
    "annotate_items",
    "annotate_scans",
    "fsl_first",
    "import_freesurfer",
    "teacher",
]
