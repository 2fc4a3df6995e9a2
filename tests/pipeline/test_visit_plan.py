"""What is read of a visit before any step is planned, and how a visit that cannot be used is refused by name."""

import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.errors import UnreadableFile, VisitProblem
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import write_image
from cohortex.pipeline import Runner, VisitSource, compare_visits, find_visits
from cohortex.pipeline import visit_steps as steps
from cohortex.pipeline.compare_visits import align_visits, comparison_methods, follow_lesions
from cohortex.pipeline.visit_plan import look_at_visit, plan_visit, share_out
from cohortex.pipeline.visit_result import method_records, series_records, told_methods, without_sentences


@pytest.fixture(scope="module")
def scans():
    """T1, FLAIR and CT of a phantom at 5 mm."""
    patient = phantoms.patient(seed=5, visits=1, spacing_mm=5, contrasts=("T1", "FLAIR", "CT"), events={})
    return patient.visits[0].images


@pytest.fixture
def runner(tmp_path):
    with Runner(tmp_path / "store", workers=0) as runner:
        yield runner


@pytest.fixture
def upload(scans, tmp_path):
    """A zip of T1 and FLAIR with the slices of both in one folder, as GE-like scanners write them."""
    return phantoms.write_dicom_zip(
        {name: scans[name] for name in ("T1", "FLAIR")}, tmp_path / "p01_visit-1.zip", scanner="ge-like"
    )


def source(*paths) -> VisitSource:
    return VisitSource(study_code="p01", visit="visit-1", paths=tuple(paths), reason="a test")


def test_every_series_is_recognised_and_the_steps_follow(runner, upload):
    looked_at = look_at_visit(runner, find_visits(upload)[0])
    assert sorted(look.contrast for look in looked_at.looks) == ["FLAIR", "T1"]
    assert (looked_at.problems, looked_at.notes) == ((), ())
    plan = plan_visit(looked_at)
    assert plan.contrast == "FLAIR"
    assert looked_at.looks[plan.choice.aligned].contrast == "T1"
    assert plan.brain.key != plan_visit(looked_at, outlined_contrast="T1").brain.key


def test_a_series_that_comes_later_leaves_the_steps_on_the_others_as_they_are(runner, scans, tmp_path):
    paths = [write_image(scans[name], tmp_path / f"{name}.nii.gz") or tmp_path / f"{name}.nii.gz" for name in scans]
    t1, flair, ct = (replace(source(*paths[:n]), apart=True) for n in (1, 2, 3))
    images = [look_at_visit(runner, visit).images for visit in (t1, flair, ct)]
    assert images[0][0].key == images[1][0].key == images[2][0].key
    assert images[1][1].key == images[2][1].key
    brains = [plan_visit(look_at_visit(runner, visit)).brain.key for visit in (flair, ct)]
    assert brains[0] == brains[1]


def test_a_visit_read_apart_that_holds_no_image_is_refused_by_name(runner, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("no scan")
    visit = replace(source(tmp_path / "a.txt", tmp_path / "b.txt"), apart=True)
    with pytest.raises(VisitProblem, match=r"a\.txt"):
        look_at_visit(runner, visit)


def sentences_of(methods) -> str:
    return " ".join(method.sentence for method in methods)


def test_the_methods_tell_of_the_looks_at_the_series_after_reading(runner, upload):
    plan = plan_visit(look_at_visit(runner, find_visits(upload)[0]))
    methods = method_records(runner, plan.results)
    assert [method.step.rpartition(".")[2] for method in methods[:3]] == ["read_visit", "look_at", "look_at"]
    assert "checked for missing slices" in sentences_of(methods)


@pytest.mark.parametrize(
    ("not_outlined", "outlined", "followed"),
    [(("", ""), True, True), (("why", ""), True, False), (("why",) * 2, False, False)],
)
def test_the_methods_tell_of_lesions_outlined_and_followed_only_where_they_were(
    runner, upload, not_outlined, outlined, followed
):
    plan = plan_visit(look_at_visit(runner, find_visits(upload)[0]))
    alignment = align_visits(plan.corrected, plan.corrected, plan.brain, plan.brain)
    template = plan.template_alignment
    comparison = follow_lesions(
        plan.outline,
        plan.outline,
        alignment,
        [plan.template_from_visit] * 2,
        [template["similarity"]] * 2,
        [template["converged"]] * 2,
    )
    lesions = steps.measure(comparison["baseline"], plan.template_from_visit, slice_numbers=None)
    series = series_records(plan.looked_at, plan.choice)
    visits = [SimpleNamespace(not_outlined=reason, series=series) for reason in not_outlined]
    told = sentences_of(comparison_methods(runner, [lesions], visits))
    assert ("Lesions were outlined" in told) == outlined
    assert ("diameters lie in the plane" in told) == outlined
    assert ("A lesion found at one visit was looked for" in told) == followed
    assert "halfway" in told
    assert "Shading was removed" in told


def test_a_visit_that_was_not_outlined_tells_of_no_outline_in_its_methods(runner, upload):
    plan = plan_visit(look_at_visit(runner, find_visits(upload)[0]))
    methods = method_records(runner, plan.results)
    quiet = without_sentences(methods, (steps.outline, steps.measure))
    assert [method.step for method in quiet] == [method.step for method in methods]
    assert "Lesions were outlined" in sentences_of(methods)
    assert "Lesions were outlined" not in sentences_of(quiet)


@pytest.mark.parametrize(("contrast", "told"), [("CT", False), ("FLAIR", True)])
def test_the_methods_tell_of_shading_taken_off_unless_the_visit_is_ct(runner, scans, tmp_path, contrast, told):
    upload = phantoms.write_dicom_zip({contrast: scans[contrast]}, tmp_path / "p01_visit-1.zip")
    plan = plan_visit(look_at_visit(runner, source(upload)))
    methods = method_records(runner, plan.results)
    series = series_records(plan.looked_at, plan.choice)
    of_visit = told_methods(methods, series=series, not_outlined="")
    assert ("Shading was removed" in sentences_of(of_visit)) == told
    assert "Lesions were outlined" in sentences_of(of_visit)
    visits = [SimpleNamespace(not_outlined="", series=series)] * 2
    assert ("Shading was removed" in sentences_of(comparison_methods(runner, plan.results, visits))) == told


def test_the_same_files_under_another_name_need_no_new_step(runner, upload, tmp_path):
    other = tmp_path / "elsewhere" / upload.name
    other.parent.mkdir()
    other.write_bytes(upload.read_bytes())
    plans = [plan_visit(look_at_visit(runner, source(path))) for path in (upload, other)]
    assert plans[0].lesions.key == plans[1].lesions.key


def test_a_person_corrects_a_contrast_by_series_name_and_by_file(runner, scans, upload, tmp_path):
    name = next(look.name for look in look_at_visit(runner, source(upload)).looks if look.contrast == "T1")
    by_series = look_at_visit(runner, source(upload), chosen={name: "T2"})
    assert {look.contrast: look.contrast_reason for look in by_series.looks}["T2"] == "chosen by a person"
    write_image(scans["T1"], tmp_path / "scan.nii.gz")
    by_file = look_at_visit(runner, source(upload), chosen={str(tmp_path / "scan.nii.gz"): "T1c"})
    assert sorted(look.contrast for look in by_file.looks) == ["FLAIR", "T1", "T1c"]


def test_images_left_out_of_a_visit_are_told_with_its_series(runner, upload):
    note = "1 image was left out, of no visit by name: gt.nii.gz."
    looked_at = look_at_visit(runner, replace(source(upload), notes=(note,)))
    records = series_records(looked_at, plan_visit(looked_at).choice)
    assert note in [warning for record in records for warning in record.warnings]


@pytest.fixture
def two_visits(tmp_path):
    """Two folders of two images of the same names, and a file in neither."""
    for name in ("one/A.nii", "one/B.nii", "two/A.nii", "two/B.nii", "C.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return source(tmp_path / "one"), source(tmp_path / "two" / "A.nii", tmp_path / "two" / "B.nii")


def test_a_named_file_speaks_of_the_visit_it_lies_in_only(two_visits, tmp_path):
    first, second = (str(tmp_path / name) for name in ("one/A.nii", "two/B.nii"))
    assert share_out({first: "FLAIR"}, two_visits) == [{first: "FLAIR"}, {}]
    assert share_out({second: "FLAIR"}, two_visits) == [{}, {second: "FLAIR"}]
    assert share_out({first: "T1", second: "FLAIR"}, two_visits) == [{first: "T1"}, {second: "FLAIR"}]


def test_a_named_series_speaks_of_both_visits(two_visits):
    assert share_out({"ax t2": "FLAIR"}, two_visits) == [{"ax t2": "FLAIR"}] * 2


def test_a_named_file_of_neither_visit_is_refused_by_name(two_visits, tmp_path):
    with pytest.raises(VisitProblem, match=r"C\.nii lies in none of the visits \(one; A\.nii, B\.nii\).*Put it into"):
        compare_visits(*two_visits, tmp_path / "out", contrasts={str(tmp_path / "C.nii"): "FLAIR"}, workers=0)
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_not_there_is_refused_with_the_names_that_are(runner, upload):
    names = [look.name for look in look_at_visit(runner, source(upload)).looks]
    with pytest.raises(VisitProblem, match=r"p01_visit-1\.zip: no series is called 'AX NOTHING'") as refusal:
        look_at_visit(runner, source(upload), chosen={"AX NOTHING": "FLAIR"})
    assert all(repr(name) in str(refusal.value) for name in names)


def with_broken_slices(upload: Path, target: Path, *, kept: int) -> Path:
    """A copy of an archive whose first two slices hold only so many bytes."""
    with zipfile.ZipFile(upload) as whole, zipfile.ZipFile(target, "w") as archive:
        for number, name in enumerate(sorted(whole.namelist())):
            content = whole.read(name)
            archive.writestr(name, content[:kept] if number < 2 else content)
    return target


@pytest.mark.parametrize(("scanner", "failed"), [("siemens-like", ["FLAIR", "T1"]), ("ge-like", ["T1"])])
def test_slices_that_cannot_be_read_fail_the_series_they_may_belong_to(runner, scans, tmp_path, scanner, failed):
    """Broken slices at the end of a series leave no gap behind: what is left looks whole.

    Siemens-like scanners keep all series in one folder, GE-like ones each in its own.
    """
    both = {name: scans[name] for name in ("T1", "FLAIR")}
    whole = phantoms.write_dicom_zip(both, tmp_path / "whole.zip", scanner=scanner)
    looked_at = look_at_visit(runner, source(with_broken_slices(whole, tmp_path / "broken.zip", kept=0)))
    assert len(looked_at.problems) == 2
    lost = [look for look in looked_at.looks if any("2 files beside its" in reason for reason in look.failures)]
    assert sorted(look.contrast for look in lost) == failed
    if len(failed) == 2:
        with pytest.raises(VisitProblem, match=r"broken\.zip: no usable .*2 files beside .*Send the series again"):
            plan_visit(looked_at)


def test_a_cut_slice_with_a_whole_header_loses_only_its_own_series(runner, upload, tmp_path):
    looked_at = look_at_visit(runner, source(with_broken_slices(upload, tmp_path / "cut.zip", kept=4000)))
    assert len(looked_at.problems) == 1
    assert len(looked_at.looks) == 1
    assert not looked_at.looks[0].failures


def test_a_broken_file_of_another_kind_loses_no_good_series(runner, upload, tmp_path):
    mixed = tmp_path / "mixed.zip"
    mixed.write_bytes(upload.read_bytes())
    with zipfile.ZipFile(mixed, "a") as archive:
        archive.writestr(str(Path(archive.namelist()[0]).with_name("mask.nii.gz")), b"no image")
    looked_at = look_at_visit(runner, source(mixed))
    assert len(looked_at.problems) == 1
    assert not any(look.failures for look in looked_at.looks)


def test_a_visit_in_which_every_series_fails_the_quality_check_is_refused(runner, scans, tmp_path):
    flat = {n: i.with_values(np.full_like(i.values, 7)) for n, i in scans.items() if n != "CT"}
    for name, image in flat.items():
        write_image(image, tmp_path / f"scan_{name}.nii.gz")
    looked_at = look_at_visit(runner, source(*sorted(tmp_path.glob("scan_*"))))
    assert all(look.failures for look in looked_at.looks)
    with pytest.raises(VisitProblem, match=r"scan_FLAIR\.nii\.gz, scan_T1\.nii\.gz: no usable") as refusal:
        plan_visit(looked_at)
    assert all(look.failures[0] in str(refusal.value) for look in looked_at.looks)


def test_a_visit_without_the_contrast_of_the_other_is_refused_by_file(runner, upload):
    with pytest.raises(VisitProblem, match=r"p01_visit-1\.zip: this visit has no usable T2"):
        plan_visit(look_at_visit(runner, source(upload)), outlined_contrast="T2")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.nii.gz", b"", "empty.nii.gz.*0 bytes.*Send it again"),
        ("junk.nii.gz", b"this is no image at all", "junk.nii.gz.*not a NIfTI.*right file"),
        ("noise.bin", bytes(range(256)) * 9, "noise.bin.*no format read here.*Give DICOM"),
    ],
)
def test_a_file_that_is_no_image_is_refused_with_reason_and_remedy(runner, tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VisitProblem, match=reason):
        look_at_visit(runner, source(tmp_path / name))


def test_many_broken_files_are_counted_not_listed(runner, tmp_path):
    files = [tmp_path / f"{n:02d}.nii" for n in range(9)]
    for file in files:
        file.write_bytes(b"broken")
    with pytest.raises(VisitProblem, match=r"00\.nii, 01\.nii, 02\.nii …: .*6 more files are broken") as refusal:
        look_at_visit(runner, source(*files))
    assert "05.nii" not in str(refusal.value)


def test_an_archive_of_notes_is_refused(runner, tmp_path):
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("letter.txt", "no scan")
        archive.writestr("invoice.csv", "no scan")
    with pytest.raises(VisitProblem, match=r"notes\.zip: no DICOM.*Give the archive or folder"):
        look_at_visit(runner, source(tmp_path / "notes.zip"))


def test_a_cut_archive_is_refused_as_a_whole(runner, upload, tmp_path):
    (tmp_path / "cut.zip").write_bytes(upload.read_bytes()[:50_000])
    with pytest.raises(UnreadableFile, match=r"cut\.zip: .*truncated.*send it again"):
        look_at_visit(runner, source(tmp_path / "cut.zip"))


def test_a_flat_picture_is_no_volume(runner, tmp_path):
    grid = Grid.from_parts((8, 8, 1), spacing_mm=(1, 1, 5))
    write_image(Image(np.arange(64, dtype=np.float32).reshape(8, 8, 1), grid), tmp_path / "one_T1w.nii.gz")
    with pytest.raises(VisitProblem, match="no usable"):
        plan_visit(look_at_visit(runner, source(tmp_path / "one_T1w.nii.gz")))
