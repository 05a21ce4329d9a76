"""What Andon could hear: intakes that listen, streams that are read, arrivals as the checkpoints have them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from devices.models import Checkpoint
from devices.telemetry import hearing
from devices.telemetry.admission import Cursors, admit
from devices.telemetry.batch import Batch
from devices.telemetry.stream_scripts import LISTENS
from tests import factories
from tests.scenario import Scenario

SECOND = 1_000_000


def test_listening_goes_on_while_marks_follow_each_other(clean_redis):
    hearing.listen(clean_redis)
    first = hearing.hearing(clean_redis)
    hearing.listen(clean_redis)
    again = hearing.hearing(clean_redis)
    assert first.since is not None
    assert again.since == first.since
    assert again.now >= first.now


def test_break_in_the_marks_begins_anew(clean_redis):
    hearing.listen(clean_redis)
    before = hearing.hearing(clean_redis)
    last = before.now - 10 * SECOND
    clean_redis.hset(hearing.LISTENING, mapping={"since": last, "last": last})
    assert hearing.hearing(clean_redis).since is None
    assert int(LISTENS.call(clean_redis, [hearing.LISTENING], [hearing.DEAF_AFTER])) > last


def test_nothing_is_known_before_an_intake_listened(clean_redis):
    found = hearing.hearing(clean_redis)
    assert (found.since, found.known) == (None, False)


@pytest.mark.django_db
def test_drain_marks_up_to_when_its_stream_is_read(clean_redis, settings):
    press = factories.plant()[0]
    temp = factories.sensor(press)
    scenario = Scenario(clean_redis)
    scenario.send(temp, 0, 20.0)
    scenario.send(temp, 1, 20.0)
    settings.TELEMETRY_DRAIN_READINGS = 1
    scenario.drain(5)
    assert press.shard not in hearing.hearing(clean_redis).clocks  # there is more
    scenario.drain(6)
    scenario.drain(7)
    assert hearing.hearing(clean_redis).clocks[press.shard] == scenario.us(7)


@pytest.mark.django_db
def test_arrivals_are_those_of_the_cursors_that_a_drain_wrote():
    assert [len(column) for column in hearing.arrivals()] == [0, 0, 0]
    batch = Batch(np.array([7, 3, 7], np.int32), np.array([1, 2, 3]), np.zeros(3), np.zeros(3, np.uint8))
    _, cursors = admit(Cursors.empty(), batch, np.array([10, 20, 30], np.int64))
    state = msgspec.msgpack.encode([cursors.dumps(), {"stage": b"x"}, 3])
    Checkpoint.objects.create(shard=200, state=state)
    ids, times, shards = hearing.arrivals()
    assert (ids.tolist(), times.tolist(), shards.tolist()) == ([3, 7], [20, 30], [200, 200])
