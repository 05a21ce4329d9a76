"""What the pages draw as SVG, without inline styles."""

from plant.drawing.charts import bar, columns, shares, spark
from plant.drawing.honeycomb import Cell, honeycomb
from plant.drawing.scale import Limit, Scale, limits_of, scale_of
from plant.drawing.symbols import (
    counts,
    icon,
    look_of,
    priority,
    priority_word,
    quality,
    state,
    state_icon,
)
from plant.drawing.timeline import timeline
from plant.drawing.values import Shown, indicator, value

__all__ = [
    "Cell",
    "Limit",
    "Scale",
    "Shown",
    "bar",
    "columns",
    "counts",
    "honeycomb",
    "icon",
    "indicator",
    "limits_of",
    "look_of",
    "priority",
    "priority_word",
    "quality",
    "scale_of",
    "shares",
    "spark",
    "state",
    "state_icon",
    "timeline",
    "value",
]
