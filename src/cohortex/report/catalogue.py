"""The words of the report, in one place, so that another language can stand beside them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "language": "en",
        "research_use": "Research use only. Not a medical device.",
        "visit_report": "Visit report",
        "comparison_report": "Comparison of two visits",
        "visit": "Visit",
        "baseline": "Baseline",
        "follow_up": "Follow-up",
        "version": "cohortex {version}",
        # events
        "new": "new",
        "grown": "grown",
        "shrunk": "shrunk",
        "gone": "gone",
        "most": "most: {place}, +{volume} ml",
        "same": "unchanged",
        "split": "split",
        "merged": "merged",
        # headline of a visit
        "not_outlined": "Lesions were not outlined: {reason}",
        "no_lesion": "No lesion was outlined on {contrast}",
        "one_lesion": "One lesion outlined on {contrast}: {place}, {volume} ml",
        "lesions": "{count} lesions outlined on {contrast}, {total} ml together, the largest {volume} ml ({place})",
        "regions_one": "one region differs from the template",
        "regions_many": "{count} regions differ from the template",
        "regions_none": "no region differs from the template",
        # headline of a comparison
        "doubt_person": "Perhaps of two persons.",
        "doubt_examination": "Perhaps one visit twice.",
        "doubt_order": "Perhaps in the wrong order.",
        "no_lesion_twice": "No lesion was outlined at either visit.",
        "one": "One lesion",
        "many": "{count} lesions",
        "others": "{count} others",
        "one_unchanged": "One lesion, unchanged",
        "two_unchanged": "Two lesions, both unchanged",
        "all_unchanged": "{count} lesions, all unchanged",
        "all_of_a_kind": "{count} lesions, all {event}",
        "total_change": "total lesion volume {before} → {after} ml ({percent})",
        "total_change_from_none": "total lesion volume {before} → {after} ml",
        # figures
        "lesions_figure": "Lesions",
        "total_volume": "Total lesion volume",
        "largest": "Largest lesion",
        "brain_volume": "Brain volume",
        "tissue": "Grey · white · CSF",
        "template_similarity": "Template alignment",
        "visit_similarity": "Visit alignment",
        "quality": "Image quality",
        "new_grown": "New · grown",
        "same_figure": "Unchanged",
        "gone_shrunk": "Gone · shrunk",
        "regions_figure": "Differing regions",
        "pass": "pass",
        "warn": "warning",
        "fail": "fail",
        # notices
        "yes": "yes",
        "no": "no",
        "notice_more": "{count} more under Images and quality.",
        "notice_no_brain_alignment": "The alignment with the template did not converge: places, maps and "
        "template differences may be wrong.",
        "notice_poor_alignment": "The alignment with the template is poor (similarity {similarity}): check the brain "
        "outline under Images; places, maps and template differences may be wrong.",
        "notice_folded": "The deformation to the template folds in {percent} of its voxels.",
        "notice_visits_alignment": "The alignment of the two visits did not converge: every change below may be an "
        "artefact of position.",
        # methods
        "methods_each": "Each visit",
        "methods_both": "Comparison",
        "only_at": "{visit} only: {words}",
        "step_only_at": "{visit} only",
        # limits
        "limit_method": "Lesions are outlined by a classical method (intensity against the expected healthy tissue). "
        "It can miss small, faint or cortical lesions, and can outline vessels, artefacts or normal variants.",
        "limit_evidence": "Its accuracy was measured on digital phantoms and on a few public scans; it is not proven "
        "on patients.",
        "limit_change": "“Grown” and “shrunk” mean a change beyond the larger of 20 % of the smaller volume and twice "
        "the standard deviation of the measurement; smaller changes are called unchanged.",
        "limit_place": "Places in words come from the alignment with the template and are approximate to the size of "
        "a lobe.",
        "limit_sd": "± is one standard deviation of the measurement (partial volume and noise); that of a total "
        "assumes independent errors.",
        "limit_template": "The template is an average of healthy adults; a difference to it may be normal anatomy.",
        # picture words
        "alt_overview": "{plane} slice of {image}, {slice}",
        "alt_outlined": ", {count} outlined",
        "alt_crop": "{image}: {plane} detail of lesion {number}, {place}, {slice}",
        "alt_with_outline": ", outlined",
        "alt_where": "Where lesion {number} lies: whole {plane} slice with the detail marked",
        "alt_brain": "Outline of the brain on the {plane} {slice} of {visit}",
        "alt_map": "{map} on the {plane} {slice}",
        "regions_hold_lesions": "The outlined lesions are among these regions, sometimes under the name of a "
        "neighbouring place.",
        "alt_chart": "Chart of lesion volumes: total {numbers} ml",
        "difference_scale": "z, standard deviations",
        "jacobian_scale": "ln(volume ÷ template), less the brain’s mean",
        "change_scale": "standardised intensity",
        "difference_map": "difference to the template",
        "jacobian_map": "log-Jacobian less the brain’s mean",
        "change_map_words": "Follow-up minus baseline in standardised intensity, on the follow-up. Small differences "
        "are not coloured. A coloured spot that the table does not count is smaller than what is outlined, lies in "
        "fluid, or was not borne out as a lesion: noise, vessels and edges look like this too.",
        "shape_map": "Local volume over the template relative to the overall size of this brain, as natural logarithm "
        "less its mean in the brain: +0.1 means 11 % larger than this brain as a whole would have it, −0.1 means "
        "10 % smaller. That a whole brain is large or small does not show here.",
        "change_map": "difference between the visits",
        "chart_total": "All lesions, ml",
        "chart_each": "Each lesion, ml",
    }
)
"""English, the language of the reports; keys are stable."""

NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
"""Counts told in words; larger ones stay figures."""
