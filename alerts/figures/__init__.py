"""The figures of alarm management: how many alarms an operator position had to bear, and which waste attention.

`summary.compute` is pure and works on columns; `query` reads the journal for it.
"""
