"""Forgetting: what is kept of readings goes with the readings."""

from django.conf import settings
from django.db.models import Max

from alerts.models import LeftOut
from devices.models import AssetType
from devices.telemetry.history.layout import MOST_SPAN

_DAY = 86_400_000_000
_ROWS_A_SLICE = 5_000


def forget_left_out(now_us: int) -> int:
    """Deletes the marks of readings that no history holds any more: a slow gateway may leave one with every reading.

    Takes: the clock in µs. Gives: how many went. Cost: a query for each rule; transactions of a few milliseconds.
    """
    longest = AssetType.objects.aggregate(days=Max("retention_days"))["days"] or 0
    # A chunk goes as a whole, so a reading may outlive its days by a chunk's span.
    before = now_us - max(settings.HISTORY_RETENTION_DAYS, longest) * _DAY - MOST_SPAN
    gone = 0
    for rule in list(LeftOut.objects.order_by().values_list("rule", flat=True).distinct()):
        old = LeftOut.objects.filter(rule=rule, time__lt=before).order_by()
        while keys := list(old.values_list("pk", flat=True)[:_ROWS_A_SLICE]):
            gone += LeftOut.objects.filter(pk__in=keys).delete()[0]
    return gone
