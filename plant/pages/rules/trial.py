"""The editor's backtest: one at a time in a process, one for a person, with its progress, for a limited time.

It is done in the request's own thread; the loop that serves the sockets goes on. A browser that turns away, or that
asks for another one, ends it at the next part.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation

from alerts import rules
from alerts.advice import advice
from alerts.engine.parts import drained, retold
from alerts.instants import to_us
from alerts.models import Rule, TypeRule
from alerts.workbench import subjects
from alerts.workbench.proposals import Findings, acknowledged, proposing
from alerts.workbench.subjects import Cast
from alerts.workbench.trial import PERIODS, Outcome, TimeIsUp, end_after, in_parts
from alerts.workbench.turn import Busy, Superseded, own_turn
from devices.checks import refuse
from plant.pages.deliveries import person
from plant.pages.rules.form import Form
from plant.pages.rules.result import Option, Result, options_of, result_of
from plant.pages.rules.target import Target
from plant.pages.tree import tree

if TYPE_CHECKING:
    from alerts.backtest import Part

log = structlog.get_logger(__name__)

PATIENCE = 10.0  # seconds that it waits for its turn
LONGEST = 20.0  # seconds that it works, and may stand still while others wait; settings are tried in what is left
PACE = 0.2  # seconds between two words of progress


@dataclass(slots=True)
class Found:
    """What a backtest came to; either part may be missing, `trouble` then says why."""

    result: Result | None = None
    options: list[Option] | None = None
    trouble: str = ""


def cast_of(target: Target, form: Form, values: dict[str, Any], now: datetime) -> Cast | None:
    """Gives the assets that a rule is for; None, with the form's errors set, where something is wrong with it.

    What is right and worth a second look is set as the form's advice.
    """
    start = now - timedelta(days=PERIODS[-1])
    name = form.texts["name"].strip()
    try:
        if target.asset is not None:
            rule = target.rule if isinstance(target.rule, Rule) else None
            # A new rule may be tried before it has a name.
            cast = subjects.of_asset(
                asset=target.asset, rule=rule, name=name or "–", values=values, start=start, end=now
            )
        else:
            assert target.type is not None
            stored = target.rule if isinstance(target.rule, TypeRule) else None
            refuse(rules.check_type_rule(TypeRule(type=target.type, name=name or "–", **values)))
            cast = subjects.of_type(type=target.type, rule=stored, name=name, values=values, start=start, end=now)
    except ValidationError as error:
        form.refuse(error)
        return None
    sensor = target.sensor(values["sensor_key"])
    normal = sensor.normal if sensor is not None else None
    form.advice = {one.field: one.words for one in reversed(advice(values, normal or (None, None)))}
    return cast


def work(
    request: HttpRequest, target: Target, values: dict[str, Any], cast: Cast, now: datetime, found: Found
) -> Generator[float | Found, None, None]:
    """Does a backtest part by part: gives the share that is done, and `found` when something came to stand in it.

    Cost: see alerts.workbench.trial; a dozen queries for each alarm listed.
    """
    begun = time.monotonic()
    machine, user = request.POST.get("machine", ""), person(request)
    start = now - timedelta(days=PERIODS[-1])
    try:
        with own_turn(user.pk, patience=PATIENCE, still=LONGEST) as go_on:
            until = time.monotonic() + LONGEST

            def told(_part: Part) -> float:
                go_on()
                end_after(until)
                return 1.0

            trial = yield from in_parts(cast.subjects, start, now, go_on=go_on, until=until)
            go_on()
            of_type = target.type is not None
            found.result = result_of(
                trial, plant=tree(), lacking=cast.lacking, machine=machine, of_type=of_type, now=now
            )
            yield found
            go_on()
            if found.result.shown is not None and found.result.shown.raised:
                tried = yield from retold(_settings(found.result.shown, start, now), told, going_on=go_on)
                sensor = target.sensor(values["sensor_key"])
                found.options = options_of(tried, values, sensor.unit if sensor is not None else "")
                yield found
    except TimeIsUp:
        pass  # the settings are not all tried: none is proposed
    except (Busy, Superseded) as error:
        found.trouble = str(error)
        yield found
    finally:
        log.info("backtest", person=user.pk, assets=len(cast.subjects), seconds=round(time.monotonic() - begun, 3))


def _settings(shown: Outcome, start: datetime, end: datetime) -> Generator[Part, None, Findings]:
    subject = shown.subject
    answered: list[int] = []
    if subject.rule is not None:
        answered = acknowledged([subject.rule], start, end).get(subject.rule, [])
    return proposing(
        subject.values, subject.inputs, subject.scale, [at for at in answered if at >= to_us(start)], start, end
    )


def at_once(request: HttpRequest, target: Target, values: dict[str, Any], cast: Cast, now: datetime) -> Found:
    """Gives a whole backtest, for a page that is made on the server."""
    found = Found()
    drained(work(request, target, values, cast, now, found))
    return found


def in_lines(
    request: HttpRequest, target: Target, form: Form, values: dict[str, Any], cast: Cast, now: datetime
) -> StreamingHttpResponse:
    """Answers with lines of JSON: how far it is, what came of it, other settings."""

    def lines() -> Generator[bytes, None, None]:
        yield _line({"advice": form.advice})
        shown: set[str] = set()
        spoken = time.monotonic()
        for part in work(request, target, values, cast, now, Found()):
            if isinstance(part, Found):
                yield from _news(request, target, part, shown)
            elif time.monotonic() - spoken >= PACE:
                spoken = time.monotonic()
                yield _line({"progress": round(part, 3)})
            else:
                yield b""  # a place to stop at

    answer = StreamingHttpResponse(_Lines(lines()), content_type="application/x-ndjson")
    answer["Cache-Control"] = "no-store"
    return answer


def _news(request: HttpRequest, target: Target, found: Found, shown: set[str]) -> Iterator[bytes]:
    """Gives what has come to stand in a result and was not yet said."""
    context = {"found": found, "result": found.result, "target": target}
    if found.trouble:
        yield _line({"trouble": found.trouble})
    if found.result is not None and "result" not in shown:
        shown.add("result")
        parts = {part: render_to_string(f"plant/rules/{part}.html", context, request) for part in ("result", "details")}
        yield _line({**parts, "trend": found.result.trend})
    if found.options is not None and "options" not in shown:
        shown.add("options")
        yield _line({"options": render_to_string("plant/rules/options.html", context, request)})


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


class _Lines:
    """The lines as they are made, in the reader's words; the work ends when Django closes the answer.

    It does so in the request's own thread, and so after the part that may still be under way there.
    """

    def __init__(self, lines: Generator[bytes, None, None]) -> None:
        self._lines = lines
        # What the middleware set ends with the view, before the first line is made.
        self._language, self._zone = translation.get_language(), timezone.get_current_timezone()

    def _following(self) -> bytes | None:
        with translation.override(self._language), timezone.override(self._zone):
            return next(self._lines, None)

    def __aiter__(self) -> _Lines:
        return self

    async def __anext__(self) -> bytes:
        line: bytes | None
        while (line := await sync_to_async(self._following)()) is not None:
            if line:
                return line
        raise StopAsyncIteration

    def close(self) -> None:
        """Ends the work where it stands."""
        self._lines.close()
