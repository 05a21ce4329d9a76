"""What `replay` reads, when it sends it, and what it says when something is wrong."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from plant import replay
from plant.demo.sender import Client, Sender
from plant.replay import Pace, Row

TAG = "press-1/temp"


def written(folder: Path, text: str) -> Path:
    path = folder / "recording.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("header", "line", "row"),
    [
        ("time,value", "2026-03-01T06:00:00.25Z,71.3", Row(1_772_344_800_250_000, 71.3)),
        ("timestamp,value", "2026-03-01 07:00:00+01:00,-1e3", Row(1_772_344_800_000_000, -1000.0)),
        ("value,Time", "5,1772344800250", Row(1_772_344_800_250_000, 5.0)),
        ("time,value,quality", "1772344800000,1,Bad", Row(1_772_344_800_000_000, 1.0, "bad")),
        ("time,value,quality", "1772344800000,1,", Row(1_772_344_800_000_000, 1.0, "good")),
        ("\ufefftime,value,other", "1772344800000,1,x", Row(1_772_344_800_000_000, 1.0)),
    ],
)
def test_a_recording_is_read(tmp_path: Path, header: str, line: str, row: Row) -> None:
    assert replay.read(written(tmp_path, f"{header}\n{line}\n")) == [row]


def test_a_packed_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recording.csv.gz"
    path.write_bytes(gzip.compress(b"time,value\n0,1\n"))
    assert replay.read(path) == [Row(0, 1.0)]


def test_times_without_an_offset_are_of_the_named_zone(tmp_path: Path) -> None:
    path = written(tmp_path, "time,value\n2026-03-01 07:00:00,1\n")
    assert replay.read(path, zone=ZoneInfo("Europe/Berlin")) == [Row(1_772_344_800_000_000, 1.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected the columns time and value, found none."),
        ("when,value\n", "line 1: expected the columns time and value, found when, value."),
        ("time,value\n", "the file has no readings."),
        ("time,value\n0,1\n0,hot\n", "line 3: the value is a number, not 'hot'."),
        ("time,value\n0,nan\n", "line 2: the value is a finite number, not 'nan'."),
        ("time,value\n0\n", "line 2: the value is a number, not None."),
        ("time,value\nyesterday,1\n", "line 2: "),
        ("time,value\n2026-03-01T06:00:00,1\n", "line 2: the time '2026-03-01T06:00:00' has no offset"),
        ("time,value,quality\n0,1,fair\n", "line 2: quality is good, uncertain or bad, not 'fair'."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(replay.ReplayError) as caught:
        replay.read(written(tmp_path, text))
    assert str(caught.value).startswith(words)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(replay.ReplayError, match="cannot be read"):
        replay.read(tmp_path / "nowhere.csv")


ROWS = [Row(0, 1.0), Row(60_000_000, 2.0), Row(120_000_000, 3.0)]


def test_with_a_speed_the_first_reading_stands_at_now_and_the_others_follow_at_that_pace() -> None:
    assert [row.time for row in replay.shifted(ROWS, 10**12, 60.0)] == [10**12, 10**12 + 10**6, 10**12 + 2 * 10**6]


def test_without_a_speed_the_last_reading_stands_at_now() -> None:
    assert [row.time for row in replay.shifted(ROWS, 10**12, None)] == [
        10**12 - 120 * 10**6,
        10**12 - 60 * 10**6,
        10**12,
    ]


def test_a_paced_batch_leaves_when_its_last_reading_is_due() -> None:
    rows = [Row(second * 100_000, 0.0) for second in range(10)]
    assert list(Pace(rows, 1.0).batches()) == [(0.4, 0, 5), (0.9, 5, 10)]


def test_without_a_speed_batches_are_as_large_as_they_may_be() -> None:
    rows = [Row(second * 10**9, 0.0) for second in range(replay.BATCH + 1)]
    assert list(Pace(rows, None).batches()) == [(0.0, 0, replay.BATCH), (0.0, replay.BATCH, replay.BATCH + 1)]


class Intake(HTTPServer):
    """The far end of the wire: answers as it is told and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.bodies: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Intake)
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = len(sent["values"]) if "values" in sent else sum(len(item["times"]) for item in sent.get("series", []))
        status, said = server.answers.pop(0) if server.answers else (202, {"accepted": count, "rejected": []})
        server.bodies.append(sent)
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def intake() -> Iterator[Intake]:
    server = Intake()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def sent(
    intake: Intake, rows: list[Row] = ROWS, speed: float | None = None, **more: Any
) -> tuple[replay.Progress, Clock]:
    clock, client = Clock(), Client(intake.url, "token")
    try:
        pace = Pace(rows, speed)
        return replay.send(client, TAG, rows, pace, tell=lambda at: None, clock=clock, sleep=clock.sleep, **more), clock
    finally:
        client.close()


def test_a_recording_is_sent_at_its_pace(intake: Intake) -> None:
    done, clock = sent(intake, speed=60.0)
    assert (done.accepted, done.rejected, clock.now) == (3, 0, 2.0)
    assert [body["series"][0]["times"] for body in intake.bodies] == [[0], [60_000], [120_000]]


def test_a_server_that_is_busy_is_asked_again(intake: Intake) -> None:
    intake.answers = [(503, {"error": "later"}), (429, {"error": "later"})]
    done, clock = sent(intake)
    assert (done.accepted, len(intake.bodies), clock.now) == (3, 3, 1.5)


def test_a_server_that_stays_away_is_given_up(intake: Intake) -> None:
    intake.answers = [(503, {})] * 50
    with pytest.raises(replay.ReplayError, match="no answer"):
        sent(intake, patience=10.0)


def test_a_wrong_token_ends_it(intake: Intake) -> None:
    intake.answers = [(401, {"error": "no data source has this token."})]
    with pytest.raises(replay.ReplayError, match="no data source has this token"):
        sent(intake)


def test_a_token_made_a_moment_ago_is_given_some_seconds(intake: Intake) -> None:
    intake.answers = [(401, {"error": "no data source has this token."})]
    done, _ = sent(intake, token_may_be_new=True)
    assert done.accepted == 3


def test_rejected_readings_are_counted_with_the_first_reason(intake: Intake) -> None:
    intake.answers = [(202, {"accepted": 2, "rejected": [{"index": 1, "error": "too far ahead"}]})]
    done, _ = sent(intake)
    assert (done.accepted, done.rejected, done.first_error) == (2, 1, "too far ahead")


def test_when_none_is_accepted_the_reason_is_told_and_the_rest_still_sent(intake: Intake) -> None:
    intake.answers = [(422, {"accepted": 0, "rejected": [{"error": "unknown sensor"}]})]
    done, _ = sent(intake, speed=60.0)
    assert (done.accepted, done.rejected, done.first_error) == (2, 1, "unknown sensor")


def body(*names: str) -> bytes:
    return json.dumps({"time": 0, "values": dict.fromkeys(names, 1.0)}).encode()


def test_the_feed_repeats_what_was_not_taken_and_keeps_the_order(intake: Intake) -> None:
    intake.answers = [(503, {})]
    sender = Sender("gateway", intake.url, lambda: "token")
    sender.start()
    sender.put(body("a"), 1)
    sender.put(body("b", "c"), 2)
    assert sender.wait(0, 20)
    sender.stop()
    assert [list(one["values"]) for one in intake.bodies] == [["a"], ["a"], ["b", "c"]]
    assert (sender.sent, sender.dropped) == (3, 0)


def test_the_feed_forgets_the_oldest_when_it_holds_too_much(intake: Intake) -> None:
    sender = Sender("gateway", intake.url, lambda: "token", held_at_most=3)
    for name in "abcd":
        sender.put(body(name, name + "2"), 2)
    sender.start()
    assert sender.wait(0, 20)
    sender.stop()
    assert [list(one["values"]) for one in intake.bodies] == [["d", "d2"]]
    assert sender.dropped == 6


def test_the_feed_passes_over_what_is_refused(intake: Intake) -> None:
    intake.answers = [(422, {"accepted": 0, "rejected": [{"error": "unknown sensor"}]})]
    sender = Sender("gateway", intake.url, lambda: "token")
    sender.start()
    sender.put(body("gone"), 1)
    sender.put(body("b"), 1)
    assert sender.wait(0, 20)
    sender.stop()
    assert sender.sent == 1


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", ""])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="write it as http"):
        Client(url, "token")
