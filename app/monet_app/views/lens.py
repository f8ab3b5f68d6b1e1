"""Where millimetres are on a plane's screen, and which letters stand at its edges. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from monet_app.stage.protocol import Plane

# Letters towards which the axes S, A, R run, and where they come from.
_ENDS = (("S", "I"), ("A", "P"), ("R", "L"))
_WORDS = {"axial": "Axial", "coronal": "Coronal", "sagittal": "Sagittal"}
_ALONG = {"axial": 2, "coronal": 1, "sagittal": 0}


@dataclass(frozen=True)
class Letters:
    """The letters at the edges of a view."""

    top: str
    bottom: str
    left: str
    right: str


@dataclass(frozen=True)
class Lens:
    """A plane as seen: `centre` (vertical, horizontal; frame mm) is in the middle of the screen.

    `zoom` is in pixels per mm, `size` the screen's width and height in pixels; `rightwards` says
    whether the horizontal axis grows to the right of the screen. The vertical one grows upwards.
    """

    centre: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    size: tuple[int, int] = (1, 1)
    rightwards: bool = True

    def pixel(self, vertical: float, horizontal: float) -> tuple[float, float]:
        """Screen position (x, y) of a point of the plane in frame mm."""
        across = (horizontal - self.centre[1]) * self.zoom
        x = self.size[0] / 2 + (across if self.rightwards else -across)
        return x, self.size[1] / 2 - (vertical - self.centre[0]) * self.zoom

    def mm(self, x: float, y: float) -> tuple[float, float]:
        """The point of the plane (vertical, horizontal; frame mm) at a screen position."""
        across = (x - self.size[0] / 2) / self.zoom
        horizontal = self.centre[1] + (across if self.rightwards else -across)
        return self.centre[0] - (y - self.size[1] / 2) / self.zoom, horizontal


@dataclass(frozen=True)
class Place:
    """Where a picture lies in its plane: its first pixel's centre and the pixels' spacing.

    Both are (vertical, horizontal), in mm of the frame.
    """

    first: tuple[float, float] = (0.0, 0.0)
    spacing: tuple[float, float] = (1.0, 1.0)

    def corners(self, shape: tuple[int, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
        """The outer corners of the first and the last pixel of a picture of this shape."""
        near = tuple(at - step / 2 for at, step in zip(self.first, self.spacing, strict=True))
        far = tuple(
            at + step * count for at, step, count in zip(near, self.spacing, shape, strict=True)
        )
        return (near[0], near[1]), (far[0], far[1])


def grows_rightwards(plane: Plane, radiological: bool) -> bool:
    """Whether the horizontal axis (R, or A in a sagittal view) grows to the screen's right.

    Sagittal views show the face at the left in both conventions.
    """
    return plane != "sagittal" and not radiological


def letters(plane: Plane, radiological: bool) -> Letters:
    """The letters at the edges of a plane: radiological has the patient's right at the left."""
    top, bottom = _ENDS[1] if plane == "axial" else _ENDS[0]
    right, left = _ENDS[1] if plane == "sagittal" else _ENDS[2]
    if not grows_rightwards(plane, radiological):
        left, right = right, left
    return Letters(top, bottom, left, right)


def position_text(ras: tuple[float, float, float], digits: int = 1) -> tuple[str, str, str]:
    """A world position in letters and mm, such as ("R 24.0", "P 12.0", "S 42.0")."""
    pairs = zip(ras, ("RL", "AP", "SI"), strict=True)
    r, a, s = (f"{ends[int(value < 0)]} {abs(value):.{digits}f}" for value, ends in pairs)
    return r, a, s


def slice_text(plane: Plane, ras: tuple[float, float, float], obliquity: float = 0.0) -> str:
    """Which slice a view shows: "Axial  S 42.0 mm"; an oblique scan's says by how much."""
    text = f"{_WORDS[plane]}  {position_text(ras)[_ALONG[plane]]} mm"
    return f"{text}  oblique {obliquity:.0f}°" if obliquity else text
