from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose

from cohortex import Grid, Image, phantoms
from cohortex.errors import TargetExists

VENDORS = ("siemens-like", "ge-like", "philips-like")


@pytest.fixture(scope="module")
def coarse():
    return phantoms.head(spacing_mm=4.0)


def scanned(head, contrast, vendor, orientation="axial"):
    return phantoms.scan(
        head, contrast, scanner=phantoms.SCANNERS[vendor], rng=np.random.default_rng(1), orientation=orientation,
        slice_thickness_mm=8.0,
    )  # fmt: skip


def read_with_simpleitk(folder):
    reader = sitk.ImageSeriesReader()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    (series,) = reader.GetGDCMSeriesIDs(str(files[0].parent))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(files[0].parent), series))
    return reader.Execute()


def value_scale(image, vendor):
    """What a reader must multiply with: ADC maps carry 10⁻⁶ or 10⁻³ mm²/s."""
    if image.unit != "mm²/s":
        return 1.0
    return 1e3 if vendor == "philips-like" else 1e6


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("contrast", "orientation"), [("FLAIR", "axial"), ("T1", "sagittal"), ("T2", "coronal"),
                                                       ("ADC", "axial"), ("CT", "axial")])  # fmt: skip
def test_simpleitk_reads_the_same_values_in_the_same_places(coarse, tmp_path, vendor, contrast, orientation):
    image = scanned(coarse, contrast, vendor, orientation)
    phantoms.write_dicom_folder([image], tmp_path / "out", scanner=vendor)
    read = read_with_simpleitk(tmp_path / "out")
    rng = np.random.default_rng(0)
    index = np.stack([rng.integers(n, size=200) for n in image.grid.shape], axis=-1)
    places = image.grid.world_of(index)
    found = np.array([read.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in places])
    assert_allclose(found, np.rint(found), atol=1e-4)
    values = [read[tuple(int(n) for n in np.rint(f))] for f in found]
    scale = value_scale(image, vendor)
    step = scale * float(image.values.max()) / 4095 if vendor == "philips-like" and contrast != "CT" else 1.0
    assert_allclose(values, image.values[tuple(index.T)] * scale, atol=0.51 * step)


def test_every_slice_is_one_file_with_its_own_uid_and_shared_series(coarse, tmp_path):
    visit = {c: scanned(coarse, c, "ge-like") for c in ("T1", "FLAIR")}
    path = phantoms.write_dicom_zip(visit, tmp_path / "visit.zip", scanner="ge-like")
    with zipfile.ZipFile(path) as archive:
        datasets = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert len(datasets) == sum(image.grid.shape[2] for image in visit.values())
    assert len({d.SOPInstanceUID for d in datasets}) == len(datasets)
    assert len({d.SeriesInstanceUID for d in datasets}) == 2
    assert len({d.StudyInstanceUID for d in datasets}) == len({d.FrameOfReferenceUID for d in datasets}) == 1
    assert {d.SeriesDescription for d in datasets} == {"AX T1 BRAVO", "AX FLAIR"}
    flair = [d for d in datasets if d.SeriesDescription == "AX FLAIR"]
    assert float(flair[0].InversionTime) == 2500
    assert float(flair[0].EchoTime) == 94
    assert float(flair[0].SliceThickness) == 8


def test_instances_may_run_backwards(coarse, tmp_path):
    image = scanned(coarse, "T1", "ge-like")
    heights = {}
    for backwards in (True, False):
        folder = phantoms.write_dicom_folder([image], tmp_path / str(backwards), reverse_instances=backwards)
        first = min((pydicom.dcmread(p) for p in folder.rglob("*.IMA")), key=lambda d: d.InstanceNumber)
        heights[backwards] = float(first.ImagePositionPatient[2])
    assert heights[True] > heights[False]


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_planted_identity_is_there_to_be_found(coarse, tmp_path, vendor):
    person = phantoms.PlantedIdentity(
        patient_name="PHANTOM^ESPOSITO^ANNA", patient_id="MRN-7", comment="Esposito, PHANTOM"
    )
    path = phantoms.write_dicom_zip(
        [scanned(coarse, "FLAIR", vendor)], tmp_path / "v.zip", scanner=vendor, identity=person
    )
    with zipfile.ZipFile(path) as archive:
        names, first = archive.namelist(), archive.read(archive.namelist()[0])
    for planted in person.planted_strings():
        assert planted.encode() in first, planted
    dataset = pydicom.dcmread(io.BytesIO(first))
    private = [element for element in dataset if element.tag.is_private]
    assert len(private) >= 3
    text = b" ".join(str(e.value).encode() if not isinstance(e.value, bytes) else e.value for e in private)
    assert any(part.encode() in text for part in ("ESPOSITO", "VERDI"))
    if vendor == "siemens-like":
        assert "ESPOSITO" in names[0]


def test_vendors_keep_their_habits(coarse, tmp_path):
    read = {}
    for vendor in VENDORS:
        folder = phantoms.write_dicom_folder([scanned(coarse, "trace", vendor)], tmp_path / vendor, scanner=vendor)
        read[vendor] = pydicom.dcmread(min(p for p in folder.rglob("*") if p.is_file()))
    siemens, ge, philips = (read[v] for v in VENDORS)
    assert siemens.SequenceName == "*ep_b1000t"
    assert siemens.private_block(0x0019, "SIEMENS MR HEADER")[0x0C].value == 1000
    assert "RescaleSlope" not in siemens
    assert ge.PixelRepresentation == 1
    assert ge.private_block(0x0043, "GEMS_PARM_01")[0x39].value[0] == 1_000_001_000
    assert philips.DiffusionBValue == 1000
    assert float(philips.RescaleSlope) != 1
    assert philips.BitsStored == 12


def test_ct_is_written_as_ct_with_its_intercept(coarse, tmp_path):
    folder = phantoms.write_dicom_folder([scanned(coarse, "CT", "siemens-like")], tmp_path / "ct")
    dataset = pydicom.dcmread(next(folder.rglob("*.IMA")))
    assert dataset.SOPClassUID == pydicom.uid.CTImageStorage
    assert (float(dataset.RescaleSlope), float(dataset.RescaleIntercept)) == (1, -1024)
    assert dataset.RescaleType == "HU"
    assert float(dataset.KVP) == 120


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_uids(coarse, tmp_path):
    image = scanned(coarse, "T1", "philips-like")
    one, two, other = (
        phantoms.write_dicom_zip([image], tmp_path / f"{n}.zip", scanner="philips-like", seed=seed).read_bytes()
        for n, seed in enumerate((4, 4, 5))
    )
    assert one == two
    assert one != other


def test_values_that_do_not_fit_are_refused_not_wrapped(coarse, tmp_path):
    image = scanned(coarse, "T2", "ge-like")
    with pytest.raises(OverflowError, match="int16 holds"):
        phantoms.write_dicom_folder([image.with_values(image.values * 1000)], tmp_path / "a", scanner="ge-like")
    bright = image.with_values(np.where(image.values > 5, np.nan, image.values))
    with pytest.raises(OverflowError, match="NaN"):
        phantoms.write_dicom_folder([bright], tmp_path / "b", scanner="siemens-like")


def test_existing_files_are_not_written_over(coarse, tmp_path):
    image = scanned(coarse, "T1", "siemens-like")
    path = phantoms.write_dicom_zip([image], tmp_path / "v.zip")
    with pytest.raises(TargetExists, match=r"v\.zip exists"):
        phantoms.write_dicom_zip([image], path)
    phantoms.write_dicom_zip([image], path, overwrite=True)
    phantoms.write_dicom_folder([image], tmp_path / "f")
    with pytest.raises(TargetExists, match="not empty"):
        phantoms.write_dicom_folder([image], tmp_path / "f")


def test_images_without_slices_are_refused(tmp_path):
    flat = Image(np.zeros((4, 4)), Grid.from_parts((4, 4)))
    with pytest.raises(ValueError, match="three axes"):
        phantoms.write_dicom_zip([flat], tmp_path / "a.zip")
    world = np.eye(4)
    world[0, 2] = 0.4
    with pytest.raises(ValueError, match="right angles"):
        phantoms.write_dicom_zip([Image(np.zeros((4, 4, 4)), Grid((4, 4, 4), world))], tmp_path / "b.zip")
    with pytest.raises(ValueError, match="no images"):
        phantoms.write_dicom_zip([], tmp_path / "c.zip")


def test_an_unknown_scanner_is_refused(coarse, tmp_path):
    with pytest.raises(ValueError, match="scanner is 'x-ray-o-matic'"):
        phantoms.write_dicom_zip([scanned(coarse, "T1", "ge-like")], tmp_path / "a.zip", scanner="x-ray-o-matic")


def test_planted_strings_hold_the_parts_of_names():
    planted = replace(phantoms.PlantedIdentity(), patient_name="PHANTOM^NERI").planted_strings()
    assert {"PHANTOM^NERI", "NERI", "PHANTOM"} <= set(planted)
    assert "F" not in planted


def test_each_seed_is_one_person_and_two_seeds_are_two(coarse, tmp_path):
    def written(name, seed):
        path = phantoms.write_dicom_zip([scanned(coarse, "T1", "ge-like")], tmp_path / name, seed=seed)
        with zipfile.ZipFile(path) as archive:
            dataset = pydicom.dcmread(io.BytesIO(archive.read(archive.namelist()[0])))
        return str(dataset.PatientName), dataset.PatientID, dataset.PatientBirthDate

    first, second, other = written("1.zip", 11), written("2.zip", 11), written("3.zip", 12)
    assert first == second
    assert not set(first) & set(other)
    people = [phantoms.invented_identity(seed=seed) for seed in range(200)]
    assert len({person.patient_id for person in people}) == len(people)
    assert all(person.patient_name.startswith("PHANTOM^") for person in people)
