"""The master alarm list goes out and comes back as CSV and XLSX; what it changes is kept with a reason."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from alerts import catalogue, rules
from alerts.changes import changes_of
from alerts.models import Rule
from devices import configuration, services
from devices.command_line import machine_user
from plant.roles import ensure_roles
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def press():
    catalogue.create_class(code="safety", name="Safety")
    catalogue.create_position(code="desk", name="Desk")
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="speed", name="Speed", unit="Hz", range_low=0.0, range_high=100.0)
    rules.create_type_rule(type=pump, name="Too fast", kind="high", sensor_key="speed", limit=80.0)
    machine = factories.plant()[0]
    services.update_asset(asset=machine, type=pump)
    factories.sensor(machine)
    factories.sensor(machine, "flow")
    factories.rule(
        machine, "Second", kind="expression", inputs={"t": "temp", "f": "flow"}, expression="t > 3 and f < 1"
    )
    factories.rule(machine, "Silent", kind="stale", timeout=30.0, priority="low", enabled=False)
    factories.rule(
        machine, deadband=2.0, on_delay=5.0, alarm_class="safety", position="desk", latching=True, ack_required=False,
        realarm=600.0, group="trip", hides="Second",
        suppress_when=[{"sensor": "flow", "equals": [0.0]}, {"alarm": "Silent"}],
        shelvable=False, longest_shelving=3600.0, cause="=cmd()\nor wear, \"new\"", consequence="Seizes",
        action="1. Stop\n2. Grease",
        confirmation="'-quoted", time_to_respond=120.0, severity="severe",
    )  # fmt: skip
    return machine


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def write(path: Path, table: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


def run(*words: object) -> str:
    out = io.StringIO()
    call_command("rules", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_comes_back_as_it_went_out(press, tmp_path, form):
    file = tmp_path / f"alarms.{form}"
    before, history = configuration.dump(), Rule.history.count()
    assert run("export", file) == "4 rules\n"
    assert run("import", file) == "new: 0, changed: 0, unchanged: 4\n"
    assert (configuration.dump(), Rule.history.count()) == (before, history)
    # Into a plant without rules of its own.
    Rule.objects.filter(origin=None).delete()
    assert run("import", file).endswith("new: 3, changed: 0, unchanged: 1\n")
    assert configuration.dump() == before


def test_rows_may_name_rules_of_further_rows(press, tmp_path):
    file = tmp_path / "a.csv"
    run("export", file)
    Rule.objects.filter(origin=None).delete()
    table = rows(file)
    write(file, table[::-1])
    assert run("import", file).endswith("new: 3, changed: 0, unchanged: 1\n")
    Rule.objects.filter(origin=None).delete()
    write(file, [row for row in table if row["name"] != "Second"])
    with pytest.raises(CommandError, match="hides: press-1-1 has no rule 'Second'"):
        run("import", file)
    assert not Rule.objects.filter(origin=None).exists()


def test_a_row_says_where_the_alarm_is_and_what_a_review_would_say(press, tmp_path):
    run("export", tmp_path / "a.csv")
    found = {row["name"]: row for row in rows(tmp_path / "a.csv")}
    hot = found["Temperature high"]
    assert (hot["tag"], hot["unit"], hot["comes_from"], hot["priority"]) == (
        "press-1-1/temp",
        "degC",
        "asset",
        "critical",
    )
    assert (hot["missing"], hot["suggested_priority"], hot["shelvable"], hot["latching"]) == (
        "",
        "critical",
        "no",
        "yes",
    )
    assert hot["cause"].startswith("'=cmd()")
    assert found["Second"]["missing"] == "cause, consequence, action, time_to_respond"
    assert (found["Too fast"]["comes_from"], found["Too fast"]["unit"]) == ("type", "Hz")


def test_a_preview_says_what_would_change_and_changes_nothing(press, tmp_path):
    file = tmp_path / "a.csv"
    run("export", file)
    table = rows(file)
    for row in table:
        if row["name"] == "Temperature high":
            row["limit"], row["priority"] = "95", "high"
    write(file, table)
    said = run("import", file, "--preview", "--reason", "review of May")
    altered = "press-1-1, Temperature high: limit 90 → 95, priority Critical → High"
    assert said == f"{altered}\nwould be new: 0, changed: 1, unchanged: 3\n"
    assert Rule.objects.get(name="Temperature high").limit == 90.0
    run("import", file, "--reason", "review of May")
    rule = Rule.objects.get(name="Temperature high")
    assert (rule.limit, rule.priority, changes_of(rule)[0].why) == (95.0, 2, f"{machine_user()}: review of May")


def test_a_type_s_rule_is_overridden_where_its_row_differs(press, tmp_path):
    file = tmp_path / "a.csv"
    run("export", file)
    write(file, [{**row, "limit": "70"} if row["name"] == "Too fast" else row for row in rows(file)])
    run("import", file, "--reason", "older bearings")
    rule = Rule.objects.get(name="Too fast")
    assert (rule.limit, rule.overrides, rule.origin.limit) == (70.0, ["limit"], 80.0)


def test_every_error_is_named_with_its_row_and_nothing_is_changed(press, tmp_path):
    file = tmp_path / "a.csv"
    run("export", file)
    table = rows(file)
    good, *others = table
    write(
        file,
        [
            {**good, "deadband": "3"},
            {**others[0], "priority": "urgent"},
            {**others[1], "asset": "nowhere"},
            {**others[2], "alarm_class": "safty"},
        ],
    )
    before = configuration.dump()
    with pytest.raises(CommandError) as caught:
        run("import", file, "--reason", "trial")
    said = str(caught.value)
    assert "row 3: unknown priority 'urgent'" in said
    assert "row 4: there is no asset 'nowhere'" in said
    assert "row 5: unknown alarm class 'safty'; did you mean safety?" in said
    assert said.endswith("3 errors; nothing was changed.")
    assert configuration.dump() == before


def test_a_limit_is_not_imported_without_a_reason(press, tmp_path):
    file = tmp_path / "a.csv"
    run("export", file)
    write(file, [{**row, "limit": "95"} if row["name"] == "Temperature high" else row for row in rows(file)])
    with pytest.raises(CommandError, match="a change of limit needs a reason"):
        run("import", file)
    assert Rule.objects.get(name="Temperature high").limit == 90.0


def test_columns_that_are_left_out_stay_as_they_are(press, tmp_path):
    file = tmp_path / "a.csv"
    write(file, [{"asset": "press-1-1", "name": "Second", "consequence": "The pump runs dry"}])
    run("import", file)
    rule = Rule.objects.get(name="Second")
    assert (rule.consequence, rule.expression) == ("The pump runs dry", "t > 3 and f < 1")


def test_what_is_no_table_is_refused(press, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"no table")
    with pytest.raises(CommandError, match="cannot be read"):
        run("import", tmp_path / "a.xlsx")
    with pytest.raises(CommandError, match="ending"):
        run("export", tmp_path / "a.ods")


def test_a_spreadsheet_holds_numbers_as_numbers(press, tmp_path):
    run("export", tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    head = [cell.value for cell in sheet[1]]
    limits = [row[head.index("limit")].value for row in sheet.iter_rows(min_row=2)]
    assert 90 in limits


def test_the_admin_shows_a_preview_and_asks_why(press, client, tmp_path):
    ensure_roles()
    client.force_login(factories.engineer())
    file = tmp_path / "a.csv"
    run("export", file)
    write(file, [{**row, "limit": "95"} if row["name"] == "Temperature high" else row for row in rows(file)])
    address = reverse("admin:alerts_rule_import")

    def preview(reason: str):
        return client.post(
            address, {"format": "0", "reason": reason, "import_file": SimpleUploadedFile("a.csv", file.read_bytes())}
        )

    refused = preview("")
    assert "needs a reason" in refused.content.decode()
    shown = preview("review of May")
    confirm = shown.context["confirm_form"]
    assert Rule.objects.get(name="Temperature high").limit == 90.0
    done = client.post(reverse("admin:alerts_rule_process_import"), confirm.initial)
    assert done.status_code == 302
    rule = Rule.objects.get(name="Temperature high")
    assert (rule.limit, changes_of(rule)[0].why, changes_of(rule)[0].who) == (95.0, "review of May", "Emil Engineer")
