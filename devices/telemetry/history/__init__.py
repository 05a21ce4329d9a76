"""The history: every accepted reading, once, compressed where it lands.

A drain appends a segment; `fold` packs segments into chunks, one row per sensor and span, and small chunks into bigger
ones; `read` and its kin look into both, so that nobody else knows where a reading lies.
"""

from devices.telemetry.history.writing import append, prepare

__all__ = ["append", "prepare"]
