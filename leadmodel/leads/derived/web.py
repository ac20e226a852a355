"""Derive host, first part of the path, and campaign parameters of a web address."""

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from leadmodel.leads.derived.record import Column, Derived, How, Proposal

__all__ = ["PARAMETERS", "are_websites", "propose", "read_host", "read_parameter", "read_path"]

PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")

_URL = re.compile(r"(https?://|www\.|/)\S*", re.IGNORECASE)
_HOST = re.compile(r"([\w-]+\.)+[^\W\d_]{2,}([/?#:]\S*)?")
_OWN_NAME = re.compile(
    r"^(company|lead|contact)?[\s_-]*(website|web ?site|homepage|domain|url)$", re.IGNORECASE
)
_NAME = re.compile(r"ur[li]|web|site|domain|page|link|refer", re.IGNORECASE)


def propose(column: Column) -> list[Proposal]:
    """Propose the parts of the addresses if the column holds web addresses."""
    is_named = _NAME.search(column.name) is not None
    patterns = (_URL, _HOST) if is_named else (_URL,)
    if column.share(any(map(lambda one: one.fullmatch(text), patterns)) for text in column.texts) < 0.8:
        return []
    name, label = column.name, column.label
    parts: list[tuple[str, How]] = [("host", "url host"), ("path", "url path")]
    proposals = [
        Proposal(end, f"{label} {end}", Derived(source=name, label=label, how=how)) for end, how in parts
    ]
    for parameter in PARAMETERS:
        derived = Derived(source=name, label=label, how="url parameter", argument=parameter)
        proposals.append(Proposal(parameter, f"{label} {parameter}", derived))
    return proposals


def are_websites(column: Column) -> bool:
    """Return whether a column holds the leads' own websites."""
    if not _OWN_NAME.fullmatch(column.name.strip()):
        return False
    return column.share(any(one.fullmatch(text) for one in (_URL, _HOST)) for text in column.texts) >= 0.8


def _split(text: str) -> SplitResult | None:
    has_host = "://" in text or text.startswith("/")
    try:
        return urlsplit(text if has_host else f"//{text}")
    except ValueError:  # such as half of an IPv6 address
        return None


def read_host(text: str, derived: Derived) -> str | None:
    """Return the host of a web address, without www."""
    parts = _split(text)
    host = parts.netloc.rpartition("@")[2].partition(":")[0] if parts else ""
    return host.lower().removeprefix("www.") or None


def read_path(text: str, derived: Derived) -> str | None:
    """Return the first part of the path of a web address."""
    parts = _split(text)
    return "/" + parts.path.strip("/").partition("/")[0].lower() if parts else None


def read_parameter(text: str, derived: Derived) -> str | None:
    """Return a parameter of a web address."""
    parts = _split(text)
    pairs = dict(parse_qsl(parts.query)) if parts else {}
    return pairs.get(derived.argument, "").strip().lower() or None
