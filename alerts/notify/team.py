"""A team's own channel: Teams, Slack, Telegram, PagerDuty, a webhook, whatever Apprise knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User

from alerts.models import Contact, Delivery
from alerts.notify import provider
from alerts.notify.channel import Permanent, Send
from alerts.notify.message import Notice


class Team:
    """The channel of teams. Its deliveries have a team and no user; their address is the channel's name."""

    missing = "a team channel reaches no single person"

    def address(self, user: User, contact: Contact | None) -> str:
        """Gives nothing: a person is not reached by it."""
        return ""

    def reference(self, stem: str, user_id: int) -> str:
        """Gives nothing: providers know no identity of ours."""
        return ""

    @contextmanager
    def open(self) -> Iterator[Send]:
        """Gives a sender to the team's own address."""
        yield _send


def compose(notice: Notice) -> str:
    """Gives the text below the subject: what, how much, where, when, and the way to the alarm; a digest names all."""
    figure = f"{notice.figure} (limit {notice.limit})" if notice.figure and notice.limit else notice.figure
    lines = [
        f"{notice.happened}: {' '.join(part for part in (notice.thing, notice.words) if part)}",
        " · ".join(part for part in (figure, notice.where, notice.at) if part),
        *(f"{name}: {text}" for name, text in (notice.rows if notice.event == "digest" else notice.rows[:1])),
        notice.link,
    ]
    return "\n".join(line for line in lines if line)


def _send(notice: Notice, delivery: Delivery) -> str:
    if delivery.team is None:
        raise Permanent("the team's channel is gone")
    return provider.post(
        delivery.team.url, compose(notice), title=notice.subject, setting=f"The address of {delivery.team.name}"
    )
