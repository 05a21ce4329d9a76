"""The words that a sensor has for its values: 0 is stopped, 1 is running."""

from collections.abc import Mapping

from devices.checks import number


def label_key(value: object) -> str:
    """Gives a labelled value's canonical text, so that 1, 1.0 and "1" are the same label.

    Raises: TypeError, ValueError or OverflowError for what is not a number.
    """
    return number(float(value))  # type: ignore[arg-type]  # float says what is wrong with it


def word_of(labels: Mapping[str, str] | None, value: float | None) -> str | None:
    """Gives a value's word; the number where there is none for this one, None where a sensor has no words at all."""
    if value is None or not labels:
        return None
    key = label_key(value)
    return str(labels.get(key, key))
