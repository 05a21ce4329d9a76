"""Answering a text message: the code in it, from the number it went to, once."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from alerts import services
from alerts.models import Alarm, Delivery, JournalEntry, ReplyCode
from alerts.notify import answers, codes
from alerts.notify.gsm import BASIC, segments

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .test_email import WORDS, compressor
from .wire import Provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

PHONE = "+4915112345678"
SECRET = "a shared secret of the gateway"


@pytest.fixture(autouse=True)
def taken(settings: Any) -> None:
    settings.SMS_INBOUND_SECRET = SECRET


def operator(username: str = "olga", **fields: Any) -> User:
    """Makes somebody with a phone who may acknowledge."""
    user = person(username, **fields)
    user.user_permissions.add(Permission.objects.get(codename="acknowledge_alarm"))
    return user


def texted(provider: Provider, of: Alarm | None = None) -> str:
    """Sends a text message about an alarm and gives its code."""
    made = of or alarm(machine())
    told(row(made))
    send()
    return provider.taken[-1][1].partition("Ack: reply ")[2][: codes.LENGTH]


def post(client: Client, body: Any, secret: str | None = SECRET, content_type: str = "application/json") -> Any:
    headers = {} if secret is None else {"X-Andon-Secret": secret}
    data = json.dumps(body) if content_type == "application/json" else body
    if content_type == "form":
        return client.post("/api/v1/sms/inbound", data, headers=headers)
    return client.post("/api/v1/sms/inbound", data, content_type=content_type, headers=headers)


def test_a_text_message_carries_a_code_and_stays_one_part(provider: Provider) -> None:
    subscribe(operator(), "sms")
    code = texted(provider, alarm(compressor(), **WORDS))
    assert len(code) == codes.LENGTH and set(code) <= set(codes.LETTERS)
    assert segments(provider.taken[0][1]).parts == 1 and "187.4 degC" in provider.taken[0][1]


def test_the_letters_are_in_every_phone_and_look_like_no_other() -> None:
    assert set(codes.LETTERS) <= BASIC
    assert not set(codes.LETTERS) & set("O0Q1IL2Z5S8B6GUVEA")


def test_the_answer_acknowledges_and_the_journal_says_how(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    answer = post(client, {"from": PHONE, "text": f" ack {code.lower()} thanks"})
    assert (answer.status_code, answer.json()) == (200, {"answer": "press-1-1 Temperature high: Acknowledged."})
    entry = JournalEntry.objects.order_by("-pk")[0]
    assert (entry.event, entry.actor, entry.reason) == ("ack", "olga", "by text message")


@pytest.mark.parametrize("sender", ["004915112345678", "4915112345678", "+49 (151) 1234-5678"])
def test_a_form_and_any_way_of_writing_the_number_will_do(provider: Provider, client: Client, sender: str) -> None:
    subscribe(operator(phone="+49 151 123-45678"), "sms")
    code = texted(provider)
    answer = post(client, {"from": sender, "text": code}, content_type="form")
    assert answer.json()["answer"].endswith("Acknowledged.")


def test_a_message_that_comes_twice_acts_once(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    post(client, {"from": PHONE, "text": code})
    rows = JournalEntry.objects.count()
    assert "Already acknowledged by Olga" in post(client, {"from": PHONE, "text": code}).json()["answer"]
    Alarm.objects.update(state="B")  # announced anew: what was said before does not count for it
    assert "has been used" in post(client, {"from": PHONE, "text": code}).json()["answer"]
    assert (JournalEntry.objects.count(), Alarm.objects.get().state) == (rows, "B")


def test_an_alarm_that_comes_again_has_a_new_code(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    made = alarm(machine())
    code = texted(provider, made)
    told(row(made, "realarm", "B", "B"))
    send()
    assert f"reply {code}." in provider.taken[-1][1]  # not answered yet: the same
    post(client, {"from": PHONE, "text": code})
    Alarm.objects.update(state="B")
    told(row(made, "realarm", "C", "B"))
    send()
    assert f"reply {code}." not in provider.taken[-1][1] and "reply " in provider.taken[-1][1]


def test_a_code_counts_from_the_number_that_it_went_to_only(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    operator("emil", phone="+4917600000")
    code = texted(provider)
    assert "knows no such code" in post(client, {"from": "+4917600000", "text": code}).json()["answer"]
    assert Alarm.objects.get().state == "B"


def test_a_stranger_is_told_nothing_right_or_wrong(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    for text in (code, "KKKK", "", "x" * 5_000):
        answer = post(client, {"from": "+19995550000", "text": text})
        assert (answer.status_code, answer.json()) == (200, {"answer": ""})
    assert Alarm.objects.get().state == "B"


def test_an_occurrence_that_is_over_is_told_in_words(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    Alarm.objects.update(state="A", active=False, closed=NOW)
    newer = alarm(Alarm.objects.get().asset)
    assert "is over since" in post(client, {"from": PHONE, "text": code}).json()["answer"]
    newer.refresh_from_db()
    assert newer.state == "B"


def test_who_was_quicker_is_named(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=operator("emil"), now=NOW)
    assert "Already acknowledged by Emil" in post(client, {"from": PHONE, "text": code}).json()["answer"]


def test_who_may_only_look_gets_no_code_and_one_who_lost_the_right_is_told(provider: Provider, client: Client) -> None:
    user = operator()
    subscribe(user, "sms")
    code = texted(provider)
    user.user_permissions.clear()
    answer = post(client, {"from": PHONE, "text": code}).json()["answer"]
    assert answer.endswith("your account may not acknowledge alarms.") and Alarm.objects.get().state == "B"
    told(row(Alarm.objects.get(), "realarm", "B", "B"))
    send()
    assert "reply" not in provider.taken[-1][1]


def test_two_codes_in_one_answer_acknowledge_both(provider: Provider, client: Client) -> None:
    subscribe(operator(), "sms")
    asset = machine()
    first, second = texted(provider, alarm(asset)), texted(provider, alarm(asset))
    post(client, {"from": PHONE, "text": f"{first} {second}"})
    assert {made.state for made in Alarm.objects.all()} == {"C"}


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x"])
def test_without_the_secret_nothing_is_read(provider: Provider, client: Client, secret: str | None) -> None:
    subscribe(operator(), "sms")
    code = texted(provider)
    answer = post(client, {"from": PHONE, "text": code}, secret)
    assert answer.status_code == 401 and Alarm.objects.get().state == "B"


def test_a_plant_without_a_secret_has_no_such_door_and_sends_no_codes(
    provider: Provider, client: Client, settings: Any
) -> None:
    settings.SMS_INBOUND_SECRET = ""
    subscribe(operator(), "sms")
    told(row(alarm(machine())))
    send()
    assert "reply" not in provider.taken[0][1] and ReplyCode.objects.count() == 0
    assert post(client, {"from": PHONE, "text": "KKKK"}, "").status_code == 404


@pytest.mark.parametrize("body", [{}, [], {"from": PHONE}, {"from": 7, "text": "x"}, {"from": "", "text": "x"}])
def test_what_is_no_message_is_refused(client: Client, body: Any) -> None:
    assert post(client, body).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 422), (b"[" * 8_000, 422), (b'"x"', 422), (b"x" * 9_000, 413), (b"\xff\xfe", 422)]
)
def test_what_cannot_be_read_is_refused_in_words(client: Client, body: bytes, status: int) -> None:
    headers = {"X-Andon-Secret": SECRET}
    answer = client.post("/api/v1/sms/inbound", body, content_type="application/json", headers=headers)
    assert answer.status_code == status and answer.json()["error"]


def test_guesses_of_the_secret_are_counted_and_hold_up_nobody_who_has_it(client: Client) -> None:
    statuses = [post(client, {"from": PHONE, "text": "KKKK"}, "wrong").status_code for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    assert post(client, {"from": PHONE, "text": "KKKK"}).status_code == 200


def test_too_many_messages_of_one_number_are_stopped(client: Client) -> None:
    operator()
    statuses = [post(client, {"from": PHONE, "text": "KKKK"}).status_code for _ in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    assert post(client, {"from": "+4917600000", "text": "KKKK"}).status_code == 200


def test_a_browser_of_somebody_signed_in_needs_no_form_token_and_has_no_more_rights(provider: Provider) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator())
    assert post(client, {"from": PHONE, "text": "KKKK"}, None).status_code == 401
    assert post(client, {"from": PHONE, "text": "KKKK"}).status_code == 200


def test_a_code_is_unique_among_open_ones_and_comes_again_when_it_is_long_over(monkeypatch: pytest.MonkeyPatch) -> None:
    user, asset = operator(), machine()
    drawn = iter("KKKK" + "KKKK" + "MMMM" + "KKKK")
    monkeypatch.setattr(codes, "drawn", lambda: "".join(next(drawn) for _ in range(codes.LENGTH)))

    def code(of: Alarm, now: Any = NOW) -> str:
        return codes.code_for(Delivery(user=user, alarm=of, event="raise"), now)

    first = alarm(asset)
    assert code(first) == "KKKK" and code(first) == "KKKK"
    assert code(alarm(asset)) == "MMMM"
    Alarm.objects.filter(pk=first.pk).update(closed=NOW)
    assert code(alarm(asset), NOW + codes.KEPT * 2) == "KKKK"


@pytest.mark.parametrize(
    ("text", "found"),
    [("KKKK", ["KKKK"]), ("ack kkkk", ["KKKK"]), ("kkkk kkkk, mmmm!", ["KKKK", "MMMM"]), ("kkkkk", []), ("", [])],
)
def test_codes_are_found_in_what_people_write(text: str, found: list[str]) -> None:
    assert codes.in_text(text) == found


def test_numbers_are_compared_as_e164_writes_them() -> None:
    assert answers.number_of(" 0049 151/123 ") == "+49151123"
    assert answers.number_of("+49151123") == answers.number_of("49151123")
    assert answers.number_of("nobody") == ""
