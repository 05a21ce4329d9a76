"""The tip of a machine in the honeycomb: its key values, and since when its state has lasted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts import queries
from alerts.silence.queries import silent_parts
from devices import moment
from plant.machines import state_words
from plant.pages import key_values, states
from plant.pages.tree import Node

MOST_ALARMS = 100  # of the machine, looked at for what its values stand in


def tip(request: HttpRequest, machine: Node) -> HttpResponse:
    """Gives a piece of a page, for the script that opens the tip. Cost: seven queries and a round trip to Redis."""
    now = moment.now()
    alarms = queries.worst(MOST_ALARMS, {part.pk for part in machine.walk()})
    found = key_values.of_machines([machine], {machine.pk: alarms}, silent_parts(), now)[machine.pk]
    teller = found.teller
    day = states.of_machine(teller, state_words(teller.labels), now) if teller else None
    kind = day.stretches[-1].kind if day else None
    shown = {"values": found.values, "kind": kind, "lasting": day.lasting(kind) if day and kind else None}
    answer = render(request, "plant/machine_tip.html", shown)
    answer["Cache-Control"] = "no-store"
    return answer
