"""Email through Django's settings: text and HTML part, one thread an occurrence and person."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import timezone

from alerts.models import Contact, Delivery
from alerts.notify import links
from alerts.notify.channel import Down, Permanent, Send, Transient
from alerts.notify.message import Notice, one_line, subscriptions_link


class Email:
    """The email channel."""

    missing = "no email address"

    def address(self, user: User, contact: Contact | None) -> str:
        """Gives the contact's address, else the account's."""
        return (contact.email if contact is not None else "") or user.email

    def reference(self, stem: str, user_id: int) -> str:
        """Gives a Message-ID that stays over tries and restarts: a program that gets it twice folds it."""
        return f"<{stem}.{user_id}@{_domain()}>"

    @contextmanager
    def open(self) -> Iterator[Send]:
        """Gives a sender whose messages share one connection."""
        connection = get_connection()

        def send(notice: Notice, delivery: Delivery) -> str:
            message = compose(notice, delivery, connection, timezone.now())
            handed_over = False
            try:
                connection.open()
                handed_over = True
                sent = connection.send_messages([message])
            except (smtplib.SMTPException, OSError) as error:
                with suppress(smtplib.SMTPException, OSError):
                    connection.close()
                raise _failure(error, handed_over=handed_over) from error
            if not sent:
                raise Permanent("The mail program took no recipient.")
            return _accepted(connection)

        try:
            yield send
        finally:
            with suppress(smtplib.SMTPException, OSError):
                connection.close()


def compose(
    notice: Notice, delivery: Delivery, connection: BaseEmailBackend | None, now: datetime
) -> EmailMultiAlternatives:
    """Gives the mail. Source: RFC 5322 (threads), RFC 3834 (automatic mail), RFC 2919, 2369 and 8058 (lists)."""
    assert delivery.user_id is not None  # a team has a channel of its own
    first = Email().reference(f"alarm-{delivery.alarm_id}.raise", delivery.user_id)
    headers = {
        "Message-ID": delivery.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"Andon alarms <alarms.{_domain()}>",
    }
    if leave := links.unsubscribe(delivery):
        headers |= {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    else:
        # A duty is left by talking to somebody, not by a click.
        headers["List-Unsubscribe"] = f"<{subscriptions_link()}>"
    follows = delivery.alarm_id is not None and delivery.message_id != first
    if follows:
        headers |= {"In-Reply-To": first, "References": first}
    context = {
        "notice": notice,
        "subscriptions": subscriptions_link(),
        "acknowledge": links.acknowledge(delivery, now),
    }
    message = EmailMultiAlternatives(
        # The same words behind Re: keep a thread together where a program looks at the subject too.
        subject=one_line(f"Re: {notice.subject}" if follows else notice.subject),
        body=render_to_string("alerts/mail/notice.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[delivery.address],
        headers=headers,
        connection=connection,
    )
    message.attach_alternative(render_to_string("alerts/mail/notice.html", context), "text/html")
    return message


def _domain() -> str:
    """Gives the domain of the sender's address."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _accepted(connection: BaseEmailBackend) -> str:
    host, folder = getattr(connection, "host", None), getattr(connection, "file_path", None)
    if host:
        return f"accepted by {host}"
    return f"written to {folder}" if folder else "accepted"


def _failure(error: Exception, *, handed_over: bool) -> Transient | Permanent:
    """Gives what a failure means for the message: 5xx about it is final, all else may pass.

    Takes: whether the server had the connection, so that without an answer of its own it may have taken the mail.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return _judged(code, words)
    # What the server says of us, not of this message, is a matter of settings: worth another try.
    ours = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
    if isinstance(error, smtplib.SMTPResponseException) and not isinstance(error, ours):
        return _judged(error.smtp_code, error.smtp_error)
    answered = isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)
    return Down(one_line(str(error)) or type(error).__name__, perhaps_sent=handed_over and not answered)


def _judged(code: int, words: bytes | str) -> Transient | Permanent:
    text = one_line(f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}")
    if code == 421:  # the server closes shop
        return Down(text)
    return Permanent(text) if code >= 500 else Transient(text)
