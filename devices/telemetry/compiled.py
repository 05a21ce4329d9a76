"""How loops over readings are compiled: once, kept on disk, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

S = TypeVar("S", bound=np.generic)
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiles a loop to machine code at its first call, or takes it from the disk.

    A compiled function calls only compiled functions of its own module: the kept code is renewed when the module's
    file changes, and, by `plant.supervisor.kept_code`, when one changes whose constants it reads.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def frozen(column: npt.NDArray[S]) -> npt.NDArray[S]:
    """Gives a column as the compiled loops read it: contiguous and read-only, so that each loop compiles only once."""
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view
