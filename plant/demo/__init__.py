"""A simulated works to look at: it sends through the ordinary HTTP intake, like any other source."""

from plant.demo.loading import is_loaded, load

__all__ = ["is_loaded", "load"]
