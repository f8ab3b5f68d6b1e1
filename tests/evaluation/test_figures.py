import threading

import numpy as np
import pandas as pd
import pytest

from monet_core.errors import OutputError
from monet_core.evaluation import box_plot, groups_of, learning_curves
from monet_core.protocols import Protocol, Region


def scores(mean, seed=0, regions=6, scans=5):
    rng = np.random.default_rng(seed)
    rows = [
        (f"s{s}", i, f"R{i}", float(np.clip(rng.normal(mean, 0.08), 0, 1)))
        for s in range(scans)
        for i in range(1, regions + 1)
    ]
    return pd.DataFrame(rows, columns=["scan", "index", "abbreviation", "dice"])


def drawn(path):
    from matplotlib.image import imread

    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    return imread(path)[..., :3]


def has_colour(pixels, hexadecimal, over_white=1.0):
    colour = np.array([int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    colour = over_white * colour + 1 - over_white
    return bool((np.abs(pixels - colour).max(axis=-1) < 0.02).sum() > 50)


def test_box_plot_is_a_png_with_boxes_drawn(tmp_path):
    path = tmp_path / "new folder" / "dice.png"
    box_plot(scores(0.8), path, {"left": [1, 2, 3], "right": [4, 5, 6]}, "Dice of the phantom")
    pixels = drawn(path)
    assert min(pixels.shape[:2]) > 300
    assert has_colour(pixels, "#0072B2", over_white=0.6)
    assert not has_colour(pixels, "#D55E00", over_white=0.6)


def test_methods_stand_side_by_side_in_their_own_colours(tmp_path):
    tables = {"MO-Net": scores(0.85), "U-Net (FT)": scores(0.8, 1), "U-Net (FS)": scores(0.6, 2)}
    box_plot(tables, tmp_path / "three.png")
    pixels = drawn(tmp_path / "three.png")
    for colour in ("#0072B2", "#D55E00", "#009E73"):
        assert has_colour(pixels, colour, over_white=0.6)


def test_a_group_without_any_value_and_infinite_distances_are_drawn_as_nothing(tmp_path):
    table = scores(0.8).assign(hd95_mm=np.inf)
    table.loc[table["index"] == 1, "dice"] = np.nan
    box_plot(table, tmp_path / "a.png", {"one": [1], "two": [2]})
    box_plot(table, tmp_path / "b.png", measure="hd95_mm")
    assert has_colour(drawn(tmp_path / "a.png"), "#0072B2", over_white=0.6)
    assert not has_colour(drawn(tmp_path / "b.png"), "#0072B2", over_white=0.6)


def test_higher_dice_is_drawn_higher(tmp_path):
    heights = []
    for mean in (0.3, 0.9):
        box_plot(scores(mean), tmp_path / "p.png", {"all": [1, 2, 3, 4, 5, 6]})
        blue = np.array([0, 0x72, 0xB2]) / 255 * 0.6 + 0.4
        rows = np.nonzero((np.abs(drawn(tmp_path / "p.png") - blue).max(-1) < 0.02).any(1))[0]
        heights.append(rows.mean())
    assert heights[1] < heights[0] - 200


def test_figures_may_be_drawn_in_threads(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    threads = [threading.Thread(target=box_plot, args=(scores(0.7), path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in paths}) == 1


def test_a_figure_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        box_plot(scores(0.7), tmp_path / "file" / "dice.png")


def test_learning_curves_from_uneven_rows(tmp_path):
    rows = [
        {"epoch": e, "step": e * 10 + s, "train/loss": 2 / (e + 1), "train/loss/full": 3 / (e + 1)}
        for e in range(8)
        for s in (0, 5)
    ] + [{"epoch": e, "validation/dice/full": 0.1 * e} for e in (0, 4, 7)]
    learning_curves(rows, tmp_path / "curves.png", "a run")
    pixels = drawn(tmp_path / "curves.png")
    half = pixels.shape[1] // 2
    assert has_colour(pixels[:, :half], "#D55E00")
    assert has_colour(pixels[:, half:], "#D55E00")  # a decoder keeps its colour
    assert not has_colour(pixels[:, half:], "#0072B2")


def test_learning_curves_of_a_run_that_has_only_begun(tmp_path):
    learning_curves([], tmp_path / "empty.png")
    learning_curves([{"epoch": 0, "train/loss": 1.0}], tmp_path / "one.png")
    assert drawn(tmp_path / "empty.png").min() < 0.5
    assert has_colour(drawn(tmp_path / "one.png"), "#0072B2")


def test_groups_follow_the_hierarchy():
    protocol = Protocol(
        "p",
        (
            Region(1, "a", path=("frontal", "pole")),
            Region(2, "b", path=("white_matter",)),
            Region(3, "c", group="stem"),
            Region(4, "d"),
            Region(5, "e", path=("frontal", "base")),
        ),
    )
    assert groups_of(protocol, (5, 1, 2, 3, 4)) == {
        "frontal": [5, 1],
        "white matter": [2],
        "stem": [3],
        "regions": [4],
    }
