"""Reading and writing images: one file per format; the only place that knows other conventions than LPS mm."""

from cohortex.io.archive import ArchiveLimits
from cohortex.io.dicom_copy import DicomCopy, copy_dicom
from cohortex.io.formats import image_ending, write_image
from cohortex.io.nibabel_bridge import from_nibabel, to_nibabel
from cohortex.io.nifti_writing import write_packed_nifti
from cohortex.io.sidecar import sidecar
from cohortex.io.simpleitk_bridge import from_simpleitk, to_simpleitk
from cohortex.io.transforms import read_transform, write_transform
from cohortex.io.upload import Problem, Upload, read_image, read_series, read_upload

__all__ = [
    "ArchiveLimits",
    "DicomCopy",
    "Problem",
    "Upload",
    "copy_dicom",
    "from_nibabel",
    "from_simpleitk",
    "image_ending",
    "read_image",
    "read_series",
    "read_transform",
    "read_upload",
    "sidecar",
    "to_nibabel",
    "to_simpleitk",
    "write_image",
    "write_packed_nifti",
    "write_transform",
]
