"""Which series of a visit is aligned, which is outlined, and what is said where none can be."""

from dataclasses import replace

import numpy as np
import pytest

from cohortex.errors import VisitProblem
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.measure import QualityFlag
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.pipeline.series import SeriesLook, choose_series, shared_contrast, why_not

BROKEN = QualityFlag(check="constant", level="fail", message="Every voxel is 7. Send it again.")
DOUBTFUL = QualityFlag(check="noise", level="warn", message="Noisy.")


def series(contrast: str, spacing_mm=(1.0, 1.0, 1.0), **changes) -> SeriesLook:
    look = SeriesLook(
        name=f"AX {contrast}",
        contrast=contrast,
        contrast_reason="the header",
        shape=(9, 9, 9),
        spacing_mm=spacing_mm,
        orientation="LPS",
        unit="arbitrary",
        is_volume=True,
        quality=(),
        warnings=(),
    )
    return replace(look, **changes)


@pytest.mark.parametrize(
    ("contrasts", "outlined", "aligned"),
    [
        (("T1", "FLAIR"), "FLAIR", "T1"),
        (("FLAIR", "T2", "T1c", "T1"), "FLAIR", "T1"),
        (("T2", "T1c"), "T2", "T1c"),
        (("CT",), "CT", "CT"),
        (("CT", "T1"), "T1", "T1"),
        (("ADC", "T2", "DWI"), "T2", "T2"),
    ],
)
def test_lesions_are_outlined_on_flair_first_and_the_template_aligned_on_t1_first(contrasts, outlined, aligned):
    looks = [series(contrast) for contrast in contrasts]
    choice = choose_series(looks)
    assert (looks[choice.outlined].contrast, looks[choice.aligned].contrast) == (outlined, aligned)


def test_the_order_of_the_series_does_not_matter():
    looks = [series("T1", (3, 3, 3)), series("FLAIR"), series("T1"), series("T2")]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        choice = choose_series([looks[n] for n in order])
        assert {name: order[number] for name, number in choice.by_contrast.items()} == {"T1": 2, "FLAIR": 1, "T2": 3}


def test_a_thick_series_is_aligned_only_where_there_is_no_thin_one():
    thick_t1, thin_flair = series("T1", (0.9, 0.9, 5.0)), series("FLAIR")
    assert choose_series([thick_t1, thin_flair]).aligned == 1
    assert choose_series([thick_t1, series("FLAIR", (0.9, 0.9, 5.0))]).aligned == 0


def test_a_failed_series_is_left_for_the_next_best():
    looks = [series("FLAIR", quality=(BROKEN,)), series("T2"), series("T1", quality=(DOUBTFUL,))]
    choice = choose_series(looks)
    assert (choice.outlined, choice.aligned) == (1, 2)
    assert [choice.used_for(number) for number in range(3)] == ["not used", "lesions", "alignment"]


def test_every_use_has_its_words():
    choice = choose_series([series("T1"), series("FLAIR"), series("T2"), series("ADC")])
    assert [choice.used_for(n) for n in range(4)] == ["alignment", "lesions", "support", "not used"]
    assert choose_series([series("T1")]).used_for(0) == "alignment and lesions"


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (series("T1", quality=(BROKEN,)), "Every voxel is 7"),
        (series("T1", is_volume=False), "not a single volume"),
        (series("ADC"), "contrast ADC"),
    ],
)
def test_a_visit_without_anything_usable_is_refused_with_each_reason_and_the_remedy(look, reason):
    assert reason in why_not(look)
    with pytest.raises(VisitProblem, match=f"{look.name}: {reason}.*--flair") as refusal:
        choose_series([look, replace(look, name="second")])
    assert "second: " in str(refusal.value)


def test_a_visit_without_images_is_refused():
    with pytest.raises(VisitProblem, match="no image at all"):
        choose_series([])


def test_a_contrast_that_the_other_visit_asks_for_is_refused_where_there_is_none():
    with pytest.raises(VisitProblem, match="no usable FLAIR; it has T1"):
        choose_series([series("T1"), series("FLAIR", quality=(BROKEN,))], outlined_contrast="FLAIR")


def test_two_visits_are_compared_in_the_best_contrast_of_both():
    both = [series("T1"), series("FLAIR"), series("T2")]
    assert shared_contrast(both, both) == "FLAIR"
    assert shared_contrast(both, [series("T2"), series("T1")]) == "T2"
    assert shared_contrast([series("T1"), series("FLAIR", quality=(BROKEN,))], both) == "T1"


def test_two_visits_without_a_shared_contrast_are_refused_with_what_each_has():
    with pytest.raises(VisitProblem, match=r"baseline has T1, T2, the follow-up CT\..*--t1"):
        shared_contrast([series("T2"), series("T1")], [series("CT")])
    with pytest.raises(VisitProblem, match=r"follow-up none \(AX T1: Every voxel is 7"):
        shared_contrast([series("T1")], [series("T1", quality=(BROKEN,))])


def test_what_to_do_is_said_once_however_many_series_were_not_recognised():
    strange = [recognised_as_other(number) for number in range(3)]
    with pytest.raises(VisitProblem) as refusal:
        choose_series(strange)
    assert str(refusal.value).count("--t1,") == 1


def recognised_as_other(number: int) -> SeriesLook:
    image = Image(np.arange(729.0).reshape(9, 9, 9), Grid.from_parts((9, 9, 9)), metadata={"source": f"x{number}.nii"})
    guess = recognise_contrast(image)
    return series(guess.contrast, name=f"x{number}.nii", contrast_reason=guess.reason)
