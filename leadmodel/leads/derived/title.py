"""Derive level and area of a job title, and the legal form of a company, by lists of words.

The words are those of English, German, French, Spanish, Italian, Portuguese and Polish titles. A comma
separates the parts to look for; "_" marks where a word begins or ends.
"""

import re

from leadmodel.leads.derived.record import Column, Derived, How, Proposal, pick
from leadmodel.leads.derived.words import in_blanks

__all__ = ["AREAS", "FORMS", "LEVELS", "propose", "propose_form", "read_area", "read_form", "read_level"]


def _parts(lists: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        value: tuple(part.strip().replace("_", " ") for part in parts.split(","))
        for value, parts in lists.items()
    }


# The first list with a part of the title says its level: an assistant to the CEO is an assistant.
LEVELS = _parts(
    {
        "vice president": "_vp_, _svp_, _evp_, _avp_, _vice president_, _vicepresident, _vice président",
        "intern or student": """
            _intern_, _internship_, _trainee_, _praktikant, _werkstudent, _azubi, _stagiaire_,
            _stagista_, _becari, _estagi, _student, _étudiant, _estudiante_, _apprentice_, _stażyst
        """,
        "junior": """
            _junior_, _jr_, _assistant_, _assistent, _assistente_, _asistente_, _graduate_, _adjoint,
            _asystent
        """,
        "C-level": """
            _ceo_, _cto_, _cfo_, _coo_, _cmo_, _cio_, _ciso_, _chro_, _cpo_, _cro_, _chief_, _founder_,
            _cofounder_, _owner_, _president_, _managing director_, _managing partner_, _geschäftsführ,
            _vorstand, _inhaber, _gründer, _gérant, _pdg_, _directeur général_, _fondateur,
            _fondatrice_, _director general_, _fundador, _propietari, _socio_, _sócio_,
            _amministratore_, _titolare_, _prezes_, _właściciel
        """,
        "director": """
            _director_, _directeur_, _directrice_, _direktor, _direttor, _direttrice_, _directora_,
            _diretor, _head_, leiter_, leiterin_, _responsable_, _jefe_, _jefa_, _dyrektor
        """,
        "manager": """
            manager_, managerin_, _mgr_, _gerente_, _supervisor_, _lead_, teamlead_, _coordinator_,
            _koordinator, _chef_, _cheffe_, _responsabile_, _kierownik_
        """,
        "senior": "_senior_, _sr_, _principal_, _staff_, _expert, _spezialist, _specialist_",
    }
)

AREAS = _parts(
    {
        "marketing": """
            marketing, _brand_, _seo_, _content_, _communication, _kommunikation, _publicidad_, _media_,
            _growth_, _cmo_
        """,
        "human resources": """
            _hr_, _human resources_, _recruit, _talent_, _people_, _personal, _personnel_, _recursos
            humanos_, _ressources humaines_, _rh_, _risorse umane_, _chro_
        """,
        "finance": """
            _financ, _finanz, _accountant, _accounting_, _controller, _controlling_, _buchhalt,
            _comptab, _contab, _cfo_, _treasur, _audit, _bookkeep, _księgow
        """,
        "sales": """
            _sales_, _account_, _business development_, vertrieb, _verkauf, _verkäuf, _ventas_, _vente,
            _commercial, _comercial, _vendite_, _vendas_, _sprzeda
        """,
        "engineering or IT": """
            _engineer, _developer, _software, _it_, _data_, _devops_, _sysadmin, _programm, _architect_,
            entwickl, _informati, _ingenieur, _ingénieur, _ingenier, _desarrollador, _sviluppator,
            _desenvolvedor, _cto_, _cio_, _ciso_, _techn, _research, _scien, _program
        """,
        "operations": """
            _operation, _logisti, _supply_, _procure, _purchas, _einkauf, _einkäuf, _produktion,
            _production_, _coo_, _operaciones_, _achat, _compras_, _acquisti_
        """,
        "product or design": "_product_, _produkt, _design, _ux_, _ui_, _cpo_",
        "law": """
            _legal_, _lawyer_, _attorney_, _counsel_, _jurist, anwalt_, anwältin_, _avocat, _abogad,
            _compliance_
        """,
        "education": """
            _teacher_, _professor, _lecturer_, _lehrer, _enseignant, _profesor, _docente_, _dean_
        """,
        "health": "_nurse_, _physician_, _doctor_, _medical_, _arzt_, _ärztin_, _médecin_, _enferm, _médic",
    }
)

FORMS = _parts(
    {
        "Inc., Corp. or LLC": "_inc_, _corp_, _corporation_, _llc_, _incorporated_, _l l c_",
        "Ltd. or plc": "_ltd_, _limited_, _plc_, _llp_",
        "GmbH, AG or KG": "_gmbh_, _ag_, _kg_, _ug_, _ohg_, _kgaa_",
        "S.A., SAS or SARL": "_sas_, _sarl_, _sasu_, _eurl_, _s a_, _sa_",
        "S.L. or Ltda.": "_sl_, _s l_, _slu_, _ltda_, _s de rl_",
        "S.p.A. or S.r.l.": "_spa_, _s p a_, _srl_, _s r l_",
        "B.V. or N.V.": "_bv_, _b v_, _nv_, _n v_, _bvba_",
        "AB, AS or Oy": "_ab_, _as_, _a s_, _aps_, _oy_, _oyj_, _asa_",
        "sp. z o.o.": "_sp z o o_, _s r o_, _kft_, _doo_, _d o o_",
        "university or school": "_universi, _school_, _college_, _schule_, _hochschule_, _école_",
        "association or authority": """
            _e v_, _ev_, _foundation_, _stiftung_, _association_, _verein_, _city of_, _ministry_,
            _stadt_, _council_, _department of_, _ngo_
        """,
    }
)

_TITLE_NAME = re.compile(
    r"job|title|position|role|designation|occupation|beruf|stelle|funktion|poste|fonction|cargo|puesto|ruolo",
    re.IGNORECASE,
)
_COMPANY_NAME = re.compile(
    r"compan|organi[sz]|firm|employer|business|unternehmen|arbeitgeber|soci[eé]t|entreprise|empresa|aziend",
    re.IGNORECASE,
)

MIN_DISTINCT = 20
"""Distinct texts below which the categories themselves tell the model as much."""

NO_LEVEL, NO_AREA, NO_FORM = "no known level", "no known area", "no known form"


def propose(column: Column) -> list[Proposal]:
    """Propose level and area if the column holds job titles."""
    if not _TITLE_NAME.search(column.name) or _known(column, LEVELS | AREAS) < 0.2:
        return []
    return [
        _proposal(column, "level", "title level", LEVELS),
        _proposal(column, "area", "title area", AREAS),
    ]


def propose_form(column: Column) -> list[Proposal]:
    """Propose the legal form if the column holds companies."""
    if not _COMPANY_NAME.search(column.name) or _known(column, FORMS) < 0.1:
        return []
    return [_proposal(column, "legal form", "company form", FORMS)]


def _known(column: Column, lists: dict[str, tuple[str, ...]]) -> float:
    """Return the share of the texts that the lists know; 0 for too few texts."""
    if len(column.texts) < MIN_DISTINCT:
        return 0.0
    return column.share(pick(in_blanks(text), lists, None) is not None for text in column.texts)


def _proposal(column: Column, end: str, how: How, lists: dict[str, tuple[str, ...]]) -> Proposal:
    derived = Derived(source=column.name, label=column.label, how=how, lists=lists)
    return Proposal(end, f"{column.label} {end}", derived)


def read_level(text: str, derived: Derived) -> str | None:
    """Return the level of a job title."""
    return pick(in_blanks(text), derived.lists, NO_LEVEL)


def read_area(text: str, derived: Derived) -> str | None:
    """Return the area of a job title."""
    return pick(in_blanks(text), derived.lists, NO_AREA)


def read_form(text: str, derived: Derived) -> str | None:
    """Return the legal form of a company."""
    return pick(in_blanks(text), derived.lists, NO_FORM)
