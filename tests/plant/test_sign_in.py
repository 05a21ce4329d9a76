"""Who gets in: by password, by one-time link, by personal token; everybody else sees the door."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from devices.telemetry import stream
from plant import attempts, tokens
from plant.roles import ensure_first_person, ensure_roles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """A real password hash takes a third of a second, each time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person() -> User:
    return User.objects.create_user("olga", password=PASSWORD)


def enter(client: Client, name: str = "olga", password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in", {"username": name, "password": password}, **more)


def test_right_password_leads_to_the_page_that_was_asked_for(client: Client, person: User) -> None:
    asked = client.get("/sign-in/password")
    assert asked.headers["location"] == "/sign-in?next=/sign-in/password"
    answer = client.post(asked.headers["location"], {"username": "olga", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (302, "/sign-in/password")
    assert client.get("/sign-in/password").status_code == 200


def test_wrong_name_and_wrong_password_are_told_alike(client: Client, person: User) -> None:
    def told(name: str) -> tuple[int, str]:
        answer = enter(client, name, "not it")
        found = re.search(r'role="alert".*?<span>(.*?)</span>', answer.content.decode(), re.DOTALL)
        assert found
        return answer.status_code, found[1]

    assert (
        told("olga") == told("nobody") == (403, "User name or password is wrong. 4 tries left before a 15 min pause.")
    )


def test_nobody_is_sent_to_another_site(client: Client, person: User) -> None:
    for wanted in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"):
        answer = client.post("/sign-in", {"username": "olga", "password": PASSWORD, "next": wanted})
        assert answer.headers["location"] == "/"
        client.logout()


def test_sixth_try_is_refused_even_with_the_right_password(client: Client, person: User) -> None:
    for _ in range(attempts.OF_ONE_ACCOUNT_HERE):
        assert enter(client, password="not it").status_code == 403
    refused = enter(client)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= attempts.WINDOW_SECONDS
    assert "_auth_user_id" not in client.session


def test_pause_ends_by_itself_however_often_one_tries(client: Client, person: User, clean_redis: redis.Redis) -> None:
    for _ in range(20):
        enter(client, password="not it")
    for key in clean_redis.scan_iter(f"{attempts._KEY}*"):
        assert 0 < int(str(clean_redis.ttl(key))) <= attempts.WINDOW_SECONDS
        clean_redis.delete(key)  # as time does
    assert enter(client).status_code == 302


def test_strangers_cannot_lock_out_a_person_who_signed_in_here_before(client: Client, person: User) -> None:
    enter(client, REMOTE_ADDR="10.0.0.5")
    client.logout()
    for number in range(attempts.OF_ONE_ACCOUNT + 1):
        last = enter(client, password="a guess", REMOTE_ADDR=f"192.0.2.{number}")
    assert last.status_code == 429
    assert enter(client, REMOTE_ADDR="10.0.0.5").status_code == 302


def test_one_address_cannot_try_names_without_end(client: Client, person: User) -> None:
    answers = [enter(client, f"name-{number}", "x").status_code for number in range(attempts.OF_ONE_ADDRESS + 1)]
    assert (answers[0], answers[-1]) == (403, 429)


def test_right_passwords_do_not_count(client: Client, person: User) -> None:
    for _ in range(attempts.OF_ONE_ADDRESS + 5):
        assert enter(client).status_code == 302
        client.logout()


def test_tries_are_counted_without_redis_too(client: Client, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(stream, "connect", lambda: gone)
    monkeypatch.setattr(attempts, "_local", {})
    answers = [enter(client, password="not it").status_code for _ in range(attempts.OF_ONE_ACCOUNT_HERE + 1)]
    assert answers == [403] * attempts.OF_ONE_ACCOUNT_HERE + [429]


def test_admin_has_no_door_of_its_own(client: Client, person: User) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["location"] == "/sign-in?next=%2Fadmin%2F"
    client.force_login(person)
    assert client.get("/admin/", follow=True).status_code == 403


def test_signing_out_needs_a_press(client: Client, person: User) -> None:
    client.force_login(person)
    assert client.get("/sign-out").status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


# --- One-time links ------------------------------------------------------------------------------------------------


def test_first_person_gets_in_by_link_and_sets_a_password(client: Client) -> None:
    admin = ensure_first_person()
    assert not admin.has_usable_password()
    link = tokens.make_link(user=admin, now=timezone.now())
    assert client.get(link).status_code == 200
    assert "_auth_user_id" not in client.session, "only a press signs in"
    assert client.post(link).headers["location"] == "/sign-in/password"
    page = client.post("/sign-in/password", {"new_password1": "short", "new_password2": "short"})
    assert "at least 10 characters" in page.content.decode()
    chosen = {"new_password1": "control room 7 north", "new_password2": "control room 7 north"}
    assert client.post("/sign-in/password", chosen).headers["location"] == "/"
    assert "_auth_user_id" in client.session, "the person stays signed in"
    client.logout()
    assert enter(client, "admin", "control room 7 north").status_code == 302


def test_link_works_once(client: Client, person: User) -> None:
    link = tokens.make_link(user=person, now=timezone.now())
    assert client.post(link).headers["location"] == "/"
    client.logout()
    assert client.post(link).status_code == client.get(link).status_code == 410


def test_link_is_over_after_a_day_or_when_there_is_a_newer_one(client: Client, person: User) -> None:
    old = tokens.make_link(user=person, now=timezone.now() - timedelta(hours=24, seconds=1))
    assert client.post(old).status_code == 410
    replaced = tokens.make_link(user=person, now=timezone.now())
    newer = tokens.make_link(user=person, now=timezone.now())
    assert client.post(replaced).status_code == 410
    assert client.post(newer).status_code == 302


def test_link_of_somebody_who_left_is_over(client: Client, person: User) -> None:
    link = tokens.make_link(user=person, now=timezone.now())
    person.is_active = False
    person.save()
    assert client.post(link).status_code == 410


def test_password_is_changed_only_against_the_old_one(client: Client, person: User) -> None:
    client.force_login(person)
    chosen = {"new_password1": "control room 7 north", "new_password2": "control room 7 north"}
    assert client.post("/sign-in/password", chosen).status_code == 200
    assert client.post("/sign-in/password", {"old_password": PASSWORD, **chosen}).status_code == 302


def test_command_makes_a_link_and_takes_a_forgotten_password_away(client: Client, person: User) -> None:
    out = StringIO()
    call_command("sign_in_link", "olga", "--forgot", stdout=out)
    link = out.getvalue().strip().removeprefix("http://localhost:8000")
    assert client.post(link).headers["location"] == "/sign-in/password"
    with pytest.raises(CommandError, match="Nobody active"):
        call_command("sign_in_link", "nobody")


# --- Personal tokens -----------------------------------------------------------------------------------------------


def test_token_names_its_person(person: User) -> None:
    out = StringIO()
    call_command("token", "olga", stdout=out)
    token = out.getvalue().strip()
    asked = RequestFactory().get("/", headers={"authorization": f"Bearer {token}"})
    assert tokens.user_of(asked.headers) == person
    assert tokens.user_of([(b"host", b"x"), (b"authorization", f"bearer {token}".encode())]) == person


def test_wrong_token_and_token_of_somebody_who_left_name_nobody(person: User) -> None:
    token = tokens.make_token(user=person)
    for value in ("", "Bearer ", f"Basic {token}", f"Bearer {token}x"):
        assert tokens.user_of({"authorization": value}) is None
    person.is_active = False
    person.save()
    assert tokens.user_of({"authorization": f"Bearer {token}"}) is None


def test_token_is_kept_as_a_hash_only(person: User) -> None:
    token = tokens.make_token(user=person)
    kept = person.api_tokens.get()
    assert token not in (kept.token_hash, kept.token_hint)
    assert token.startswith(kept.token_hint)


# --- Roles ---------------------------------------------------------------------------------------------------------


def test_roles_say_who_acknowledges_and_who_edits() -> None:
    ensure_roles()
    may = {}
    for name in ("viewer", "operator", "engineer"):
        user = User.objects.create_user(name)
        user.groups.add(*_group(name))
        may[name] = (user.has_perm("alerts.acknowledge_alarm"), user.has_perm("devices.change_sensor"))
    assert may == {"viewer": (False, False), "operator": (True, False), "engineer": (True, True)}
    assert not user.has_perm("alerts.change_journalentry")


def test_a_role_that_a_person_changed_stays_as_it_is() -> None:
    ensure_roles()
    group = _group("operator")[0]
    group.permissions.clear()
    ensure_roles()
    assert not group.permissions.exists()


def _group(name: str) -> list[Group]:
    return [Group.objects.get(name=name)]
