"""The master alarm list: every alarm of every asset, one on each row, out and in as CSV or XLSX.

Rules are known by asset and name. What a row changes is written by the services, so that its type's rule is overridden
where it differs, a reason is asked for where one is needed, and the history keeps the old value.
"""

from functools import partial
from pathlib import Path
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch
from import_export.fields import Field
from import_export.results import Result, RowResult
from import_export.widgets import FloatWidget, JSONWidget, Widget

from alerts import rules
from alerts.changes import text_of
from alerts.checks import CONDITION, DEFAULTS
from alerts.models import Priority, Rule, RuleInput
from alerts.rationalisation import missing, suggested, word
from alerts.wiring import values_of
from devices.admin.tables import ByCode, ServiceTable, Words
from devices.changes import change
from devices.models import Asset

FORMATS = ("csv", "xlsx")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


class YesNo(Widget):
    """Yes or no, in words."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives the word."""
        return _YES[0] if value else _NO[0]

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        """Gives the truth. Raises: ValueError."""
        word = str(value).strip().lower()
        if word not in (*_YES, *_NO):
            raise ValueError(f"{value!r} is neither yes nor no.")
        return word in _YES


class PriorityWord(Widget):
    """A priority by its word; its number is understood too."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives the word."""
        return Priority(value).name.lower() if value in Priority.values else str(value)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        """Gives the number. Raises: ValueError."""
        word = str(value).strip().lower().removesuffix(".0")
        for priority in Priority:
            if word in (priority.name.lower(), str(priority.value)):
                return priority.value
        raise ValueError(f"unknown priority {value!r}; it is critical, high, medium or low.")


class Whiles(JSONWidget):
    """The conditions of `suppress_when` as JSON; nothing is none."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Gives the conditions."""
        return super().clean(value, row, **kwargs) or []

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives their text."""
        return super().render(value, obj, **kwargs) if value else ""


class _RowsAreWrong(Exception):
    """Nothing of the change is kept; the result says why."""


class MasterList(ServiceTable):
    """The table. Takes: why, for the rows that change what needs a reason."""

    tag = Field(column_name="tag", readonly=True)
    asset = Field("asset", "asset", ByCode(Asset, "code"))
    comes_from = Field(column_name="comes_from", readonly=True)
    unit = Field(column_name="unit", readonly=True)
    missing = Field(column_name="missing", readonly=True)
    suggested_priority = Field(column_name="suggested_priority", readonly=True)
    inputs = Field("inputs", "inputs", Words())
    suppress_when = Field("suppress_when", "suppress_when", Whiles())
    priority = Field("priority", "priority", PriorityWord())

    class Meta:
        model = Rule
        fields = ("tag", "asset", "name", "comes_from", *CONDITION, "unit", "missing", "suggested_priority")
        export_order = fields
        import_id_fields = ("asset", "name")
        store_instance = True
        clean_model_instances = False

    @classmethod
    def widget_from_django_field(cls, f: Any, default: Any = Widget) -> Any:
        """Gives how the cells of a field are read and written."""
        if isinstance(f, models.BooleanField):
            return YesNo
        if isinstance(f, models.FloatField):
            return partial(FloatWidget, coerce_to_string=False)  # a spreadsheet calculates with numbers
        return super().widget_from_django_field(f, default)

    def __init__(self, reason: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason = reason

    def get_queryset(self) -> Any:
        """Gives the rules by asset, each with the sensor that its alarm belongs to."""
        first = RuleInput.objects.filter(place=0).select_related("sensor")
        found = Rule.objects.select_related("asset", "origin").prefetch_related(
            Prefetch("reads", queryset=first, to_attr="first_reads")
        )
        return found.order_by("asset__code", "id")

    def get_import_fields(self) -> list[Field]:
        """Gives what a row can change."""
        return [field for field in super().get_import_fields() if not field.readonly]

    def dehydrate_tag(self, rule: Rule) -> str:
        """Gives the alarm's sensor."""
        first = self._first(rule)
        return f"{rule.asset.code}/{first.sensor.key}" if first else ""

    def dehydrate_unit(self, rule: Rule) -> str:
        """Gives the unit of its limits."""
        first = self._first(rule)
        return str(first.sensor.unit) if first else ""

    def dehydrate_comes_from(self, rule: Rule) -> str:
        """Tells whether it comes with the type, and whether the asset changed it."""
        if rule.origin_id is None:
            return "asset"
        return "type, changed" if rule.overrides else "type"

    def dehydrate_missing(self, rule: Rule) -> str:
        """Gives what its rationalisation lacks."""
        return ", ".join(missing(values_of(rule)))

    def dehydrate_suggested_priority(self, rule: Rule) -> str:
        """Gives the priority that follows from severity and time to respond."""
        return word(suggested(rule.severity, rule.time_to_respond)) or ""

    @staticmethod
    def _first(rule: Rule) -> RuleInput | None:
        return next(iter(getattr(rule, "first_reads", ())), None)

    def import_data_inner(self, *args: Any, **kwargs: Any) -> Result:
        """Takes all rows as one change: they may name each other, and what follows from them is worked out once."""
        try:
            with change():
                result = super().import_data_inner(*args, **kwargs)
                if result.has_errors() or result.has_validation_errors():
                    raise _RowsAreWrong
        except _RowsAreWrong:
            pass
        except ValidationError as refusal:
            result.append_base_error(self.get_error_result_class()(refusal))
        return result

    def import_field(self, field: Field, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Takes a cell; an empty one means the default where nothing is no value."""
        super().import_field(field, instance, row, is_m2m, **kwargs)
        if field.attribute in DEFAULTS and getattr(instance, field.attribute) is None:
            setattr(instance, field.attribute, DEFAULTS[field.attribute])

    def create(self, values: dict[str, Any]) -> Any:
        """Gives an asset a rule of its own."""
        return rules.create_rule(**values, reason=self.reason)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one; one that comes with the type is overridden where it differs."""
        values.pop("asset", None)
        rules.update_rule(rule=row, **values, reason=self.reason)


def write(path: Path) -> int:
    """Writes the whole list into a file, by its ending. Gives: the number of rows."""
    table = MasterList().export()
    data = table.export(path.suffix[1:].lower())
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return len(table)


def read(path: Path, *, reason: str = "", preview: bool = False) -> Result:
    """Takes a file in, as one transaction: everything, or nothing where a row is wrong or it is a preview only."""
    data = path.read_bytes()
    form = path.suffix[1:].lower()
    table = tablib.Dataset().load(data if form == "xlsx" else data.decode("utf-8-sig"), format=form)
    return MasterList(reason=reason).import_data(
        table, dry_run=preview, use_transactions=True, rollback_on_validation_errors=True
    )


def problems(result: Result) -> list[str]:
    """Gives what is wrong, each with its row in the file; the head is row 1."""
    found = [f"row {number + 1}: {error.error}" for number, errors in result.row_errors() for error in errors]
    for invalid in result.invalid_rows:
        found += [f"row {invalid.number + 1}: {words}" for words in _words(invalid.error)]
    return [*(words for error in result.base_errors for words in _words(error.error)), *found]


def _words(error: Exception) -> list[str]:
    return error.messages if isinstance(error, ValidationError) else [str(error)]


def changes(result: Result) -> list[str]:
    """Gives what an import changes, a line for each rule, with old and new values."""
    lines = []
    for row in result.rows:
        rule, before = row.instance, row.original
        if row.import_type == RowResult.IMPORT_TYPE_NEW and rule is not None:
            lines.append(f"{rule.asset.code}, {rule.name}: new")
        elif row.import_type == RowResult.IMPORT_TYPE_UPDATE and before is not None:
            altered = [
                f"{field} {text_of(field, getattr(before, field))} → {text_of(field, getattr(rule, field))}"
                for field in CONDITION
                if getattr(before, field) != getattr(rule, field)
            ]
            lines.append(f"{rule.asset.code}, {rule.name}: {', '.join(altered)}")
    return lines
