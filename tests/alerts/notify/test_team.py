"""A team's channel: it is told as people are, and its address is never seen again."""

import logging
from typing import Any

import pytest
from django.test import Client

from alerts.models import Attempt, Delivery, TeamChannel
from alerts.notify import outbox
from alerts.notify import provider as provider_module

from .cast import NOW, alarm, machine, send
from .wire import Provider

pytestmark = pytest.mark.django_db

TOKEN = "T0pSecretToken42"


def to_team(provider: Provider) -> Delivery:
    """Puts an alarm for a team into the outbox."""
    team = TeamChannel.objects.create(name="Maintenance", url=f"json://{provider.address}/hook/{TOKEN}")
    return Delivery.objects.create(
        key="team", team=team, alarm=alarm(machine()), event="raise", channel="team", address=team.name,
        reason="your team", created=NOW, due=NOW,
    )  # fmt: skip


def test_a_team_reads_what_where_and_how_much(provider: Provider) -> None:
    made = to_team(provider)
    (sent,) = send()
    assert (sent.outcome, sent.answer) == ("sent", "accepted by JSON")
    ((path, text),) = provider.taken
    assert path == f"/hook/{TOKEN}"
    assert provider.titles == ["[1 Critical] press-1-1 temperature high, 97.3 °C"]
    assert text.splitlines()[0] == "New alarm: press-1-1 temperature high"
    assert text.splitlines()[-1] == f"https://andon.works.example/alarms/{made.alarm_id}/"


@pytest.mark.parametrize("status", [0, 401, 404, 500])
def test_the_address_is_in_no_answer_and_no_log(
    provider: Provider, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.status = status
    to_team(provider)
    send()
    said = [*Attempt.objects.values_list("answer", flat=True), *Delivery.objects.values_list("answer", flat=True)]
    assert said and not any(TOKEN in words for words in said)
    assert TOKEN not in caplog.text


def test_an_address_that_cannot_be_reached_is_not_named_either(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = to_team(provider)
    provider.stop()
    (waiting,) = send()
    assert waiting.outcome == "due" and TOKEN not in waiting.answer + caplog.text
    # Many providers take a token in the host's place.
    assert waiting.answer == "A Connection error occurred sending JSON notification to …."
    assert made.team is not None and made.team.masked == "json://…"


def to_teams(dead: str, well: str, *, priority: int = 1, count: int = 1) -> None:
    """Puts alarms for two teams into the outbox, those for the dead one first."""
    asset = machine()
    for name, address in (("Dead", dead), ("Well", well)):
        team = TeamChannel.objects.create(name=name, url=f"json://{address}/hook")
        for number in range(count):
            Delivery.objects.create(
                key=f"{name}:{number}", team=team, alarm=alarm(asset, priority=priority, rule_name=f"{name}{number}"),
                event="raise", channel="team", address=name, reason="your team", created=NOW, due=NOW,
            )  # fmt: skip


@pytest.mark.parametrize("status", [500, 401, 503])
def test_a_team_that_is_down_holds_up_no_other_team(provider: Provider, status: int) -> None:
    dead = Provider()
    dead.status = status
    to_teams(dead.address, provider.address)
    assert [(made.team.name, made.outcome) for made in send() if made.team] == [("Dead", "due"), ("Well", "sent")]
    assert (dead.asked, provider.asked) == (1, 1)
    dead.stop()


def test_more_messages_of_a_dead_team_than_a_round_takes_hold_up_no_other(provider: Provider) -> None:
    dead = Provider()
    dead.status = 500
    to_teams(dead.address, provider.address, count=outbox.ROUND + 1)
    assert outbox.send_due(NOW, jitter=lambda: 1.0)  # there may be more
    assert (dead.asked, provider.asked) == (1, outbox.ROUND)
    assert not outbox.send_due(NOW, jitter=lambda: 1.0)
    assert (dead.asked, provider.asked) == (2, outbox.ROUND + 1)
    assert set(Delivery.objects.filter(team__name="Well").values_list("outcome", flat=True)) == {"sent"}
    dead.stop()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("slack://AAAA1111/BBBB2222/CCCC3333", "No AAAA1111, no BBBB2222, no CCCC3333."),
        ("json://user:p%40ssword@host/path", "user p@ssword p%40ssword"),
        ("pover://user@key?token=abcdefgh", "abcdefgh"),
    ],
)
def test_words_are_masked_where_they_repeat_the_address(url: str, words: str) -> None:
    assert not any(
        part in provider_module.masked(words, url) for part in words.replace(",", "").split() if len(part) > 5
    )


def test_nobody_subscribes_by_a_teams_channel(db: Any) -> None:
    from alerts import subscriptions

    from .cast import person

    with pytest.raises(subscriptions.Refused):
        subscriptions.draft(user=person(), asset="", lowest_priority=1, channel="team", hours=None, also_clear=False)


def test_the_admin_takes_an_address_and_never_shows_it_again(admin_client: Client, clean_redis: Any) -> None:
    page = "/admin/alerts/teamchannel/"
    answer = admin_client.post(
        f"{page}add/", {"name": "Maintenance", "lowest_priority": 4, "url": f"json://host/{TOKEN}"}
    )
    assert answer.status_code == 302
    made = TeamChannel.objects.get()
    shown = [admin_client.get(address).content.decode() for address in (page, f"{page}{made.pk}/change/")]
    assert all("json://…" in text and TOKEN not in text for text in shown)
    admin_client.post(f"{page}{made.pk}/change/", {"name": "Mechanics", "lowest_priority": 4, "url": ""})
    made.refresh_from_db()
    assert (made.name, made.url) == ("Mechanics", f"json://host/{TOKEN}")
    history = admin_client.get(f"{page}{made.pk}/history/").content.decode()
    assert TOKEN not in history


def test_the_admin_refuses_what_no_provider_is(admin_client: Client, clean_redis: Any) -> None:
    answer = admin_client.post(
        "/admin/alerts/teamchannel/add/", {"name": "Maintenance", "lowest_priority": 4, "url": "nonsense://x"}
    )
    assert "Apprise knows no such address" in answer.content.decode() and not TeamChannel.objects.exists()
    assert "nonsense://x" not in answer.content.decode()
