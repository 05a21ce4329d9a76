"""The registry of channels."""

from alerts.models import Channel
from alerts.notify.channel import Notifier
from alerts.notify.email import Email
from alerts.notify.push import Push
from alerts.notify.sms import Sms
from alerts.notify.team import Team

NOTIFIERS: dict[str, Notifier] = {
    Channel.EMAIL: Email(),
    Channel.SMS: Sms(),
    Channel.PUSH: Push(),
    Channel.TEAM: Team(),
}
