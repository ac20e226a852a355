"""Define type aliases of the arrays that functions take and return."""

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "Ints", "Positions"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]
"""Row numbers, as `numpy.flatnonzero` returns them, or group ids from 0 on."""
