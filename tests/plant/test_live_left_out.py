"""A subscription to what is not there says so: what it names and does not get comes back as errors."""

import json
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from plant import live
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


async def answers(user, assets, count):
    """Gives the first frames after a subscription, without beats."""
    socket = WebsocketCommunicator(live.LiveConsumer.as_asgi(), "/ws/live")
    socket.scope["user"] = user
    assert (await socket.connect())[0]
    await socket.send_to(text_data=json.dumps({"type": "subscribe", "assets": assets}))
    frames: list[dict[str, Any]] = []
    while len(frames) < count or frames[-1]["type"] != "beat":
        frames.append(json.loads(await socket.receive_from(timeout=5)))
    await socket.disconnect()
    return [frame for frame in frames if frame["type"] != "beat"]


@pytest.fixture
def operator(clean_redis):
    factories.sensor(factories.plant()[0])
    return factories.operator()


@pytest.mark.asyncio
async def test_an_unknown_asset_is_named_and_the_others_are_subscribed_to(operator):
    snapshot, error = await answers(operator, ["press-1-1", "nowhere", "gone", "nowhere"], 3)
    assert snapshot["type"] == "snapshot"
    assert error == {
        "type": "error",
        "error": "There is no asset 'nowhere', 'gone'. The others are subscribed to.",
        "where": "$.assets",
    }


@pytest.mark.asyncio
async def test_more_assets_than_are_heard_is_an_error_that_names_the_first_left_out(operator):
    codes = ["line-1"] + ["press-1-1"] * (live.MOST_ASSETS - 1) + ["line-2", "works"]
    snapshot, error = await answers(operator, codes, 3)
    assert (snapshot["type"], error["type"], error["where"]) == ("snapshot", "error", "$.assets")
    assert error["error"] == (
        "202 assets are named, 200 is the most; those from 'line-2' on are left out. "
        "What stands above them has them all."
    )


@pytest.mark.asyncio
async def test_many_unknown_assets_are_counted(operator):
    _, error = await answers(operator, [f"x-{number}" for number in range(9)], 3)
    assert error["error"].startswith("There is no asset 'x-0', 'x-1', 'x-2', 'x-3', 'x-4' and 4 more.")


@pytest.mark.asyncio
@pytest.mark.parametrize("assets", [None, [], ["works"]])
async def test_what_is_there_brings_no_error(operator, assets):
    assert [frame["type"] for frame in await answers(operator, assets, 2)] == ["snapshot"]
