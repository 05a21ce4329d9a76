"""A small model of an alarm's life, written from the standard's words and not from the table: facts, no states."""

from __future__ import annotations

from dataclasses import dataclass, field

SHELVED, DESIGN, SERVICE = "shelved", "by_design", "out_of_service"
LETTERS = ((SERVICE, "I"), (DESIGN, "H"), (SHELVED, "G"))
TURNS = {
    "shelve": (SHELVED, True),
    "unshelve": (SHELVED, False),
    "expire": (SHELVED, False),
    "suppress": (DESIGN, True),
    "unsuppress": (DESIGN, False),
    "out_of_service": (SERVICE, True),
    "return_to_service": (SERVICE, False),
}


class No(Exception):
    """The event is refused."""


@dataclass
class Model:
    """Facts about one rule's alarm, and what an operator was told so far."""

    ack_required: bool = True
    latching: bool = False
    realarms: bool = False
    reset_first: bool = False

    holds: bool = False  # the condition
    tripped: bool = False  # latched: it held, and nobody has reset it
    unanswered: bool = False  # somebody has still to acknowledge
    why_hidden: set[str] = field(default_factory=set)
    one_shot: bool = False
    unheard: bool = False  # this occurrence was never announced
    announced: int = 0
    occurrences: int = 0

    @property
    def core(self) -> str:
        """Gives the state that the facts amount to."""
        if self.holds:
            return "B" if self.unanswered else "C"
        if self.tripped:
            return "E" if self.unanswered else "F"
        return "D" if self.unanswered else "A"

    @property
    def letter(self) -> str:
        """Gives the state as an operator sees it."""
        return next((letter for why, letter in LETTERS if why in self.why_hidden), self.core)

    def put(self, event: str, *, one_shot: bool = False) -> None:
        """Lets an event happen. Raises: No."""
        if event in TURNS:
            self._turn(*TURNS[event], one_shot)
        else:
            getattr(self, f"_{event}")()

    def _announce(self) -> None:
        if not self.why_hidden:
            self.announced += 1
            self.unheard = False

    def _over(self) -> None:
        self.holds = self.tripped = self.unanswered = self.unheard = False

    def _raise(self) -> None:
        if self.holds:
            return
        again = self.tripped
        waited = self.unanswered
        self.holds, self.tripped = True, False
        if again:
            self.unanswered = True
        else:
            self.occurrences += 1
            self.unanswered = self.ack_required or waited
            self.unheard = True
        self._announce()

    def _clear(self) -> None:
        if not self.holds:
            return
        hidden = bool(self.why_hidden)
        self.holds = False
        self.tripped = self.latching
        if self.latching:
            self.unanswered = self.unanswered or hidden
        elif hidden or not self.ack_required or not self.unanswered:
            self._over()
        if self.one_shot:
            self._show(SHELVED)

    def _ack(self) -> None:
        if self.why_hidden or self.core == "A":
            raise No
        self.unanswered = False
        if self.core == "A":
            self._over()

    def _reset(self) -> None:
        if self.why_hidden or self.holds or not self.tripped or (self.unanswered and not self.reset_first):
            raise No
        self.tripped = False
        if not self.unanswered:
            self._over()

    def _realarm(self) -> None:
        if self.why_hidden:
            return
        if not self.realarms:
            raise No
        if self.holds:
            self.unanswered = True
            self._announce()

    def _silence(self) -> None:
        pass

    def _comment(self) -> None:
        pass

    def _turn(self, why: str, on: bool, one_shot: bool) -> None:
        if (why in self.why_hidden) is on:
            raise No
        if not on:
            self._show(why)
            return
        self.why_hidden.add(why)
        self.one_shot = self.one_shot or (why == SHELVED and one_shot)

    def _show(self, why: str) -> None:
        self.why_hidden.discard(why)
        if why == SHELVED:
            self.one_shot = False
        if self.why_hidden:
            return
        if self.holds:
            self.unanswered = self.ack_required
            if self.unanswered or self.unheard:
                self._announce()
        elif self.tripped:
            if self.unanswered and self.unheard:
                self._announce()
        elif self.unanswered:
            self._over()  # nobody is asked about what returned unseen
