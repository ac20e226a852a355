"""Derive the host of a mail address, and whether it is a company's."""

import re

from leadmodel.leads.derived.record import Column, Derived, Proposal, pick
from leadmodel.leads.derived.web import read_host

__all__ = ["COMPANY", "propose", "propose_match", "read_domain", "read_kind", "read_match"]

_MAIL = re.compile(r"[^@]*[^\s@]@[^\s@>]+\.[^\s@.>]+>?")
_HOST = re.compile(r"[^\s@>]+\.[^\s@.>]+")

COMPANY = "a company's"

_FREE = """
gmail googlemail yahoo ymail rocketmail hotmail outlook live msn icloud me.com mac.com aol gmx
web.de t-online.de freenet.de mail.com email.com mail.ru yandex bk.ru list.ru rambler.ru
proton.me protonmail pm.me zoho.com fastmail tutanota hey.com qq.com 163.com 126.com sina.com
naver.com daum.net rediffmail orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it
virgilio.it tiscali.it uol.com.br bol.com.br terra.com.br wp.pl o2.pl onet.pl interia.pl
seznam.cz bluewin.ch telenet.be comcast.net verizon.net att.net sbcglobal.net btinternet.com
ukr.net
""".split()

KINDS = {
    "a free provider's": tuple(f".{host}." for host in _FREE),
    "a university's": (".edu.", ".ac.", ".uni-", ".univ-", ".university.", ".tu-", ".fh-"),
}
"""Parts of hosts by kind, in points; any other host is a company's."""


def propose(column: Column) -> list[Proposal]:
    """Propose host and kind if the column holds mail addresses."""
    if column.share(_MAIL.fullmatch(text.strip()) is not None for text in column.texts) < 0.8:
        return []
    name, label = column.name, column.label
    domain = Derived(source=name, label=label, how="email domain")
    kind = Derived(source=name, label=label, how="email kind", lists=KINDS)
    return [Proposal("domain", f"{label} host", domain), Proposal("kind", f"{label} domain", kind)]


def propose_match(column: Column, website: Column) -> Proposal:
    """Propose whether the addresses of a column match the websites of another one."""
    derived = Derived(
        source=column.name,
        label=column.label,
        how="email website",
        other=website.name,
        other_label=website.label,
    )
    return Proposal("website", f"Match between {column.label} and {website.label}", derived)


def read_domain(text: str, derived: Derived) -> str | None:
    """Return the host of a mail address in lower case."""
    # Not by one pattern for all, which would take a time quadratic in the length of a text without an @.
    name, _, host = text.rpartition("@")
    match = _HOST.match(host)
    return match[0].lower() if match and name.rstrip() == name != "" else None


def read_kind(text: str, derived: Derived) -> str | None:
    """Return the kind of the host of a mail address."""
    domain = read_domain(text, derived)
    return domain and pick(f".{domain}.", derived.lists, COMPANY)


def read_match(text: str, derived: Derived, website: str | None) -> str | None:
    """Return whether the host of a mail address is that of a website, or a part of it."""
    domain, host = read_domain(text, derived), website and read_host(website, derived)
    if not domain or not host:
        return None
    return (
        "found" if f".{host}".endswith(f".{domain}") or f".{domain}".endswith(f".{host}") else "not found"
    )
