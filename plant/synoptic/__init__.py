"""Synoptics: drawings of a part of the plant, made in any editor, whose elements follow sensors, alarms and assets.

A file that is uploaded goes through `cleaning`: an allow-list over a parser that expands nothing. What comes out holds
no script, no style and no address but those inside itself; its colours are the screen's greys. `bindings` says what
its elements follow. Source of the rules of drawing: ISA-101; docs/synoptics.md is what a person who draws reads.
"""
