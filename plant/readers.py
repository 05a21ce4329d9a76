"""How a page is for somebody: language, clock, theme, sound and keys as they wish, else as the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from alerts.calling.directory import zone_of
from alerts.models import Contact

CLOCK_COOKIE = "clock"  # of this browser: the plant's clock, though the person has one of their own
PLANT = "plant"
API = "/api/"
# Says of a page in whose session it was made: a browser keeps it with no other session's (static/js/worker.js).
SESSION_HEADER = "X-Andon-Session"


@dataclass(frozen=True, slots=True)
class Reader:
    """What somebody has chosen; empty: nothing."""

    theme: str = ""
    language: str = ""
    time_zone: str = ""
    sound: bool = True  # alarms sound on their screens
    single_keys: bool = True  # keys that type something do something

    @property
    def own_zone(self) -> ZoneInfo | None:
        """Gives the person's time zone where it is another than the plant's."""
        zone = zone_of(self.time_zone)
        return zone if zone.key != settings.TIME_ZONE else None


def reader_of(request: HttpRequest) -> Reader:
    """Gives who reads the answer. Cost: one query a request for somebody who is signed in."""
    known: Reader | None = getattr(request, "reader", None)
    if known is None:
        known = _stored(request)
        request.reader = known  # type: ignore[attr-defined]
    return known


def _stored(request: HttpRequest) -> Reader:
    if not request.user.is_authenticated:
        return Reader()
    row = Contact.objects.filter(user_id=request.user.pk).values_list(*Reader.__dataclass_fields__).first()
    return Reader(*row) if row is not None else Reader()


def zone_for(request: HttpRequest) -> ZoneInfo:
    """Gives the time zone of a page: the person's own, unless this browser shows the plant's."""
    own = reader_of(request).own_zone
    return own if own is not None and request.COOKIES.get(CLOCK_COOKIE) != PLANT else zone_of("")


def write_for_the_reader(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Writes every text in the reader's language and every time by their clock.

    The browser's language is active already where the person has not chosen one (LocaleMiddleware). Programs read what
    the API answers, in English and by the plant's clock: it asks for no reader.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        language, zone = "en", zone_of("")
        if not request.path.startswith(API):
            language, zone = reader_of(request).language, zone_for(request)
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language() or settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with translation.override(language), timezone.override(zone):
            answer = get_response(request)
        answer.headers.setdefault("Content-Language", language)
        if request.user.is_authenticated and request.session.session_key:
            answer[SESSION_HEADER] = salted_hmac("andon.kept-pages", request.session.session_key).hexdigest()[:16]
        return answer

    return middleware
