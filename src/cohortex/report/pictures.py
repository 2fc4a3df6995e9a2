"""The pictures of a report: which slices are drawn, what is outlined on them, and what they say to the blind."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cohortex.display import (
    Box,
    ColourScale,
    Numbering,
    Outline,
    Overlay,
    Plane,
    View,
    Window,
    best_plane,
    encoded,
    limit_for,
    panel,
    window_for,
)
from cohortex.image import Image, Labels
from cohortex.pipeline.results import ComparisonImages, VisitImages
from cohortex.report.record import Record

SHOWN_LESIONS = 12
BASELINE_COLOUR = "#57c7ff"
FOLLOW_UP_COLOUR = "#ffb224"
BRAIN_COLOUR = "#4be3a4"
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
_OVERVIEW_SLICES = 8
_MAP_SLICES = 6
_OVERVIEW_PX, _MAP_PX, _CROP_PX = 255, 180, 240
_LEAST_PIXELS = 8
_LEAST_AREA = 0.2  # of the largest slice of the brain: below lie caps with nothing to see
_BRAIN_MARGIN_MM = 9.0
_CROP_MARGIN_MM, _SMALLEST_CROP_MM = 16.0, 52.0
_Z_THRESHOLD = 2.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture as the page shows it."""

    source: str  # data: address
    alt: str
    width: int  # CSS pixels
    height: int


@dataclass(frozen=True, kw_only=True)
class LesionPictures:
    """The pictures of one lesion or event; `number` is that of its row in the table."""

    number: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, kw_only=True)
class MapPictures:
    """Slices of one map and its scale."""

    pictures: tuple[Picture, ...]
    scale: ColourScale


@dataclass(frozen=True, eq=False)
class _Stage:
    """The grid all pictures of a report share, cut in one plane, and how its slices are named."""

    view: View
    brain: Labels
    numbering: Numbering

    @classmethod
    def of(cls, reference: Image, brain: Labels | None, numbering: Numbering) -> _Stage:
        if brain is None or not brain.mask.any():
            brain = Labels(np.ones(reference.grid.shape, np.uint8), reference.grid)
        return cls(View.of(reference, best_plane(reference.grid)), brain, numbering)

    @property
    def plane(self) -> Plane:
        return self.view.plane

    def name(self, slice_index: int) -> str:
        return self.view.name_of(slice_index, numbering=self.numbering)

    def brain_box(self) -> Box:
        return self.view.box_around(self.view.volume(self.brain) != 0, margin_mm=_BRAIN_MARGIN_MM)

    def telling_slices(self, interest: NDArray[np.bool_], count: int) -> list[int]:
        """One slice out of each of `count` equal slabs of the brain: that with most to see, else the middle one.

        `interest` has shape (slice, row, column); slabs begin where the brain has a fifth of its largest area.
        """
        brain = self.view.volume(self.brain) != 0
        area = brain.sum(axis=(1, 2))
        found = np.flatnonzero(area >= _LEAST_AREA * area.max())
        borders = np.linspace(found[0], found[-1] + 1, min(count, found[-1] + 1 - found[0]) + 1)
        to_see = (interest & brain).sum(axis=(1, 2))
        chosen = []
        for start, stop in zip(np.rint(borders[:-1]).astype(int), np.rint(borders[1:]).astype(int), strict=True):
            off_center = np.abs(np.arange(start, stop) - (start + stop - 1) / 2) / (stop - start)  # 0 to 1/2
            seen = to_see[start:stop] * (1 - 1.5 * off_center)  # neighbouring slabs should not show neighbouring slices
            chosen.append(start + int(np.argmax(seen)) if seen.any() else (start + stop) // 2)
        return [int(n) for n in chosen]

    def draw(self, image: Image, slice_index: int, *, alt: str, **options: object) -> Picture:
        figure = panel(image, plane=self.plane, slice_index=slice_index, numbering=self.numbering, **options)  # type: ignore[arg-type]
        return _picture(figure, alt)


def _picture(figure: Figure, alt: str) -> Picture:
    width, height = figure.get_size_inches() * figure.dpi
    source = "data:image/webp;base64," + base64.b64encode(encoded(figure)).decode("ascii")
    return Picture(source=source, alt=alt, width=round(float(width)), height=round(float(height)))


def visit_overview(images: VisitImages, record: Record, *, text: Mapping[str, str]) -> tuple[Picture, ...]:
    """Slices through the brain with every lesion outlined."""
    stage = _Stage.of(images.reference, images.brain, "slice")
    window = window_for(images.reference, brain=stage.brain)
    outline = Outline(labels=images.lesions, colour=FOLLOW_UP_COLOUR)
    volume = stage.view.volume(images.lesions)
    pictures = []
    for index in stage.telling_slices(volume != 0, _OVERVIEW_SLICES):
        alt = _overview_alt(stage, index, record["lesion_contrast"], volume[index], text)
        options = {"window": window, "box": stage.brain_box(), "width_px": _OVERVIEW_PX, "outlines": [outline]}
        pictures.append(stage.draw(images.reference, index, alt=alt, **options))
    return tuple(pictures)


def brain_check(images: VisitImages, visit: str, *, text: Mapping[str, str]) -> tuple[Picture, ...]:
    """The brain as it was outlined, on whole slices in three planes: whoever looks sees whether it is the brain."""
    inside = np.argwhere(images.brain.mask)
    if not len(inside):
        return ()
    center = images.brain.grid.world_of(inside.mean(axis=0))
    window = window_for(images.reference, brain=images.brain)
    outline = Outline(labels=images.brain, colour=BRAIN_COLOUR)
    pictures = []
    for plane in PLANES:
        view = View.of(images.reference, plane)
        if min(view.size) < _LEAST_PIXELS:  # a single slice has no other planes
            continue
        figure = panel(
            images.reference, plane=plane, at_mm=center, window=window, outlines=[outline], width_px=_CROP_PX
        )
        words = {"plane": plane, "slice": view.name_of(view.slice_at(center)), "visit": visit}
        pictures.append(_picture(figure, text["alt_brain"].format(**words)))
    return tuple(pictures)


def visit_lesions(images: VisitImages, record: Record, *, text: Mapping[str, str]) -> tuple[LesionPictures, ...]:
    """For each of the largest lesions: where it lies, the detail without and with its outline."""
    stage = _Stage.of(images.reference, images.brain, "slice")
    window = window_for(images.reference, brain=stage.brain)
    volume = stage.view.volume(images.lesions)
    shown = []
    for number, lesion in enumerate(record["lesions"][:SHOWN_LESIONS], start=1):
        place = _largest_cut(volume, (lesion["label"],), prefer=stage.view.slice_of_series(lesion["slice_number"]))
        if place is None:
            continue
        index, mask = place
        box = stage.view.square_around(mask, margin_mm=_CROP_MARGIN_MM, smallest_mm=_SMALLEST_CROP_MM)
        words = _crop_words(stage, index, number, lesion["place"])
        outline = Outline(labels=images.lesions, colour=FOLLOW_UP_COLOUR)
        plain_alt = text["alt_crop"].format(image=record["lesion_contrast"], **words)
        crop = {"window": window, "box": box, "width_px": _CROP_PX}
        pictures = (
            _where(stage, images.reference, index, box, window, words, text),
            stage.draw(images.reference, index, alt=plain_alt, title=record["lesion_contrast"], **crop),
            stage.draw(images.reference, index, alt=plain_alt + text["alt_with_outline"], outlines=[outline], **crop),
        )
        shown.append(LesionPictures(number=number, pictures=pictures))
    return tuple(shown)


def visit_maps(images: VisitImages, *, text: Mapping[str, str]) -> dict[str, MapPictures]:
    """The difference to the template and the log-Jacobian, in colours on the outlined series."""
    stage = _Stage.of(images.reference, images.brain, "slice")
    inside = stage.brain.mask
    z_limit = max(6.0, limit_for(images.difference.values[inside]))
    scales = {
        "difference": ColourScale(limit=z_limit, threshold=_Z_THRESHOLD, label=text["difference_scale"]),
        "jacobian": ColourScale(
            limit=limit_for(images.log_jacobian.values[inside], smallest=0.2),
            label=text["jacobian_scale"],
            opacity=0.7,
        ),
    }
    maps = {"difference": images.difference, "jacobian": images.log_jacobian}
    return {
        name: _map(stage, images.reference, image, scales[name], text[f"{name}_map"], text)
        for name, image in maps.items()
    }


def comparison_overview(images: ComparisonImages, *, text: Mapping[str, str]) -> tuple[tuple[Picture, Picture], ...]:
    """The same slices at both visits, baseline first, each with its outlines."""
    stage = _Stage.of(images.follow_up, images.brain, "position")
    before, after = _windows(images)
    pairs = []
    lesions = (stage.view.volume(images.baseline_lesions) != 0) | (stage.view.volume(images.follow_up_lesions) != 0)
    for index in stage.telling_slices(lesions, _OVERVIEW_SLICES):
        common = {"box": stage.brain_box(), "width_px": _OVERVIEW_PX}
        pair = []
        for name, image, labels, window, colour in (
            ("baseline", images.baseline, images.baseline_lesions, before, BASELINE_COLOUR),
            ("follow_up", images.follow_up, images.follow_up_lesions, after, FOLLOW_UP_COLOUR),
        ):
            alt = _overview_alt(stage, index, text[name], stage.view.volume(labels)[index], text)
            outlines = [Outline(labels=labels, colour=colour)]
            pair.append(stage.draw(image, index, alt=alt, title=text[name], window=window, outlines=outlines, **common))
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def comparison_lesions(
    images: ComparisonImages, record: Record, *, text: Mapping[str, str]
) -> tuple[LesionPictures, ...]:
    """For each of the most urgent events: where it lies, before, and after at the same place."""
    stage = _Stage.of(images.follow_up, images.brain, "position")
    windows = _windows(images)
    before_labels, after_labels = (
        stage.view.volume(images.baseline_lesions),
        stage.view.volume(images.follow_up_lesions),
    )
    solid_before = Outline(labels=images.baseline_lesions, colour=BASELINE_COLOUR)
    solid_after = Outline(labels=images.follow_up_lesions, colour=FOLLOW_UP_COLOUR)
    shown = []
    for event in record["events"][:SHOWN_LESIONS]:
        touched = np.isin(before_labels, event["baseline_labels"] or [-1]).astype(np.int8)
        touched |= np.isin(after_labels, event["follow_up_labels"] or [-1])
        place = _largest_cut(touched, (1,))
        if place is None:
            continue
        index, mask = place
        box = stage.view.square_around(mask, margin_mm=_CROP_MARGIN_MM, smallest_mm=_SMALLEST_CROP_MM)
        words = _crop_words(stage, index, event["number"], event["place"])
        crop = {"box": box, "width_px": _CROP_PX}
        dotted = Outline(labels=images.baseline_lesions, colour=BASELINE_COLOUR, style="dotted")
        rows = (
            ("baseline", images.baseline, windows[0], [solid_before]),
            ("follow_up", images.follow_up, windows[1], [dotted, solid_after]),
        )
        pictures = [_where(stage, images.follow_up, index, box, windows[1], words, text)]
        for name, image, window, outlines in rows:
            alt = text["alt_crop"].format(image=text[name], **words)
            pictures.append(
                stage.draw(image, index, alt=alt, title=text[name], window=window, outlines=outlines, **crop)
            )
        shown.append(LesionPictures(number=event["number"], pictures=tuple(pictures)))
    return tuple(shown)


def comparison_map(images: ComparisonImages, *, text: Mapping[str, str]) -> MapPictures:
    """Follow-up minus baseline in colours on the follow-up, new and lost tissue outlined."""
    stage = _Stage.of(images.follow_up, images.brain, "position")
    limit = limit_for(images.difference.values[stage.brain.mask], percentile=99.9)
    scale = ColourScale(limit=limit, threshold=0.3 * limit, label=text["change_scale"])
    return _map(stage, images.follow_up, images.difference, scale, text["change_map"], text)


def _map(
    stage: _Stage, anatomy: Image, image: Image, scale: ColourScale, name: str, text: Mapping[str, str]
) -> MapPictures:
    window = window_for(anatomy, brain=stage.brain)
    overlay = Overlay(image=image, scale=scale, within=stage.brain)
    pictures = []
    strong = np.abs(np.nan_to_num(stage.view.volume(image))) >= max(scale.threshold, 0.6 * scale.limit)
    for index in stage.telling_slices(strong, _MAP_SLICES):
        alt = text["alt_map"].format(map=name, plane=stage.plane, slice=stage.name(index))
        options = {"window": window, "overlay": overlay, "box": stage.brain_box(), "width_px": _MAP_PX}
        pictures.append(stage.draw(anatomy, index, alt=alt, **options))
    return MapPictures(pictures=tuple(pictures), scale=scale)


def _where(
    stage: _Stage,
    image: Image,
    index: int,
    box: Box,
    window: Window,
    words: Mapping[str, object],
    text: Mapping[str, str],
) -> Picture:
    """The whole slice with the detail marked, cut to a square so that it stands beside the detail."""
    around = stage.view.square_around(
        stage.view.volume(stage.brain)[index] != 0 if stage.view.volume(stage.brain)[index].any() else _whole(stage),
        margin_mm=_BRAIN_MARGIN_MM,
        smallest_mm=_SMALLEST_CROP_MM,
    )
    alt = text["alt_where"].format(**words)
    return stage.draw(image, index, alt=alt, window=window, box=around, marked=box, width_px=_CROP_PX)


def _whole(stage: _Stage) -> NDArray[np.bool_]:
    return np.ones(stage.view.size, dtype=bool)


def _largest_cut(
    volume: NDArray[np.generic], labels: Sequence[int], *, prefer: int | None = None
) -> tuple[int, NDArray[np.bool_]] | None:
    """The preferred slice, else that with most pixels of the labels, and where they are; None where there are none."""
    mask = np.isin(volume, labels)
    area = mask.sum(axis=(1, 2))
    index = prefer if prefer is not None and area[prefer] else int(np.argmax(area))
    return (index, mask[index]) if area[index] else None


def _windows(images: ComparisonImages) -> tuple[Window, Window]:
    """One window for both visits where their values may be compared, else one each."""
    if images.baseline.unit == images.follow_up.unit != "arbitrary":
        both = window_for(images.baseline, images.follow_up, brain=images.brain)
        return both, both
    return window_for(images.baseline, brain=images.brain), window_for(images.follow_up, brain=images.brain)


def _overview_alt(stage: _Stage, index: int, image: str, labels: NDArray[np.generic], text: Mapping[str, str]) -> str:
    alt = text["alt_overview"].format(plane=stage.plane, image=image, slice=stage.name(index)).capitalize()
    found = len(np.unique(labels[labels != 0]))
    return alt + (text["alt_outlined"].format(count=found) if found else "")


def _crop_words(stage: _Stage, index: int, number: int, place: str) -> dict[str, object]:
    return {"plane": stage.plane, "slice": stage.name(index), "number": number, "place": place}
