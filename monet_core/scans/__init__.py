"""Scans and label maps: reading, the input gate, geometry, writing."""

from monet_core.scans.dicom import import_dicom
from monet_core.scans.forms import forms_from_affine
from monet_core.scans.geometry import Affine, Geometry, from_canonical, to_canonical
from monet_core.scans.grids import axes_onto, grid_difference, onto_grid
from monet_core.scans.labels import read_labels
from monet_core.scans.opening import is_dicom_folder
from monet_core.scans.reading import read_geometry, read_map, read_scan
from monet_core.scans.scan import Decisions, LabelMap, Scan, SpatialForms
from monet_core.scans.writing import write_labels, write_volume

__all__ = [
    "Affine",
    "Decisions",
    "Geometry",
    "LabelMap",
    "Scan",
    "SpatialForms",
    "axes_onto",
    "forms_from_affine",
    "from_canonical",
    "grid_difference",
    "import_dicom",
    "is_dicom_folder",
    "onto_grid",
    "read_geometry",
    "read_labels",
    "read_map",
    "read_scan",
    "to_canonical",
    "write_labels",
    "write_volume",
]
