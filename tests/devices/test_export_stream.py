"""An export on its way to the browser."""

import pytest
from asgiref.sync import sync_to_async

from devices.telemetry import export
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
async def test_export_is_sent_piece_by_piece_and_not_gathered_first(async_client, monkeypatch, kind):
    made = []

    def pieces(*_what):
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    monkeypatch.setattr(export, f"{kind}_chunks", pieces)

    def plant():
        factories.sensor(factories.plant(machines=1)[0])
        return factories.viewer()

    await async_client.aforce_login(await sync_to_async(plant)())
    wanted = {"sensor": "press-1-1/temp", "start": "2026-03-01T06:00:00Z", "end": "2026-03-02T06:00:00Z"}
    answer = await async_client.get("/api/v1/export", {**wanted, "format": kind})
    assert answer.status_code == 200
    parts = aiter(answer.streaming_content)
    assert (await anext(parts), made) == (b"0", [0])
    assert [part async for part in parts] == [b"1", b"2"]
