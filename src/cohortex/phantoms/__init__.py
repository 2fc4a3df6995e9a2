"""A digital head we know everything about, its scans, its lesions over time; never evidence about patients."""

from cohortex.phantoms.acquisition import scan_grid
from cohortex.phantoms.anatomy import LABEL_NAMES, TISSUES
from cohortex.phantoms.bodies import ball, world_ramp
from cohortex.phantoms.contrast import CONTRASTS, Contrast, tissue_values
from cohortex.phantoms.deposit import LOOKS, Deposit, Look
from cohortex.phantoms.dicom import write_dicom_folder, write_dicom_zip
from cohortex.phantoms.distractors import Distractors, FlowArtefact, draw_distractors, draw_flow
from cohortex.phantoms.events import DEFAULT_EVENTS
from cohortex.phantoms.head import Head, head
from cohortex.phantoms.identity import PlantedIdentity, invented_identity
from cohortex.phantoms.mni_tissue import MniTissue, mni_tissue
from cohortex.phantoms.patient import patient
from cohortex.phantoms.scan import scan
from cohortex.phantoms.scanner import IDEAL_SCANNER, SCANNERS, Scanner, draw_scanner
from cohortex.phantoms.shape import Blob, Shape, draw_blob
from cohortex.phantoms.truth import EventTruth, LesionTruth, PhantomPatient, PhantomVisit

__all__ = [
    "CONTRASTS",
    "DEFAULT_EVENTS",
    "IDEAL_SCANNER",
    "LABEL_NAMES",
    "LOOKS",
    "SCANNERS",
    "TISSUES",
    "Blob",
    "Contrast",
    "Deposit",
    "Distractors",
    "EventTruth",
    "FlowArtefact",
    "Head",
    "LesionTruth",
    "Look",
    "MniTissue",
    "PhantomPatient",
    "PhantomVisit",
    "PlantedIdentity",
    "Scanner",
    "Shape",
    "ball",
    "draw_blob",
    "draw_distractors",
    "draw_flow",
    "draw_scanner",
    "head",
    "invented_identity",
    "mni_tissue",
    "patient",
    "scan",
    "scan_grid",
    "tissue_values",
    "world_ramp",
    "write_dicom_folder",
    "write_dicom_zip",
]
