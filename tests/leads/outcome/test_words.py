"""Words for won, lost and open leads, as people and CRMs write them."""

import pytest

from leadmodel.leads.outcome.words import meaning_of

CRMS = {
    "won": "closedwon | Closed Won | Closed - Converted | Won | customer | Gewonnen | Gagné | Ganado"
    " | Vinto | Ganho | Wygrana | ja | oui | sí | sim | tak | vrai | signed",
    "lost": "closedlost | Closed Lost | Closed - Not Converted | Closed Lost to Competition | Junk Lead"
    " | Lost Lead | Out-Sold | Canceled | Disqualified | Unqualified | NICHT GEWONNEN | perdu | Perdido"
    " | Przegrana | nein | non | não | nie | faux | churned | Lost - price | Not Qualified",
    "open": "appointmentscheduled | qualifiedtobuy | presentationscheduled | decisionmakerboughtin"
    " | contractsent | marketingqualifiedlead | opportunity | Open - Not Contacted | Working - Contacted"
    " | Prospecting | Qualification | Needs Analysis | Value Proposition | Id. Decision Makers"
    " | Perception Analysis | Proposal/Price Quote | Negotiation/Review | In Progress | IN_PROGRESS"
    " | On Hold | ATTEMPTED_TO_CONTACT | Contact in Future | 1-Qualify | 2. Angebot | Stage 3: Demo"
    " | Nurturing | in Bearbeitung | Négociation | En attente | Presupuesto enviado | Trattativa"
    " | Em andamento | W toku | deleted",
    "may be won": "Qualified | accepted | Qualifiziert",
}


@pytest.mark.parametrize(
    ("word", "meaning"), [(word, m) for m, words in CRMS.items() for word in words.split(" | ")]
)
def test_usual_words_are_known_however_they_are_written(word: str, meaning: str) -> None:
    assert {meaning_of(text) for text in (word, word.upper(), f"  {word} ")} == {meaning}


@pytest.mark.parametrize("word", ["A", "1", "0", "", "+", "Monday", "Wonderful", "Open source", "50 %"])
def test_other_words_mean_nothing(word: str) -> None:
    assert meaning_of(word) is None
