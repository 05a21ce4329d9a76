"""Looking back: within a block, every read of alarms stands at a moment of the past.

The tables of what changes are put before each statement under their own names, as they stood (a `WITH` of SQL), so that
whatever reads alarms, suppressions, the journal or floods needs to know nothing of it. Nothing is written meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Min

from alerts.models import (
    Alarm,
    AlarmPast,
    FloodLoad,
    FloodLoadPast,
    JournalEntry,
    JournalHead,
    Suppression,
    SuppressionPast,
)
from devices import moment

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]

_READS = ("SELECT", "WITH", "EXPLAIN")
_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")  # what a transaction around reads is made of
_NEAR = timedelta(seconds=60)  # that a row may be written after one of a higher number


class Written(Exception):
    """Something wants to be written while the past is looked at; it would be written into the present."""


class Unknown(Exception):
    """A statement reads what has a past in a way that is not known here: it would read the present."""


@contextmanager
def looking_back(at: datetime) -> Iterator[None]:
    """Lets alarms, suppressions, journal, floods and newest readings be those of a moment, the moment included.

    Raises: Written, from whatever writes within the block; Unknown, from a statement that names tables of its own and
    reads alarms.
    Cost: two queries; a statement that reads alarms looks each open one up in an index.
    """
    head = _head(at)
    with moment.looking_back(at), connection.execute_wrapper(_Past(at, head)):
        yield


def _head(at: datetime) -> int:
    """Gives the journal's number at a moment: what is written after it has a higher one."""
    after = JournalEntry.objects.filter(recorded__gt=at, recorded__lte=at + _NEAR).aggregate(first=Min("pk"))["first"]
    if after is not None:
        return int(after) - 1
    rows = JournalEntry.objects.filter(recorded__lte=at).order_by("-recorded", "-pk")
    return rows.values_list("pk", flat=True).first() or 0


class _Past:
    """Puts the tables as they stood before each statement that reads them."""

    def __init__(self, at: datetime, head: int) -> None:
        self._at = connection.ops.adapt_datetimefield_value(at)
        ahead = at + timedelta(seconds=settings.TELEMETRY_MAX_AHEAD)
        self._known = {"at": self._at, "ahead": connection.ops.adapt_datetimefield_value(ahead), "head": head}

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        verb = sql.lstrip("( \n").partition(" ")[0].upper()
        if verb not in _READS:
            if verb.rstrip(";") in _FRAMES:
                return execute(sql, params, many, context)
            raise Written(f"Nothing is written while the past is looked at: {sql[:80]}")
        put: list[str] = []
        given: list[Any] = []
        for table, (text, names) in _tables(connection.vendor).items():
            if f'"{table}"' in sql:
                put.append(f'"{table}" AS ({text})')
                given += [self._known[name] for name in names]
        if not put:
            return execute(sql, params, many, context)
        if verb != "SELECT":
            raise Unknown(f"A statement with tables of its own cannot look at the past: {sql[:80]}")
        return execute(f"WITH {', '.join(put)} {sql}", [*given, *(params or ())], many, context)


@cache
def _tables(vendor: str) -> dict[str, tuple[str, list[str]]]:
    """Gives, for each table that has a past, its statement and what stands for the statement's placeholders.

    All names are those of models; what comes from outside goes by placeholders.
    """
    # SQLite takes a table's own name within its WITH for a circle; PostgreSQL for the table itself.
    real = "main." if vendor == "sqlite" else ""

    def name(model: type[models.Model]) -> str:
        return f'{real}"{model._meta.db_table}"'

    def standing(model: type[models.Model], past: type[models.Model], link: str, own: str) -> tuple[str, str]:
        """Gives the columns, and the join that finds the first written of what was there until later than the moment.

        Numbers follow the commits; `until` may not: it is read before a lock is waited for.
        """
        kept = {field.column: field.null for field in past._meta.concrete_fields}
        columns = []
        for field in model._meta.concrete_fields:
            column = field.column
            if model is Alarm and column in ("message", "frozen"):
                columns.append(f'COALESCE(p."{column}", a."{column}") AS "{column}"')
            elif column in kept and column not in ("id", link):
                columns.append(f'CASE WHEN p."id" IS NULL THEN a."{column}" ELSE p."{column}" END AS "{column}"')
            elif model is Alarm and column == "closed":
                columns.append('NULL AS "closed"')
            else:
                columns.append(f'a."{column}" AS "{column}"')
        join = (
            f'{name(model)} a LEFT JOIN {name(past)} p ON p."id" = (SELECT x."id" FROM {name(past)} x '  # noqa: S608
            f'WHERE x."{link}" = a."{own}" AND x."until" > %s ORDER BY x."id" LIMIT 1)'
        )
        return ", ".join(columns), join

    alarm, alarms = standing(Alarm, AlarmPast, "alarm_id", "id")
    whole = ", ".join(f'"{field.column}"' for field in Alarm._meta.concrete_fields)
    # What was over by then is as it is now. One that is over now without a past is from before any was kept.
    alarm_rows = (
        f'SELECT {alarm} FROM {alarms} WHERE (a."closed" IS NULL OR (a."closed" > %s AND p."id" IS NOT NULL)) '  # noqa: S608
        f'AND a."raised" <= %s AND EXISTS (SELECT 1 FROM {name(JournalEntry)} j '
        f'WHERE j."alarm_id" = a."id" AND j."recorded" <= %s) '
        f'UNION ALL SELECT {whole} FROM {name(Alarm)} WHERE "closed" <= %s'
    )
    suppression, suppressions = standing(Suppression, SuppressionPast, "rule_id", "rule_id")
    load, loads = standing(FloodLoad, FloodLoadPast, "position", "position")
    return {
        Alarm._meta.db_table: (alarm_rows, ["at", "at", "ahead", "at", "at"]),
        Suppression._meta.db_table: (f"SELECT {suppression} FROM {suppressions}", ["at"]),  # noqa: S608
        FloodLoad._meta.db_table: (f"SELECT {load} FROM {loads}", ["at"]),  # noqa: S608
        JournalEntry._meta.db_table: (f'SELECT * FROM {name(JournalEntry)} WHERE "recorded" <= %s', ["at"]),  # noqa: S608
        JournalHead._meta.db_table: (
            f'SELECT "id", CAST(%s AS bigint) AS "last", "hash" FROM {name(JournalHead)}',  # noqa: S608
            ["head"],
        ),
    }
