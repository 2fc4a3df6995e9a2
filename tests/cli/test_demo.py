"""`cohortex demo` says what it does; the demo itself takes minutes and is run by `make acceptance`."""


def test_the_demo_says_that_its_patients_do_not_exist(cohortex):
    said = cohortex("demo", "--help")
    assert said.code == 0
    assert "who do not exist" in said.out
    assert "Nothing is downloaded" in said.out


def test_a_demo_without_room_for_workers_is_misuse(cohortex, tmp_path):
    assert cohortex("demo", "-o", tmp_path / "demo", "--workers", "-1").code == 2
    assert not (tmp_path / "demo").exists()
