"""Score a file that a program sends: in and out in one call, and nothing of it is stored."""

import base64
import binascii
from pathlib import Path

import numpy as np

from leadmodel.errors import InputError
from leadmodel.serving.downloads import to_csv, to_excel
from leadmodel.serving.service import Channel, ScoringService
from leadmodel.serving.uploads import read_list

__all__ = ["score_sent_file"]


def score_sent_file(
    service: ScoringService, name: str, content: str, door: Channel = "file"
) -> dict[str, str]:
    """Return ``name`` and ``content`` of the scored file; Excel is answered in Excel, all else in CSV.

    Parameters
    ----------
    service : ScoringService
        What scores.
    name : str
        Ends in .xlsx or .parquet, or it is read as CSV.
    content : str
        The file in base64.
    door : str
        How it came.

    Raises
    ------
    InputError
        If it is no base64, no table of leads, or too large.
    """
    if not isinstance(name, str) or not isinstance(content, str):
        raise InputError("The name of the file and its content, in base64, must be texts.")
    try:
        read = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("The content of the file must be in base64. It is not.") from None
    ranked = service.rank(name, read_list(name, read), door)
    # A program goes on with its own rows: they stay in their order.
    table = ranked.table.take(np.argsort(ranked.rows, kind="stable"))
    suffix = ".xlsx" if Path(name).suffix.lower() == ".xlsx" else ".csv"
    scored = to_excel(table) if suffix == ".xlsx" else to_csv(table)
    return {"name": f"{Path(name).stem} scored{suffix}", "content": base64.b64encode(scored).decode()}
