"""The public names that scripts and other people's tests rely on, with the arguments they pass."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import reduce

import numpy as np
import pytest

import cohortex as cx

SIGNATURES = {  # name under cx -> arguments a caller may pass, positional ones first
    "read_image": ("path",),
    "read_series": ("path",),
    "write_image": ("image", "path"),
    "resample": ("image", "spacing_mm", "onto", "interpolation"),
    "reorient": ("image", "codes"),
    "registration.align_rigid": ("fixed", "moving", "start", "fixed_mask", "moving_mask"),
    "registration.align_affine": ("fixed", "moving", "start", "fixed_mask", "moving_mask"),
    "registration.align_deformable": ("fixed", "moving", "start", "fixed_mask", "moving_mask"),
    "transform.warp": ("image", "transform", "onto", "interpolation"),
    "measure.volume_ml": ("region", "label"),
    "measure.diameters": ("labels", "label"),
    "measure.signal_to_noise": ("image", "mask"),
    "measure.check_quality": ("image", "brain"),
    "templates.describe_place": ("points_mm", "tissue"),
    "templates.mni152": ("spacing_mm",),
    "phantoms.head": ("spacing_mm", "rng"),
    "phantoms.scan": ("head", "contrast"),
}
POSITIONAL = {"path", "image", "fixed", "moving", "region", "labels", "points_mm", "head", "contrast", "transform"}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_public_name_takes_the_arguments_it_promises(name):
    function = reduce(getattr, name.split("."), cx)
    parameters = inspect.signature(function).parameters
    assert set(SIGNATURES[name]) <= set(parameters)
    for argument in SIGNATURES[name]:
        if argument in POSITIONAL:
            assert parameters[argument].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert inspect.getdoc(function)


@pytest.mark.parametrize("name", cx.__all__)
def test_every_exported_name_exists(name):
    assert getattr(cx, name) is not None


def test_every_folder_exports_what_it_lists():
    for name in cx.__all__:
        folder = getattr(cx, name)
        for inner in getattr(folder, "__all__", ()):
            assert getattr(folder, inner) is not None, f"{name}.{inner}"


def test_the_first_lines_of_the_readme_work(tmp_path):
    image = cx.Image(np.zeros((4, 5, 6), np.float32), cx.Grid.from_parts((4, 5, 6), spacing_mm=(1, 1, 2)))
    cx.write_image(cx.resample(image, spacing_mm=2.0), tmp_path / "coarse.nii.gz")
    again = cx.read_image(tmp_path / "coarse.nii.gz")
    assert again.grid.spacing_mm == (2.0, 2.0, 2.0)
    assert again.values.shape == (2, 2, 6)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'orchestra'"):
        cx.orchestra  # noqa: B018


def test_importing_cohortex_loads_no_library_it_may_not_need():
    heavy = "{'nilearn', 'SimpleITK', 'matplotlib', 'skimage', 'nibabel'}"
    code = f"import sys, cohortex; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"
