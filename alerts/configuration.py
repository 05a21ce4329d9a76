"""The rules' section of the plant's configuration."""

from alerts import wiring
from devices.changes import Change


class RulesSection:
    """Rules follow the plant model, and stand in plant.yaml."""

    def follow(self, change: Change) -> None:
        """Brings the rules in line with a changed plant."""
        wiring.follow(change)
