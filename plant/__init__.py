"""Andon, the operators' monitoring dashboard for industrial plants."""

from plant.celery import app as celery_app

__all__ = ["celery_app"]
