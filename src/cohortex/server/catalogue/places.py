"""Places of the brain in other languages than the one the analysis writes them in."""

from __future__ import annotations

import re

from cohortex.server.catalogue.words import Language, catalogue

_LOBES = "frontal|parietal|temporal|occipital|insular"
_DEEP = "basal ganglia|thalamus|corpus callosum|brain stem|cerebellum"
_WHOLE = "outside the brain|fourth ventricle|third ventricle|lateral ventricle"
_PLACE = re.compile(
    r"(?:(?P<side>left|right|midline|bilateral) )?"
    rf"(?:(?P<whole>{_WHOLE})"
    rf"|(?P<deep>{_DEEP})(?: and (?P<beside>{_LOBES}|{_DEEP}))?"
    rf"|(?P<lobes>(?:{_LOBES})(?: and (?:{_LOBES}))*) (?P<near>periventricular )?"
    r"(?P<tissue>white matter|grey matter|fluid space))"
    rf"(?:, reaching the (?P<reaching>{_DEEP}|ventricle))?"
)


def place_in_words(place: str, language: Language) -> str:
    """Say a place in a language.

    Parameters
    ----------
    place : str
        As `cohortex.templates.describe_place` words it, such as "left frontal white matter".
    language : {"en", "it"}
        In which.

    Returns
    -------
    str
        Such as "sostanza bianca frontale, a sinistra"; words that are not known stay as they are.
    """
    found = _PLACE.fullmatch(place)
    if language == "en" or found is None:
        return place
    words = catalogue(language)

    def said(name: str) -> str:
        return words("place." + name.strip().replace(" ", "_"))

    if found["whole"]:
        text = said(found["whole"])
    elif found["deep"]:
        text = said(found["deep"])
        if found["beside"]:
            text = words("place.beside", first=text, second=said("beside " + found["beside"]))
    else:
        near = [said(found["near"])] if found["near"] else []
        lobes = [said(lobe) for lobe in found["lobes"].split(" and ")]
        text = " ".join([said(found["tissue"]), *near, words("place.and").join(lobes)])
    if found["reaching"]:
        text = f"{text}, {said('reaching ' + found['reaching'])}"
    return f"{text}, {said(found['side'])}" if found["side"] else text
