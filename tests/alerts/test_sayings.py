"""What the journal and the outbox keep in English is recognised when it is shown, every reason that the code has."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

import alerts
from alerts import journal
from alerts.sayings import recognised, said, why

ROOT = Path(alerts.__file__).parent
# Functions that take a reason by its place: which of their arguments it is.
_BY_PLACE = {"Withhold": 0, "Wait": 1, "_bury": 2, "made": 1, "Posting": 2, "system_over": 1}
_GIVE_REASONS = {"why_over", "why_not_any_more", "_why_not", "_held", "_in_a_trip", "gathered"}
_FILLS = ("3", "06:00:00", "Olga")
# A rule's change needs a reason from a person; these stand in its history and in answers, not in the journal.
_ELSEWHERE = (
    "api.py", "api_rules.py", "api_actions.py", "master_list.py", "changes.py", "editing.py", "commands/rules.py",
)  # fmt: skip


def _constants(trees: dict[Path, ast.Module]) -> dict[str, ast.expr]:
    """Gives the texts that modules name."""
    return {
        target.id: node.value
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _texts(node: ast.expr, known: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """Gives the literals and f-strings that an expression may come to."""
    if (isinstance(node, ast.Constant) and isinstance(node.value, str)) or isinstance(node, ast.JoinedStr):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from itertools.chain(_texts(node.body, known), _texts(node.orelse, known))
    elif isinstance(node, ast.BoolOp):
        yield from itertools.chain.from_iterable(_texts(one, known) for one in node.values)
    elif isinstance(node, ast.Tuple | ast.List):
        yield from itertools.chain.from_iterable(_texts(one, known) for one in node.elts)
    elif isinstance(node, ast.Subscript | ast.DictComp):
        yield from _texts(node.value, known)
    elif isinstance(node, ast.GeneratorExp | ast.ListComp):
        yield from _texts(node.elt, known)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        yield from _texts(node.args[0], known)
    elif isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        for value in known.get(name, []):
            yield from _texts(value, {other: values for other, values in known.items() if other != name})


def _in_function(function: ast.FunctionDef, constants: dict[str, ast.expr]) -> Iterator[ast.expr]:
    """Gives the reasons that a function writes."""
    known = {name: [value] for name, value in constants.items()}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    known.setdefault(target.id, []).append(node.value)
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for keyword in node.keywords:
                if keyword.arg == "reason":
                    yield from _texts(keyword.value, known)
            place = _BY_PLACE.get(name)
            if place is not None and len(node.args) > place:
                yield from _texts(node.args[place], known)
        elif isinstance(node, ast.Return) and node.value is not None and function.name in _GIVE_REASONS:
            yield from _texts(node.value, known)


def _kept() -> Iterator[tuple[str, ast.expr]]:
    """Gives every reason under alerts/ that Andon itself writes, with where it stands."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts]
    trees = {path: ast.parse(path.read_text()) for path in paths if not any(map(path.match, _ELSEWHERE))}
    constants = _constants(trees)
    for path, tree in trees.items():
        where = str(path.relative_to(ROOT.parent))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield from ((f"{where}:{one.lineno}", one) for one in _in_function(node, constants))
        if path.name == "auditor.py":  # it joins what it finds
            formats = {node.format_spec for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)}
            texts = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and node not in formats)
            yield from ((f"{where}:{one.lineno}", one) for one in texts)
        if path.parent.name == "flood" and path.name == "services.py":  # event, position, reason
            tuples = (node for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 3)
            found = (one.elts[2] for one in tuples if isinstance(one.elts[2], ast.JoinedStr))
            yield from ((f"{where}:{one.lineno}", one) for one in found)


def _filled(node: ast.expr) -> Iterator[str]:
    """Gives a text with its holes filled in all ways that may fit."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
        return
    assert isinstance(node, ast.JoinedStr)
    pieces: list[tuple[str, ...]] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces.append((str(part.value),))
        elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp):
            ends = (part.value.body, part.value.orelse)
            pieces.append(tuple(str(one.value) for one in ends if isinstance(one, ast.Constant)))
        elif isinstance(part, ast.FormattedValue) and getattr(part.value, "attr", "").isupper():
            pieces.append((str(getattr(journal, part.value.attr)),))  # type: ignore[attr-defined]
        else:
            pieces.append((*_FILLS, "from 2026-03-02 06:00:00 to 2026-03-02 06:10:00"))
    yield from map("".join, itertools.product(*pieces))


KEPT = {(where, ast.unparse(node)): node for where, node in _kept() if ast.unparse(node) not in ("''", "f''")}


def test_the_reasons_of_the_code_are_found() -> None:
    places = {where.partition(":")[0] for where, _ in KEPT}
    wanted = {
        "system.py",
        "timers.py",
        "notify/auditor.py",
        "notify/trouble.py",
        "notify/outbox.py",
        "notify/routing.py",
    }
    wanted |= {"calling/decision.py", "calling/digests.py", "calling/calls.py", "flood/services.py", "flood/queries.py"}
    assert {f"alerts/{name}" for name in wanted} <= places
    assert len(KEPT) > 45


@pytest.mark.parametrize("where", KEPT, ids=lambda where: " ".join(where)[:100])
def test_a_reason_that_the_code_writes_is_recognised(where: tuple[str, str]) -> None:
    assert any(recognised(text) for text in _filled(KEPT[where])), "Add it to alerts/sayings.py"


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("3 not delivered; Timeout; try later", "3 nicht zugestellt; Timeout; try later"),
        (
            "message 5 to olga by sms: due since 06:00:00 UTC; message 6 to chat by team: due since 06:00:01 UTC",
            "Meldung 5 an olga über SMS: fällig seit 06:00:00 UTC; "
            "Meldung 6 an chat über Team: fällig seit 06:00:01 UTC",
        ),
        (
            "alarm 7: no message to olga by email; alarm 8: no message to chat by team channel",
            "Alarm 7: keine Meldung an olga über E-Mail; Alarm 8: keine Meldung an chat über Teamkanal",
        ),
        (
            "shard 3: OperationalError: full; shard 4: OperationalError: full",
            "Shard 3: OperationalError: full; Shard 4: OperationalError: full",
        ),
        (
            "shard 3: what arrived before 2026-03-02 06:00:00 was no longer in its stream",
            "Shard 3: was vor 2026-03-02 06:00:00 ankam, war nicht mehr im Strom",
        ),
        (
            "Hall: fewer than five alarms in ten minutes; 31 since it began",
            "Hall: weniger als fünf Alarme in zehn Minuten; 31 seit Beginn",
        ),
    ],
)
def test_several_in_one_reason_are_said_each(kept: str, shown: str) -> None:
    with translation.override("de"):
        assert said(kept) == shown


def test_what_a_person_wrote_stands_as_it_is() -> None:
    with translation.override("de"):
        assert why("comment", "olga", "acknowledged") == "acknowledged"
        assert why("comment", "", "rule edited") == said("rule edited") != "rule edited"
        assert why("comment", "olga", "by mail link") == said("by mail link") != "by mail link"
        assert why("ack", "olga", "acknowledged") == said("acknowledged") != "acknowledged"
        assert why("raise", "", "") == "raise"
