"""The alarm console: what waits for me, in which order? And one alarm: why, what happens, what do I do?"""

from plant.pages.alarms.conditions import condition_of, condition_words
from plant.pages.alarms.detail import alarm, record_of
from plant.pages.alarms.lists import alarms

__all__ = ["alarm", "alarms", "condition_of", "condition_words", "record_of"]
