"""The short codes by which a text message is answered, and how they are found in one."""

import re
import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from alerts.models import Delivery, ReplyCode
from alerts.notify.links import can_be_answered

# Letters and digits that are in every phone's alphabet, sound and look different, and make no words.
LETTERS = "CDFHJKMNPRTWXY3479"
LENGTH = 4
KEPT = timedelta(days=7)  # after which a code may come again, where its alarm is over
_CODE = re.compile(rf"(?<![A-Z0-9])[{LETTERS}]{{{LENGTH}}}(?![A-Z0-9])")
_DRAWS = 20


def code_for(delivery: Delivery, now: datetime) -> str:
    """Gives the code that a message of an alarm carries; nothing where it cannot be answered by this person.

    A person keeps their code of an occurrence until they have used it.
    Cost: three queries, one more for a new code.
    """
    user, alarm = delivery.user, delivery.alarm
    if user is None or alarm is None or not can_be_answered(delivery) or not user.has_perm("alerts.acknowledge_alarm"):
        return ""
    open_one = ReplyCode.objects.filter(alarm=alarm, user=user, used=None)
    for _ in range(_DRAWS):
        found = open_one.values_list("code", flat=True).first()
        if found is not None:
            return found
        code = drawn()
        ReplyCode.objects.filter(code=code, made__lt=now - KEPT).exclude(alarm__closed=None).delete()
        try:
            with transaction.atomic():
                ReplyCode.objects.create(code=code, alarm=alarm, user=user, made=now)
        except IntegrityError:
            continue  # drawn before, or another worker was quicker
        return code
    return ""


def drawn() -> str:
    """Gives a code by chance."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def in_text(text: str) -> list[str]:
    """Gives what could be codes in an answer, in order, each once."""
    return list(dict.fromkeys(_CODE.findall(text.upper())))
