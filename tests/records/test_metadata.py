"""Tables beside the records: persons, ages, sexes, sessions, labels, and all else they say."""

import math
import os
from pathlib import Path

import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.databases import DATABASES
from ecg_tf.records.tables.cell_statements import scp_codes, statements
from ecg_tf.records.tables.delimited import read_table
from ecg_tf.records.tables.metadata import read_metadata, tables_in

PTBXL = '''ecg_id,patient_id,age,sex,recording_date,report,scp_codes,strat_fold,\
filename_lr,filename_hr
1,15709.0,56.0,1,1984-11-09 09:17:34,"sinus, ""x""","{'NORM': 100.0, 'SR': 0.0}",3,\
r100/1_lr,r500/1_hr
2,13243.0,300.0,0,1984-11-14 12:55:37,,"{'IMI': 35.0, 'LVH': 0.0, 'PACE': 0.0, 'PVC': 100.0}",2,\
r100/2_lr,r500/2_hr
3,15709.0,,1,1985-01-14 12:55:37,,{},3,r100/3_lr,r500/3_hr
'''
SCP = """,description,diagnostic,form,rhythm,diagnostic_class
NORM,normal,1.0,,,NORM
IMI,infarction,1.0,,,MI
LVH,hypertrophy,1.0,,,HYP
PVC,premature,,1.0,,
SR,sinus,,,1.0,
PACE,paced,,,1.0,
"""
LUDB = (
    "ID,Sex,Age,Rhythms,Electric axis of the heart,Conduction abnormalities,Extrasystolies,"
    "Hypertrophies,Cardiac pacing,Ischemia,Non-specific repolarization abnormalities,Other states\n"
    '1,"F\n","51\n",Sinus bradycardia,Electric axis of the heart: normal,,,"A, b\nC",,,,\n'
    '2,"M\n",">89\n","Atrial flutter, typical",,,,,"Unipolar pacing",,,\n'
)


def table(folder, text, name="subjects.csv", encoding="utf-8", **how):
    (folder / name).write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return read_metadata(folder, **how)


def test_subjects_csv_says_who_is_who_and_all_else(tmp_path):
    found = table(tmp_path, "record,Subject ID,Sex,age,visit,diagnosis,centre\n"
                            "a,7.0,Mujer,9 months,2,AF; old MI,x\nb,8,0,63 Y,,NA,nan\n")
    assert (found.kind, found.source, found.names_subjects) == ("subjects", "subjects.csv", True)
    a, b = found.of("a"), found.of("b")
    assert (a.subject, a.sex, a.age, a.session) == ("7", "female", 0.75, "2")
    assert a.labels == {"diagnosis": ("AF", "old MI")} and a.columns["centre"] == "x"
    assert (b.subject, b.sex, b.age, b.session, b.labels) == ("8", "", 63.0, "", {})
    assert "centre" not in b.columns and "Subject ID" not in a.columns and not a.paced
    assert found.of("c") is None and found.files == ("subjects.csv",)
    assert found.remarks(["a", "b", "c"]) == (
        "1 of 3 records have no row in 'subjects.csv' (c): each counts as a person of its own.",
        "The sex of 1 records in 'subjects.csv' is not understood and counts as unknown (b).")


def test_blank_subjects_are_nobody_and_named(tmp_path):
    names = [f"r{k}" for k in range(7)]
    found = table(tmp_path, "record,subject\nr0,A\nr1,\nr2,nan\nr3,NA\nr4,B\nr5,-\nr6,unknown\n")
    assert [found.of(name).subject for name in names] == ["A", "", "", "", "B", "", ""]
    [remark] = found.remarks(names)
    assert remark.startswith("5 of 7 records have no person in 'subjects.csv' (r1, r2, r3, r5, r6)")


def test_both_rates_of_a_recording_are_one_patient(tmp_path):
    rows = [f"{k:05d}_{rate},P{k // 2}" for k in range(6) for rate in ("lr", "hr")]
    found = table(tmp_path, "\n".join(["record,subject", *rows]))
    names = [f"records{hz}/00000/{k:05d}_{rate}" for hz, rate in ((100, "lr"), (500, "hr"))
             for k in range(6)]
    assert {info.subject for info in found.match(names).values()} == {"P0", "P1", "P2"}
    assert len(found.match(names)) == 12 and not found.remarks(names)


@pytest.mark.parametrize("cell, name", [
    ("a/r1.hea", "a/r1"), ("r1", "a/r1"), ("a/r1", "r1"), (r"a\r1.dat", "a/r1"), ("./r1", "r1"),
    ("x/a/r1.MAT", "a/r1"), ("rec.1", "rec.1"), ("12.0", "12"), ("Mu\u0308ller", "M\u00fcller"),
])
def test_records_are_found_by_name_or_end_of_path(tmp_path, cell, name):
    assert table(tmp_path, f"record,subject\n{cell},P\nother,Q\n").of(name).subject == "P"


@pytest.mark.parametrize("cell, name", [("R1", "r1"), ("b/r1", "a/r1"), ("r1", "r11"),
                                        ("rec.1", "rec.2"), ("1", "00001")])
def test_records_of_other_names_are_not_found(tmp_path, cell, name):
    assert table(tmp_path, f"record,subject\n{cell},P\n").of(name) is None


def test_an_end_that_fits_two_rows_or_two_records_decides_nothing(tmp_path):
    found = table(tmp_path, "record,subject\na/r1,P\nb/r1,Q\n")
    assert found.of("r1") is None and found.of("b/r1").subject == "Q"
    found = table(tmp_path, "record,subject\nr1,P\n")
    assert set(found.match(["r1", "b/r1"])) == {"r1"}  # the whole name comes first
    with pytest.raises(InputError, match="(?s)'a/r1' and 'b/r1'.*whole paths"):
        found.match(["a/r1", "b/r1"])


def test_a_record_twice_is_one_person_or_an_error(tmp_path):
    found = table(tmp_path, "record,subject,age,label\na,P,,AF\na,,50,MI\n")
    assert found.of("a").subject == "P" and found.of("a").age == 50
    assert found.of("a").labels == {"label": ("AF", "MI")}
    with pytest.raises(InputError, match="(?s)one person for record 'a'.*'P' and 'Q'"):
        table(tmp_path, "record,subject\na,P\na.hea,Q\n")


def test_ptbxl_is_recognized_with_its_statements(tmp_path):
    (tmp_path / "scp_statements.csv").write_text(SCP)
    found = table(tmp_path, PTBXL, "ptbxl_database.csv", database=DATABASES["ptbxl"])
    assert found.kind == "ptbxl" and found.names_subjects and not found.notes
    assert found.files == ("ptbxl_database.csv", "scp_statements.csv")
    one, two, three = (found.of(name) for name in ("r100/1_lr", "2_hr", "r500/3_hr"))
    assert (one.subject, one.sex, one.age, one.session) == ("15709", "female", 56.0, "1984-11-09")
    assert one.labels == {"scp": ("NORM", "SR"), "superclass": ("NORM",), "rhythm": ("SR",)}
    assert one.columns["strat_fold"] == "3" and one.columns["report"] == 'sinus, "x"'
    # Superclasses whatever the likelihood, and an age over 89, which the table writes as 300.
    assert two.labels["superclass"] == ("MI", "HYP") and two.labels["form"] == ("PVC",)
    assert two.paced and not one.paced and (two.sex, two.age) == ("male", 90.0)
    assert three.subject == one.subject and math.isnan(three.age) and three.labels == {}


def test_ptbxl_without_the_meaning_of_its_statements_says_so(tmp_path):
    found = table(tmp_path, PTBXL, "ptbxl_database.csv")
    assert found.of("r100/2_lr").labels == {"scp": ("IMI", "LVH", "PACE", "PVC")}
    assert found.of("r100/2_lr").paced and "scp_statements.csv" in found.remarks(["r100/2_lr"])[0]
    with pytest.raises(InputError, match="(?s)line 2.*|SCP statements"):
        table(tmp_path, PTBXL.replace("{'NORM': 100.0, 'SR': 0.0}", "__import__('os')"),
              "ptbxl_database.csv")


def test_one_of_two_rates_is_chosen(tmp_path):
    found = table(tmp_path, PTBXL, "mine.csv", file="mine.csv")  # recognized by its columns
    names = ["r100/1_lr", "r500/1_hr", "r100/2_lr", "r500/3_hr"]
    assert found.other_rates(names) == {"r500/1_hr": "r100/1_lr"}
    assert found.other_rates(names, 500) == {"r100/1_lr": "r500/1_hr"}
    with pytest.raises(InputError, match="(?s)No recording is there at 250 Hz.*100 Hz or 500 Hz"):
        found.other_rates(names, 250)
    with pytest.raises(InputError, match="(?s)500 Hz.*--rate 500"):
        found.other_rates(names[::2], 500)
    assert table(tmp_path, "record,subject\na,P\n").other_rates(["a"], 500) == {}


def test_labels_of_a_challenge(tmp_path):
    table(tmp_path, "A00/A1,O\nA00/A2,O\n", "REFERENCE.csv")
    found = table(tmp_path, "A1,N\nA2,~\n", "REFERENCE-v3.csv")
    assert (found.kind, found.names_subjects, found.source) == ("labels", False, "REFERENCE-v3.csv")
    assert found.of("training/A00/A2").labels == {"rhythm": ("~",)}
    assert found.of("A1").subject == "" and not found.remarks(["A1", "A2"])
    # CPSC 2018 has a header line and up to three labels.
    text = "Recording,First_label,Second_label,Third_label\nA1,5,8,\n"
    found = table(tmp_path, text, "REFERENCE-v3.csv")
    assert found.of("A1").labels == {"label": ("5", "8")}


def test_ludb_is_recognized(tmp_path):
    found = table(tmp_path, LUDB, "ludb.csv", database=DATABASES["ludb"])
    one, two = found.of("data/1"), found.of("data/2")
    assert found.kind == "ludb" and (one.sex, one.age, one.paced) == ("female", 51.0, False)
    assert one.labels == {"rhythm": ("Sinus bradycardia",),
                          "diagnosis": ("Electric axis of the heart: normal", "A, b", "C")}
    assert two.labels["rhythm"] == ("Atrial flutter, typical",) and two.paced and two.age == 90.0


def test_a_table_that_is_named_comes_first(tmp_path):
    table(tmp_path, "A1,N\nA2,O\n", "REFERENCE.csv")
    text = "ECG;pid;years;m/f\nA1;P1;40;M\nA2;P1;41;F\n"
    columns = {"record": "ECG", "subject": "pid", "age": "years", "sex": "m/f"}
    found = table(tmp_path, text, "who.txt", file="who.txt", columns=columns)
    assert found.source == "who.txt + REFERENCE.csv" and found.kind == "table"
    info = found.of("A2")
    assert (info.subject, info.age, info.sex) == ("P1", 41.0, "female")
    assert info.labels == {"rhythm": ("O",)} and found.files == ("who.txt", "REFERENCE.csv")
    elsewhere = tmp_path / "ecgs"
    elsewhere.mkdir()
    again = read_metadata(elsewhere, str(tmp_path / "who.txt"), columns | {"age": ""})
    assert again.of("A1").subject == "P1" and math.isnan(again.of("A1").age)
    assert again.files == ()
    assert again.of("B1") is None
    with pytest.raises(InputError, match="(?s)none of the 1 records.*'B1'.*A1, A2"):
        again.match(["B1"])


def test_several_columns_of_labels_and_units_in_a_columns_name(tmp_path):
    found = table(tmp_path, "file,age_months,Rhythm,beats\na,9,SR,PVC|PAC\n", "x.tsv", file="x.tsv",
                  columns={"labels": ["Rhythm", "beats"]})
    assert found.of("a").age == 0.75 and not found.names_subjects
    assert found.of("a").labels == {"rhythm": ("SR",), "beats": ("PVC", "PAC")}


@pytest.mark.parametrize("columns, message", [
    ({"patient": "pid"}, "cannot be named for 'patient'"),
    ({"subject": "pdi"}, "Did you mean 'pid'"),
    ({"sex": ["a", "b"]}, "column 'a' for 'sex'"), ({"age": 5}, "column for 'age' is wrong"),
    ({}, "a column that names the records"), ({"age": ["pid", "EKG"]}, "one column for 'age'"),
])
def test_columns_that_are_not_there(tmp_path, columns, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        table(tmp_path, "EKG,pid\na,P\n", columns=columns)


@pytest.mark.parametrize("content, message", [
    (b"", "rows below its header"), (b"record,subject\n", "rows below its header"),
    (b"record,subject\na,P\nb\n", "2 cells in each row.*1 on line 3"),
    (b"record,subject\na,P,Q\n", "2 cells in each row.*3 on line 2"),
    (b"PK\x03\x04\x14\x00", "workbook.*save it as CSV"),
    (b"record,subject\na,\x00\n", "character 0"),
    (b'record,subject\na,"P\nb,Q\n', "quotation mark"), (b"record,record\na,b\n", "'record' twice"),
    (b'record,subject\na,=HYPERLINK("x")\n', "=HYPERLINK.*line 2.*instead of formulas"),
    (b"record,subject\n=A1,P\n", "instead of formulas"),
    (b"record,subject\n,P\n", "none on line 2"),
    (b"record,subject\na," + b"P" * 501, "names of records and persons"),
    (b"record,subject\na," + b"P" * 200_000, "line 2"),
    (b"r1,P1\nr2,P2\n", "column that names the records"),
    (b"a," * 5000 + b"\n" + b"1," * 5000, "4096 columns"),
])
def test_hostile_tables_end_in_a_clear_error(tmp_path, content, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        table(tmp_path, content)


def test_a_huge_table_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ecg_tf.records.tables.delimited.LARGEST_TABLE", 10)
    with pytest.raises(InputError, match="10 bytes at most"):
        table(tmp_path, "record,subject\na,P\n")


@pytest.mark.parametrize("text, encoding", [
    ("record,subject\r\na,M\u00fcller\r\n", "latin-1"),
    ("record\tsubject\na\tM\u00fcller\n", "utf-16"),
    ("\ufeffrecord;subject\n\na;M\u00fcller;;\n", "utf-8"),
    ('"record","subject"\n"a","M\u00fcller"', "utf-8"),
])
def test_spreadsheets_of_all_kinds_are_read(tmp_path, text, encoding):
    assert table(tmp_path, text, encoding=encoding).of("a").subject == "M\u00fcller"


def test_no_table_and_a_name_that_is_none(tmp_path):
    assert read_metadata(tmp_path) is None and read_metadata(tmp_path / "nowhere") is None
    with pytest.raises(InputError, match="Columns are named"):
        read_metadata(tmp_path, columns={"record": "a"})
    (tmp_path / "patients.csv").write_text("record,subject\na,P\n")
    assert tables_in(tmp_path) == []
    with pytest.raises(InputError, match="(?s)no table 'patient.csv'.*Did you mean 'patients.csv'"):
        read_metadata(tmp_path, "patient.csv")


@pytest.mark.parametrize("text, right", [
    ("", ()), ("NaN", ()), ("[]", ()), ("~", ("~",)), ("1.0", ("1",)),
    ("{'NORM': 100.0, 'SR': 0.0}", ("NORM", "SR")), ("['NORM' 'MI']", ("NORM", "MI")),
    ('["a b", "c"]', ("a b", "c")), ("[NORM, MI]", ("NORM", "MI")),
    ("NORM;MI; ;NORM", ("NORM", "MI")),
    ("NORM|old MI", ("NORM", "old MI")), ("AFIB STACH", ("AFIB", "STACH")), ("a\nb", ("a", "b")),
    ("426783006,164889003", ("426783006", "164889003")), ("Sinus rhythm", ("Sinus rhythm",)),
    ("Atrial flutter, typical", ("Atrial flutter, typical",)), ("(old) MI", ("(old) MI",)),
    ("__import__('os').system('x')", ("__import__('os').system('x')",)),
])
def test_statements_of_a_cell(text, right):
    assert statements(text) == right


def test_statements_too_long_or_nested_do_no_harm():
    with pytest.raises(InputError, match="too long"):
        statements("A" * 20_001)
    assert len(statements("[" * 9000 + "]" * 9000)) == 1
    for text in ("[1]", "{'a': 'b'}", "{1: 2.0}", "{" * 9000, "x" * 30_000):
        with pytest.raises(InputError, match="SCP statements cannot be read"):
            scp_codes(text)


def test_lines_of_cells_with_line_ends_are_counted_right(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n"x\ny",1\n\nz,2\n')
    found = read_table(tmp_path / "t.csv")
    assert found.rows == [("x\ny", "1"), ("z", "2")] and found.lines == [3, 5]


# Real data


def real(name: str) -> tuple[Path, list[str]]:
    folder = Path(os.environ.get("ECG_TF_DATA", "data")) / name
    if not (folder / "RECORDS").exists():
        pytest.skip(f"the {name} database is not at hand (set ECG_TF_DATA)")
    return folder, (folder / "RECORDS").read_text().split()


def test_the_real_ptbxl():
    folder, names = real("ptbxl")
    found = read_metadata(folder, database=DATABASES["ptbxl"])
    infos = found.match(names)
    assert len(infos) == len(names) and not found.remarks(names)
    persons = {info.subject for info in infos.values()}
    superclasses = {one for info in infos.values() for one in info.labels.get("superclass", ())}
    assert superclasses == {"NORM", "MI", "STTC", "CD", "HYP"} and len(persons) < len(names)
    for name, info in infos.items():  # the part at hand repeats the table in its headers
        comments = dict(line[2:].split(": ", 1) for line in (folder / f"{name}.hea").read_text(
            ).splitlines() if line.startswith("# ") and ": " in line)
        if "subject" in comments:
            age = {">89": 90.0, "n/a": math.nan}.get(comments["age"]) or float(comments["age"])
            assert info.subject == comments["subject"] and info.sex[0].upper() == comments["sex"]
            assert info.age == age or math.isnan(info.age) and math.isnan(age)
            assert info.labels["scp"] == tuple(scp_codes(comments["scp_codes"]))


def test_the_real_cinc2017_and_ludb():
    folder, names = real("cinc2017")
    infos = read_metadata(folder, database=DATABASES["cinc2017"]).match(names)
    assert set(infos) == set(names) and {one for info in infos.values() for one in info.labels[
        "rhythm"]} == {"N", "A", "O", "~"}
    folder, names = real("ludb")
    infos = read_metadata(folder, database=DATABASES["ludb"]).match(names)
    assert len(infos) == 200 and all(info.sex and info.age > 0 for info in infos.values())
    assert sum(info.paced for info in infos.values()) == 10
