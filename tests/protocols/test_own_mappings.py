"""Mappings that users made: found beside their atlas, in folders in use, and before any link."""

import platformdirs
import pytest

from monet_core.errors import ProtocolError
from monet_core.protocols import (
    ProtocolMapping,
    find_mapping,
    leave_mapping_folder,
    load_mapping,
    load_protocol,
    mapping_folders,
    save_mapping,
    use_mapping_folder,
)

LAB = "index\tname\themisphere\n5\tHippo_L\tL\n6\tHippo_R\tR\n7\tStem\tM\n8\tPons\tM\n"


@pytest.fixture(autouse=True)
def no_mappings_of_the_real_user(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *a, **k: home)
    return home / "atlases"


@pytest.fixture
def lab(tmp_path):
    path = tmp_path / "study" / "atlases" / "lab.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(LAB)
    return load_protocol(path)


@pytest.fixture
def mapping(lab):
    return ProtocolMapping(lab, load_protocol("first"), {5: 17, 6: 53, 7: 16, 8: 16})


def codes(mapping):
    return [note.code for note in mapping.notes]


def test_a_mapping_lies_beside_its_atlas_and_is_found_by_any_process(lab, mapping):
    path = save_mapping(mapping)
    assert path == lab.file.parent / "lab_to_first.tsv"
    found = find_mapping(load_protocol(lab.file), "first")
    assert found.table == mapping.table
    assert codes(found) == ["own-mapping", "mapping-partial"]
    assert "3 of 15" in str(found.notes[1])


def test_the_table_has_a_row_per_region_with_both_names(lab, mapping):
    path = save_mapping(ProtocolMapping(lab, mapping.target, {5: 17}))
    assert path.read_text().splitlines() == [
        "source\tsource_name\ttarget\ttarget_name",
        "5\tHippo_L\t17\tLeft-Hippocampus",
        "6\tHippo_R\tn/a\tn/a",
        "7\tStem\tn/a\tn/a",
        "8\tPons\tn/a\tn/a",
    ]
    assert load_mapping(path, lab, mapping.target).table == {5: 17}


def test_folders_in_use_count_before_the_users_own(
    lab, mapping, tmp_path, no_mappings_of_the_real_user
):
    users, study = no_mappings_of_the_real_user, tmp_path / "maps"
    assert mapping_folders() == (users,)
    save_mapping(ProtocolMapping(lab, mapping.target, {5: 17}), users)
    assert find_mapping(lab, "first").table == {5: 17}
    save_mapping(mapping, study)
    use_mapping_folder(study)
    use_mapping_folder(study)  # a study opened twice
    try:
        assert mapping_folders() == (study, users)
        assert find_mapping(lab, "first").table == mapping.table
    finally:
        leave_mapping_folder(study)
    assert find_mapping(lab, "first").table == {5: 17}


def test_backwards_only_what_is_one_to_one(mapping):
    save_mapping(mapping)
    back = find_mapping("first", mapping.source)
    assert back.table == {17: 5, 53: 6}
    assert "mapping-ambiguous" in codes(back)


def test_a_link_to_malc_leads_on_to_every_protocol(lab):
    save_mapping(ProtocolMapping(lab, load_protocol("malc"), {5: 48, 6: 47, 7: 35}))
    assert find_mapping(lab, "freesurfer").table == {5: 17, 6: 53, 7: 16}
    assert find_mapping(lab, "quicknat27").table == {5: 15, 6: 25, 7: 14}


def test_the_users_mapping_replaces_what_the_tables_state(tmp_path):
    malc, first = load_protocol("malc"), load_protocol("first")
    use_mapping_folder(tmp_path)
    try:
        save_mapping(ProtocolMapping(malc, first, {47: 53}), tmp_path)
        assert find_mapping("malc", "first").table == {47: 53}
    finally:
        leave_mapping_folder(tmp_path)
    assert len(find_mapping("malc", "first").table) == 16


def test_a_mapping_for_regions_of_other_names_is_told(lab, mapping):
    save_mapping(mapping)
    lab.file.write_text(LAB.replace("Pons", "Medulla"))
    found = find_mapping(lab.file, "first")
    assert "mapping-names-differ" in codes(found)
    assert "lines 5" in str(next(n for n in found.notes if n.code == "mapping-names-differ"))


def test_a_mapping_that_does_not_fit_is_refused_with_its_name(lab, mapping):
    path = save_mapping(mapping)
    path.write_text("source\ttarget\n99\t17\n")
    with pytest.raises(ProtocolError, match=r"lab_to_first.tsv: line 2: lab has no region 99"):
        find_mapping(lab, "first")


def test_without_a_mapping_the_remedy_is_named(lab):
    with pytest.raises(ProtocolError, match="no mapping from lab to first is known") as caught:
        find_mapping(lab, "first")
    assert "Atlas panel" in caught.value.remedy
    assert "--mapping FILE" in caught.value.remedy


def test_odd_names_make_safe_file_names(lab, tmp_path):
    from dataclasses import replace

    odd = replace(lab, name="../A b/ü", file=None)
    path = save_mapping(ProtocolMapping(odd, load_protocol("first"), {5: 17}), tmp_path)
    assert path == tmp_path / "..-A-b-_to_first.tsv"
