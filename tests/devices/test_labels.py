"""A value's word: one key for what is stored and for what is looked up."""

import pytest

from alerts.models import Alarm
from alerts.notify.message import _figures
from devices.labels import label_key, word_of
from devices.models import Sensor
from plant.machines import Kind, condition, judging
from plant.templatetags.andon import alarm_value

WORDS = {"0": "stopped", "1": "running", "2.5": "half open"}


@pytest.mark.parametrize(("value", "word"), [(1.0, "running"), (1, "running"), (2.5, "half open"), (7.0, "7")])
def test_a_value_has_its_word_or_its_number(value: float, word: str) -> None:
    assert word_of(WORDS, value) == word


def test_a_sensor_without_words_has_none() -> None:
    assert [word_of({}, 1.0), word_of(None, 1.0), word_of(WORDS, None)] == [None, None, None]


@pytest.mark.parametrize("value", [2.5, 7.0])
def test_a_message_writes_the_word_that_the_page_writes(value: float) -> None:
    alarm = Alarm(sensor=Sensor(labels=WORDS), value=value)
    assert _figures(alarm, value)[0] == alarm_value(alarm) == word_of(WORDS, value)


def test_a_machine_finds_its_state_under_the_key_that_is_stored() -> None:
    huge = 1e15
    words = {label_key(huge): (Kind.FAULT.value, "fault")}
    assert condition(1, 1, judging([]), (1, huge), words).word == "fault"
