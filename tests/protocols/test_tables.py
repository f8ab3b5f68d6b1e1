"""Label tables as labs bring them: BIDS TSVs, FreeSurfer LUTs, and what is wrong with them."""

import pytest

from monet_core.errors import ProtocolError
from monet_core.protocols import find_mapping, load_protocol, shipped_protocols


def table(tmp_path, text, name="lab_dseg.tsv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def codes(protocol):
    return [note.code for note in protocol.notes]


def test_index_and_name_are_enough_and_sides_come_from_names(tmp_path):
    text = "index\tname\n0\tBackground\n2\tLeft-Insula\n1\tRight-Insula\n7\tFornix\n"
    lab = load_protocol(table(tmp_path, text))
    assert lab.name == "lab"
    assert [(r.index, r.hemisphere, r.pair) for r in lab.regions] == [
        (1, "R", 2),
        (2, "L", 1),
        (7, "M", None),
    ]
    assert codes(lab) == ["odd-colors", "sides-from-names"]
    assert len({r.color for r in lab.regions}) == 3


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Left-Putamen", "Right-Putamen"),
        ("lh_insula", "rh_insula"),
        ("lh.insula", "rh.insula"),
        ("Hippocampus_L", "Hippocampus_R"),
        ("hippocampus l", "hippocampus r"),
        ("L_V1_ROI", "R_V1_ROI"),
        ("ctx-lh-precuneus", "ctx-rh-precuneus"),
        ("7Networks_LH_Vis_1", "7Networks_RH_Vis_1"),
        ("LeftPutamen", "RightPutamen"),
        ("PutamenLeft", "PutamenRight"),
        ("Putamen (left)", "Putamen (right)"),
        ("Precentral_L", "precentral_R"),
    ],
)
def test_ways_to_write_a_side(tmp_path, left, right):
    lab = load_protocol(table(tmp_path, f"index\tname\n1\t{left}\n2\t{right}\n3\tVermis\n"))
    assert [(r.hemisphere, r.pair) for r in lab.regions] == [("L", 2), ("R", 1), ("M", None)]


@pytest.mark.parametrize("name", ["R-C-S", "Upright cleft", "left and right", "Layer L", "L"])
def test_names_without_a_side(tmp_path, name):
    (region,) = load_protocol(table(tmp_path, f"index\tname\n1\t{name}\n")).regions
    assert (region.hemisphere, region.pair) == ("M", None)


def test_a_side_without_partner_is_told(tmp_path):
    lab = load_protocol(table(tmp_path, "index\tname\n1\tLeft-Lesion\n2\tFornix\n"))
    assert lab.region(1).hemisphere == "L"
    assert lab.swap_classes().tolist() == [0, 1, 2]
    assert "no-partner" in codes(lab)


def test_names_that_differ_only_in_marks_are_no_pair(tmp_path):
    text = "index\tname\n1\tleft a-b\n2\tleft a+b\n3\tright a-b\n"
    assert [r.pair for r in load_protocol(table(tmp_path, text)).regions] == [None] * 3


def test_stated_sides_win_over_names_and_pairs_follow(tmp_path):
    text = "index\tname\themisphere\n1\tA_L\tright\n2\tA_R\tlh\n3\tB\tn/a\n4\tC\tboth\n"
    lab = load_protocol(table(tmp_path, text))
    assert [(r.hemisphere, r.pair) for r in lab.regions] == [
        ("R", 2),
        ("L", 1),
        ("M", None),
        ("M", None),
    ]


def test_odd_hemisphere_is_read_off_the_name(tmp_path):
    text = "index\tname\themisphere\n1\tLeft-A\tup\n2\tRight-A\tR\n"
    lab = load_protocol(table(tmp_path, text))
    assert lab.region(1).hemisphere == "L"
    assert "odd-hemisphere" in codes(lab)


@pytest.mark.parametrize(
    "pairs", [("2", "n/a"), ("2", "2"), ("9", "1"), ("1", "2")], ids=lambda p: "-".join(p)
)
def test_wrong_pairs_are_refused(tmp_path, pairs):
    text = f"index\tname\themisphere\tpair\n1\ta\tL\t{pairs[0]}\n2\tb\tR\t{pairs[1]}\n"
    with pytest.raises(ProtocolError, match=r"lab_dseg.tsv: .*pair") as caught:
        load_protocol(table(tmp_path, text))
    assert caught.value.code == "bad-pair"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1\ta\n1\tb\n", "index .*'1' in lines 2, 3"),
        ("1\ta\n2\tb\n3\ta\n", "name .*'a' in lines 2, 4"),
        ("1\t\n", "lines 2 have no name"),
        ("x\ta\n", "line 2: index 'x'"),
        ("\ta\n", "line 2: index ''"),
        ("-1\ta\n", "line 2: index '-1'"),
        ("1.5\ta\n", "line 2: index '1.5'"),
        ("9999999999\ta\n", "an index must be"),
        ("1\ta\tb\tc\n", "line 2 has 4 cells, the header has 2"),
        ("", "no region"),
        ("0\tBackground\n", "no region"),
    ],
)
def test_unusable_rows_are_refused_by_line(tmp_path, rows, words):
    with pytest.raises(ProtocolError, match=words) as caught:
        load_protocol(table(tmp_path, "index\tname\n" + rows))
    assert "lab_dseg.tsv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_columns_are_named_with_those_found(tmp_path):
    with pytest.raises(ProtocolError, match=r"no column name.*index, meaning"):
        load_protocol(table(tmp_path, "index\tmeaning\n1\ta\n"))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02\x03" * 10, b"just some words\n"])
@pytest.mark.parametrize("suffix", [".tsv", ".txt"])
def test_what_is_no_table_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"odd{suffix}"
    path.write_bytes(content)
    with pytest.raises(ProtocolError):
        load_protocol(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "scan.tsv"
    with path.open("wb") as stream:
        stream.truncate(30_000_000)
    with pytest.raises(ProtocolError, match="larger than 20 MB"):
        load_protocol(path)


def test_odd_colours_are_replaced_by_distinct_ones_and_told(tmp_path):
    text = "index\tname\tcolor\n1\ta\t#FF0000\n2\tb\tred\n3\tc\tn/a\n4\td\t#0f0\n5\te\t0, 0, 255\n"
    lab = load_protocol(table(tmp_path, text))
    colors = [r.color for r in lab.regions]
    assert [colors[0], colors[3], colors[4]] == ["#ff0000", "#00ff00", "#0000ff"]
    assert len(set(colors)) == 5
    (note,) = [n for n in lab.notes if n.code == "odd-colors"]
    assert "lines 3, 4 " in note.message


def test_colours_in_three_columns(tmp_path):
    lab = load_protocol(table(tmp_path, "index\tname\tR\tG\tB\n1\ta\t1\t2\t255\n2\tb\t1\t2\t256\n"))
    assert lab.region(1).color == "#0102ff"
    assert "odd-colors" in codes(lab)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    lab = load_protocol(table(tmp_path, "index\tname\n1\tNoyau caudé\n", encoding=encoding))
    assert lab.region(1).name == "Noyau caudé"
    assert ("table-encoding" in codes(lab)) == (encoding == "cp1252")


def test_bytes_that_windows_does_not_know_are_read_too(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"index\tname\n1\tcaud\xe9\n2\tcaud\xe8\x81\n")
    with pytest.raises(ProtocolError, match="unprintable"):
        load_protocol(path)


@pytest.mark.parametrize("mark", [",", ";"])
def test_other_separators_and_decimal_commas(tmp_path, mark):
    text = (
        f'Index{mark}Name{mark}Colour\r\n"3,0"{mark}a{mark}#010203\r\n4.0{mark}b{mark}#ffffff\r\n'
    )
    lab = load_protocol(table(tmp_path, text, name="labels.csv"))
    assert lab.indices == (3, 4)
    assert lab.region(3).color == "#010203"
    assert "table-delimiter" in codes(lab)


def test_pairs_that_a_spreadsheet_made_floats(tmp_path):
    text = "index\tname\themisphere\tpair\n1.0\ta\tL\t2.0\n2.0\tb\tR\t1.0\n3.0\tc\tM\tnan\n"
    assert [r.pair for r in load_protocol(table(tmp_path, text)).regions] == [2, 1, None]


def test_na_is_an_abbreviation(tmp_path):
    lab = load_protocol(table(tmp_path, "index\tname\tabbreviation\n1\tAccumbens\tNA\n2\tB\tn/a\n"))
    assert [r.abbreviation for r in lab.regions] == ["NA", "B"]


def test_bids_tissue_numbers_groups_and_subsets(tmp_path):
    text = (
        "index\tname\tmapping\tlobe\tgroup\tin_small\tevaluated\n"
        "1\ta\t8\tfrontal\tlateral\t1\t1\n2\tb\t3\tn/a\tn/a\t0\tyes\n"
    )
    lab = load_protocol(table(tmp_path, text))
    assert [(r.tissue, r.group, r.path) for r in lab.regions] == [
        ("cortical_gm", "lateral", ("frontal", "lateral")),
        ("csf", "csf", ("csf",)),
    ]
    assert lab.subset("small") == (1,)
    assert "evaluated" not in lab.subsets


def test_a_lab_table_with_links_can_be_mapped(tmp_path):
    text = "index\tname\tmalc\tfirst\n1\thippocampi\t47\tmany\n2\tbrain stem\t35,11\tn/a\n"
    lab = load_protocol(table(tmp_path, text))
    assert "odd-link-column" in codes(lab)
    assert find_mapping(lab, "first").table == {1: 53, 2: 16}


LUT = """# $Id: a colour table
#No. Label Name:                R   G   B   A

0   Unknown                     0   0   0   0
10  Left-Thalamus               0   118 14  0   # alpha 0 is opaque
49  Right-Thalamus              0   118 14  0   7
15  4th-Ventricle               42  204 164 0
this line is odd
16  Brain Stem                  119 159 176 0
17  Broken                      1   2
18  Too-Bright                  300 0   0   0
"""


def test_freesurfer_lut(tmp_path):
    lab = load_protocol(table(tmp_path, LUT, name="My LUT.txt"))
    assert lab.name == "My LUT"
    assert [(r.index, r.name, r.hemisphere, r.pair) for r in lab.regions] == [
        (10, "Left-Thalamus", "L", 49),
        (15, "4th-Ventricle", "M", None),
        (16, "Brain Stem", "M", None),
        (18, "Too-Bright", "M", None),
        (49, "Right-Thalamus", "R", 10),
    ]
    assert lab.region(10).color == lab.region(49).color == "#00760e"
    assert lab.region(16).color == "#779fb0"
    assert codes(lab) == ["lut-rows-skipped", "odd-colors", "sides-from-names"]
    assert "lines 8, 10 " in lab.notes[0].message


@pytest.mark.parametrize("row", ["10 Other 1 2 3 0", "99 Left-Thalamus 1 2 3 0"])
def test_duplicates_in_a_lut_are_refused_by_line(tmp_path, row):
    with pytest.raises(ProtocolError, match=r"more than once: .* in lines 5, 12"):
        load_protocol(table(tmp_path, LUT + row + "\n", name="lut.txt"))


def test_a_lut_with_tabs_and_a_table_called_txt(tmp_path):
    lut = load_protocol(table(tmp_path, "1\tA\t1\t2\t3\t0\n", name="a.txt"))
    tsv = load_protocol(table(tmp_path, "index\tname\n1\tA\n", name="b.txt"))
    assert lut.indices == tsv.indices == (1,)


def test_itk_snap_labels(tmp_path):
    text = '# ITK-SnAP\n 0 0 0 0 0 0 0 "Clear Label"\n 3 255 0 16 1 1 1 "Left Red Nucleus"\n'
    (region,) = load_protocol(table(tmp_path, text, name="snap.txt")).regions
    assert (region.index, region.name, region.color) == (3, "Left Red Nucleus", "#ff0010")


@pytest.mark.parametrize("name", shipped_protocols())
def test_tables_written_are_tables_read(tmp_path, name):
    protocol = load_protocol(name)
    protocol.to_tsv(tmp_path / f"{name}.tsv")
    again = load_protocol(tmp_path / f"{name}.tsv")
    assert again.regions == protocol.regions
    assert again.links == protocol.links
    assert again.subsets == protocol.subsets
    assert again.notes == ()


@pytest.mark.parametrize("name", shipped_protocols())
def test_luts_written_are_luts_read(tmp_path, name):
    protocol = load_protocol(name)
    protocol.to_freesurfer_lut(tmp_path / "lut.txt")
    again = load_protocol(tmp_path / "lut.txt")
    assert [(r.index, r.color) for r in again.regions] == [
        (r.index, r.color) for r in protocol.regions
    ]
    assert [(r.hemisphere, r.pair) for r in again.regions] == [
        (r.hemisphere, r.pair) for r in protocol.regions
    ]
    assert not any(" " in r.name for r in again.regions)


def test_a_lut_that_would_have_equal_names_is_refused(tmp_path):
    lab = load_protocol(table(tmp_path, "index\tname\n1\ta b\n2\ta-b\n"))
    with pytest.raises(ProtocolError, match="differ only in spaces"):
        lab.to_freesurfer_lut(tmp_path / "lut.txt")
    assert not (tmp_path / "lut.txt").exists()
