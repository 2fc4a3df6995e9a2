"""A whole object: who it was is gone, what it shows is as before."""

import zipfile

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortex import phantoms
from cohortex.errors import NotDeidentified
from cohortex.io import read_image, read_upload
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.study.identity import deidentify

VENDORS = ["siemens-like", "ge-like", "philips-like"]
CONTRASTS = ("T1", "T1c", "T2", "FLAIR", "trace", "ADC", "CT")
CODE, DAYS = "C1-0007", -123
SAME = (
    "series_description", "protocol_name", "modality", "manufacturer", "manufacturer_model_name", "echo_time_s",
    "repetition_time_s", "inversion_time_s", "flip_angle_deg", "image_type", "series_number", "b_value_s_per_mm2",
    "scanning_sequence", "sequence_variant", "magnetic_field_strength_t", "patient_position", "acquisition_time",
    "instance_numbers", "rescale_slope", "rescale_intercept", "contrast_bolus_agent",
)  # fmt: skip


@pytest.fixture
def clean_of(pseudonyms):
    def clean(dataset: Dataset) -> Dataset:
        return deidentify(dataset, pseudonyms=pseudonyms, patient_code=CODE, day_shift=DAYS).dataset

    return clean


def save(datasets, folder):
    folder.mkdir()
    for n, dataset in enumerate(datasets):
        dataset.save_as(folder / f"{n:04d}.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("vendor", VENDORS)
def test_nothing_planted_is_left_and_the_pictures_are_as_before(vendor, phantom_zip, objects_of, clean_of, tmp_path):
    path = phantom_zip(vendor, *CONTRASTS)
    folder = save([clean_of(dataset) for dataset in objects_of(path)], tmp_path / "clean")
    content = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
    for planted in phantoms.invented_identity(seed=3).planted_strings():
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert planted.encode(encoding) not in content
    before, after = read_upload(path), read_upload(folder)
    assert after.problems == ()
    assert len(after.images) == len(before.images) == len(CONTRASTS)
    for old, new in zip(before.images, after.images, strict=True):
        assert_array_equal(new.values, old.values)
        assert new.values.dtype == old.values.dtype
        assert_allclose(new.grid.world_from_index, old.grid.world_from_index, atol=0)
        assert new.unit == old.unit
        assert {key: new.metadata.get(key) for key in SAME} == {key: old.metadata.get(key) for key in SAME}
        assert recognise_contrast(new) == recognise_contrast(old)


def test_series_and_frames_of_reference_stay_tied_together(phantom_zip, objects_of, clean_of):
    originals = objects_of(phantom_zip("ge-like", "T1", "T2"))
    cleaned = [clean_of(dataset) for dataset in originals]
    for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        pairs = {(old[keyword].value, new[keyword].value) for old, new in zip(originals, cleaned, strict=True)}
        assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
        assert all(old != new for old, new in pairs)


def test_what_refers_to_an_image_still_does(dicom_object, clean_of):
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3.1"
    clean = clean_of(dicom_object(ReferencedImageSequence=Sequence([reference])))
    assert clean.ReferencedImageSequence[0].ReferencedSOPInstanceUID == clean.SOPInstanceUID
    assert clean.ReferencedImageSequence[0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.4"


def test_dates_move_together_and_the_birth_date_goes(dicom_object, clean_of):
    clean = clean_of(
        dicom_object(
            StudyDate="20240115", AcquisitionDateTime="20240116101112.5", PatientBirthDate="19610413",
            StudyTime="101112",
            AcquisitionTime="101112.5", PatientAge="093Y", InstanceCreationDate="20240115",
        )
    )  # fmt: skip
    assert (clean.StudyDate, clean.AcquisitionDateTime) == ("20230914", "20230915101112.5")
    assert (clean.PatientBirthDate, clean.StudyTime, clean.AcquisitionTime) == ("", "", "101112.5")
    assert clean.PatientAge == "090Y"
    assert "InstanceCreationDate" not in clean


def test_the_object_says_what_was_done_to_it(dicom_object, clean_of):
    clean = clean_of(dicom_object())
    assert (clean.PatientName, clean.PatientID, clean.PatientIdentityRemoved) == (CODE, CODE, "YES")
    assert clean.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in clean.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108", "113111"]


def test_preamble_meta_information_and_what_follows_the_object_are_new(dicom_object, clean_of, bytes_of, tmp_path):
    dataset = dicom_object()
    dataset.file_meta.ImplementationVersionName = "ROSSI"
    dataset.file_meta.SourceApplicationEntityTitle = "ROSSI_AE"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    dataset.file_meta.PrivateInformation = b"ROSSI^MARIA "
    dataset.preamble = b"ROSSI".ljust(128, b"!")
    (tmp_path / "a.dcm").write_bytes(bytes_of(dataset))
    written = bytes_of(clean_of(pydicom.dcmread(tmp_path / "a.dcm")))
    assert written[:132] == b"\0" * 128 + b"DICM"
    assert b"ROSSI" not in written


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_groups_of_overlays_curves_icons_and_private_blobs_go(dicom_object, clean_of, as_read, bytes_of, syntax):
    dataset = dicom_object(PatientComments="chiamare ROSSI", DataSetTrailingPadding=b"ROSSI^MARIA ")
    dataset.file_meta.TransferSyntaxUID = syntax
    icon = dicom_object()
    dataset.IconImageSequence = Sequence([icon])
    dataset.add_new(0x60000022, "LO", "ROSSI")
    dataset.add_new(0x60003000, "OW", b"ROSSI^MARIA ")
    dataset.add_new(0x50003000, "OW", b"ROSSI^MARIA ")
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x20, "OB", b"ROSSI^MARIA ")
    dataset.private_block(0x0099, "ROSSI", create=True).add_new(0x01, "LO", "ROSSI")
    clean = clean_of(as_read(dataset))
    assert b"ROSSI" not in bytes_of(clean)
    assert not [tag for tag in clean.keys() if tag.group in (0x6000, 0x5000, 0x0029, 0x0099, 0xFFFC)]  # noqa: SIM118


def test_a_text_in_the_place_of_a_number_goes(dicom_object, clean_of, bytes_of):
    """A file may call an attribute by another representation; what counts is what the standard says it holds."""
    dataset = dicom_object()
    for tag in (0x00180081, 0x00180080, 0x00280030):  # EchoTime, RepetitionTime, PixelSpacing
        dataset.add_new(tag, "LO", "ROSSI^MARIA")
    dataset.add_new(0x00200011, "SH", "ROSSI")  # SeriesNumber
    dataset.add_new(0x00280010, "US", int(dataset.Rows))
    dataset.add_new(0x00080060, "CS", "ROSSI MARIA")  # Modality
    dataset.add_new(0x00280106, "US", [0x4F52, 0x5353, 0x2049])  # "ROSSI " as numbers, three where one belongs
    clean = clean_of(dataset)
    assert not {"EchoTime", "RepetitionTime", "PixelSpacing", "SeriesNumber", "Modality"} & set(clean.dir())
    assert b"ROSSI" not in bytes_of(clean)


def test_a_text_in_the_place_of_a_sequence_goes(dicom_object, clean_of, bytes_of):
    dataset = dicom_object()
    dataset.add_new(0x00081140, "LO", "ROSSI^MARIA")  # ReferencedImageSequence
    assert b"ROSSI" not in bytes_of(clean_of(dataset))


def test_items_of_sequences_are_cleaned_to_any_depth(dicom_object, clean_of, bytes_of):
    inner = Dataset()
    inner.DiffusionBValue, inner.FrameComments = 1000.0, "ROSSI"
    inner.ProtocolName = "ROSSI dwi"
    middle = Dataset()
    middle.MRDiffusionSequence, middle.OperatorsName = Sequence([inner]), "ROSSI"
    clean = clean_of(dicom_object(SharedFunctionalGroupsSequence=Sequence([middle])))
    assert b"ROSSI" not in bytes_of(clean)
    item = clean.SharedFunctionalGroupsSequence[0].MRDiffusionSequence[0]
    assert (item.DiffusionBValue, item.ProtocolName) == (1000.0, "dwi")


def test_sequences_nested_beyond_any_image_are_refused(dicom_object, clean_of):
    item = Dataset()
    for _ in range(12):
        outer = Dataset()
        outer.SourceImageSequence = Sequence([item])
        item = outer
    with pytest.raises(NotDeidentified, match="nested too deep"):
        clean_of(dicom_object(SourceImageSequence=Sequence([item])))


def test_frames_of_an_enhanced_object_stay_where_they_are(dicom_object, clean_of, tmp_path):
    def frame(z: float, slope: float, b_value: float) -> Dataset:
        plane, scale, diffusion, content, group = (Dataset() for _ in range(5))
        plane.ImagePositionPatient = [1.0, 2.0, z]
        scale.RescaleSlope, scale.RescaleIntercept = slope, 1.0
        diffusion.DiffusionBValue = b_value
        content.FrameAcquisitionDateTime, content.FrameComments = "20240115101112", "ROSSI"
        group.PlanePositionSequence, group.PixelValueTransformationSequence = Sequence([plane]), Sequence([scale])
        group.MRDiffusionSequence, group.FrameContentSequence = Sequence([diffusion]), Sequence([content])
        return group

    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient, measures.PixelSpacing, measures.SliceThickness = (
        [1, 0, 0, 0, 1, 0],
        [2, 1.5],
        3,
    )
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([orientation]), Sequence([measures])
    dataset = dicom_object(
        np.arange(72, dtype=np.uint16).reshape(3, 4, 6),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([frame(3.0 * n, n + 0.5, 0.0) for n in (2, 0, 1)]),
    )
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, keyword)
    old = read_image(save([dataset], tmp_path / "before"))
    clean = clean_of(dataset)
    new = read_image(save([clean], tmp_path / "after"))
    assert_array_equal(new.values, old.values)
    assert_allclose(new.grid.world_from_index, old.grid.world_from_index)
    content = clean.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0]
    assert content.FrameAcquisitionDateTime == "20230914101112"
    assert "FrameComments" not in content


def test_an_agent_without_a_known_name_still_says_that_one_was_given(dicom_object, clean_of):
    assert clean_of(dicom_object(ContrastBolusAgent="Rossis Mittel 12345678")).ContrastBolusAgent == "contrast agent"
    assert clean_of(dicom_object(ContrastBolusAgent="11 ml Omniscan")).ContrastBolusAgent == "11 ml Omniscan"


def test_kinds_of_pictures_stay_apart_when_their_words_are_not_known(dicom_object, clean_of):
    one, other = (clean_of(dicom_object(ImageType=["ORIGINAL", "PRIMARY", word])) for word in ("ROSSI", "MARIA"))
    assert one.ImageType[:2] == other.ImageType[:2] == ["ORIGINAL", "PRIMARY"]
    assert one.ImageType[2] != other.ImageType[2]
    assert "ROSSI" not in str(one.ImageType)


def test_codes_are_written_anew_from_the_dictionary(dicom_object, clean_of):
    unit, tracer, unknown, mapping, pharmaceutical = (Dataset() for _ in range(5))
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "um2/s", "UCUM", "of Maria Rossi"
    tracer.CodeValue, tracer.CodingSchemeDesignator, tracer.CodeMeaning = "77004003", "SCT", "ROSSI"
    unknown.CodeValue, unknown.CodingSchemeDesignator, unknown.CodeMeaning = "0042137", "99ROSSI", "ROSSI"
    mapping.MeasurementUnitsCodeSequence, mapping.RealWorldValueSlope = Sequence([unit]), 1e-3
    pharmaceutical.RadionuclideCodeSequence = Sequence([tracer, unknown])
    clean = clean_of(
        dicom_object(
            RealWorldValueMappingSequence=Sequence([mapping]),
            RadiopharmaceuticalInformationSequence=Sequence([pharmaceutical]),
        )
    )
    assert clean.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0].CodeMeaning == "um2/s"
    codes = clean.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence
    assert [(item.CodeValue, item.CodeMeaning) for item in codes] == [("77004003", "^18^Fluorine")]


def test_a_table_of_values_longer_than_it_says_is_refused(dicom_object, clean_of):
    table = Dataset()
    table.add_new(0x00283002, "US", [3, 0, 16])
    table.add_new(0x00283006, "OW", b"\1\0\2\0\3\0ROSSI^MARIA ")
    table.ModalityLUTType = "US"
    with pytest.raises(NotDeidentified, match="table of values"):
        clean_of(dicom_object(ModalityLUTSequence=Sequence([table])))


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
def test_an_object_without_its_uids_is_refused(keyword, dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match=f"no {keyword}"):
        clean_of(dicom_object(**{keyword: ""}))


def test_a_report_is_refused(dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match="report"):
        clean_of(dicom_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33"))


@pytest.mark.parametrize(("code", "days"), [("ROSSI MARIA", -5), ("", -5), ("a" * 65, -5), ("C1-0007", 0)])
def test_a_code_or_shift_that_cannot_be_used_is_refused(code, days, dicom_object, pseudonyms):
    with pytest.raises(ValueError, match=r"patient_code|day_shift"):
        deidentify(dicom_object(), pseudonyms=pseudonyms, patient_code=code, day_shift=days)


def test_the_given_object_is_not_changed_and_the_same_bits_come_twice(dicom_object, clean_of, bytes_of):
    dataset = dicom_object()
    before = bytes_of(dataset)
    assert bytes_of(clean_of(dataset)) == bytes_of(clean_of(dataset))
    assert bytes_of(dataset) == before


def test_actions_tell_what_was_done_and_hold_no_value(dicom_object, pseudonyms):
    dataset = dicom_object(SeriesDescription="t1 ROSSI", StudyDate="20240115", InstitutionName="San Nessuno")
    made = deidentify(dataset, pseudonyms=pseudonyms, patient_code=CODE, day_shift=DAYS)
    asked = ("SOPInstanceUID", "StudyDate", "SeriesDescription", "InstitutionName", "PatientName", "Rows")
    assert [made.actions.get(keyword) for keyword in asked] == [
        "remapped", "shifted", "cleaned", "removed", "replaced", "kept",
    ]  # fmt: skip
    assert made.counts["removed"] >= 1
    assert "ROSSI" not in str(made.actions)


def test_the_phantom_itself_holds_what_is_looked_for(phantom_zip):
    with zipfile.ZipFile(phantom_zip("siemens-like", *CONTRASTS)) as archive:
        content = archive.read(archive.namelist()[0])
    planted = phantoms.invented_identity(seed=3).planted_strings()
    assert sum(text.encode() in content for text in planted) > 0.9 * len(planted)
