"""The plant model in the admin: every page opens, every write goes through the services, nobody else gets in."""

import pytest
from django.urls import reverse

from devices import configuration, services
from devices.models import Asset, AssetType, Revision, Sensor, Source
from plant.roles import ensure_roles
from tests import factories
from tests.devices.configuration.plants import SMALL

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client):
    ensure_roles()
    configuration.load(SMALL)
    user = factories.engineer()
    client.force_login(user)
    client.user = user
    return client


def revision(name: str = "plant") -> int:
    return Revision.objects.get(name=name).number


def form_of(client, address: str) -> dict[str, str]:
    """Gives what a browser would send back from a page's form unchanged."""
    page = client.get(address)
    assert page.status_code == 200
    form = page.context["adminform"].form
    data = {}
    for one in [
        form,
        *(f for s in page.context["inline_admin_formsets"] for f in [s.formset.management_form, *s.formset.forms]),
    ]:
        for bound in one:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = "on" if value is True else str(value)
    return data


@pytest.mark.parametrize(
    "model", ["devices_asset", "devices_assettype", "devices_sensor", "devices_source", "alerts_rule"]
)
@pytest.mark.parametrize("page", ["changelist", "add", "change", "history", "delete", "import", "export"])
def test_every_page_opens_for_an_engineer(engineer, model, page):
    if model == "devices_assettype" and page in ("import", "export"):
        return
    first = {
        "devices_asset": Asset.objects.get(code="press-01").pk,
        "devices_assettype": AssetType.objects.get().pk,
        "devices_sensor": Sensor.objects.get(asset__code="press-01", key="flow").pk,
        "devices_source": Source.objects.get().pk,
        "alerts_rule": Asset.objects.get(code="press-01").rules.get(name="No flow").pk,
    }[model]
    args = [first] if page in ("change", "history", "delete") else []
    assert engineer.get(reverse(f"admin:{model}_{page}", args=args)).status_code == 200


@pytest.mark.parametrize("model", ["alerts_journalentry", "alerts_delivery"])
def test_journal_is_there_to_look_at_only(engineer, model):
    assert engineer.get(reverse(f"admin:{model}_changelist")).status_code == 200
    assert engineer.get(reverse(f"admin:{model}_add")).status_code == 403


def test_operator_does_not_get_in(client):
    client.force_login(factories.operator())
    assert client.get(reverse("admin:devices_asset_changelist")).status_code == 302


def test_assets_stand_in_the_order_of_the_tree(engineer):
    page = engineer.get(reverse("admin:devices_asset_changelist"))
    assert [asset.code for asset in page.context["cl"].result_list] == ["site-1", "line-a", "press-01", "press-02"]


def test_assets_are_found_by_sensor_and_filtered_by_level_and_type(engineer):
    address = reverse("admin:devices_asset_changelist")
    for query, codes in [
        ("q=flow", ["press-01", "press-02"]),
        ("level__exact=line", ["line-a"]),
        (f"type__id__exact={AssetType.objects.get().pk}", ["press-01", "press-02"]),
    ]:
        found = engineer.get(f"{address}?{query}").context["cl"].result_list
        assert [asset.code for asset in found] == codes


def test_form_sent_back_unchanged_changes_nothing(engineer):
    before = (configuration.dump(), Sensor.history.count(), revision("rules"))
    for address in [
        reverse("admin:devices_asset_change", args=[Asset.objects.get(code="press-01").pk]),
        reverse("admin:devices_assettype_change", args=[AssetType.objects.get().pk]),
    ]:
        assert engineer.post(address, form_of(engineer, address)).status_code == 302
    assert (configuration.dump(), Sensor.history.count(), revision("rules")) == before


def test_inherited_sensor_edited_on_the_asset_is_overridden(engineer):
    asset = Asset.objects.get(code="press-02")
    address = reverse("admin:devices_asset_change", args=[asset.pk])
    data = form_of(engineer, address)
    place = next(
        key.split("-")[1] for key, value in data.items() if key.endswith("-name") and value == "Bearing temperature"
    )
    before = revision()
    data[f"sensors-{place}-range_high"] = "130"
    assert engineer.post(address, data).status_code == 302
    sensor = asset.sensors.get(key="bearing-temp")
    assert (sensor.range_high, sensor.overrides) == (130.0, ["range_high"])
    assert revision() == before + 1
    assert sensor.history.first().history_user == engineer.user


def test_type_s_sensor_edited_flows_to_every_asset_but_the_one_that_overrides(engineer):
    kind = AssetType.objects.get()
    address = reverse("admin:devices_assettype_change", args=[kind.pk])
    data = form_of(engineer, address)
    data["sensors-0-range_high"] = "200"
    data["sensors-0-interval"] = "2"
    assert engineer.post(address, data).status_code == 302
    copies = Sensor.objects.filter(key="bearing-temp").order_by("asset__code").values_list("range_high", "interval")
    assert list(copies) == [(120.0, 2.0), (200.0, 2.0)]


def test_sensor_and_a_rule_on_it_are_added_on_one_page(engineer):
    asset = Asset.objects.get(code="press-02")
    address = reverse("admin:devices_asset_change", args=[asset.pk])
    data = form_of(engineer, address)
    sensors, rules = int(data["sensors-TOTAL_FORMS"]), int(data["rules-TOTAL_FORMS"])
    speed = {"key": "speed", "name": "Speed", "unit": "rpm", "labels": "0: stands", "asset": asset.pk}
    fast = {
        "name": "Too fast", "kind": "high", "sensor_key": "speed", "limit": 3000, "priority": 2, "enabled": "on",
        "asset": asset.pk, "per": 60, "deadband": 0, "tolerance": 0, "on_delay": 0, "off_delay": 0,
    }  # fmt: skip
    data |= {f"sensors-{sensors}-{field}": str(value) for field, value in speed.items()}
    data |= {f"rules-{rules}-{field}": str(value) for field, value in fast.items()}
    data |= {"sensors-TOTAL_FORMS": str(sensors + 1), "rules-TOTAL_FORMS": str(rules + 1)}
    answer = engineer.post(address, data)
    assert answer.status_code == 302, [
        form.errors for s in answer.context["inline_admin_formsets"] for form in s.formset
    ]
    rule = asset.rules.get(name="Too fast")
    assert [read.sensor.tag for read in rule.reads.all()] == ["press-02/speed"]
    assert asset.sensors.get(key="speed").labels == {"0": "stands"}


def test_what_a_service_refuses_comes_back_in_the_form(engineer):
    asset = Asset.objects.get(code="line-a")
    address = reverse("admin:devices_asset_change", args=[asset.pk])
    data = form_of(engineer, address)
    data["level"] = "module"
    data["name"] = "Another name"
    answer = engineer.post(address, data)
    assert answer.status_code == 200
    assert "a machine cannot stand below a module" in answer.content.decode()
    assert "Another name" in answer.content.decode()
    asset.refresh_from_db()
    assert (asset.name, asset.level) == ("Line A", "line")


def test_sensor_that_a_rule_elsewhere_reads_cannot_be_deleted(engineer):
    sensor = Sensor.objects.get(asset__code="press-02", key="flow")
    address = reverse("admin:devices_sensor_delete", args=[sensor.pk])
    answer = engineer.post(address, {"post": "yes"}, follow=True)
    assert "there is no sensor press-02/flow" in answer.content.decode() or "has no sensor" in answer.content.decode()
    assert Sensor.objects.filter(pk=sensor.pk).exists()


def test_several_assets_are_deleted_as_one_change(engineer):
    numbers = list(Asset.objects.filter(code__in=["press-01", "press-02"]).values_list("pk", flat=True))
    data = {"action": "delete_selected", "_selected_action": numbers, "post": "yes"}
    before = revision()
    answer = engineer.post(reverse("admin:devices_asset_changelist"), data, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["Successfully deleted 2 assets."]
    assert not Asset.objects.filter(pk__in=numbers).exists()
    assert revision() == before + 1


def test_token_is_shown_once_and_only_its_hash_is_kept(engineer):
    asset = Asset.objects.get(code="line-a")
    sent = {"name": "edge-2", "scope": asset.pk, "enabled": "on", "priority": 2}
    answer = engineer.post(reverse("admin:devices_source_add"), sent)
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    source = Source.objects.get(name="edge-2")
    assert token not in str(source.__dict__)
    for page in [reverse("admin:devices_source_changelist"), reverse("admin:devices_source_change", args=[source.pk])]:
        assert token not in engineer.get(page).content.decode()


def test_new_token_needs_a_post_and_ends_the_old_one(engineer):
    source = Source.objects.get()
    address = reverse("admin:devices_source_token", args=[source.pk])
    engineer.get(address)
    source.refresh_from_db()
    assert source.token_hash == ""
    token = engineer.post(address).context["token"]
    source.refresh_from_db()
    assert source.token_hash and token.startswith(source.token_hint)


def as_xlsx(text: str) -> bytes:
    """Gives a CSV as a workbook, its numbers as numbers and its empty cells as none, as a spreadsheet saves it."""
    import csv
    import io

    import openpyxl

    def cell(word: str) -> object:
        return float(word) if word.replace(".", "", 1).replace("-", "", 1).isdigit() else word or None

    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(text)):
        book.active.append([cell(word) for word in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def import_file(client, model: str, text: str, *, confirm: bool = True, form: str = "csv"):
    """Uploads a table, and confirms its preview if it may."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    address = reverse(f"admin:{model}_import")
    data = text.encode() if form == "csv" else as_xlsx(text)
    uploaded = SimpleUploadedFile(f"rows.{form}", data)
    preview = client.post(address, {"format": format_of(client, address, form), "import_file": uploaded})
    shown = preview.context.get("confirm_form")
    if confirm and shown is not None:
        fields = {name: shown.initial.get(name, "") for name in shown.fields if shown.initial.get(name) is not None}
        answer = client.post(reverse(f"admin:{model}_process_import"), fields)
        assert answer.status_code == 302, answer.content
    return preview


def format_of(client, address: str, form: str) -> str:
    """Gives the number that the page has for a form."""
    choices = client.get(address).context["form"].fields["format"].choices
    (number,) = (str(number) for number, name in choices if name == form)
    return number


FORMS = pytest.mark.parametrize("form", ["csv", "xlsx"])


@FORMS
def test_assets_come_in_as_a_table_after_a_preview(engineer, form):
    text = "code,name,level,parent,type,position\nline-b,Line B,line,site-1,,3\nm-1,M 1,machine,line-b,press,0\n"
    before = Asset.objects.count()
    preview = import_file(engineer, "devices_asset", text, confirm=False, form=form)
    assert preview.context["result"].totals["new"] == 2
    assert Asset.objects.count() == before
    import_file(engineer, "devices_asset", text, form=form)
    machine = Asset.objects.get(code="m-1")
    assert machine.parent.code == "line-b"
    assert machine.parent.position == 3
    assert machine.sensors.count() == 2
    assert machine.rules.count() == 2


@FORMS
def test_numbers_that_a_spreadsheet_made_of_names_are_names_again(engineer, form):
    text = "code,name,level,parent,serial\n1001,4711,machine,line-a,20180514\n"
    import_file(engineer, "devices_asset", text, form=form)
    machine = Asset.objects.get(code="1001")
    assert (machine.name, machine.serial) == ("4711", "20180514")
    import_file(engineer, "devices_sensor", "asset,key,name\n1001,12,Twelve\n", form=form)
    assert machine.sensors.get().tag == "1001/12"


@FORMS
def test_a_table_that_is_wrong_says_where_in_either_form(engineer, form):
    text = "code,name,level,parent\nline-b,Line B,line,press-01\nm-1,M 1,machine,nowhere\n"
    page = import_file(engineer, "devices_asset", text, form=form).content.decode()
    assert "a line cannot stand below a machine" in page and "there is no asset" in page
    assert not Asset.objects.filter(code="line-b").exists()


@FORMS
def test_sources_come_in_as_a_table(engineer, form):
    text = "name,scope,enabled,silent_after,priority\nedge-2,line-a,1,,2\nedge-1,site-1,0,30,1\n"
    import_file(engineer, "devices_source", text, form=form)
    rows = Source.objects.order_by("name").values_list("name", "scope__code", "enabled", "silent_after", "priority")
    assert list(rows) == [("edge-1", "site-1", False, 30.0, 1), ("edge-2", "line-a", True, None, 2)]


@FORMS
def test_what_a_spreadsheet_would_run_goes_out_with_an_apostrophe_and_comes_back_without(engineer, form):
    evil = "=HYPERLINK(1)"
    asset = Asset.objects.get(code="line-a")
    services.update_asset(asset=asset, name=evil, description="-2+3", serial="'@x")
    services.create_asset(code="-b", name="+1", level="line", parent=Asset.objects.get(code="site-1"))
    services.create_asset(code="m-2", name="M", level="machine", parent=Asset.objects.get(code="-b"))
    services.create_sensor(asset=Asset.objects.get(code="m-2"), key="-k", name="\t=1")
    services.create_source(name="-edge", scope=Asset.objects.get(code="-b"))
    found = {}
    for model in ("asset", "sensor", "source"):
        address = reverse(f"admin:devices_{model}_export")
        answer = engineer.post(address, {"format": format_of(engineer, address, form)})
        found[model] = rows_of(answer.content, form)
    assert {row["code"]: row["name"] for row in found["asset"]}["line-a"] == f"'{evil}"
    (line,) = (row for row in found["asset"] if row["code"] == "line-a")
    assert (line["description"], line["serial"]) == ("'-2+3", "''@x")
    assert {row["parent"] for row in found["asset"] if row["code"] == "m-2"} == {"'-b"}
    (sensor,) = (row for row in found["sensor"] if row["asset"] == "m-2")
    assert (sensor["key"], sensor["name"]) == ("'-k", "'\t=1")
    assert {row["name"]: row["scope"] for row in found["source"]}["'-edge"] == "'-b"
    for model, rows in found.items():
        text = csv_of(rows)
        preview = import_file(engineer, f"devices_{model}", text, confirm=False, form="csv")
        totals = preview.context["result"].totals
        assert (totals["new"], totals["update"], totals["skip"]) == (0, 0, len(rows)), model


def rows_of(content: bytes, form: str) -> list[dict[str, str]]:
    """Gives an exported table's rows as texts."""
    import csv
    import io

    import openpyxl

    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    head, *rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()
    assert all(cell.data_type != "f" for row in rows for cell in row)
    return [
        {str(name.value): "" if cell.value is None else str(cell.value) for name, cell in zip(head, row, strict=True)}
        for row in rows
    ]


def csv_of(rows: list[dict[str, str]]) -> str:
    """Gives rows as CSV."""
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_places_come_in_and_go_out_as_csv(engineer):
    import_file(engineer, "devices_asset", "code,latitude,longitude,plan_x,plan_y\npress-01,53.5512,-0.25,,\n")
    press = Asset.objects.get(code="press-01")
    assert (press.latitude, press.longitude, press.plan_x, press.name) == (53.5512, -0.25, None, "Press 1")
    lines = engineer.post(reverse("admin:devices_asset_export"), {"format": "0"}).content.decode().splitlines()
    assert "press-01,Press 1,machine,line-a,press,,,,,,0,53.5512,-0.25,," in lines


def test_half_a_place_is_refused_in_the_form(engineer):
    asset = Asset.objects.get(code="press-01")
    address = reverse("admin:devices_asset_change", args=[asset.pk])
    answer = engineer.post(address, {**form_of(engineer, address), "latitude": "53.5512"})
    assert "longitude is missing" in answer.content.decode()
    answer = engineer.post(address, {**form_of(engineer, address), "latitude": "53.5512", "longitude": "9.9937"})
    assert answer.status_code == 302
    asset.refresh_from_db()
    assert (asset.latitude, asset.longitude) == (53.5512, 9.9937)


def test_preview_says_what_is_wrong_with_a_row(engineer):
    text = "code,name,level,parent,type,position\nline-b,Line B,line,press-01,,3\nm-1,M 1,machine,nowhere,,0\n"
    preview = import_file(engineer, "devices_asset", text)
    page = preview.content.decode()
    assert "a line cannot stand below a machine" in page
    assert "there is no asset" in page
    assert not Asset.objects.filter(code="line-b").exists()


@FORMS
def test_sensors_and_rules_come_in_as_a_table(engineer, form):
    text = "asset,key,name,unit,range_low,range_high,labels\nline-a,power,Power,kW,0,500,\n"
    import_file(engineer, "devices_sensor", text, form=form)
    sensor = Sensor.objects.get(asset__code="line-a")
    assert (sensor.tag, sensor.range_high, sensor.labels) == ("line-a/power", 500.0, {})
    text = "asset,name,kind,sensor_key,limit,priority\nline-a,Peak,high,power,450,2\n"
    import_file(engineer, "alerts_rule", text, form=form)
    rule = sensor.asset.rules.get()
    assert (rule.limit, rule.priority, rule.reads.get().sensor) == (450.0, 2, sensor)


def test_export_of_sources_has_no_token(engineer):
    engineer.post(reverse("admin:devices_source_token", args=[Source.objects.get().pk]))
    fields = {"format": "0", "sourcetable_name": "on", "sourcetable_scope": "on", "sourcetable_enabled": "on"}
    answer = engineer.post(reverse("admin:devices_source_export"), fields)
    assert answer.content.decode().splitlines() == ["name,scope,enabled,silent_after,priority", "edge-1,site-1,0,,2"]


@pytest.mark.parametrize("model", ["devices_asset", "devices_sensor", "alerts_rule"])
def test_list_costs_the_same_queries_for_few_and_for_many(engineer, model, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.devices.configuration.plants import large

    address = reverse(f"admin:{model}_changelist")
    engineer.get(address)
    with CaptureQueriesContext(connection) as few:
        engineer.get(address)
    configuration.load(large(40, per=2, by_type=True))
    with django_assert_max_num_queries(len(few)):
        engineer.get(address)


def test_what_is_known_of_an_asset_is_typed_one_on_each_line(engineer):
    press = Asset.objects.get(code="press-01")
    address = reverse("admin:devices_asset_change", args=[press.pk])
    data = form_of(engineer, address)
    data |= {"manufacturer": "Harrow", "installed": "2018-05-14", "attributes": "Rated power: 250 kW\nBay: 1"}
    assert engineer.post(address, data).status_code == 302
    press.refresh_from_db()
    assert (press.manufacturer, str(press.installed)) == ("Harrow", "2018-05-14")
    assert press.attributes == {"Rated power": "250 kW", "Bay": "1"}


def test_documents_are_added_and_removed_but_never_changed(engineer):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from devices.models import Document

    press, address = Asset.objects.get(code="press-01"), reverse("admin:devices_document_add")
    wrong = engineer.post(address, {"asset": press.pk, "title": "Manual"})
    assert "one of the two" in wrong.content.decode()
    file = SimpleUploadedFile("manual.html", b"<script>")
    wrong = engineer.post(address, {"asset": press.pk, "title": "Manual", "file": file})
    assert "none of the kinds" in wrong.content.decode()
    file = SimpleUploadedFile("manual.pdf", b"%PDF-1.7")
    assert engineer.post(address, {"asset": press.pk, "title": "Manual", "file": file}).status_code == 302
    made = Document.objects.get()
    assert (made.file_name, made.size, made.history.get().history_user) == ("manual.pdf", 8, engineer.user)
    assert "Manual" in engineer.get(reverse("admin:devices_document_changelist")).content.decode()
    page = reverse("admin:devices_document_change", args=[made.pk])
    assert engineer.post(page, {"asset": press.pk, "title": "Other"}).status_code == 403
    assert engineer.post(reverse("admin:devices_document_delete", args=[made.pk]), {"post": "yes"}).status_code == 302
    assert not Document.objects.exists()
