"""What is true of a phantom patient: lesions, events, positions, and the scans they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cohortex.image import Image, Labels
from cohortex.phantoms.deposit import LookName
from cohortex.phantoms.distractors import Distractors
from cohortex.phantoms.head import Head
from cohortex.phantoms.placement import Place
from cohortex.phantoms.scanner import Scanner
from cohortex.phantoms.shape import Shape
from cohortex.transform import Rigid


@dataclass(frozen=True, kw_only=True, eq=False)
class LesionTruth:
    """What is true of one lesion at one visit.

    Attributes
    ----------
    id : int
        Its number in the labels of every visit.
    volume_mm3 : float
        Core and rim, from the formula of its shape; oedema does not count.
    center_mm : tuple of float
        In the world of the visit, LPS mm.
    template_mm : tuple of float
        The same place in the template, LPS mm.
    contrast_to_noise : mapping of str to float
        Mean difference from the healthy tissue it replaces over the noise sd, by contrast scanned (ADC left
        out), shading and blur apart. A thick slice or small lesion shows less of it: partial volume.
    look : str
        Kind of appearance.
    place : str
        Kind of place.
    parts : int
        2 for two lesions that touch: they are one connected outline, hence one lesion.
    shape : Shape
        In the head's own world.
    """

    id: int
    volume_mm3: float
    center_mm: tuple[float, float, float]
    template_mm: tuple[float, float, float]
    contrast_to_noise: Mapping[str, float]
    look: LookName
    place: Place
    parts: int
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class EventTruth:
    """What became of one lesion, or of the parts of a split or merger, between two visits.

    Attributes
    ----------
    event : str
        "same", "grown", "shrunk", "new", "gone", "split" or "merged".
    baseline_ids, follow_up_ids : tuple of int
        Lesions at each visit.
    baseline_volume_mm3, follow_up_volume_mm3 : float
        Summed volumes; 0 where there is none.
    center_mm : tuple of float
        In the world of the follow-up visit; where there is nothing left, the place where it was.
    """

    event: str
    baseline_ids: tuple[int, ...]
    follow_up_ids: tuple[int, ...]
    baseline_volume_mm3: float
    follow_up_volume_mm3: float
    center_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class PhantomVisit:
    """One visit of a phantom patient.

    Attributes
    ----------
    images : mapping of str to Image
        By contrast, all on one grid.
    scanner : Scanner
        What took them.
    scanner_from_head : Rigid
        From the head's own world to the world of this visit.
    reference : str
        The contrast whose grid the labels lie on.
    lesions : tuple of LesionTruth
        Ordered by id.
    labels : Labels
        Lesion ids where a lesion fills most of the voxel (the fullest voxel where it fills none so far).
    brain : Labels
        1 inside the true brain mask.
    distractors : Distractors
        What only looks like a lesion.
    """

    images: Mapping[str, Image]
    scanner: Scanner
    scanner_from_head: Rigid
    reference: str
    lesions: tuple[LesionTruth, ...]
    labels: Labels
    brain: Labels
    distractors: Distractors


@dataclass(frozen=True, kw_only=True, eq=False)
class PhantomPatient:
    """A patient who does not exist: one anatomy, several visits; never evidence about patients.

    Attributes
    ----------
    seed : int
        All there is to repeat it.
    head : Head
        The anatomy, with its true transforms to the template.
    visits : tuple of PhantomVisit
        In order of time.
    events : tuple of tuple of EventTruth
        Row t: what became of each lesion between visits t and t + 1.
    """

    seed: int
    head: Head
    visits: tuple[PhantomVisit, ...]
    events: tuple[tuple[EventTruth, ...], ...]

    def follow_up_from_baseline(self, baseline: int = 0, follow_up: int = 1) -> Rigid:
        """True motion between the worlds of two visits."""
        there, here = self.visits[follow_up].scanner_from_head, self.visits[baseline].scanner_from_head
        return Rigid(there.matrix @ here.inverse().matrix)
