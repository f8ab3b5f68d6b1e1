import pytest

from monet_core.evaluation import common_protocols
from monet_core.protocols import Protocol, Region, load_protocol


def proposed(*names):
    found = common_protocols([load_protocol(name) for name in names])
    return found[0].protocol.name, len(found[0].regions)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("malc", "freesurfer"), ("first", 15)),
        (("malc", "first"), ("first", 15)),
        (("malc", "malc"), ("malc", 138)),
        (("freesurfer", "freesurfer"), ("freesurfer", 113)),
        (("malc", "malc", "hammers67"), ("first", 15)),
        (("first", "quicknat27"), ("first", 13)),
    ],
)
def test_the_coarsest_that_all_map_to_is_proposed(names, expected):
    assert proposed(*names) == expected


def test_finer_ones_can_be_chosen():
    found = common_protocols([load_protocol("malc"), load_protocol("freesurfer")])
    sizes = {each.protocol.name: len(each.regions) for each in found}
    assert sizes["quicknat27"] == 27
    assert sizes["malc"] == 35


def test_an_atlas_of_ones_own_compares_with_itself_only():
    own = Protocol("lab", (Region(7, "Nucleus X"),))
    assert [each.protocol for each in common_protocols([own, own])] == [own]
    assert common_protocols([own, load_protocol("malc")]) == []
