"""The experiments as data agree with the label tables and with the paper."""

from pathlib import Path

import pytest

from monet_core.errors import MonetError
from monet_core.evaluation import region_set
from monet_core.experiments import HAA, MALC, Experiment, parse_tool
from monet_core.experiments.definitions import paper_figures, printed_name
from monet_core.protocols import load_protocol


@pytest.mark.parametrize(
    ("experiment", "sizes"),
    [(MALC, {1: 132, 3: 25, None: 27, 4: 15}), (HAA, {2: 67, 5: 15})],
    ids=lambda value: getattr(value, "name", ""),
)
def test_tables_have_as_many_regions_as_the_papers(
    experiment: Experiment, sizes: dict[int | None, int]
) -> None:
    found = {
        table.paper: len(region_set(load_protocol(table.protocol), table.regions))
        for table in experiment.tables
    }
    assert found == sizes
    full = load_protocol(experiment.protocol)
    assert experiment.tables[0].protocol == full.name
    assert [full.region(index).hemisphere for index in experiment.boxes] == ["L"] * 8


def test_the_papers_figures_are_shown_as_it_prints_them() -> None:
    subcortical = paper_figures(MALC.tables[-1])
    assert subcortical == {
        "U-Net (FS)": ".649±.145",
        "U-Net (FT)": ".835±.062",
        "FSL FIRST": ".637±.216 (9 failed)",
        "MO-Net": ".826±.029",
    }
    assert printed_name("FIRST", subcortical) == "FSL FIRST"
    assert printed_name("U-Net", subcortical) is None  # two are called so
    assert paper_figures(MALC.tables[2]) == {}


def test_well_known_tools_bring_their_protocol_and_others_name_it(tmp_path: Path) -> None:
    for name, protocol in (
        ("SLANT27", "malc"),
        ("QuickNAT", "quicknat27"),
        ("FSL FIRST", "first"),
        ("FreeSurfer 7", "freesurfer"),
        ("SynthSeg", "freesurfer"),
    ):
        assert parse_tool(f"{name}={tmp_path}").protocol == protocol
    tool = parse_tool(f"SynthSeg={tmp_path}:malc")
    assert (tool.name, tool.folder, tool.protocol) == ("SynthSeg", tmp_path, "malc")
    for text in (f"ours={tmp_path}", str(tmp_path), f"../x={tmp_path}:malc", "SLANT="):
        with pytest.raises(MonetError, match="does not read NAME=FOLDER:PROTOCOL"):
            parse_tool(text)
