"""What arrives on the phone, and what becomes of it where it does not."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from alerts.models import Delivery
from alerts.notify import sms
from alerts.notify.channel import retry_after
from alerts.notify.gsm import segments

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .test_email import WORDS, compressor
from .wire import Provider

pytestmark = pytest.mark.django_db


def test_the_text_says_what_how_much_and_when(provider: Provider, settings: Any) -> None:
    settings.PUBLIC_URL = "https://andon.north-western.works.example"
    subscribe(person(), "sms")
    made = alarm(compressor(), **WORDS)
    told(row(made))
    (sent,) = send()
    ((path, text),) = provider.taken
    assert path == "/sms/+4915112345678"
    # The place gave way, so that one part is enough.
    assert text == (
        "1 CRITICAL K-301 stage 2 discharge temperature high-high 187.4 degC (limit 185.0) 06:00. "
        f"https://andon.north-western.works.example/alarms/{made.pk}/"
    )
    assert (sent.outcome, sent.answer) == ("sent", "accepted by JSON")


def test_the_text_says_where_too_if_it_fits(provider: Provider, settings: Any) -> None:
    settings.PUBLIC_URL = "http://andon"
    subscribe(person(), "sms")
    made = alarm(compressor(), **WORDS)
    told(row(made))
    send()
    assert provider.taken[0][1] == (
        "1 CRITICAL K-301 stage 2 discharge temperature high-high 187.4 degC (limit 185.0) 06:00. "
        f"Utilities/Compressed air. http://andon/alarms/{made.pk}/"
    )


def test_return_and_repetition_say_so(provider: Provider) -> None:
    subscribe(person(), "sms", also_clear=True)
    made = alarm(compressor(), **WORDS)
    told(row(made))
    send()
    told(row(made, "realarm", "B", "B"), row(made, "clear", "B", "D", time=NOW, value=171.0))
    send()
    assert [text[:29] for _, text in provider.taken[1:]] == [
        "1 CRITICAL STILL ACTIVE K-301",
        "1 CRITICAL CLEARED K-301 stag",
    ]
    assert " 171.0 degC " in provider.taken[2][1]


@pytest.mark.parametrize(
    "words",
    ["x" * 120, "Überhitzung “Kühlöl” – Δp ≥ 3 µm", "Very long words " * 7],
)
def test_an_alarm_stays_within_one_part(provider: Provider, words: str) -> None:
    subscribe(person(), "sms")
    told(row(alarm(compressor(), **{**WORDS, "message": words})))
    send()
    text = provider.taken[0][1]
    assert segments(text).parts == 1 and segments(text).encoding == "GSM-7"
    assert text.startswith("1 CRITICAL K-301 ") and "187.4 degC" in text and "/alarms/" in text


@pytest.mark.parametrize(("name", "least"), [("Kühlöl zu heiß", 40), ("Насос перегрет", 15)])
def test_a_digest_of_more_criticals_than_gateways_take_names_the_first_and_says_how_many_more(
    provider: Provider, name: str, least: int
) -> None:
    olga, made = person(), compressor()
    digest = Delivery.objects.create(
        key="digest:1", user=olga, event="digest", channel="sms", address="+4915112345678", outcome="due",
        created=NOW, due=NOW,
    )  # fmt: skip
    for number in range(200):
        Delivery.objects.create(
            key=f"held:{number}", user=olga, alarm=alarm(made, message=f"{name} {number}."), event="raise",
            channel="sms", outcome="gathered", created=NOW, due=NOW, digest=digest,
        )  # fmt: skip
    (sent,) = [one for one in send() if one.event == "digest"]
    text = provider.taken[0][1]
    assert sent.outcome == "sent" and segments(text).parts == 8
    named = [number for number in range(200) if f"{name} {number}." in text]
    assert named == list(range(len(named))) and len(named) >= least
    assert f"200 alarms were held back: 200 Critical. K-301 {name} 0." in text
    assert f", {200 - len(named)} further alarms. http" in text and text.endswith("/alarms/")


def test_another_script_is_sent_as_it_is(provider: Provider) -> None:
    subscribe(person(), "sms")
    told(row(alarm(compressor(), **{**WORDS, "message": "Насос перегрет"})))
    send()
    assert "асос перегрет" in provider.taken[0][1]


@pytest.mark.parametrize(
    ("status", "outcome", "answer"),
    [(400, "dead", "400"), (410, "dead", "410"), (429, "due", "429"), (401, "due", "401"), (503, "due", "503")],
)
def test_a_refusal_is_final_and_a_failure_is_not(provider: Provider, status: int, outcome: str, answer: str) -> None:
    provider.status = status
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (found,) = send()
    assert found.outcome == outcome
    assert f"error={answer}" in found.answer


@pytest.mark.parametrize(
    ("status", "said", "waits"),
    [
        (429, "50", 50),
        (503, "50", 50),
        (429, "2", 5),  # never sooner than without it
        (429, "86400", 60),  # a critical alarm that comes a day later is of no use
        (429, "soon", 5),
        (429, "", 5),
    ],
)
def test_a_provider_that_asks_to_be_left_alone_is(provider: Provider, status: int, said: str, waits: int) -> None:
    provider.status, provider.retry_after = status, said
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.outcome, waiting.due) == ("due", NOW + timedelta(seconds=waits))


def test_of_several_targets_the_longest_wish_to_be_left_alone_counts(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.status = 429

    class Both:
        """Several targets of one address: each is asked, and the last one says nothing of it."""

        def notify(self, body: str, title: str) -> bool:
            for said in ("7", "40", "12", ""):
                provider.retry_after = said
                requests.post(f"http://{provider.address}/", json={"message": body, "title": title}, timeout=5)
            logging.getLogger("apprise").warning("Failed to send: error=429.")
            return False

    monkeypatch.setattr("apprise.Apprise.instantiate", lambda url, **given: Both())
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.outcome, waiting.due) == ("due", NOW + timedelta(seconds=40))


def test_the_other_messages_to_that_provider_wait_as_well(provider: Provider) -> None:
    provider.status, provider.retry_after = 429, "120"
    for name in ("olga", "emil", "anna"):
        subscribe(person(name), "sms")
    told(row(alarm(machine(), priority=2)))
    send()
    assert provider.asked == 1
    provider.status = 200
    send(NOW + timedelta(seconds=119))
    assert provider.asked == 1
    assert [found.outcome for found in send(NOW + timedelta(seconds=120))] == ["sent"] * 3


def test_no_provider_makes_a_critical_alarm_wait_longer_than_a_minute(provider: Provider) -> None:
    provider.status, provider.retry_after = 429, "86400"
    for name in ("olga", "emil"):
        subscribe(person(name), "sms")
    asset = machine()
    told(row(alarm(asset)), row(alarm(asset, priority=2, rule_name="Warm")))
    waits = [(found.due - NOW).total_seconds() for found in send()]
    assert sorted(waits) == [60, 60, 900, 900]


def test_when_to_come_again_may_be_a_date() -> None:
    assert retry_after("Mon, 02 Mar 2026 06:02:30 GMT", NOW) == timedelta(seconds=120)
    assert retry_after("Mon, 02 Mar 2026 05:00:00 GMT", NOW) == timedelta(0)
    assert retry_after("9" * 5000, NOW) == retry_after("Fri, 31 Dec 9999 23:59:59 -1400", NOW) == timedelta(days=365)
    assert retry_after("tomorrow", NOW) is None and retry_after(None, NOW) is None and retry_after("-5", NOW) is None


def test_a_provider_out_of_reach_is_asked_again(provider: Provider) -> None:
    provider.stop()
    subscribe(person(), "sms")
    subscribe(person("emil"), "sms")
    told(row(alarm(machine())))
    assert [(d.outcome, d.attempts) for d in send()] == [("due", 1), ("due", 0)]


def test_what_is_no_number_is_given_up_with_an_example(provider: Provider) -> None:
    subscribe(person(phone="ask Emil"), "sms")
    told(row(alarm(machine())))
    (dead,) = send()
    assert dead.outcome == "dead"
    assert dead.reason == "refused: askEmil is no mobile number. Expected its international form: +4915112345678."


def test_an_address_that_apprise_does_not_know_is_a_matter_of_settings(settings: Any) -> None:
    settings.SMS_URL = "nonsense://{phone}"
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.outcome, waiting.answer) == ("due", "SMS_URL is not an address that Apprise knows.")


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("twilio://sid:token@+1555/{phone}", "twilio://sid:token@+1555/+4915112345678"),
        ("twilio://sid:token@+1555", "twilio://sid:token@+1555/+4915112345678"),
        ("clicksend://user:key/?batch=no", "clicksend://user:key/+4915112345678?batch=no"),
        ("json://host/send?to={phone}", "json://host/send?to=+4915112345678"),
    ],
)
def test_the_number_takes_its_place_in_the_providers_address(url: str, whole: str) -> None:
    assert sms.target(url, "+4915112345678") == whole


def test_without_a_provider_each_message_is_a_file(settings: Any, tmp_path: Path) -> None:
    settings.SMS_URL, settings.OUTBOX_DIR = "", tmp_path
    subscribe(person(), "sms")
    subscribe(person("emil", phone="+49 151 (999)-888"), "sms")
    told(row(alarm(machine())))
    assert {d.outcome for d in send()} == {"sent"}
    files = sorted((tmp_path / "sms").iterdir())
    assert [file.name[:15] for file in files] == ["20260302-060030"] * 2
    texts = [file.read_text() for file in files]
    assert texts[0].startswith("To: +4915112345678\n\n1 CRITICAL press-1-1 temperature high 97.3 degC")
    assert texts[1].startswith("To: +49151999888\n")
