"""The intake over ASGI with a real Redis: statuses, bodies, what is kept and what is not."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
from typing import Any

import pytest
from django.conf import LazySettings

from devices.intake import http
from devices.intake.http import PATH, application
from devices.telemetry import stream, stream_scripts
from tests.asgi import call
from tests.devices.intake.conftest import ELSEWHERE, FRESH, SECOND, TAG, Sender, in_thread

US = FRESH * 1000
GOOD = {"sensor": TAG, "time": FRESH, "value": 71.3}
ONE = {"time": FRESH, "values": {TAG: 71.3}}


@pytest.mark.parametrize(
    "body",
    [
        {"readings": [{"sensor": TAG, "time": "2026-03-01T06:00:00.250Z", "value": 71.3, "quality": "good"}]},
        {"time": FRESH, "values": {TAG: 71.3}},
        [{"time": FRESH, "values": {TAG: 71.3}}],
        {"series": [{"sensor": TAG, "times": [FRESH], "values": [71.3]}]},
    ],
)
@pytest.mark.parametrize("packed", [False, True])
async def test_every_form_is_in_the_stream_when_the_answer_comes(sender: Sender, body: Any, packed: bool) -> None:
    raw = json.dumps(body).encode()
    answer = await (sender.post(gzip.compress(raw), content_encoding="gzip") if packed else sender.post(raw))
    assert (answer.status, answer.json()) == (202, {"accepted": 1, "rejected": []})
    assert answer.headers["content-type"] == "application/json"
    assert sender.stored() == [(TAG, US, 71.3, 0)]


async def test_qualities_are_kept(sender: Sender) -> None:
    words = ["good", "uncertain", "bad"]
    for size in (1, 20):  # one by one and as arrays
        readings = [
            {"sensor": TAG, "time": FRESH + n, "value": n, "quality": words[n % 3]} for n in range(3 * size)
        ]  # fmt: skip
        assert (await sender.post({"readings": readings})).status == 202
        assert [quality for _, _, _, quality in sender.stored()] == [0, 1, 2] * size
        sender.client.flushall()


async def test_a_reading_without_a_time_has_the_time_of_arrival_and_no_two_the_same(sender: Sender) -> None:
    before = time.time_ns() // 1000
    answers = await asyncio.gather(*(sender.post({"values": {TAG: 1}}) for _ in range(50)))
    assert {answer.status for answer in answers} == {202}
    times = [at for _, at, _, _ in sender.stored()]
    assert len(set(times)) == 50
    assert before <= min(times) < max(times) <= time.time_ns() // 1000 + 50


@pytest.mark.parametrize("company", [0, 30])  # among few readings and among many
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sensor": "press-9/temp"}, "no sensor is called press-9/temp"),
        ({"sensor": ELSEWHERE}, "source edge-1 may write below line-1 only"),
        ({"time": "2026-03-01T06:00:00"}, "no offset"),
        ({"time": "soon"}, "not ISO 8601"),
        ({"time": None}, "leave it out"),
        ({"time": 1e300}, "milliseconds since 1970"),
        ({"quality": "ok"}, 'quality "ok" is none of good, uncertain, bad'),
        ({"value": "71.3"}, "value must be a number, not text"),
        ({"value": None}, "value must be a number, not null"),
    ],
)
async def test_a_wrong_reading_is_named_and_the_rest_is_kept(
    sender: Sender, wrong: dict[str, Any], words: str, company: int
) -> None:
    good = [{**GOOD, "time": FRESH + n} for n in range(company + 1)]
    bad = {**GOOD, **wrong}
    answer = await sender.post({"readings": [*good[:1], bad, *good[1:]]})
    assert answer.status == 202
    assert answer.json()["accepted"] == company + 1
    (named,) = answer.json()["rejected"]
    assert (named["index"], named["sensor"]) == (1, bad["sensor"])
    assert words in named["error"]
    assert [at for _, at, _, _ in sender.stored()] == [US + n * 1000 for n in range(company + 1)]


@pytest.mark.parametrize("company", [0, 30])
async def test_a_reading_too_far_ahead_is_refused_with_its_offset(sender: Sender, company: int) -> None:
    now = time.time() * 1000
    good = [{**GOOD, "time": now + 55_000 + n} for n in range(company + 1)]
    answer = await sender.post({"readings": [*good, {**GOOD, "time": now + 61_500}]})
    (named,) = answer.json()["rejected"]
    assert named["index"] == company + 1
    assert "time is 61." in named["error"]
    assert "60 s are allowed" in named["error"]
    assert len(sender.stored()) == company + 1


async def test_indexes_run_through_the_whole_request(sender: Sender) -> None:
    moments = [{"time": FRESH, "values": {TAG: 1, "x/1": 2}}, {"time": "soon", "values": {TAG: 3, SECOND: 4}}]
    rejected = (await sender.post(moments)).json()["rejected"]
    assert [(bad["index"], bad["sensor"]) for bad in rejected] == [(1, "x/1"), (2, TAG), (3, SECOND)]
    series = [
        {"sensor": "x/1", "times": [1, 2], "values": [1, "x"]},
        {"sensor": TAG, "times": [1, "soon"], "values": [1, 1]},
    ]
    rejected = (await sender.post({"series": series})).json()["rejected"]
    assert [(bad["index"], bad["sensor"]) for bad in rejected] == [(0, "x/1"), (1, "x/1"), (3, TAG)]


@pytest.mark.parametrize("form", ["readings", "values"])
async def test_errors_of_every_kind_come_in_the_order_of_the_request(sender: Sender, form: str) -> None:
    if form == "readings":
        wrong = [{"sensor": "x/1", "value": 1}, 5, {**GOOD, "value": "x"}, {**GOOD, "time": "soon"}, GOOD]
        rejected = (await sender.post({"readings": wrong})).json()["rejected"]
        assert [bad["index"] for bad in rejected] == [0, 1, 2, 3]
    else:
        rejected = (await sender.post({"values": {"x/1": 1, TAG: 2, SECOND: "x", "x/2": 1}})).json()["rejected"]
        assert [bad["index"] for bad in rejected] == [0, 2, 3]


async def test_all_outside_the_scope_is_forbidden_and_some_is_not(sender: Sender) -> None:
    answer = await sender.post({"values": {ELSEWHERE: 1}})
    assert answer.status == 403
    assert "line-1" in answer.json()["error"]
    assert answer.json()["rejected"][0]["sensor"] == ELSEWHERE
    assert (await sender.post({"values": {ELSEWHERE: 1, "x/1": 1}})).status == 422
    assert (await sender.post({"values": {ELSEWHERE: 1, TAG: 1}})).status == 202


@pytest.mark.parametrize("body", [[], {"readings": []}, {"values": {}}, {"series": []}, {"values": {TAG: "x"}}])
async def test_nothing_accepted_is_unprocessable(sender: Sender, body: Any) -> None:
    answer = await sender.post(body)
    assert answer.status == 422
    assert answer.json()["accepted"] == 0
    assert sender.stored() == []


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"{", "end"), (b'{"values": {"a/b": NaN}}', "byte 19"), (b"[1]", "$[0]"), (b"[" * 200_000, "$"), (b"\xff", "")],
)
async def test_what_cannot_be_read_is_a_bad_request(sender: Sender, body: bytes, where: str) -> None:
    answer = await sender.post(body)
    assert answer.status == 400
    assert answer.json()["error"]
    assert answer.json()["where"].startswith(where)


@pytest.mark.parametrize("value", ["71.3", "1e999"])
async def test_a_large_body_is_decoded_like_a_small_one(sender: Sender, value: str) -> None:
    good = [{"sensor": TAG, "time": FRESH + n, "value": n} for n in range(8_000)]
    last = json.dumps({"readings": [*good, {"sensor": TAG, "time": FRESH - 1, "value": "last"}]})
    answer = await sender.post(last.replace('"last"', value).encode())
    assert answer.json()["accepted"] == 8_000 + (value == "71.3")
    assert [bad["index"] for bad in answer.json()["rejected"]] == ([] if value == "71.3" else [8_000])


# --- Who may send ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "Token x"])
async def test_a_stranger_is_told_to_show_a_token(sender: Sender, authorization: str) -> None:
    answer = await sender.post(ONE, authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]
    assert sender.stored() == []


async def test_a_tag_known_to_be_unknown_costs_no_further_look(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    look = http.Watch.look

    async def counted(watch: http.Watch) -> None:
        nonlocal looks
        looks += 1
        await look(watch)

    assert (await sender.post(ONE)).status == 202
    monkeypatch.setattr(http.Watch, "look", counted)
    for _ in range(5):
        assert (await sender.post({"values": {"x/1": 1}})).status == 422
        assert (await sender.post(ONE, token="wrong")).status == 401
    assert looks == 2


# --- How it may be sent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_only_post_is_answered(sender: Sender, method: str) -> None:
    answer = await call(application, PATH, method=method)
    assert answer is not None
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_another_content_type_is_not_supported(sender: Sender, content_type: str) -> None:
    assert (await sender.post(ONE, content_type=content_type)).status == 415


async def test_a_charset_and_capitals_do_not_matter(sender: Sender) -> None:
    assert (await sender.post(ONE, content_type="Application/JSON; charset=utf-8")).status == 202
    assert (await sender.post(ONE, authorization=f"bearer {sender.token}")).status == 202


async def test_another_encoding_is_not_supported(sender: Sender) -> None:
    assert (await sender.post(b"x", content_encoding="br")).status == 415
    assert (await sender.post(ONE, content_encoding="identity")).status == 202


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "tail", "empty"])
async def test_broken_gzip_is_a_bad_request(sender: Sender, damage: str) -> None:
    whole = gzip.compress(json.dumps(ONE).encode())
    bodies = {
        "cut": whole[:-4],
        "flipped": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
        "text": json.dumps(ONE).encode(),
        "tail": whole + b"rest",
        "empty": b"",
    }
    answer = await sender.post(bodies[damage], content_encoding="gzip")
    assert answer.status == 400
    assert answer.json()["where"]


async def test_gzip_in_several_members_is_one_body(sender: Sender) -> None:
    raw = json.dumps(ONE).encode()
    assert (await sender.post(gzip.compress(raw[:9]) + gzip.compress(raw[9:]), content_encoding="gzip")).status == 202


async def test_a_body_in_chunks_is_one_body(sender: Sender) -> None:
    raw = json.dumps(ONE).encode()
    assert (await sender.post([raw[:5], b"", raw[5:9], raw[9:], b""])).status == 202
    assert sender.stored() == [(TAG, US, 71.3, 0)]


@pytest.mark.parametrize("shape", ["whole", "chunks", "announced", "bomb", "members"])
async def test_a_body_over_the_limit_is_too_large(sender: Sender, settings: LazySettings, shape: str) -> None:
    settings.TELEMETRY_MAX_BODY = 10_000
    fits = b'{"values": {"%s": 1}}' % TAG.encode() + b" " * 9_000
    large = fits + b" " * 2_000
    assert (await sender.post(fits)).status == 202
    sent = {
        "whole": sender.post(large),
        "chunks": sender.post([large[:6_000], large[6_000:], b""]),
        "announced": sender.post(b"{}", content_length="10001"),
        "bomb": sender.post(gzip.compress(bytes(2_000_000)), content_encoding="gzip"),
        "members": sender.post(gzip.compress(fits) * 2, content_encoding="gzip"),
    }
    answer = await sent.pop(shape)
    for unsent in sent.values():
        unsent.close()
    assert answer.status == 413
    assert answer.json()["limit"] == 10_000


async def test_a_bomb_is_not_unpacked_beyond_the_limit(sender: Sender, settings: LazySettings) -> None:
    settings.TELEMETRY_MAX_BODY = 1_000_000
    bomb = gzip.compress(bytes(100_000_000), 1)
    tracemalloc.start()
    assert (await sender.post(bomb, content_encoding="gzip")).status == 413
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


async def test_100_001_readings_are_too_many(sender: Sender) -> None:
    body = b'{"series":[{"sensor":"%s","times":[%s],"values":[%s]}]}'
    times = [b"%d" % (FRESH + n) for n in range(100_001)]
    answer = await sender.post(body % (TAG.encode(), b",".join(times), b",".join([b"1"] * 100_001)))
    assert (answer.status, answer.json()["limit"]) == (413, 100_000)
    answer = await sender.post(body % (TAG.encode(), b",".join(times[1:]), b",".join([b"1"] * 100_000)))
    assert (answer.status, answer.json()["accepted"]) == (202, 100_000)
    assert [at for _, at, _, _ in sender.stored()] == [US + n * 1000 for n in range(1, 100_001)]


async def test_a_sender_that_goes_before_its_body_is_whole_is_forgotten(sender: Sender) -> None:
    headers = {"authorization": f"Bearer {sender.token}", "content-type": "application/json"}
    assert await call(application, PATH, b'{"values"', headers=headers, disconnect=True) is None
    assert sender.stored() == []


async def test_a_body_that_does_not_come_is_given_up(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.0)
    monkeypatch.setattr(http, "SWEEP_SECONDS", 0.01)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {sender.token}".encode()), (b"content-type", b"application/json")]
    await application({"type": "http", "method": "POST", "path": PATH, "headers": headers}, never, send)
    assert sent[0]["status"] == 408
    assert not http.application._reading


async def test_a_sender_that_goes_before_its_answer_leaves_its_readings(sender: Sender) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(ONE).encode()}

    async def send(_: Any) -> None:
        raise RuntimeError("the handler is closed")

    headers = [(b"authorization", f"Bearer {sender.token}".encode()), (b"content-type", b"application/json")]
    await application({"type": "http", "method": "POST", "path": PATH, "headers": headers}, receive, send)
    assert sender.stored() == [(TAG, US, 71.3, 0)]


# --- When it cannot be taken -----------------------------------------------------------------------------------------


async def test_a_full_backlog_asks_to_come_again_until_it_is_judged(sender: Sender, settings: LazySettings) -> None:
    settings.TELEMETRY_BACKLOG_MAX = 2
    body = {"time": FRESH, "values": {TAG: 1, SECOND: 2}}
    assert (await sender.post(body)).status == 202
    await http.application._watch.look()
    answer = await sender.post(body)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]
    await in_thread(_judge_all)
    await http.application._watch.look()
    assert (await sender.post(body)).status == 202


async def test_what_redis_does_not_confirm_is_not_kept(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await sender.post(ONE)).status == 202
    # Redis refuses every write, as it does when its disk is full.
    sender.client.config_set("maxmemory", "1")
    answer = await sender.post({"time": FRESH + 1, "values": {TAG: 1}})
    sender.client.config_set("maxmemory", "0")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]
    assert sender.stored() == [(TAG, US, 71.3, 0)]
    assert (await sender.post({"time": FRESH + 1, "values": {TAG: 1}})).status == 202


async def test_a_lost_connection_costs_one_answer_and_a_repeated_request_is_taken(sender: Sender) -> None:
    assert (await sender.post(ONE)).status == 202
    sender.client.client_kill_filter(skipme=True)
    answers = [(await sender.post({"time": FRESH + 1, "values": {TAG: 1}})).status for _ in range(3)]
    assert answers[-1] == 202
    assert set(answers) <= {202, 503}


async def test_a_redis_that_hangs_is_not_waited_for_for_ever(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await sender.post(ONE)).status == 202
    sender.client.client_pause(60_000, all=False)  # all that writes
    with monkeypatch.context() as patch:
        patch.setattr(stream_scripts, "ANSWER_SECONDS", 0.05)
        assert (await sender.post({"time": FRESH + 1, "values": {TAG: 1}})).status == 503
    sender.client.client_unpause()
    assert (await sender.post({"time": FRESH + 1, "values": {TAG: 1}})).status == 202


async def test_a_plant_that_cannot_be_read_is_said_so(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def down(*_: Any) -> Any:
        raise OperationalError("the database is down")

    with monkeypatch.context() as patch:
        patch.setattr("devices.telemetry.directory.Directory.load", down)
        answer = await sender.post(ONE)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (await sender.post(ONE)).status == 202
    with monkeypatch.context() as patch:
        patch.setattr("devices.telemetry.directory.Directory.load", down)
        await http.application._watch.look()
        assert (await sender.post(ONE)).status == 202  # by what was known


def _judge_all() -> None:
    """Moves every checkpoint to the end of its stream."""
    from devices.models import Checkpoint

    client = stream.connect()
    for checkpoint in Checkpoint.objects.all():
        entries, _ = stream.read(client, checkpoint.shard, stream.START, 10**9)
        if entries:
            Checkpoint.objects.filter(pk=checkpoint.pk).update(epoch=stream.epoch(client), position=entries[-1].id)
