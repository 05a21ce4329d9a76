"""What the journal and the outbox keep of why something happened, in the words of whoever reads it.

The parts that decide know no reader: they write a reason once, in English. It is kept so for ever, and hashed. Here it
is recognised when it is shown, and said in the reader's language. What a person wrote is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from alerts.writing import plain
from devices import topology
from devices.labels import word_of

# --- The life of an alarm: alerts/lifecycle.py, alerts/book/, alerts/timers.py, alerts/evaluation.py ---------------
_LIFE = (
    _("acknowledged"),
    _("acknowledged after it returned to normal"),
    _("acknowledged already"),
    _("acknowledged, latched until it is reset"),
    _("active already, same occurrence"),
    _("became active"),
    _("became active again before anybody acknowledged"),
    _("became active again while latched"),
    _("became active, not announced"),
    _("became active; its rule asks for no acknowledgement"),
    _("commented"),
    _("it happens again: see the alarm that follows"),
    _("it has no rule"),
    _("it is not presented"),
    _("its end lies in the past"),
    _("its rule may not be shelved"),
    _("its time is not over"),
    _("longer than this alarm may be shelved"),
    _("no longer suppressed by design"),
    _("no re-alarm period is set"),
    _("normal"),
    _("normal already"),
    _("not acknowledged yet"),
    _("not active"),
    _("not latched"),
    _("not out of service"),
    _("not shelved"),
    _("not suppressed by design"),
    _("out of service"),
    _("out of service already"),
    _("out of service needs a reason"),
    _("over"),
    _("presented again, still latched"),
    _("presented again, the condition holds"),
    _("presented again, tripped meanwhile and latched"),
    _("reset"),
    _("reset before anybody acknowledged"),
    _("returned to normal"),
    _("returned to normal already"),
    _("returned to normal before"),
    _("returned to normal, latched until it is reset"),
    _("returned to normal, not acknowledged yet"),
    _("returned to service"),
    _("rule edited"),
    _("rule no longer in force"),
    _("shelved"),
    _("shelved already"),
    _("shelved until an unknown time: unshelved"),
    _("shelving needs a reason"),
    _("shelving needs an end"),
    _("shelving ran out"),
    _("silenced"),
    _("still active"),
    _("still active after the re-alarm period"),
    _("suppressed already"),
    _("suppressed by design"),
    _("suppression needs the logic that asks for it"),
    _("taken out of service"),
    _("the condition does not hold"),
    _("the occurrence is over"),
    _("unshelved"),
    _("refused: %(why)s"),
    _("no longer: %(what)s"),
    _("hidden by %(asset)s: %(rule)s"),
    _("no longer the first-out: %(rule)s came %(seconds)s s before"),
    _("%(why)s; %(rule)s was announced before it"),
    _("acknowledged by mail link"),
    _("acknowledged by text message"),
    _("by mail link"),
    _("by text message"),
    _("data again from %(name)s"),
    _("part of %(name)s"),
    _("nothing since %(time)s from %(count)s sensor"),
    _("nothing since %(time)s from %(count)s sensors"),
    _("no data, and not known yet from how much of the plant"),
    _("nothing is late any more"),
    _("to be looked at again on %(date)s"),
    _("returned to service, or to be looked at later"),
    _("the shards are drained again"),
    _("somebody is on call"),
    _("a call found nobody; those whom its plan names instead were called"),
    _("%(count)s not delivered"),
    _("%(count)s not delivered; %(answer)s"),
    _("delivered, sent again or let be"),
    _("shard %(shard)s found other streams than those it had read"),
    _("shard %(shard)s: what arrived %(when)s was no longer in its stream"),
    _("shard %(shard)s: %(error)s"),
    _("message %(number)s to %(whom)s by %(channel)s: due since %(time)s UTC"),
    _("message %(number)s to %(whom)s by %(channel)s: held back, its digest is due since %(time)s UTC"),
    _("alarm %(number)s: step %(step)s of its plan is due since %(time)s UTC"),
    _("alarm %(number)s: no message to %(whom)s by %(channel)s"),
    _("alarm %(number)s: step %(step)s of its plan has no message to %(whom)s"),
    _("alarm %(number)s: no call was begun, though a route leads to the plan %(whom)s"),
    _("%(name)s: more than ten alarms in ten minutes"),
    _("%(name)s: fewer than five alarms in ten minutes"),
    _("%(name)s: fewer than five alarms in ten minutes; %(count)s since it began"),
)

# --- Who is told: alerts/calling/, alerts/notify/, alerts/flood/, alerts/first_out.py -------------------------------
_TELLING = (
    _("told of it less than a minute ago"),
    _("the account is switched off"),
    _("your account is switched off"),
    _("no address"),
    _("no email address"),
    _("no mobile number"),
    _("no browser takes messages: switch it on there, under My subscriptions"),
    _("no browser is left that takes messages"),
    _("a team channel reaches no single person"),
    _("the team's channel is gone"),
    _("your quiet hours, until %(time)s"),
    _("your digest of %(time)s"),
    _("more than %(count)s messages within the hour"),
    _("outside your hours (%(hours)s)"),
    _("your subscription: %(scope)s"),
    _("you were called for it, and wish to know when it returns to normal"),
    _("you asked for a test"),
    _("its alarm is gone"),
    _("over before it was to be told"),
    _("over before it could be sent"),
    _("you were not told of the alarm"),
    _("waits for the message of the alarm itself"),
    _("waits until the readings that came late have been judged"),
    _("given up: its worker was lost each time"),
    _("given up after %(count)s tries: %(why)s"),
    _("its worker was lost"),
    _("already acknowledged by %(name)s"),
    _("sent again by %(name)s"),
    _("%(count)s messages that were held back: %(why)s"),
    _("follows in the trip of %(group)s: told together"),
    _("a flood of alarms: what else is critical is told together within a minute"),
    _("a flood of alarms since %(time)s UTC: told together every ten minutes"),
    _("maintenance of %(name)s until %(time)s: %(why)s"),
    _("all steps are done"),
    _("nobody needs to acknowledge it"),
    _("it asks nobody to acknowledge it: only the first steps call"),
    _("no subscription, and no step calls them"),
    _("%(plan)s, step %(step)s, round %(round)s: %(why)s"),
    _("%(plan)s, step %(step)s: %(why)s"),
    _("everybody who may acknowledge"),
    _("you by name"),
    _("on call for %(name)s"),
    _("nobody is on call for %(name)s, team %(team)s is called instead"),
    _("team %(name)s"),
    _("%(scope)s: switched off"),
    _("%(scope)s: another part of the plant"),
    _("%(scope)s: a %(priority)s alarm is lower than that"),
    _("accepted by %(name)s"),
    _("written to %(name)s"),
    _("accepted"),
)

# --- Only as a part of those: places and switches -------------------------------------------------------------------
_PARTS = (
    _("%(scope)s and above"),
    _("%(place)s, 1 Critical"),
    _("%(place)s, 2 High"),
    _("%(place)s, 3 Medium"),
    _("%(place)s, 4 Low"),
    _("%(day)s %(start)s to %(end)s"),
    _("%(day)s none"),
    _("the whole plant"),
    _("before %(until)s"),
    _("from %(since)s to %(until)s"),
    *(_("email"), _("sms"), _("push"), _("team"), _("team channel")),
    *(_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")),
    *(_("critical"), _("high"), _("medium"), _("low")),
    _("anybody"),
)
SENTENCES = (*_LIFE, *_TELLING)
_WHOLE = frozenset(text for text in (*SENTENCES, *_PARTS) if "%(" not in text)
# What can stand in a place; anything where the place is not named here.
_FITS: Mapping[str, str] = {
    "channel": r"[\w ]+",
    "count": r"\d+",
    "day": "Mon|Tue|Wed|Thu|Fri|Sat|Sun",
    "end": r"\d\d:\d\d",
    "number": r"\d+",
    "round": r"\d+",
    "shard": r"\d+",
    "since": r"[\d :-]+",
    "start": r"\d\d:\d\d",
    "step": r"\d+",
    "time": r"[\w :]+",
    "until": r"[\d :-]+",
    "when": r"(?:before|from) [\w :-]+",
    "whom": "[^;]+?",  # of several that stand in one reason each is recognised by itself
}


def _pattern(text: str) -> re.Pattern[str]:
    """Gives what recognises a sentence with its places filled."""
    pieces = re.split(r"%\((\w+)\)s", text)
    return re.compile(
        "".join(
            f"(?P<{piece}>{_FITS.get(piece, '.+?')})" if place % 2 else re.escape(piece)
            for place, piece in enumerate(pieces)
        ),
        re.DOTALL,
    )


_OPEN = tuple((text, _pattern(text)) for text in SENTENCES if "%(" in text)
_OPEN_PARTS = tuple((text, _pattern(text)) for text in _PARTS if "%(" in text)
_AND = _(" and ")
_OR = _(" or ")
_IS = _("%(what)s is %(words)s")
# A sensor's state that suppresses by design, as alerts/silence/by_design.py writes it: press-1/state is 0 or 4.
_STATE = re.compile(r"(?P<tag>[^\s/]+/[^\s/]+) is (?P<values>-?\d+(?:\.\d+)?(?: or -?\d+(?:\.\d+)?)*)")
# What is written to the person who is told, for whoever reads it of another.
_OF_ANOTHER: Mapping[str, str] = {
    "your account is switched off": _("the account is switched off"),
    "your quiet hours, until %(time)s": _("their quiet hours, until %(time)s"),
    "your digest of %(time)s": _("their digest of %(time)s"),
    "outside your hours (%(hours)s)": _("outside their hours (%(hours)s)"),
    "your subscription: %(scope)s": _("their subscription: %(scope)s"),
    "you were called for it, and wish to know when it returns to normal": _(
        "they were called for it, and wish to know when it returns to normal"
    ),
    "you asked for a test": _("they asked for a test"),
    "you were not told of the alarm": _("they were not told of the alarm"),
    "you by name": _("called by name"),
}
_COMMENT = "comment"
# What stands as a person's comment where their answer found the alarm acknowledged.
_BY_ANSWER = frozenset({"by mail link", "by text message"})
_SWITCHES: Mapping[str, str] = {
    "shelved": "shelved",
    "by_design": "suppressed by design",
    "out_of_service": "out of service",
}


def said(text: str) -> str:
    """Gives a reason in the reader's language; what no part of Andon wrote as it stands."""
    return _said(text, False) if text else text


def said_of_another(text: str) -> str:
    """Gives the same for a reader who is not the person whom it was written to: theirs, not yours."""
    return _said(text, False, of_another=True) if text else text


def why(event: str, actor: str, reason: str) -> str:
    """Gives why a row of the journal is there: a person's comment as it stands, all else in the reader's language."""
    if event == _COMMENT and actor and reason not in _BY_ANSWER:
        return reason
    return said(reason or event)


def switched(switches: Collection[str]) -> str:
    """Gives why an alarm is not presented, in the reader's language: "shelved and out of service"."""
    return gettext(_AND).join(gettext(_SWITCHES.get(switch, switch)) for switch in switches)


def _state(found: re.Match[str]) -> str:
    """Gives a sensor's state in the words of its values: press-1 is stopped or held."""
    place = topology.known().worded.get(found["tag"])
    if place is None:
        return found[0]
    numbers = [float(value) for value in found["values"].split(_OR)]
    words = gettext(_OR).join(word_of(place.labels, number) or plain(number) for number in numbers)
    return gettext(_IS) % {
        "what": found["tag"].partition("/")[0] if place.tells_state else found["tag"],
        "words": words,
    }


def _said(text: str, part: bool, *, of_another: bool = False) -> str:
    if (state := _STATE.fullmatch(text)) is not None:
        return _state(state)
    words = text.split(_AND)
    if len(words) > 1 and all(word in _SWITCHES.values() for word in words):
        return gettext(_AND).join(map(gettext, words))
    known = recognised(text, part=part)
    if known is None:
        parts = text.split("; ")
        return "; ".join(_said(one, part, of_another=of_another) for one in parts) if len(parts) > 1 else text
    sentence, places = known
    shown = gettext(_OF_ANOTHER.get(sentence, sentence) if of_another else sentence)
    said_places = {name: _said(words, True, of_another=of_another) for name, words in places.items()}
    return shown % said_places if places else shown


@lru_cache(maxsize=4096)
def recognised(text: str, *, part: bool = False) -> tuple[str, dict[str, str]] | None:
    """Gives the sentence that a reason is, and what stands in its places; None where it is nobody's."""
    if text in _WHOLE:
        return text, {}
    for sentence, pattern in _patterns(part):
        found = pattern.fullmatch(text)
        if found is not None:
            return sentence, found.groupdict()
    return None


def _patterns(part: bool) -> Iterator[tuple[str, re.Pattern[str]]]:
    yield from _OPEN
    if part:
        yield from _OPEN_PARTS
