import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_core.models import Manifest, save_model
from monet_core.models.privacy import shorten_paths, without_paths


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("/home/ann/scans/sub-01_T1w.nii.gz", "sub-01_T1w.nii.gz"),
        ("/home/ann lee/my scans/one two.nii", "one two.nii"),
        ("C:\\Users\\Ann\\scan.nii", "scan.nii"),
        ("d:/data/scan.nii", "scan.nii"),
        ("\\\\server\\share\\scan.nii", "scan.nii"),
        ("//server/share/scan.nii", "scan.nii"),
        ("~/scan.nii", "scan.nii"),
        ("~ann/study/scan.nii", "scan.nii"),
        ("file:///home/ann/scan.nii", "scan.nii"),
        ("monet finetune /home/ann/d --out=/tmp/ann/o", "monet finetune d --out=o"),
        ("cache:/home/ann/x and '/home/ann/y'", "cache:x and 'y'"),
        ("/home/ann/a:/home/ann/b", "b"),
    ],
)
def test_paths_become_names(text, shared):
    assert shorten_paths(text) == shared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "0.5 / 2",
        "mm/s and and/or",
        "https://example.org/model/card",
        "sub-01/anat/scan.nii",
        "line one\nline two",
        "a // b",
        "Brain-Stem /4th Ventricle",
        "MIT",
    ],
)
def test_other_texts_stay(text):
    assert shorten_paths(text) == text


@given(
    st.lists(st.text("abcxyz0", min_size=1), min_size=1, max_size=5),
    st.sampled_from(["{}", "x={}", "from {} on", '"{}"', "({}"]),
)
def test_no_folder_above_a_file_survives(folders, sentence):
    secret = "SECRET"
    path = "/".join(["", secret, *folders, "scan.nii"])
    shared = shorten_paths(sentence.format(path))
    assert secret not in shared
    assert "scan.nii" in shared


def test_records_are_cleaned_at_every_depth_keys_too():
    record = {"/home/ann/a.nii": [{"log": "/home/ann/b.log", "n": 3, "ok": True, "none": None}]}
    assert without_paths(record) == {"a.nii": [{"log": "b.log", "n": 3, "ok": True, "none": None}]}


def test_numbers_that_json_lacks_become_null():
    assert without_paths({"dice": [0.5, float("nan"), float("inf")]}) == {"dice": [0.5, None, None]}


def test_a_saved_manifest_holds_no_path_of_the_user(tmp_path, make_model):
    home = "/home/doe/secret-study"
    model = make_model(
        name=f"{home}/toy",
        training={"data": f"{home}/d", "command": f"monet finetune {home}/d", home: 1},
        scores={f"{home}/scan.nii": 0.8, "hd95": float("nan")},
        card=f"Trained on\n{home}/d",
        licence=f"see {home}/LICENSE",
    )
    folder = save_model(tmp_path / "m", model)
    text = (folder / "manifest.json").read_text()
    assert "doe" not in text
    fields = json.loads(text, parse_constant=pytest.fail)
    assert fields["training"] == {
        "data": "d",
        "command": "monet finetune d",
        "secret-study": 1,
    }
    assert fields["name"] == "toy"
    assert fields["scores"] == {"scan.nii": 0.8, "hd95": None}


def test_a_manifest_of_an_absolute_path_read_again_stays_clean(make_model):
    fields = make_model().manifest.model_dump(mode="json") | {"training": {"x": "/home/ann/y"}}
    assert Manifest.model_validate(fields).training == {"x": "y"}
