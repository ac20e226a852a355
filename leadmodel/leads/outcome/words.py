"""Recognize the usual words for won, lost and open leads, in several languages and CRMs."""

import re
import unicodedata
from typing import Literal

from leadmodel.text import fold

__all__ = ["Meaning", "meaning_of"]

Meaning = Literal["won", "may be won", "lost", "open"]
"""What a word says of a lead. "May be won": won unless another value says so more clearly, for "qualified"
is the end of one process and the middle of another."""

_WORDS: dict[Meaning, str] = {
    "won": """
        yes | ja | oui | si | sim | tak | da | ano | kylla | igen | evet | да | так | ναι
        true | wahr | vrai | verdadero | vero | verdadeiro | waar | prawda | sant | sand
        won | win | closed won | closedwon | deal won | won deal | closed converted | converted | customer
        client | new customer | purchased | purchase | bought | buyer | sold | sale | signed
        contract signed | paid | paying | paying customer | subscribed | success | successful | positive
        evangelist | order placed | ordered
        gewonnen | geschlossen gewonnen | abgeschlossen gewonnen | kunde | kundin | neukunde | konvertiert
        verkauft | gekauft | kauf | unterschrieben | abschluss | vertrag unterschrieben | beauftragt
        gagne | gagnee | ferme gagne | ferme gagnee | conclu gagne | clos gagne | cliente | converti
        convertie | achete | vendu | vendue | signe | signee
        ganado | ganada | cerrado ganado | cerrada ganada | convertido | convertida | comprado | vendido
        vendida | firmado | firmada
        vinto | vinta | chiuso vinto | chiusa vinta | convertito | acquistato | venduto | firmato
        ganho | ganha | fechado ganho | fechada ganha | fechado e ganho | assinado
        klant | gewonnen deal | gesloten gewonnen | afgesloten gewonnen | geconverteerd | verkocht | gekocht
        getekend | ondertekend
        wygrana | wygrany | wygrane | zamknieta wygrana | zamkniete wygrane | zamkniety wygrany | klient
        kupil | kupiony | sprzedane | podpisana | podpisano
        vunnen | vunnet | vundet | kund | voitettu | asiakas | vyhrano | vyhrana | zakaznik | nyert
        kazanildi | castigat | выиграно | выиграна | успешно реализовано | клиент
    """,
    "may be won": """
        qualified | accepted | approved | active
        retained | completed | complete | qualifiziert | angenommen
        aktiv | qualifie | qualifiee | accepte | acceptee | actif | calificado | calificada | aceptado
        aceptada | activo | qualificato | accettato | attivo | qualificado | qualificada | aceito | ativo
        gekwalificeerd | geaccepteerd | actief | zakwalifikowany | zaakceptowana | aktywny
    """,
    "lost": """
        no | nein | non | nao | nee | nie | нет | ні | nej | nei | ei | ne | nem | hayir | nu | οχι
        false | falsch | faux | falso | onwaar | falsz | falskt | falsk
        lost | loss | closed lost | closedlost | deal lost | lost deal | lost lead | lead lost | not won
        closed lost to competition | closed not converted | not converted | unconverted | non converted
        no conversion | no sale | not sold | no purchase | not purchased | not bought | non customer
        not a customer | no customer | not interested | no longer interested | uninterested | rejected
        declined | refused | denied | disqualified | unqualified | not qualified | junk | junk lead | spam
        bad fit | canceled | cancelled | out sold | outsold | churned | churn | cannot contact | dead
        dead lead | failed | failure | negative | unsuccessful | abandoned | withdrawn | unsubscribed
        closed lost no decision | no decision | inactive | not signed | unsold | did not buy
        verloren | geschlossen verloren | abgeschlossen verloren | nicht gewonnen | kein kunde
        nicht konvertiert | kein interesse | nicht interessiert
        kein bedarf | abgelehnt | abgesagt | absage
        storniert | gekundigt | disqualifiziert | unqualifiziert | nicht qualifiziert | nicht verkauft
        nicht gekauft | kein abschluss | inaktiv | abgebrochen
        perdu | perdue | ferme perdu | ferme perdue | conclu perdu | clos perdu | non converti
        non convertie | refuse | refusee | rejete | rejetee | annule | annulee | disqualifie | disqualifiee
        non qualifie | pas interesse | pas client | non client | sans suite | abandonne | inactif | resilie
        perdido | perdida | cerrado perdido | cerrada perdida | no convertido | no convertida | rechazado
        rechazada | cancelado | cancelada | descalificado | descalificada | no calificado | no interesado
        sin interes | no cliente | inactivo | no ganado
        perso | persa | chiuso perso | chiusa persa | non convertito | rifiutato | rifiutata | annullato
        squalificato | non qualificato | non interessato | non cliente | inattivo
        fechado perdido | fechada perdida | fechado e perdido | nao convertido | rejeitado | recusado
        desqualificado | nao qualificado | sem interesse | nao interessado | nao cliente | inativo
        gesloten verloren | afgesloten verloren | niet geconverteerd
        niet gewonnen | afgewezen | geannuleerd
        gediskwalificeerd | niet gekwalificeerd | geen interesse | geen klant | niet geinteresseerd
        opgezegd | inactief
        przegrana | przegrany | przegrane | utracona | utracony | zamknieta przegrana | zamkniete przegrane
        stracona | odrzucona | odrzucony | anulowana | anulowany | zdyskwalifikowany | niezainteresowany
        brak zainteresowania | rezygnacja | nieaktywny
        forlorad | tapt | tabt | menetetty | ztraceno | ztracena | elvesztett | kaybedildi | pierdut
        проиграно | потеряно | закрыто и не реализовано | отказ
    """,
    "open": """
        new | new lead | open | opened | reopened | open not contacted | not contacted | untouched
        working contacted | working | working on it | contacted | contact made | attempted to contact
        attempted contact | attempting contact | contact in future | contact attempted | connected | reached
        unreached | in progress | inprogress | in process | in review | under review | on hold | pending
        waiting | postponed | deferred | stalled | bad timing | open deal | nurture | nurturing | warm
        lead | raw lead | prospect | prospecting | suspect | subscriber | mql | sql | sal
        marketing qualified | sales qualified | marketing qualified lead | sales qualified lead
        marketingqualifiedlead | salesqualifiedlead | opportunity | pre qualified | prequalified
        qualification | qualifying | qualify | develop
        propose | close | closing | discovery | needs analysis
        value proposition | identify decision makers | id decision makers | perception analysis | evaluation
        proposal | proposal price quote | proposal made | proposal sent | price quote | quote | quote sent
        quoted | offer | offer sent | offered | negotiation | negotiation review | negotiations started
        negotiating | contract | contract sent | contractsent | appointment scheduled | appointmentscheduled
        appointment | qualified to buy | qualifiedtobuy | presentation scheduled | presentationscheduled
        presentation | decision maker bought in | decisionmakerboughtin | demo | demo scheduled
        demo completed | meeting | meeting scheduled | trial | engaged | interested | follow up | followup
        callback | call back | assigned | unassigned | scheduled | undecided | maybe | verbal agreement
        proposition | active lead | active opportunity | unknown | n a | na | not known | tbd
        to be determined | null | none | nan | missing | not available | not set | not specified
        deleted | duplicate | test | draft | in negotiation | ongoing | potential
        neu | neuer lead | offen | geoffnet | kontaktiert | nicht kontaktiert | in bearbeitung | in arbeit
        in kontakt | in klarung | in prufung | in verhandlung | verhandlung | angebot | angebot gesendet
        angebot verschickt | angebot erstellt | angeboten | termin | termin vereinbart | wartend | wartet
        ausstehend | pausiert | zuruckgestellt | wiedervorlage | interessent | interessiert | unbekannt
        qualifizierung | bedarfsanalyse | vielleicht | laufend | vertrag gesendet | verkaufschance
        nouveau | nouvelle | nouveau lead | ouvert | ouverte | en cours | en attente | contacte | contactee
        non contacte | a contacter | a relancer | relance | proposition envoyee | devis | devis envoye
        negociation | en negociation | rendez vous | rdv | rdv pris | qualification en cours | inconnu
        inconnue | peut etre | interesse | opportunite | prospection | suspendu | reporte | contrat envoye
        nuevo | nueva | nuevo lead | abierto | abierta | en curso | en proceso | en progreso | pendiente
        contactado | contactada | no contactado | propuesta | propuesta enviada | presupuesto
        presupuesto enviado | cotizacion | negociacion | en negociacion | cita | reunion | interesado
        calificacion | desconocido | en espera | seguimiento | oportunidad | prospecto | quizas
        nuovo | nuova | aperto | aperta | in corso | in attesa | contattato | contattata | non contattato
        proposta | proposta inviata | preventivo | preventivo inviato | offerta | trattativa | negoziazione
        in trattativa | appuntamento | interessato | qualificazione | sconosciuto | sospeso | forse
        novo | nova | novo lead | aberto | aberta | em andamento | em progresso | pendente | contatado
        contactado | nao contatado | proposta enviada | orcamento | negociacao | em negociacao
        reuniao | interessado | qualificacao | desconhecido | em espera | oportunidade | talvez
        nieuw | nieuwe lead | geopend | lopend | in behandeling | in uitvoering | gecontacteerd
        niet gecontacteerd | benaderd | offerte | offerte verstuurd | offerte verzonden | voorstel
        onderhandeling | in onderhandeling | afspraak | afspraak gepland | geinteresseerd | kwalificatie
        onbekend | wachtend | in de wacht | misschien
        nowy | nowa | nowe | otwarta | otwarty | otwarte | w toku | w trakcie | w realizacji | oczekujace
        skontaktowano | nieskontaktowano | oferta | oferta wyslana | wycena | negocjacje | w negocjacji
        spotkanie | zainteresowany | kwalifikacja | nieznany | nieznane | wstrzymany | szansa | moze
        ny | oppen | apen | aben | pagaende | avoin | uusi
        novy | otevreno | uj | nyitott | yeni | acik | nou
        deschis | новый | новая | открыта | открыто | в работе | переговоры
    """,
}

_STEMS: dict[Meaning, str] = {
    "won": "won | closed won | gewonnen | gagne | gagnee | ganado | ganada | vinto | ganho | wygrana",
    "lost": "lost | closed lost | verloren | perdu | perdue | perdido | perdida | perso | przegrana"
    " | disqualified | unqualified | rejected | not interested",
}
"""Words that the reason often follows: "Lost - price too high"."""


_LETTER = re.compile(r"[^\W\d_]")
_GAPS = {"-", "--", "\u2013", "\u2014", "?", ".", "..."}
"""Marks that stand for a missing outcome."""


def _words(text: str) -> list[str]:
    return [word.strip() for line in text.strip().splitlines() for word in line.split("|")]


# A letter with a stroke is one of its own to Unicode, and not composed.
_STROKES = str.maketrans("łøđħı", "lodhi")
_NUMBERS = re.compile(r"^(?:(?:stage|step|phase|stufe|etape|etapa)\s+)?\d+\s+(?=\D)|(?<=\D)\s+\d+$")


def meaning_of(value: str) -> Meaning | None:
    """Return what a value of an outcome column usually means, or None if that is not known.

    Case, accents, punctuation and the number of a stage do not matter.

    >>> meaning_of("Closed - Not Converted"), meaning_of("5. GEWONNEN"), meaning_of("Négociation")
    ('lost', 'won', 'open')
    """
    if not _LETTER.search(value):
        return "open" if value.strip() in _GAPS else None
    word = _plain(value)
    if word in _MEANINGS:
        return _MEANINGS[word]
    return next((meaning for stem, meaning in _STEM_MEANINGS.items() if word.startswith(stem)), None)


def _plain(value: str) -> str:
    letters = unicodedata.normalize("NFKD", fold(value)).translate(_STROKES)
    bare = "".join(mark for mark in letters if not unicodedata.combining(mark))
    return _NUMBERS.sub("", " ".join(re.sub(r"[\W_]+", " ", bare).split()))


_MEANINGS = {_plain(word): meaning for meaning, text in _WORDS.items() for word in _words(text)}
_STEM_MEANINGS = {f"{word} ": meaning for meaning, text in _STEMS.items() for word in _words(text)}
