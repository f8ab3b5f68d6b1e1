"""Where a scan lies in the world: NIfTI's qform and sform, MGH's matrix, or the user's word."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from monet_core.errors import DecisionNeeded, Note, Verdict
from monet_core.scans.geometry import Affine, Geometry
from monet_core.scans.header import FileHeader
from monet_core.scans.opening import refused
from monet_core.scans.scan import Decisions, SpatialForms

# Beyond rounding of float32 quaternions and origins, and still far below a voxel.
CONTRADICTION_MM = 0.1
SIZE_TOLERANCE = 0.01
SHEAR_DEGREES = 0.5


@dataclass(frozen=True, eq=False)
class Placement:
    """The grid of a file, its forms as stored, and what was said about them."""

    geometry: Geometry
    forms: SpatialForms
    notes: tuple[Note, ...] = ()


def forms_from_affine(affine: Affine) -> SpatialForms:
    """Both forms from one 4x4 affine with codes 1 (scanner), for data that come without forms."""
    return SpatialForms(affine, 1, affine, 1)


def place(header: FileHeader, decisions: Decisions) -> Placement:
    """The world position of a file's grid.

    Raises ScanError for an impossible one, DecisionNeeded where two contradict or none is known.
    """
    spacing = _spacing(header)
    notes: tuple[Note, ...] = ()
    if header.kind == "nifti":
        forms = _stored_forms(header, decisions)
        affine = _chosen(header, forms, decisions)
        if affine is not None and forms.sform is not None and affine is forms.sform:
            _require_size_match(header, affine, spacing)
    else:
        affine = header.raw.get_affine() if header.kind == "mgh" and header.good_ras else None
        forms = None
    if affine is None:
        affine, notes = _assumed(header, spacing, decisions)
    affine = np.asarray(affine, np.float64)
    _require_regular(header, affine)
    placed = Geometry(header.shape, affine)
    return Placement(placed, forms or forms_from_affine(affine), notes + _shear(header, affine))


def _spacing(header: FileHeader) -> tuple[float, float, float]:
    raw = header.raw
    stored = raw["delta"] if header.kind == "mgh" else raw["pixdim"][1:4]
    x, y, z = (float(each) for each in stored)
    if not all(np.isfinite(each) and each > 0 for each in (x, y, z)):
        raise refused(
            "bad-spacing",
            f"the voxel size is not possible ({x:g} x {y:g} x {z:g} mm)",
            header.path,
            "Write the file again with the true voxel size (NIfTI field pixdim).",
        )
    return x, y, z


def _stored_forms(header: FileHeader, decisions: Decisions) -> SpatialForms:
    raw = header.raw.copy()
    # As the standard's own reader has it: any value but a negative one means +1.
    raw["pixdim"][0] = -1.0 if raw["pixdim"][0] < 0 else 1.0
    q_code, s_code = max(int(raw["qform_code"]), 0), max(int(raw["sform_code"]), 0)
    qform = sform = None
    if q_code:
        try:
            qform = raw.get_qform()
        except (HeaderDataError, ValueError):
            qform = np.full((4, 4), np.nan)
        if decisions.form != "sform" or not s_code:
            _require_regular(header, qform, "qform")
    if s_code:
        sform = raw.get_sform()
        if decisions.form != "qform" or not q_code:
            _require_regular(header, sform, "sform")
    stored = (int(header.raw["qform_code"]), int(header.raw["sform_code"]))
    return SpatialForms(qform, stored[0], sform, stored[1], header.raw)


def _chosen(header: FileHeader, forms: SpatialForms, decisions: Decisions) -> Affine | None:
    """The form to believe: the only one, the one decided for, or the sform where both agree."""
    qform, sform = forms.qform, forms.sform
    if qform is None or sform is None:
        return sform if qform is None else qform
    if decisions.form is not None:
        return sform if decisions.form == "sform" else qform
    _require_size_match(header, sform, _spacing(header))
    first, second = Geometry(header.shape, qform), Geometry(header.shape, sform)
    offset = first.largest_offset(second)
    if offset <= CONTRADICTION_MM or _only_shear_differs(header, qform, sform):
        return sform
    raise DecisionNeeded(
        "forms-contradict",
        f"its two orientations contradict each other by up to {offset:.1f} mm: "
        f"qform {_described(first)}, sform {_described(second)}",
        option="--use-form",
        choices=("sform", "qform"),
        file=header.path,
    )


def _only_shear_differs(header: FileHeader, qform: Affine, sform: Affine) -> bool:
    """Whether the qform is the sform's nearest rotation: a quaternion cannot hold shear."""
    scratch = nib.Nifti1Header()
    scratch.set_qform(sform, 1, strip_shears=True)
    nearest = Geometry(header.shape, scratch.get_qform())
    return Geometry(header.shape, qform).largest_offset(nearest) <= CONTRADICTION_MM


def _described(geometry: Geometry) -> str:
    x, y, z = geometry.affine[:3, 3]
    return f"says {geometry.orientation} with its first voxel at ({x:.1f}, {y:.1f}, {z:.1f}) mm"


def _assumed(
    header: FileHeader, spacing: tuple[float, float, float], decisions: Decisions
) -> tuple[Affine, tuple[Note, ...]]:
    if decisions.orientation is None:
        raise DecisionNeeded(
            "no-orientation",
            "the file does not say which side is left and which is right",
            option="--assume-orientation",
            choices=("RAS", "LAS", "LPS", "LIA"),
            file=header.path,
        )
    codes = decisions.orientation.upper()
    affine = affine_from_codes(header, codes, spacing)
    text = f"the file has no orientation; {codes} was assumed as decided"
    return affine, (Note(Verdict.WARNING, "orientation-assumed", text, str(header.path)),)


def affine_from_codes(
    header: FileHeader, codes: str, spacing: tuple[float, float, float]
) -> Affine:
    """Affine (4x4) of a grid with axes `codes` ("RAS"...) whose middle is the world's origin."""
    pairs = ("RL", "AP", "SI")
    worlds = [next((w for w, pair in enumerate(pairs) if c in pair), -1) for c in codes]
    if sorted(worlds) != [0, 1, 2]:
        raise refused(
            "bad-orientation",
            f"{codes} is not an orientation",
            header.path,
            "Give three letters, one each of R/L, A/P and S/I, e.g. --assume-orientation RAS.",
        )
    affine = np.eye(4)
    affine[:3, :3] = 0.0
    for axis, (world, code) in enumerate(zip(worlds, codes, strict=True)):
        affine[world, axis] = spacing[axis] * (1 if code == pairs[world][0] else -1)
    affine[:3, 3] = -affine[:3, :3] @ ((np.asarray(header.shape) - 1) / 2)
    return affine


def _require_regular(header: FileHeader, affine: Affine, name: str = "orientation") -> None:
    matrix = affine[:3, :3]
    if np.isfinite(affine).all():
        sizes = np.linalg.norm(matrix, axis=0)
        # The box spanned by the axes, relative to an upright one: 0 where axes coincide.
        if sizes.min() > 0 and abs(np.linalg.det(matrix / sizes)) > 1e-3:
            return
    raise refused(
        "bad-affine",
        f"the {name} matrix is not possible (singular, or not numbers)",
        header.path,
        "Write the file again from its source, or copy the header of the original scan.",
    )


def _require_size_match(
    header: FileHeader, affine: Affine, spacing: tuple[float, float, float]
) -> None:
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if np.all(np.abs(sizes / np.asarray(spacing) - 1) <= SIZE_TOLERANCE):
        return
    raise refused(
        "size-mismatch",
        f"the sform has voxels of {_times(tuple(sizes))} mm, but pixdim says {_times(spacing)} mm",
        header.path,
        "Write the file again from its source, or set pixdim to the true voxel size.",
    )


def _times(sizes: tuple[float, ...]) -> str:
    return " x ".join(f"{each:.3g}" for each in sizes)


def _shear(header: FileHeader, affine: Affine) -> tuple[Note, ...]:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)])
    angle = float(np.degrees(np.arcsin(min(1.0, cosines.max()))))
    if angle < SHEAR_DEGREES:
        return ()
    text = (
        f"the axes are not at right angles (off by {angle:.1f} degrees); the sheared grid is used "
        "exactly as stored and results come back on it"
    )
    return (Note(Verdict.WARNING, "sheared", text, str(header.path)),)
