"""Template tags and filters of the operators' pages."""

from django import template

register = template.Library()
