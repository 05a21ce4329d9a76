"""Floods: more alarms than an operator can answer, and what changes while one lasts."""
