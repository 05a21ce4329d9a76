"""The first start: three ways that work in the page, the line with its token, and every error by its line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from devices import services
from devices.intake.tokens import hash_token
from devices.models import Asset, Sensor, Source
from plant import tasks
from plant.demo import loading
from plant.demo.loading import TOKENS
from tests import factories

FORM = {
    "plant": "Northern works", "code": "press-01", "name": "Press 1", "key": "bearing-temp", "sensor": "Bearing",
    "unit": "degC", "low": "0", "high": "150,5",
}  # fmt: skip


@pytest.fixture
def admin(client: Client, db: None, clean_redis: Any) -> Client:
    """Gives the browser of somebody who may do everything."""
    client.force_login(User.objects.create_superuser("admin", "admin@works.example", "a long enough password"))
    return client


def yaml(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("plant.yaml", text.encode(), content_type="application/yaml")


def test_an_empty_plant_leads_to_the_first_start(admin: Client) -> None:
    answer = admin.get("/", follow=True)
    assert answer.redirect_chain == [("/start/", 302)]
    page = answer.content.decode()
    for words in ("There are no machines yet", "Add the first machine", "Import a plant.yaml", "Load the demo works"):
        assert words in page


def test_the_first_machine_comes_with_a_sensor_a_source_and_the_line_that_sends(admin: Client) -> None:
    page = admin.post("/start/asset", FORM).content.decode()
    sensor = Sensor.objects.get()
    assert (sensor.tag, sensor.range_high, sensor.asset.parent.name) == (
        "press-01/bearing-temp",
        150.5,
        "Northern works",
    )
    token = re.search(r"Bearer ([\w-]+)", page)
    assert token is not None
    source = Source.objects.get()
    assert (hash_token(token[1]), source.scope.code) == (source.token_hash, "site")
    assert "{&quot;values&quot;: {&quot;press-01/bearing-temp&quot;: 75.2}}" in page
    # It is shown once; a reload has a button for another one.
    again = admin.get("/start/").content.decode()
    assert token[1] not in again and "Bearer TOKEN" in again and "New token" in again


def test_what_is_wrong_with_the_first_machine_stands_at_its_field(admin: Client) -> None:
    answer = admin.post("/start/asset", {**FORM, "code": "press 01"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'id="e-code"' in page and 'aria-describedby="e-code"' in page
    assert 'value="Northern works"' in page  # what was typed stays
    assert not Asset.objects.exists()
    assert 'id="e-low"' in admin.post("/start/asset", {**FORM, "low": "cold"}).content.decode()


def test_a_file_with_errors_changes_nothing_and_shows_each_by_its_line(admin: Client) -> None:
    text = "assets:\n  - code: press 01\n    level: machine\n  - code: ok\n    name: Ok\n    level: mashine\n"
    answer = admin.post("/start/import", {"file": yaml(text)})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "line 2" in page and "line 6" in page
    assert "<code>level: mashine</code>" in page
    assert "Nothing was changed." in page
    assert not Asset.objects.exists()


def test_what_is_no_yaml_or_no_text_is_said(admin: Client) -> None:
    assert "Choose a plant.yaml." in admin.post("/start/import").content.decode()
    assert "line 3" in admin.post("/start/import", {"file": yaml("assets:\n  - {\n")}).content.decode()
    binary = SimpleUploadedFile("plant.yaml", b"assets:\n\xff\xfe")
    assert "this is no UTF-8" in admin.post("/start/import", {"file": binary}).content.decode()


def test_names_in_a_wrong_file_are_text_and_never_markup(admin: Client) -> None:
    page = admin.post("/start/import", {"file": yaml("assets:\n  - code: <script>alert(1)</script>\n")})
    assert "<script>alert" not in page.content.decode()


def test_a_file_is_taken_in_and_its_sources_get_their_tokens_by_a_button(admin: Client) -> None:
    text = (
        "assets:\n  - {code: site, name: Works, level: site}\n"
        "  - {code: m, name: M, level: machine, parent: site, sensors: [{key: t, name: T, range: [0, 10]}]}\n"
        "sources:\n  - {name: edge-1, scope: site}\n"
    )
    page = admin.post("/start/import", {"file": yaml(text)}).content.decode()
    assert "Taken in: " in page and "edge-1" in page
    page = admin.post("/start/token", {"source": "edge-1"}).content.decode()
    token = re.search(r"Bearer ([\w-]+)", page)
    assert token is not None and Source.objects.get().token_hash == hash_token(token[1])
    assert "m/t" in page


def test_who_may_only_add_sources_ends_no_token_that_is_in_use(client: Client, db: None, clean_redis: Any) -> None:
    named = ("add_asset", "change_asset", "add_sensor", "add_source", "add_rule")
    adds = User.objects.create_user("adds")
    adds.user_permissions.set(Permission.objects.filter(codename__in=named))
    client.force_login(adds)
    works = factories.plant()[0]
    source, _ = services.create_source(name="edge-1", scope=works)
    assert "New token" not in client.get("/start/").content.decode()
    assert client.post("/start/token", {"source": "edge-1"}).status_code == 403
    assert Source.objects.get().token_hash == source.token_hash


def test_a_plant_without_a_source_gets_one_for_the_whole(admin: Client) -> None:
    factories.sensor(factories.plant()[0])
    page = admin.post("/start/token").content.decode()
    assert "Bearer TOKEN" not in page
    assert Source.objects.get().scope.code == "works"


def test_a_token_that_cannot_be_given_is_refused_in_words(admin: Client) -> None:
    answer = admin.post("/start/token")
    assert (answer.status_code, "Describe the plant first" in answer.content.decode()) == (400, True)
    services.create_source(name="edge-1", scope=factories.plant()[0])
    answer = admin.post("/start/token", {"source": "edge-2"})
    assert (answer.status_code, "There is no such source any more." in answer.content.decode()) == (400, True)


def test_the_ways_are_for_an_empty_plant_only(admin: Client) -> None:
    factories.plant()
    for address in ("/start/asset", "/start/import", "/start/demo"):
        assert admin.post(address, FORM)["Location"] == "/start/"
    assert not Asset.objects.filter(code="press-01").exists()


def test_who_may_not_describe_the_plant_sees_no_buttons_and_does_nothing(browser: Client) -> None:
    page = browser.get("/start/").content.decode()
    assert "Add the first machine" not in page and "Whoever looks after the plant setup" in page
    for address in ("asset", "import", "token", "demo"):
        assert browser.post(f"/start/{address}", FORM).status_code == 403
    assert not Asset.objects.exists()


def test_a_worker_loads_the_demo_and_the_page_is_told(
    admin: Client, clean_redis: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, settings: Any
) -> None:
    settings.VAR_DIR = tmp_path
    asked: list[bool] = []
    monkeypatch.setattr("plant.pages.onboarding.load_demo.delay", lambda: asked.append(True))
    started: list[tuple[Any, ...]] = []
    monkeypatch.setattr("plant.demo.keeping.subprocess.Popen", lambda *args, **_: started.append(args))
    assert admin.post("/start/demo")["Location"] == "/start/"
    assert asked == [True]
    assert admin.get("/start/state").json() == {"described": False, "loading": "waiting"}
    assert "data-waits" in admin.get("/start/").content.decode()
    tasks.load_demo()
    assert admin.get("/start/state").json() == {"described": True, "loading": ""}
    assert (tmp_path / TOKENS).exists()
    assert len(started) == 1  # and it sends
    machines = Asset.objects.filter(level="machine").count()
    assert machines > 200
    tasks.load_demo()  # a second time changes nothing
    assert Asset.objects.filter(level="machine").count() == machines


def test_a_demo_that_could_not_be_loaded_says_why(admin: Client, clean_redis: Any) -> None:
    loading.say(clean_redis, "failed: the disk is full")
    assert "failed: the disk is full" in admin.get("/start/").content.decode()


def test_a_new_plant_without_readings_waits_for_the_first(admin: Client) -> None:
    factories.sensor(factories.plant()[0])
    services.create_source(name="edge", scope=Asset.objects.get(code="works"))
    page = admin.get("/start/").content.decode()
    assert "Waiting for the first reading" in page
