"""The incident file: all that is known of a part of the plant over a time, in one file that needs nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import services
from alerts.instants import to_us
from devices.telemetry import history
from devices.telemetry.batch import Batch
from tests import factories
from tests.plant.pages.test_playback import cleared, raised

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def start():
    return timezone.now() - 60 * MINUTE


@pytest.fixture
def story(browser, start):
    """A press: raised in minute 5, commented in 6, acknowledged in 10, over in 20; and another that has nothing."""
    press, other = factories.plant()
    sensor = factories.sensor(press, name=EVIL, normal_low=20.0, normal_high=70.0)
    factories.sensor(other)
    rule = factories.rule(press, f"Hot {EVIL}", cause=f"The fan {EVIL}", on_delay=5.0)
    olga = factories.operator("olga")
    alarm = raised(rule, start + 5 * MINUTE)
    services.comment(alarm_id=alarm.pk, user=olga, text=f"seen {EVIL}", now=start + 6 * MINUTE)
    services.acknowledge(alarm_id=alarm.pk, user=olga, now=start + 10 * MINUTE)
    cleared(rule, start + 20 * MINUTE)
    keep(sensor, [(start + minute * MINUTE, 40.0 + minute) for minute in range(40)])
    return alarm


def keep(sensor, readings):
    import numpy as np

    count = len(readings)
    times = np.array([to_us(at) for at, _ in readings], np.int64)
    values = np.array([value for _, value in readings])
    batch = Batch(np.full(count, sensor.pk, np.int32), times, values, np.zeros(count, np.uint8))
    history.append(sensor.asset.shard, batch, np.zeros(count, np.bool_))


def ask(browser, start, end, asset="press-1-1"):
    return browser.get("/incident/", {"file": "1", "asset": asset, "from": start.isoformat(), "to": end.isoformat()})


def test_file_tells_what_happened_who_did_what_and_which_rule_it_was(browser, story, start):
    answer = ask(browser, start, start + 30 * MINUTE)
    text = answer.content.decode()
    assert answer["Content-Disposition"].startswith('attachment; filename="incident-press-1-1-')
    for event in ("raise", "comment", "ack", "clear"):
        assert f"<td>{event}</td>" in text
    assert "Olga Operator" in text and "seen &lt;script&gt;" in text and "The fan &lt;script&gt;" in text
    assert "<dt>on-delay</dt><dd>5 s</dd>" in text
    assert "<dt>kind</dt><dd>High limit</dd>" in text
    assert re.search(r'<path class="line" d="M[0-9. L]+', text) and 'class="mark p1"' in text


def test_file_needs_nothing_else_and_runs_nothing(browser, story, start):
    text = ask(browser, start, start + 30 * MINUTE).content.decode()
    assert EVIL not in text and "<script" not in text
    assert not re.search(r"<(link|img|iframe|object|embed|form|base)\b|\bsrc=|url\((?!#)|@import| on[a-z]+=", text)
    assert "default-src &#x27;none&#x27;" in text


def test_alarm_stands_in_it_as_it_stood_at_the_end(browser, story, start):
    text = ask(browser, start, start + 7 * MINUTE).content.decode()
    assert "nobody" in text and "still stood" in text and "<td>ack</td>" not in text
    assert "No alarm stood in this time." in ask(browser, start, start + 4 * MINUTE).content.decode()


def test_file_is_of_the_part_that_was_asked_for(browser, story, start):
    assert "No alarm stood" in ask(browser, start, start + 30 * MINUTE, "press-1-2").content.decode()
    assert "<td>raise</td>" in ask(browser, start, start + 30 * MINUTE, "works").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"asset": ""}, "Choose a part of the plant."),
        ({"from": "soon"}, "Write a date and a time."),
        ({"to": "2026-01-01T00:00:00Z"}, "The end lies before the beginning."),
        ({"from": "2020-01-01T00:00:00Z"}, "At most 7 days fit into one file."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(browser, story, start, fields, words):
    asked = {"file": "1", "asset": "works", "from": start.isoformat(), "to": timezone.now().isoformat(), **fields}
    answer = browser.get("/incident/", asked)
    assert answer.status_code == 400 and words in answer.content.decode()


def test_form_begins_around_the_alarm_or_the_moment_that_was_looked_at(browser, story, start):
    typed = browser.get("/incident/", {"alarm": story.pk}).context["typed"]
    assert typed["from"] == f"{timezone.localtime(story.raised - 30 * MINUTE):%Y-%m-%dT%H:%M}"
    typed = browser.get("/incident/", {"at": start.isoformat()}).context["typed"]
    assert typed["to"] == f"{timezone.localtime(start + 30 * MINUTE):%Y-%m-%dT%H:%M}"


def test_stranger_gets_no_file(client, db, story, start):
    client.logout()
    assert ask(client, start, start + MINUTE).status_code == 302
