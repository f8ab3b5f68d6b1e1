"""Questions about a scan: nothing is chosen beforehand, every answer has its picture."""

import nibabel as nib
import numpy as np
import pytest
from dicom_phantom import save_series
from fake_stage import FakeStage
from phantoms import brain_phantom, save
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from monet_app.scans.question import QuestionDialog, ask
from monet_app.session import Question, Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_core.errors import DecisionNeeded
from monet_core.workspace import ScanEntry

SMALL = (40, 44, 40)


@pytest.fixture
def window(qtbot, tmp_path, settle):
    """A window whose session asks through `ask`, on a new study."""
    made = QWidget()
    made.session = Session(Settings(), ThreadBackground(), FakeStage())
    made.session.asked.connect(lambda question: ask(question, made))
    made.resize(900, 700)
    qtbot.addWidget(made)
    made.show()
    made.session.open_study(tmp_path / "study")
    settle(made.session.background)
    yield made
    made.session.close(let_jobs_go_on=False)


def oriented(path, qform=None, sform=None):
    image, _, affine = brain_phantom(SMALL, spacing=2.0)
    made = nib.Nifti1Image(image, affine)
    made.set_qform(affine if qform is None else qform @ affine, int(qform is not None))
    made.set_sform(affine if sform is None else sform @ affine, int(sform is not None))
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(made, path)
    return path


def dialog_of(window, settle, path) -> QuestionDialog:
    window.session.add_scans([path], show=True)
    settle(window.session.background)
    (dialog,) = window.findChildren(QuestionDialog)
    assert dialog.isVisible()
    settle(window.session.background)
    return dialog


def test_contradicting_forms_are_drawn_both_ways_and_the_answer_opens_the_scan(
    qtbot, window, settle, tmp_path
):
    flip = np.diag([-1.0, 1, 1, 1])
    path = oriented(tmp_path / "sub-1_T1w.nii.gz", qform=flip, sform=np.eye(4))
    dialog = dialog_of(window, settle, path)
    assert list(dialog.cards) == ["sform", "qform"]
    assert all(card.planes.drawn for card in dialog.cards.values())
    assert "which side is left" in dialog.difference.text()
    assert dialog.choice == ""
    assert not dialog.accept_.isEnabled(), "nothing is right by itself"
    qtbot.mouseClick(dialog.cards["qform"], Qt.MouseButton.LeftButton)
    assert dialog.choice == "qform"
    qtbot.mouseClick(dialog.accept_, Qt.MouseButton.LeftButton)
    settle(window.session.background)
    current = window.session.current
    assert current is not None
    assert current.decisions.form == "qform"
    assert window.session.scan.geometry.orientation == "LAS"


def test_a_missing_orientation_offers_four_ways(qtbot, window, settle, tmp_path):
    dialog = dialog_of(window, settle, oriented(tmp_path / "sub-1_T1w.nii.gz"))
    assert list(dialog.cards) == ["RAS", "LAS", "LPS", "LIA"]
    assert all(card.planes.drawn for card in dialog.cards.values())
    dialog.cards["LPS"].radio.click()
    dialog.accept_.click()
    settle(window.session.background)
    assert window.session.scan.geometry.orientation == "LPS"


def test_labels_given_as_a_scan_are_used_only_after_yes(qtbot, window, settle, tmp_path):
    _, labels, affine = brain_phantom(SMALL, spacing=2.0)
    path = save(tmp_path / "sub-1_T1w.nii.gz", labels, affine)
    dialog = dialog_of(window, settle, path)
    dialog.leave.click()
    settle(window.session.background)
    assert window.session.current is None
    (entry,) = window.session.study.scans()
    assert entry.question is not None, "it goes on waiting"
    window.session.open_scan(entry)
    settle(window.session.background)
    again = next(each for each in window.findChildren(QuestionDialog) if each.isVisible())
    again.accept_.click()
    settle(window.session.background)
    assert window.session.current.decisions.labels_as_scan


def test_a_folder_of_several_series_asks_which(qtbot, window, settle, tmp_path):
    volume = (np.random.default_rng(0).random((40, 44, 12)) * 500).astype(np.uint16)
    save_series(tmp_path / "dicom", volume, series=3, description="T1_MPRAGE")
    save_series(tmp_path / "dicom", volume[:, :, :11], series=5, description="T2")
    dialog = dialog_of(window, settle, tmp_path / "dicom")
    assert list(dialog.cards) == ["3", "5"]
    assert "T1_MPRAGE" in dialog.cards["3"].radio.text()
    assert dialog.cards["3"].planes is None
    dialog.cards["3"].radio.click()
    dialog.accept_.click()
    settle(window.session.background)
    (entry,) = window.session.study.scans()
    assert entry.path.suffix == ".gz"


def test_the_same_question_is_asked_once_and_leaving_answers_nothing(qtbot, window, settle):
    answers = []
    error = DecisionNeeded("several-series", "3 (A), 5 (B)", option="--series", choices=("3", "5"))
    question = Question(error, ScanEntry(7, "x", window.session.study.folder), answers.append)
    ask(question, window)
    ask(question, window)
    (dialog,) = window.findChildren(QuestionDialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert answers == []


def test_a_file_that_is_gone_cannot_be_answered_about(qtbot, window, settle, tmp_path):
    path = oriented(tmp_path / "sub-1_T1w.nii.gz")
    error = DecisionNeeded("no-orientation", "no sides", option="--assume-orientation",
                           choices=("RAS", "LAS"), file=path)  # fmt: skip
    path.unlink()
    ask(Question(error, ScanEntry(7, "x", path), lambda _: None), window)
    (dialog,) = window.findChildren(QuestionDialog)
    settle(window.session.background)
    assert not any(card.radio.isEnabled() for card in dialog.cards.values())
    assert "no such file" in dialog.cards["RAS"].says.text()
    assert not dialog.accept_.isEnabled()
