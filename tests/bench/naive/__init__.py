"""The way of a reading as Django tutorials build it: one row and one Celery task per reading, rules from the database.

The yardstick of the benchmark: the same reading, the same limit rule, the same socket, on the same machine.
"""
