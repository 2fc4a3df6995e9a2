"""What the study says about records, in English and Italian, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Language = Literal["en", "it"]
"""Languages everything is said in."""


@dataclass(frozen=True)
class Words:
    """One text in every language.

    Attributes
    ----------
    en, it : str
        English and Italian; may hold `{parts}` to be filled.
    """

    en: str
    it: str

    def in_language(self, language: Language) -> str:
        """Give the text in one language."""
        return self.it if language == "it" else self.en

    def filled(self, **parts: Words | str) -> Words:
        """Fill the parts in braces, each in its own language."""
        return Words(
            self.en.format(**{name: _said(part, "en") for name, part in parts.items()}),
            self.it.format(**{name: _said(part, "it") for name, part in parts.items()}),
        )


def _said(part: Words | str, language: Language) -> str:
    return part.in_language(language) if isinstance(part, Words) else part


SECTION_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "clinical": Words("Leukaemia", "Leucemia"),
        "treatment": Words("Treatment", "Terapia"),
        "laboratory": Words("Laboratory", "Laboratorio"),
        "microbiology": Words("Cause and microbiology", "Causa e microbiologia"),
        "outcome": Words("Outcome", "Esito"),
    }
)
MISSING_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "not_done": Words("not done", "non eseguito"),
        "unknown": Words("unknown", "sconosciuto"),
        "refused": Words("refused", "rifiutato"),
        "below_detection": Words("below detection", "sotto il limite di rilevazione"),
    }
)
YES, NO = Words("yes", "sì"), Words("no", "no")
DAY = Words("day {day}", "giorno {day}")
TEXT_FOUND = Words("a text of length {length}", "un testo lungo {length}")
DIGITS_FOUND = Words("a number of {length} digits", "un numero di {length} cifre")
NOTHING_FOUND = Words("nothing", "niente")

PROBLEMS: Mapping[str, tuple[Words, Words]] = MappingProxyType(  # what is wrong, what to do
    {
        "empty": (
            Words("{field}: nothing is given.", "{field}: non è dato nulla."),
            Words("Give a value, or a reason: {reasons}.", "Dare un valore, o un motivo: {reasons}."),
        ),
        "part": (
            Words(
                "{field}: a value has no part {found}.",
                "{field}: un valore non ha la parte {found}.",
            ),
            Words(
                "Give value, unit, comparator, missing or code only.",
                "Dare solo value, unit, comparator, missing o code.",
            ),
        ),
        "reason": (
            Words("{field}: {found} is no reason it can be missing for.", "{field}: {found} non è un motivo ammesso."),
            Words("Give one of: {reasons}.", "Dare uno tra: {reasons}."),
        ),
        "both": (
            Words("{field}: a value and a reason why it is missing.", "{field}: un valore e un motivo per cui manca."),
            Words("Keep one of the two.", "Tenere uno dei due."),
        ),
        "choice": (
            Words("{field}: {found} is none of the choices.", "{field}: {found} non è una delle scelte."),
            Words("Give one of: {choices}.", "Dare una tra: {choices}."),
        ),
        "code": (
            Words(
                "{field}: code {found} does not mean {choice}.", "{field}: il codice {found} non significa {choice}."
            ),
            Words("Correct the code or the choice.", "Correggere il codice o la scelta."),
        ),
        "number": (
            Words("{field}: {found} is not a number.", "{field}: {found} non è un numero."),
            Words(
                "Write digits with at most one point or comma, without separators of thousands: 0.6, 12, 1500.",
                "Scrivere cifre con al più un punto o una virgola, senza separatori delle migliaia: 0,6, 12, 1500.",
            ),
        ),
        "two_readings": (
            Words("{field}: {found} may be {small} or {large}.", "{field}: {found} può essere {small} o {large}."),
            Words("Write {small}0 or {large}.", "Scrivere {small}0 o {large}."),
        ),
        "unit_needed": (
            Words("{field}: {found} has no unit.", "{field}: {found} è senza unità."),
            Words("Give the unit, one of: {units}.", "Dare l'unità, una tra: {units}."),
        ),
        "unit": (
            Words("{field}: the unit {found} is not accepted.", "{field}: l'unità {found} non è accettata."),
            Words("Give one of: {units}.", "Dare una tra: {units}."),
        ),
        "no_unit": (
            Words("{field}: it has no unit, but one is given.", "{field}: non ha unità, ma ne è data una."),
            Words("Leave the unit out.", "Togliere l'unità."),
        ),
        "two_units": (
            Words("{field}: two units that differ are given.", "{field}: sono date due unità diverse."),
            Words("Keep the one that is right.", "Tenere quella giusta."),
        ),
        "comparator": (
            Words("{field}: {found} is not a comparator it takes.", "{field}: {found} non è un comparatore ammesso."),
            Words("Give {comparators}.", "Dare {comparators}."),
        ),
        "limits": (
            Words(
                "{field}: {found} {given_unit} is outside {low} to {high} {unit}.",
                "{field}: {found} {given_unit} è fuori da {low} a {high} {unit}.",
            ),
            Words("Check the number and its unit: {units}.", "Controllare il numero e l'unità: {units}."),
        ),
        "day": (
            Words("{field}: {found} is not a number of days.", "{field}: {found} non è un numero di giorni."),
            Words(
                "Give whole days from the first examination (-30 is thirty days before), or a date as 2024-03-01.",
                "Dare giorni interi dal primo esame (-30 è trenta giorni prima), o una data come 2024-03-01.",
            ),
        ),
        "day_without_first": (
            Words(
                "{field}: a date is given, but the day of the first examination is not known here.",
                "{field}: è data una data, ma qui non si conosce il giorno del primo esame.",
            ),
            Words(
                "Give whole days from the first examination: -30 is thirty days before.",
                "Dare giorni interi dal primo esame: -30 è trenta giorni prima.",
            ),
        ),
        "day_limits": (
            Words(
                "{field}: day {found} is outside {low} to {high}.",
                "{field}: il giorno {found} è fuori da {low} a {high}.",
            ),
            Words("Check the day: it counts from the first examination.", "Controllare: si conta dal primo esame."),
        ),
        "yes_no": (
            Words("{field}: {found} is neither yes nor no.", "{field}: {found} non è né sì né no."),
            Words("Give yes or no.", "Dare sì o no."),
        ),
    }
)

FINDINGS: Mapping[str, Words] = MappingProxyType(  # by the number of the rule
    {
        "ask": Words(
            "{field}: {number} {unit} is unusual ({low} to {high} is usual). Is the unit right ({units})?",
            "{field}: {number} {unit} è insolito (di solito da {low} a {high}). L'unità è giusta ({units})?",
        ),
        "12": Words(
            "Maintenance of acute lymphoblastic leukaemia before the first remission. Correct the phase, or the "
            "remission and its day.",
            "Mantenimento di una leucemia linfoblastica acuta prima della prima remissione. Correggere la fase, o la "
            "remissione e il suo giorno.",
        ),
        "13": Words(
            "A transplant on day {day}, before the leukaemia was diagnosed (day {diagnosis}). Correct one of the two.",
            "Un trapianto al giorno {day}, prima della diagnosi di leucemia (giorno {diagnosis}). Correggere uno dei "
            "due.",
        ),
        "14": Words(
            "A remission on day {day}, before the leukaemia was diagnosed (day {diagnosis}). Correct one of the two.",
            "Una remissione al giorno {day}, prima della diagnosi di leucemia (giorno {diagnosis}). Correggere uno dei "
            "due.",
        ),
        "15": Words(
            "A relapse of an acute leukaemia without a remission before it. Give the day of the first remission, or "
            "say that it is unknown.",
            "Una recidiva di leucemia acuta senza una remissione precedente. Dare il giorno della prima remissione, o "
            "dire che è sconosciuto.",
        ),
        "16": Words(
            "This visit is on day {day}, before the first examination. Correct its date, or enter it as the first.",
            "Questa visita è al giorno {day}, prima del primo esame. Correggere la data, o inserirla come prima.",
        ),
        "17": Words(
            "This visit is on day {day}, after the patient is said to have died (day {death}). Correct one of the two.",
            "Questa visita è al giorno {day}, dopo il decesso dichiarato (giorno {death}). Correggere uno dei due.",
        ),
        "17-death": Words(
            "Death on day {death}, but a visit on day {day} has a record of the patient. Correct one of the two.",
            "Decesso al giorno {death}, ma una visita al giorno {day} ha dati del paziente. Correggere uno dei due.",
        ),
        "20": Words(
            "The phase is after transplant, but there was none by this visit. Record the transplant, or correct the "
            "phase.",
            "La fase è dopo il trapianto, ma a questa visita non ce n'è stato nessuno. Registrare il trapianto, o "
            "correggere la fase.",
        ),
        "22": Words(
            "The patient would be {age} years old at this visit. Correct the birth date or the date of the visit.",
            "Il paziente avrebbe {age} anni a questa visita. Correggere la data di nascita o della visita.",
        ),
        "22-diagnosis": Words(
            "The leukaemia was diagnosed on day {day}, before the patient was born. Correct the day or the birth date.",
            "La leucemia è stata diagnosticata al giorno {day}, prima della nascita. Correggere il giorno o la data di "
            "nascita.",
        ),
        "25": Words(
            "Proven needs the organism in tissue or a sterile site; antigen in serum is probable at most. Correct the "
            "level or the basis.",
            "Provata richiede l'organismo nel tessuto o in una sede sterile; con il solo antigene nel siero è al più "
            "probabile. Correggere il livello o la base.",
        ),
        "26": Words(
            "The EORTC/MSGERC level is for fungi, and the cause is none. Leave the level out, or correct the cause.",
            "Il livello EORTC/MSGERC è per i funghi, e la causa non lo è. Togliere il livello, o correggere la causa.",
        ),
        "27": Words(
            "Possible has no mycological evidence, but serum galactomannan is 1.0 or more: is it probable?",
            "Possibile è senza prova micologica, ma il galattomannano nel siero è 1,0 o più: è probabile?",
        ),
        "30": Words(
            "The cause is radiation injury, but no radiation is recorded. Record it, or look at the cause again.",
            "La causa è un danno da radiazioni, ma non è registrata alcuna irradiazione. Registrarla, o rivedere la "
            "causa.",
        ),
        "own-1": Words(
            "The course says died and the patient is said to be alive. Correct one of the two.",
            "Il decorso dice deceduto e il paziente risulta in vita. Correggere uno dei due.",
        ),
        "own-2": Words(
            "There is a day of the transplant, but no transplant. Correct one of the two.",
            "C'è un giorno del trapianto, ma nessun trapianto. Correggere uno dei due.",
        ),
        "own-3": Words(
            "The patient is said to be alive at this visit, and to have died by then (day {death}). Correct one of the "
            "two.",
            "Il paziente risulta in vita a questa visita, e già deceduto (giorno {death}). Correggere uno dei due.",
        ),
        "own-4": Words(
            "The patient is said to have died by this visit (day {day}), and later (day {death}). Correct one of the "
            "two.",
            "Il paziente risulta deceduto entro questa visita (giorno {day}), e poi (giorno {death}). Correggere uno "
            "dei due.",
        ),
    }
)

TABLE: Mapping[str, tuple[Words, Words]] = MappingProxyType(  # what is wrong with a file, what to do
    {
        "large": (
            Words("The file is larger than 20 MB.", "Il file è più grande di 20 MB."),
            Words("Send a table of records only, in parts if need be.", "Inviare solo la tabella, anche a parti."),
        ),
        "spreadsheet": (
            Words("The file is a spreadsheet, not CSV.", "Il file è un foglio di calcolo, non CSV."),
            Words("Save it as CSV (UTF-8) and send that.", "Salvarlo come CSV (UTF-8) e inviare quello."),
        ),
        "binary": (
            Words("The file is no text.", "Il file non è testo."),
            Words("Send a CSV table; the empty one shows how.", "Inviare una tabella CSV; quella vuota mostra come."),
        ),
        "empty": (
            Words("The file is empty.", "Il file è vuoto."),
            Words("Start from the empty table.", "Cominciare dalla tabella vuota."),
        ),
        "broken": (
            Words("The table is broken: a quotation mark has no partner.", "Tabella rotta: una virgoletta è sola."),
            Words("Save it again as CSV from the spreadsheet.", "Salvarla di nuovo come CSV dal foglio di calcolo."),
        ),
        "identity": (
            Words(
                "This column may identify people: its header says “{word}”.",
                "Questa colonna può identificare persone: l'intestazione dice “{word}”.",
            ),
            Words(
                "Remove the column from the file. People appear by their study code, in the column patient.",
                "Togliere la colonna dal file. Le persone appaiono con il codice dello studio, nella colonna patient.",
            ),
        ),
        "column": (
            Words("No field has this header ({found}).", "Nessun campo ha questa intestazione ({found})."),
            Words(
                "Remove the column, or use a header of the empty table.",
                "Togliere la colonna, o usare un'intestazione della tabella vuota.",
            ),
        ),
        "column_unit": (
            Words("The unit in this header is not accepted.", "L'unità in questa intestazione non è accettata."),
            Words("Use a header of the empty table.", "Usare un'intestazione della tabella vuota."),
        ),
        "twice": (
            Words("The column {name} is there twice.", "La colonna {name} c'è due volte."),
            Words("Keep one.", "Tenerne una."),
        ),
        "lacking": (
            Words("The column {name} is not there.", "Manca la colonna {name}."),
            Words(
                "Add it: patient is the study code, visit its date as 2024-03-01.",
                "Aggiungerla: patient è il codice dello studio, visit la data come 2024-03-01.",
            ),
        ),
        "cells": (
            Words(
                "The row has {found} cells, the header {expected}.",
                "La riga ha {found} celle, l'intestazione {expected}.",
            ),
            Words(
                "Put text that holds the delimiter in quotation marks; write 0.6 or quote 0,6.",
                'Mettere tra virgolette il testo che contiene il separatore; scrivere 0.6 o "0,6".',
            ),
        ),
        "patient": (
            Words("This is not a study code ({found}).", "Questo non è un codice dello studio ({found})."),
            Words(
                "Give the code of the study, such as C1-0007; no name and no hospital number.",
                "Dare il codice dello studio, come C1-0007; nessun nome e nessun numero dell'ospedale.",
            ),
        ),
        "visit": (
            Words("This is not a date ({found}).", "Questa non è una data ({found})."),
            Words("Write it as 2024-03-01: year, month, day.", "Scriverla come 2024-03-01: anno, mese, giorno."),
        ),
        "two_dates": (
            Words(
                "No date of the file shows whether the day or the month comes first.",
                "Nessuna data del file mostra se viene prima il giorno o il mese.",
            ),
            Words("Write it as 2024-03-01: year, month, day.", "Scriverla come 2024-03-01: anno, mese, giorno."),
        ),
        "again": (
            Words("The same patient and visit as row {other}.", "Stesso paziente e stessa visita della riga {other}."),
            Words("Keep one of the two rows.", "Tenere una delle due righe."),
        ),
    }
)

STATISTICS: Mapping[str, Words] = MappingProxyType(
    {
        "too_few": Words(
            "Statistics are shown from {patients} patients of {centres} centres on.",
            "Le statistiche si mostrano da {patients} pazienti di {centres} centri in su.",
        ),
        "table_centres": Words("Patients by centre", "Pazienti per centro"),
        "table_sex": Words("Patients by sex", "Pazienti per sesso"),
        "table_age": Words("Patients by age at the first examination", "Pazienti per età al primo esame"),
        "table_diagnosis": Words("Patients by leukaemia", "Pazienti per leucemia"),
        "table_phase": Words("Patients by treatment phase", "Pazienti per fase della terapia"),
        "table_agents": Words("Causes of the lesions", "Cause delle lesioni"),
        "table_outcome": Words("Latest course of the lesions", "Ultimo decorso delle lesioni"),
        "table_survival": Words("Survival", "Sopravvivenza"),
        "table_events": Words("Patients with a lesion that was …", "Pazienti con una lesione …"),
        "by_diagnosis": Words("By leukaemia", "Per leucemia"),
        "by_phase": Words("By treatment phase at the first examination", "Per fase della terapia al primo esame"),
        "all_patients": Words("All patients", "Tutti i pazienti"),
        "not_known": Words("not known", "non noto"),
        "others": Words("others", "altri"),
        "others_or_not_known": Words("others or not known", "altri o non noto"),
        "sex_F": Words("female", "femmina"),
        "sex_M": Words("male", "maschio"),
        "sex_O": Words("other", "altro"),
        "sex_U": Words("not known", "non noto"),
        "alive": Words("alive", "in vita"),
        "dead": Words("dead", "deceduto"),
        "new": Words("new", "nuova"),
        "grown": Words("grown", "cresciuta"),
        "shrunk": Words("shrunk", "ridotta"),
        "gone": Words("gone", "scomparsa"),
        "split": Words("split", "divisa"),
        "merged": Words("merged", "fusa"),
        "course_lesion_count": Words("Lesions", "Lesioni"),
        "course_lesion_volume": Words("Total lesion volume", "Volume totale delle lesioni"),
        "course_lesion_volume_change": Words(
            "Lesion volume, change since the first examination",
            "Volume delle lesioni, variazione dal primo esame",
        ),
        "course_brain_volume": Words("Brain volume", "Volume dell'encefalo"),
        "course_brain_volume_change": Words(
            "Brain volume, change since the first examination",
            "Volume dell'encefalo, variazione dal primo esame",
        ),
    }
)
