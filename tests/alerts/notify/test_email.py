"""What arrives in the mailbox."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from alerts.models import Delivery
from devices.models import Asset

from .cast import NOW, alarm, machine, outbox_rows, person, row, send, subscribe, told
from .wire import MailServer

pytestmark = pytest.mark.django_db


def compressor() -> Asset:
    """Makes K-301 below Utilities/Compressed air."""
    made = machine()
    Asset.objects.filter(code="hall").update(name="Utilities")
    Asset.objects.filter(code="line-1").update(name="Compressed air")
    Asset.objects.filter(pk=made.pk).update(code="K-301")
    made.refresh_from_db()
    return made


WORDS = {
    "message": "Stage 2 discharge temperature high-high",
    "value": 187.4,
    "limit": 185.0,
    "frozen": {
        "kind": "high", "ack_required": True, "action": "Open strainer bypass HV-3013\nCall maintenance",
        "cause": "The strainer is clogging.", "consequence": "K-301 trips <at 195>.", "time_to_respond": 300.0,
    },
}  # fmt: skip


def test_subject_says_what_where_and_how_much(mail: MailServer) -> None:
    subscribe(person())
    told(row(alarm(compressor(), **WORDS)))
    send()
    assert [m["Subject"] for m in mail.mails] == [
        "[1 Critical] K-301 stage 2 discharge temperature high-high, 187.4 °C"
    ]
    assert [m["To"] for m in mail.mails] == ["olga@works.example"]


def test_text_and_html_tell_the_same(mail: MailServer) -> None:
    subscribe(person())
    made = alarm(compressor(), **WORDS)
    told(row(made))
    send()
    text, html = (mail.mails[0].get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None
    for part in (text.get_content(), html.get_content()):
        for words in (
            "K-301 stage 2 discharge temperature high-high", "187.4 °C", "185.0", "1 Critical", "06:00",
            "Utilities/Compressed air", f"https://andon.works.example/alarms/{made.pk}", "Open strainer bypass HV-3013",
            "The strainer is clogging.", "5 min", "your subscription: the whole plant",
        ):  # fmt: skip
            assert words in part
    assert "K-301 trips <at 195>." in text.get_content()
    assert "K-301 trips &lt;at 195&gt;." in html.get_content()


def test_messages_of_an_occurrence_are_one_thread(mail: MailServer) -> None:
    olga = person()
    subscribe(olga, also_clear=True)
    made = alarm(compressor(), **WORDS)
    told(row(made))
    send()
    told(row(made, "realarm", "B", "B"))
    send()
    told(row(made, "clear", "B", "D", time=NOW, value=171.0))
    send()
    first, again, over = mail.mails
    name = f"<alarm-{made.pk}.raise.{olga.pk}@works.example>"
    assert first["Message-ID"] == name
    assert first["References"] is None
    assert [m["In-Reply-To"] for m in (again, over)] == [m["References"] for m in (again, over)] == [name, name]
    assert len({m["Message-ID"] for m in mail.mails}) == 3
    assert {m["Subject"].removeprefix("Re: ") for m in mail.mails} == {first["Subject"]}
    body = over.get_body(("plain",))
    assert body is not None and body.get_content().startswith("Returned to normal: K-301")
    assert "171.0 °C" in body.get_content()


def test_machines_are_told_that_a_machine_wrote(mail: MailServer) -> None:
    subscribe(person())
    told(row(alarm(machine())))
    send()
    headers = mail.mails[0]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert headers["List-Id"] == "Andon alarms <alarms.works.example>"
    # Source: RFC 8058
    assert headers["List-Unsubscribe"].strip().startswith("<https://andon.works.example/unsubscribe/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_name_with_line_breaks_makes_no_header(mail: MailServer) -> None:
    subscribe(person())
    told(row(alarm(machine(), message="Hot\r\nBcc:\x07 stranger@elsewhere.example\n\x85\nbody")))
    send()
    assert len(mail.mails) == 1
    assert mail.mails[0]["Bcc"] is None
    assert mail.mails[0]["Subject"].endswith("hot Bcc: stranger@elsewhere.example body, 97.3 °C")


def test_what_was_sent_is_written_down(mail: MailServer) -> None:
    subscribe(person())
    told(row(alarm(machine())))
    (sent,) = send()
    assert (sent.outcome, sent.sent, sent.attempts, sent.claimed) == ("sent", NOW, 1, None)
    assert sent.answer == "accepted by 127.0.0.1"


def test_an_address_that_does_not_exist_is_given_up_at_once(mail: MailServer) -> None:
    mail.answers["olga@works.example"] = "550 5.1.1 no such mailbox"
    subscribe(person())
    told(row(alarm(machine())))
    (dead,) = send()
    assert (dead.outcome, dead.attempts) == ("dead", 1)
    assert dead.reason == "refused: 550 5.1.1 no such mailbox"


def test_a_busy_server_is_asked_again(mail: MailServer) -> None:
    mail.answers["olga@works.example"] = "451 4.3.0 try later"
    subscribe(person())
    subscribe(person("emil"))
    told(row(alarm(machine())))
    waiting, other = send()
    assert (waiting.outcome, waiting.attempts, waiting.due) == ("due", 1, NOW + timedelta(seconds=5))
    assert waiting.answer == "451 4.3.0 try later"
    assert other.outcome == "sent"
    mail.answers.clear()
    assert send(NOW + timedelta(seconds=5))[0].outcome == "sent"


def test_a_server_that_is_down_costs_one_try_a_round(mail: MailServer) -> None:
    mail.stop()
    for name in ("olga", "emil", "vera"):
        subscribe(person(name))
    told(row(alarm(machine())))
    found = send()
    assert [d.outcome for d in found] == ["due"] * 3
    assert [d.attempts for d in found] == [1, 0, 0]
    assert "refused" in found[0].answer
    mail.start()
    assert {d.outcome for d in send(NOW + timedelta(seconds=5))} == {"sent"}


def test_a_round_shares_one_connection(mail: MailServer) -> None:
    for name in ("olga", "emil", "vera"):
        subscribe(person(name))
    told(row(alarm(machine())))
    send()
    assert len(mail.mails) == 3
    assert mail.connections == 1


def test_without_a_server_mail_goes_to_files(settings: object, tmp_path: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_FILE_PATH = tmp_path  # type: ignore[attr-defined]
    subscribe(person())
    told(row(alarm(machine())))
    (sent,) = send()
    assert (sent.outcome, sent.answer) == ("sent", f"written to {tmp_path}")
    files = list(tmp_path.iterdir())  # type: ignore[attr-defined]
    assert f"Message-ID: {sent.message_id}" in files[0].read_text()


def test_a_discrete_sensor_is_told_by_its_word(mail: MailServer) -> None:
    made = machine()
    sensor = made.sensors.get()
    sensor.labels = {"3": "not responding"}
    sensor.save()
    subscribe(person())
    told(row(alarm(made, value=3.0, limit=None, frozen={"kind": "equals"})))
    send()
    assert mail.mails[0]["Subject"] == "[1 Critical] press-1-1 temperature high, not responding"


def test_an_alarm_of_andon_itself_is_a_whole_message(mail: MailServer) -> None:
    subscribe(person())
    made = alarm(None, message="Stream replaced: readings may be lost", value=None, limit=None, frozen={"system": True})
    told(row(made, value=None))
    send()
    assert mail.mails[0]["Subject"] == "[1 Critical] Stream replaced: readings may be lost"
    assert outbox_rows()[0].outcome == Delivery.Outcome.SENT


def test_a_duty_names_the_page_where_it_is_explained_and_no_click_that_ends_it(mail: MailServer) -> None:
    subscribe(person())
    (duty,) = told(row(alarm(machine())))
    Delivery.objects.filter(pk=duty.pk).update(subscription=None)
    send()
    headers = mail.mails[0]
    assert headers["List-Unsubscribe"] == "<https://andon.works.example/subscriptions/>"
    assert "List-Unsubscribe-Post" not in headers


def test_who_may_acknowledge_can_do_so_from_the_mail(mail: MailServer) -> None:
    user = person()
    user.user_permissions.add(Permission.objects.get(codename="acknowledge_alarm"))
    subscribe(user, also_clear=True)
    subscribe(person("vera"))
    made = alarm(machine())
    told(row(made))
    send()
    told(row(made, "clear", "B", "D"))
    send()
    # Decoded: in the mail itself a line's end may stand in the middle of an address.
    by_person = {(one["To"], "answer/" in one.get_body(("plain",)).get_content()) for one in mail.mails}
    assert by_person == {
        ("olga@works.example", True), ("vera@works.example", False), ("olga@works.example", False),
    }  # fmt: skip
    assert all(text.count("https://andon.works.example/answer/") == 1 for text in parts_with_answer(mail))


def parts_with_answer(mail: MailServer) -> list[str]:
    """Gives the text and the HTML of the mails that can be answered."""
    contents = [part.get_content() for one in mail.mails for part in one.walk() if not part.is_multipart()]
    return [text for text in contents if "/answer/" in text]
