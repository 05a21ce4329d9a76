"""The demo plant's synoptics: three drawings of its own."""

from pathlib import Path

from devices.models import Asset
from plant.models import Synoptic
from plant.synoptic.services import create_synoptic

FOLDER = Path(__file__).with_name("synoptics")
# File, name, and the line that it shows.
DRAWINGS = (
    ("oven-line", "Hardening line 1", "hardening-1"),
    ("pipeline-section", "Pipeline, sections 1 to 5", "pipeline"),
    ("grid-feeder", "10 kV switchboard", "power"),
)


def bring() -> None:
    """Uploads the drawings as anybody would; one that is there already stays as it is."""
    for code, name, asset in DRAWINGS:
        if not Synoptic.objects.filter(code=code).exists():
            file = (FOLDER / f"{code}.svg").read_bytes()
            create_synoptic(
                code=code, name=name, asset=Asset.objects.get(code=asset), file=file, reason="the demo plant"
            )
