"""The whole configuration as one file, plant.yaml: in and out.

`load` takes a text into the database: one transaction, nothing deleted unless pruned, every error with its line in one
answer, and a second time it changes nothing. `dump` gives the text of what is there. `read_plant` needs no database.
"""

from devices.configuration.document import ConfigurationError, Error
from devices.configuration.plant import Plant
from devices.configuration.reading import wanted
from devices.configuration.storing import Report, apply, stored
from devices.configuration.writing import write

__all__ = ["ConfigurationError", "Error", "Plant", "Report", "dump", "load", "read_plant"]


def load(text: str, *, prune: bool = False) -> Report:
    """Takes a configuration into the database.

    Raises: ConfigurationError with everything that is wrong; then nothing is changed.
    """
    file, plant = wanted(text, stored(), prune=prune)
    return apply(file, plant, prune=prune)


def dump() -> str:
    """Gives the database's configuration as text."""
    return write(stored())


def read_plant(text: str) -> Plant:
    """Gives what a file describes by itself, checked, without a database. Raises: ConfigurationError."""
    return wanted(text, Plant())[1]
