"""A channel in the place of a real one, for what the outbox does whatever the far end is."""

from contextlib import nullcontext
from typing import Any

from alerts.models import Delivery


class Wire:
    """A channel whose far end does as it is told."""

    missing = "no wire"

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.failure: BaseException | None = None

    def address(self, user: Any, contact: Any) -> str:
        return "somewhere"

    def reference(self, stem: str, user_id: int) -> str:
        return stem

    def open(self) -> Any:
        return nullcontext(self.take)

    def take(self, notice: Any, delivery: Delivery) -> str:
        if self.failure is not None:
            raise self.failure
        self.sent.append(delivery.pk)
        return "taken"
