"""The past of alarms: what is kept of it with every change, and how it is looked at.

`keeping` writes what stood before into rows of its own, in the transaction of the change. `looking_back` lets every
read within a block stand at a moment of the past; `versions` gives alarms at many moments of a window. See
docs/decisions/0030-playback.md.
"""

from alerts.past.looking import Unknown, Written, looking_back
from alerts.past.stepping import Versions, versions

__all__ = ["Unknown", "Versions", "Written", "looking_back", "versions"]
