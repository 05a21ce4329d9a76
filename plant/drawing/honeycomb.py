"""The honeycomb: a line's machines, each a link with its state and its worst alarm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from alerts.queries import Tally
from plant.drawing.symbols import hexagon, priority_word
from plant.machines import Kind
from plant.writing import seconds_attribute


@dataclass(slots=True)
class Cell:
    """A machine in the honeycomb."""

    code: str
    name: str
    url: str
    kind: Kind
    word: str
    stale: bool
    tally: Tally
    newest: int | None = None  # µs since the epoch
    state_tag: str = ""
    words: int | None = None  # number of the page's list of state words
    parts: Sequence[str] = ()  # codes of the assets that count to it
    stale_after: float | None = None  # seconds
    offline_after: float | None = None

    @property
    def classes(self) -> str:
        """Gives the classes that draw it."""
        worst = self.tally.worst
        names = ["hexg", str(self.kind)]
        if self.stale:
            names.append("stale")
        if worst is not None:
            names += ["al", f"p{worst}"]
            look = self.tally.look(worst)
            names += {"unack": ["un"], "returned": ["returned"]}.get(look, [])
        return " ".join(names)

    @property
    def mark(self) -> str:
        """Gives the id of the mark inside it."""
        worst = self.tally.worst
        return f"m-{self.kind}" if worst is None else f"m-p{worst}"

    @property
    def label(self) -> str:
        """Gives what a screen reader says: PR-01, running, low alarm, unacknowledged."""
        said = [self.code, self.word]
        worst = self.tally.worst
        if worst is not None:
            said.append(_("%(priority)s alarm") % {"priority": priority_word(worst).lower()})
            if self.tally.unacked[worst]:
                said.append(_("unacknowledged"))
        elif self.stale:
            said.append(_("data is old"))
        return ", ".join(said)


_RADIUS = 11.0
_WIDE = _RADIUS * 1.732 + 2.6
_HIGH = _RADIUS * 1.5 + 2.4
MOST_IN_TWO_ROWS = 26
# The same for all of them, each in its place: written out at each place it was half of a large plant's page.
_HEXAGON = hexagon(0, 0, _RADIUS)


def honeycomb(cells: Sequence[Cell], label: str) -> SafeString:
    """Gives a line's machines, in interlocked rows, each a link; one Tab stop, the arrows move inside."""
    rows = 1 if len(cells) == 1 else 2 if len(cells) <= MOST_IN_TWO_ROWS else 3
    columns = max(1, math.ceil(len(cells) / rows))
    drawn = []
    for place, cell in enumerate(cells):
        row, column = place % rows, place // rows
        x = 1.5 + _WIDE / 2 + column * _WIDE + (_WIDE / 2 if row % 2 else 0)
        y = 1.5 + _RADIUS + row * _HIGH
        # Strings first: format_html would write floats in the locale.
        drawn.append(
            format_html(
                '<a class="{}" href="{}" tabindex="{}" aria-label="{}" data-parts="{}" '
                'data-kind="{}" data-word="{}" data-newest="{}" data-state="{}" data-words="{}" data-stale-after="{}" '
                'data-offline-after="{}" transform="translate({} {})"><polygon class="hex" points="{}"/>'
                '<use class="mk" href="#{}"/></a>',
                cell.classes, cell.url, -1 if place else 0, cell.label, " ".join(cell.parts),
                cell.kind, cell.word, "" if cell.newest is None else str(cell.newest // 1000), cell.state_tag,
                "" if cell.words is None else str(cell.words), seconds_attribute(cell.stale_after),
                seconds_attribute(cell.offline_after), f"{x:.1f}", f"{y:.1f}", _HEXAGON, cell.mark,
            )
        )  # fmt: skip
    wide = columns * _WIDE + (_WIDE / 2 if rows > 1 else 0) + 3
    high = (rows - 1) * _HIGH + 2 * _RADIUS + 3
    return format_html(
        '<svg class="honey r{}" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">{}</svg>',
        rows,
        f"{wide:.1f}",
        f"{high:.1f}",
        f"{wide:.0f}",
        f"{high:.0f}",
        label,
        mark_safe("".join(drawn)),  # noqa: S308  # each made by format_html
    )
