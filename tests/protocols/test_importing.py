"""A lab's own atlas from tables of any tool, or from label maps alone; saving and exporting it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from aal import AAL, aal_table
from phantoms import brain_phantom, reoriented, save

from monet_core.errors import OutputError, ProtocolError, ScanError
from monet_core.protocols import (
    ProtocolMapping,
    atlas_tables,
    import_protocol,
    load_protocol,
    save_mapping,
    save_protocol,
    shipped_protocols,
)

FSL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<atlas version="1.0"><header><name>Lab</name><type>{kind}</type></header><data>
<label index="0" x="1" y="2" z="3">{zero}</label>
<label index="1" x="1" y="2" z="3">Left  Thalamus</label>
<label index="2" x="1" y="2" z="3">Right Thalamus</label>
</data></atlas>"""
SPM = """<?xml version="1.0" encoding="ISO-8859-1"?><atlas><data>
<label><index>2001</index><short_name>PreL</short_name><name>Precentral_L</name></label>
<label><index>2002</index><name>Precentral_R</name></label></data></atlas>"""
ITKSNAP = """# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Left Thalamus"
    2     0  255    0        0.5  1  0    "Right Thalamus"
"""
LUT = "#No. Name R G B A\n1 Left-Thalamus 255 0 0 0\n2 Right-Thalamus 0 255 0 0\n"
SLICER = """# Color table file x.ctbl
0 Background 0 0 0 0
1 Left_Thalamus 255 0 0 255
2 Right_Thalamus 0 255 0 255
"""
LIST = "1 Left Thalamus\n2 Right Thalamus\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def codes(protocol):
    return [note.code for note in protocol.notes]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lab.label", ITKSNAP),
        ("lab.txt", ITKSNAP),
        ("lab.lut", LUT),
        ("lab.ctbl", SLICER),
        ("lab.txt", LIST),
        ("lab.txt", LIST.replace(" ", ": ", 1).replace("2 ", "2: ")),
        ("lab.tsv", "index\tname\n1\tLeft Thalamus\n2\tRight Thalamus\n"),
        ("lab_dseg.tsv", "index\tname\n1\tLeft Thalamus\n2\tRight Thalamus\n"),
        ("lab.csv", "id,structure\n1,Left Thalamus\n2,Right Thalamus\n"),
        ("lab.xml", FSL.format(kind="Label", zero="Unclassified")),
    ],
)
def test_tables_of_every_tool(tmp_path, name, text):
    protocol = import_protocol(written(tmp_path / name, text))
    assert protocol.name == "lab"
    assert protocol.file is None
    rows = [(r.index, r.name.replace("-", " ").replace("_", " ")) for r in protocol.regions]
    assert rows == [(1, "Left Thalamus"), (2, "Right Thalamus")]
    assert [(r.hemisphere, r.pair) for r in protocol.regions] == [("L", 2), ("R", 1)]
    if "255" in text:
        assert [r.color for r in protocol.regions] == ["#ff0000", "#00ff00"]


def test_a_probabilistic_atlas_of_fsl_counts_from_one(tmp_path):
    text = FSL.format(kind="Probabalistic", zero="Brain-Stem")  # as FSL spells it
    protocol = import_protocol(written(tmp_path / "HarvardOxford.xml", text), "HO")
    assert protocol.name == "HO"
    assert {r.index: r.name for r in protocol.regions} == {
        1: "Brain-Stem",
        2: "Left Thalamus",
        3: "Right Thalamus",
    }
    assert "xml-probabilistic" in codes(protocol)


def test_the_xml_of_spm(tmp_path):
    protocol = import_protocol(written(tmp_path / "aal.xml", SPM))
    assert [(r.index, r.name, r.abbreviation, r.pair) for r in protocol.regions] == [
        (2001, "Precentral_L", "PreL", 2002),
        (2002, "Precentral_R", "Precentral_R", 2001),
    ]


def test_the_list_that_comes_with_aal(tmp_path):
    lines = (f"{index} {name} {2000 + index}\n" for index, name in enumerate(AAL, start=1))
    protocol = import_protocol(written(tmp_path / "aal.nii.txt", "".join(lines)))
    assert [region.name for region in protocol.regions] == AAL
    assert sum(region.pair is not None for region in protocol.regions) == 108


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.xml", "<atlas><data>", "no valid XML"),
        ("a.xml", "<atlas/>", "no region was found"),
        ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><atlas/>', "document type"),
        ("a.xml", '<atlas><label index="x">a</label></atlas>', "index 'x'"),
        ("a.txt", "hello\nworld\n", "no label table"),
        ("a.label", '1 255 0 0 1 1 1 "a"\n1 255 0 0 1 1 1 "b"\n', "same index"),
        ("a.tsv", "number\tname\n1\ta\n", "no column index"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path, name, text, words):
    with pytest.raises(ProtocolError, match=words):
        import_protocol(written(tmp_path / name, text))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ProtocolError, match="no such file"):
        import_protocol(tmp_path / "nothing.lut")
    with pytest.raises(ScanError, match="nothing"):
        import_protocol(tmp_path / "nothing.nii.gz")


# Label maps -------------------------------------------------------------------------------------

PAIRS = {10: 49, 49: 10, 12: 51, 51: 12, 16: None}
SIDES = {10: "L", 12: "L", 49: "R", 51: "R", 16: "M"}


def phantom_map(path: Path, codes="RAS", shift=0.0, keep=None, seed=0) -> Path:
    _, labels, affine = brain_phantom(seed=seed, noise=0)
    affine = affine.copy()
    affine[0, 3] += shift
    if keep is not None:
        labels = np.where(np.isin(labels, keep), labels, 0).astype(labels.dtype)
    return save(path, *reoriented(labels, affine, codes))


@pytest.mark.parametrize("codes_", ["RAS", "LAS", "PIR"])
@pytest.mark.parametrize("shift", [0.0, 40.0])
def test_label_maps_alone_give_regions_sides_and_pairs(tmp_path, codes_, shift):
    path = phantom_map(tmp_path / "sub-1_dseg.nii.gz", codes_, shift)
    protocol = import_protocol(path)
    assert protocol.name == "sub-1"
    assert {r.index: r.name for r in protocol.regions} == {i: f"Region {i}" for i in PAIRS}
    assert {r.index: r.hemisphere for r in protocol.regions} == SIDES
    assert {r.index: r.pair for r in protocol.regions} == PAIRS
    assert len({region.color for region in protocol.regions}) == 5
    assert codes(protocol) == ["names-made", "sides-from-places"]


def test_the_values_of_several_maps_count(tmp_path):
    one = phantom_map(tmp_path / "a_dseg.nii.gz", keep=[10, 49, 16])
    other = phantom_map(tmp_path / "b_dseg.nii.gz", seed=1)
    assert set(import_protocol(one, "lab", [other]).indices) == set(PAIRS)


def test_half_a_brain_gets_no_sides(tmp_path):
    path = phantom_map(tmp_path / "half_dseg.nii.gz", keep=[10, 12])
    protocol = import_protocol(path)
    assert {r.hemisphere for r in protocol.regions} == {"M"}
    assert codes(protocol) == ["names-made", "one-half"]


def test_names_say_more_than_places(tmp_path):
    table = "index\tname\n10\tThalamus_L\n49\tThalamus_R\n12\tone\n51\ttwo\n16\tstem\n"
    labels = phantom_map(tmp_path / "x_dseg.nii.gz")
    protocol = import_protocol(written(tmp_path / "lab.tsv", table), "lab", [labels])
    assert {r.index: r.hemisphere for r in protocol.regions} == SIDES
    assert {r.index: r.pair for r in protocol.regions} == PAIRS
    swapped = written(tmp_path / "swapped.tsv", table.replace("_L", "_X").replace("_R", "_L"))
    swapped.write_text(swapped.read_text().replace("_X", "_R"))
    odd = import_protocol(swapped, "lab", [labels])
    assert odd.region(10).hemisphere == "R"  # as it is called
    assert "sides-contradict" in codes(odd)


def test_stated_sides_are_left_alone(tmp_path):
    table = "index\tname\themisphere\n" + "".join(f"{i}\tr{i}\tM\n" for i in PAIRS)
    labels = phantom_map(tmp_path / "x_dseg.nii.gz")
    protocol = import_protocol(written(tmp_path / "lab.tsv", table), "lab", [labels])
    assert {r.hemisphere for r in protocol.regions} == {"M"}


def test_values_that_the_table_does_not_name_are_told(tmp_path):
    labels = phantom_map(tmp_path / "x_dseg.nii.gz")
    protocol = import_protocol(written(tmp_path / "lab.txt", "10 a\n12 b\n"), "lab", [labels])
    note = next(note for note in protocol.notes if note.code == "unknown-labels")
    assert "16" in note.message
    assert "49" in note.message
    assert protocol.indices == (10, 12)


def test_an_empty_map_is_refused(tmp_path):
    path = save(tmp_path / "x_dseg.nii.gz", np.zeros((12, 12, 12), np.int16), np.eye(4))
    with pytest.raises(ProtocolError, match="nothing but background"):
        import_protocol(path)


# Saving and exporting ---------------------------------------------------------------------------


def test_an_atlas_is_saved_and_read_again(tmp_path):
    protocol = import_protocol(phantom_map(tmp_path / "sub-1_dseg.nii.gz"), "My atlas")
    saved = save_protocol(protocol, tmp_path / "atlases")
    assert saved.file == tmp_path / "atlases" / "My atlas.tsv"
    assert saved.name == "My atlas"
    assert saved.regions == protocol.regions
    assert saved.fingerprint == protocol.fingerprint
    with pytest.raises(OutputError, match="there is an atlas of this name"):
        save_protocol(protocol, tmp_path / "atlases")
    changed = replace(protocol, subsets={})
    assert save_protocol(changed, tmp_path / "atlases", replacing=True).regions == saved.regions


@pytest.mark.parametrize(
    "name", ["", " a", ".a", "a/b", "a:b", "malc", "Hammers", "x_dseg", "a\nb", "ü" * 60]
)
def test_names_that_no_file_should_have(tmp_path, name):
    protocol = replace(load_protocol("first"), name=name)
    with pytest.raises(ProtocolError, match="the name"):
        save_protocol(protocol, tmp_path)


def test_mappings_are_no_atlases(tmp_path):
    written(tmp_path / "aal.tsv", aal_table())
    written(tmp_path / ".hidden.tsv", aal_table())
    written(tmp_path / "notes.md", "x")
    lab = load_protocol(tmp_path / "aal.tsv")
    save_mapping(ProtocolMapping(lab, load_protocol("first"), {37: 17}))
    assert (tmp_path / "aal_to_first.tsv").exists()
    assert atlas_tables(tmp_path) == [tmp_path / "aal.tsv"]
    assert atlas_tables(tmp_path / "none") == []


@pytest.mark.parametrize("name", shipped_protocols())
@pytest.mark.parametrize(("export", "space"), [("to_itksnap", " "), ("to_slicer", "_")])
def test_exports_are_read_again(tmp_path, name, export, space):
    protocol = load_protocol(name)
    path = tmp_path / f"{name}.{'label' if space == ' ' else 'ctbl'}"
    getattr(protocol, export)(path)
    again = import_protocol(path)
    rows = [(r.index, r.name.replace(" ", space), r.color) for r in protocol.regions]
    assert [(r.index, r.name, r.color) for r in again.regions] == rows


def test_what_the_exports_look_like(tmp_path):
    path = written(tmp_path / "lab.tsv", "index\tname\tcolor\n7\ta b\t#010203\n")
    protocol = load_protocol(path)
    protocol.to_itksnap(tmp_path / "a.label")
    lines = (tmp_path / "a.label").read_text().splitlines()
    assert lines[-2].split() == ["0", "0", "0", "0", "0", "0", "0", '"Clear', 'Label"']
    assert lines[-1].split(maxsplit=7) == ["7", "1", "2", "3", "1", "1", "1", '"a b"']
    protocol.to_slicer(tmp_path / "a.ctbl")
    assert (tmp_path / "a.ctbl").read_text().splitlines() == [
        "# Color table file a.ctbl",
        "# 2 values",
        "0 Background 0 0 0 0",
        "7 a_b 1 2 3 255",
    ]
