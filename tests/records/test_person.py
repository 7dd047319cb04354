"""Persons in free text: identifiers, ages and sexes are understood, or unknown; never guessed."""

import math

import pytest

from ecg_tf.records.person import about, age_years, is_blank_name, sex_of


@pytest.mark.parametrize(("text", "years"), [
    ("63", 63), ("60.5", 60.5), ("60,5", 60.5), ("63 Y", 63), ("063Y", 63), ("009M", 0.75),
    ("026W", 26 * 7 / 365.25), ("9 months", 0.75), ("9 Monate", 0.75),
    ("52 weeks", 52 * 7 / 365.25), ("10 days", 10 / 365.25), ("10d", 10 / 365.25),
    ("1 year 6 months", 1.5), ("1 year, 6 months", 1.5), ("60 years old", 60), ("60 y.o.", 60),
    ("60-year-old", 60), ("5 a\u00f1os", 5), ("5 an\u0303os", 5), ("0", 0), ("129", 129),
])
def test_ages_have_units(text, years):
    assert age_years(text) == pytest.approx(years)


@pytest.mark.parametrize("text", [
    "", "-1", "130", "300", "nan", "NaN", "unknown", "about 60", ">89", "90+", "60 M", "9m", "5-10",
    "60 5", "9 moons", "9" * 400, "inf", "1e1", "male", "years",
])
def test_what_is_no_clear_age_is_unknown(text):
    assert math.isnan(age_years(text))


@pytest.mark.parametrize(("sex", "words"), [
    ("male", "M m male Male. MAN m\u00e4nnlich ma\u0308nnlich maennlich hombre masculino homme"),
    ("female", "F f female FEMALE woman w weiblich mujer Mujer femenino femme f\u00e9minin donna"),
    ("", "0 1 2 - ? unknown x mixed misc mute foo wild fluid d 9m"),
])
def test_sexes_in_several_languages(sex, words):
    assert {word: sex_of(word) for word in words.split()} == dict.fromkeys(words.split(), sex)


@pytest.mark.parametrize("text", ["", "M or F", "M/F", "not male", "male?", "male female"])
def test_what_is_no_clear_sex_is_unknown(text):
    assert sex_of(text) == ""


def test_blank_names_are_no_person():
    for text in ("", " ", "nan", "NaN", "NA", "N/A", "n.a.", "<NA>", "none", "NULL", "unknown", "-",
                 "--", "?", "X", "x", "not available", "Anonymous"):
        assert is_blank_name(text), text
    for text in ("0", "7", "P 7", "XY", "Ana", "subject"):
        assert not is_blank_name(text), text


@pytest.mark.parametrize("line", [
    "subject: 7", "Subject: 7", "subject id: 7", "Subject_ID: 7", "SUBJECT-ID = 7", "subject=7",
    "patient: 7", "patient_id: 7", " patient_id: 7", "patient id : 7", "patientID: 7",
    "PatientId=7", "Patient-ID = 7", "<subject_id>: 7", "patient number: 7", "id_patient: 7",
    "patient id 7", "participant: 7", "age: 60 subject: 7", "subject: 7, age: 60",
    "subject: 7 Diagnosis: none", "<subject>: 7 <diagnoses> none", "subject: '7'", "subject\uff1a7",
])
def test_a_person_has_many_keys(line):
    assert about([line])["subject"] == "7"


@pytest.mark.parametrize("line", [
    "id: 7", "subject: ", "subject: nan", "patient_id: N/A", "patient: unknown", "outpatient: 7",
    "in-patient: 7", "number of subjects: 7", "age of subject: 7", "subject matter: 7",
    "hypersubject: 7", "a subject was 7", "",
])
def test_other_words_name_no_person(line):
    assert about([line])["subject"] == ""


def test_identifier_comes_before_a_bare_word():
    assert about(["patient: outpatient", "subject: healthy", "patient_id: 12"])["subject"] == "12"
    assert about(["subject: nan", "subject: 3"])["subject"] == "3"
    assert about(["subject: P 7"])["subject"] == "P 7"
    assert about(["subject: M\u00fcller"]) == about(["subject: Mu\u0308ller"]) | {
        "age": pytest.approx(math.nan, nan_ok=True)}
    assert about(["subject: M\u00fcller"])["subject"] != about(["subject: M\u00f6ller"])["subject"]


@pytest.mark.parametrize(("line", "age", "sex"), [
    ("<age>: 81 <sex>: M", 81, "male"), ("Age: 62  Sex: M", 62, "male"),
    ("<age>: 65 <sex>: F <diagnoses> none", 65, "female"), ("sex=F age=9", 9, "female"),
    ("Age: 9 months Sex: Mujer", 0.75, "female"),
    ("Age: 71 Sex: M NYHA class: III", 71, "male"), ("Age (months): 9", 0.75, ""),
    ("age_months: 9 gender: w", 0.75, "female"), ("Age in years: 60", 60, ""), ("sex: 0", None, ""),
    ("gestational age: 38 weeks", None, ""), ("age of mother: 30", None, ""),
    ("Age (fortnights): 9", None, ""), ("page: 9", None, ""), ("age: >89", None, ""),
    ("Age: <1 year", None, ""), ("Edad: 60 Sexo: Hombre", 60, "male"),
])
def test_age_and_sex_of_a_line(line, age, sex):
    found = about([line])
    assert found["sex"] == sex
    assert math.isnan(found["age"]) if age is None else found["age"] == pytest.approx(age)


def test_one_line_says_several_things():
    assert about(["subject: 7 age: 60 sex: M"]) == {
        "subject": "7", "session": "", "sex": "male", "age": 60.0}


def test_first_line_as_in_mit_bih():
    found = about(["-1 M 742 654 x1"], first_line=True)
    assert math.isnan(found["age"]) and found["sex"] == "male"
    assert about(["69 F 1085 1629 x1"], first_line=True)["age"] == 69.0
    assert about(["69 F 1085 1629 x1"])["sex"] == ""


@pytest.mark.parametrize(("line", "session"), [
    ("ECG date: 07.12.2004", "2004-12-07"), ("ECG date: 01/10/1990", "01/10/1990"),
    ("session: 2 age: 60", "2"), ("Session_ID = b", "b"), ("birth date: 01.02.1950", ""),
    ("date of birth: 01.02.1950", ""), ("session: 12:30:00", "12:30:00"),
])
def test_sessions(line, session):
    assert about([line])["session"] == session
