"""The whole configuration as one file, plant.yaml: in and out.

`load` takes a text into the database: one transaction, nothing deleted unless pruned, every error with its line in one
answer, and a second time it changes nothing. `dump` gives the text of what is there. `read_plant` needs no database.
"""

from devices.configuration.document import ConfigurationError, Error
from devices.configuration.plant import Plant
from devices.configuration.reading import wanted
from devices.configuration.storing import Report, apply, stored
from devices.configuration.writing import write
from devices.records import LONGEST_REASON

__all__ = ["ConfigurationError", "Error", "Plant", "Report", "dump", "load", "read_plant"]


def load(text: str, *, prune: bool = False, reason: str = "") -> Report:
    """Takes a configuration into the database.

    Takes: why, which the history keeps; a change of a rule's limits, priority or suppression needs it.
    Raises: ConfigurationError with everything that is wrong; then nothing is changed.
    """
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError([Error(0, f"the reason has {LONGEST_REASON} characters at most.")])
    file, plant = wanted(text, stored(), prune=prune)
    return apply(file, plant, prune=prune, reason=reason.strip())


def dump() -> str:
    """Gives the database's configuration as text."""
    return write(stored())


def read_plant(text: str) -> Plant:
    """Gives what a file describes by itself, checked, without a database. Raises: ConfigurationError."""
    return wanted(text, Plant())[1]
