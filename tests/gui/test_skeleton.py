"""The pieces that every panel stands on: threads that answer on the GUI thread, and banners."""

import threading
import time

from monet_app.banner import MOST, Banners
from monet_app.notices import Notice
from monet_app.threads import ThreadBackground


def test_work_is_done_elsewhere_and_answered_here(qtbot, settle) -> None:
    background = ThreadBackground()
    seen = {}

    def work(a: int, b: int) -> int:
        seen["work"] = threading.get_ident()
        return a * b

    def done(result: int) -> None:
        seen["done"], seen["result"] = threading.get_ident(), result

    background.run(work, 6, b=7, done=done)
    settle(background)
    assert seen["result"] == 42
    assert seen["done"] == threading.get_ident() != seen["work"]


def test_an_error_reaches_who_asked(qtbot, settle) -> None:
    background = ThreadBackground()
    errors = []
    background.run(lambda: 1 / 0, failed=errors.append)
    settle(background)
    assert [type(error) for error in errors] == [ZeroDivisionError]


def test_of_calls_with_one_key_only_the_latest_answers(qtbot, settle) -> None:
    background = ThreadBackground()
    answers = []

    def slow(value: int) -> int:
        time.sleep(0.1 if value == 1 else 0)
        return value

    for value in (1, 2, 3):
        background.run(slow, value, done=answers.append, key="same")
    settle(background)
    assert answers == [3]


def test_the_event_loop_turns_while_work_is_done(qtbot, settle) -> None:
    background = ThreadBackground()
    answers = []
    background.run(time.sleep, 0.3, done=lambda _: answers.append("slept"))
    assert not answers
    settle(background)
    assert answers == ["slept"]


def test_banners_are_few_and_never_twice_the_same(qtbot) -> None:
    banners = Banners()
    qtbot.addWidget(banners)
    for number in range(MOST + 2):
        banners.show_notice(Notice("warning", f"Problem {number}."))
    banners.show_notice(Notice("error", "Problem 4.", details="Traceback"))
    assert len(banners.texts) == MOST
    assert banners.texts[-1] == "Problem 4."
    assert len(set(banners.texts)) == MOST


def test_a_banners_button_acts(qtbot) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QPushButton

    banners, pressed = Banners(), []
    qtbot.addWidget(banners)
    banners.show_notice(Notice("error", "No.", actions=(("Retry", lambda: pressed.append(1)),)))
    made = next(b for b in banners.findChildren(QPushButton) if b.text() == "Retry")
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert pressed == [1]


def test_icons_follow_the_theme(qtbot, qapp) -> None:
    from monet_app import theme
    from monet_app.icons import icon

    made = icon("mdi6.brain")
    seen = []
    for name in ("dark", "light"):
        theme.apply_theme(qapp, name)
        image = made.pixmap(32, 32).toImage()
        inked = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        solid = [color.lightness() for color in inked if color.alpha() == 255]
        seen.append(sum(solid) / len(solid))
    assert seen[0] > 200 > 60 > seen[1]
    assert icon("").isNull()
