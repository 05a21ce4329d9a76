"""The intake while the number of shards changes, and just after: nothing goes in by the shards of before."""

from __future__ import annotations

from typing import Any

import pytest

from devices.intake import http, watch
from devices.resharding import reshard
from devices.telemetry import stream
from tests.devices.intake.conftest import FRESH, TAG, Sender, in_thread


@pytest.fixture
def shards() -> int:
    """Gives as many shards as a plant has that says nothing else: the machine's is none of the three that stay."""
    return 16


def body(number: int) -> dict[str, Any]:
    return {"series": [{"sensor": TAG, "times": [FRESH + number], "values": [20.0]}]}


async def test_sender_is_asked_to_come_again_while_the_gate_is_closed(sender: Sender) -> None:
    assert (await sender.post(body(0))).status == 202
    assert stream.close_gate(sender.client, "somebody")
    answer = await sender.post(body(1))
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    stream.open_gate(sender.client, "somebody")
    assert (await sender.post(body(1))).status == 202


def entries(sender: Sender) -> dict[int, int]:
    """Gives how many entries each stream holds."""
    keys = sender.client.scan_iter("andon:stream:*")
    return {int(key.rpartition(b":")[2]): sender.client.xlen(key) for key in keys}


async def test_intake_that_knows_the_old_shards_only_is_refused_until_it_has_looked(
    own_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 300.0)
    assert (await own_sender.post(body(0))).status == 202
    (old,) = entries(own_sender)
    assert old >= 3
    assert (await in_thread(lambda: reshard(count=3))).after == 3
    assert (await own_sender.post(body(1))).status == 503
    assert entries(own_sender) == {old: 1}
    await http.application._watch.look()
    assert (await own_sender.post(body(1))).status == 202
    assert {shard < 3: count for shard, count in entries(own_sender).items()} == {False: 1, True: 1}
