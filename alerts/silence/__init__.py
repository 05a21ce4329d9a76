"""Silence: which part of the plant is not heard of any more, told once, at the highest part that failed."""
