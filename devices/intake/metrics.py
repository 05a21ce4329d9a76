"""What the intake counts."""

from __future__ import annotations

from prometheus_client import Counter

from devices.metrics import REGISTRY

ACCEPTED = Counter("andon_intake_accepted", "Readings that the stream has taken.", registry=REGISTRY)
REJECTED = Counter("andon_intake_rejected", "Readings turned away, by what was wrong.", ["reason"], registry=REGISTRY)
