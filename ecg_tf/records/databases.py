"""The public ECG databases this package knows: whose they are, how to cite them, their quirks."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecg_tf.checks import expanded

#: Training records of the inter-patient split of de Chazal et al. (2004), no paced records.
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
#: Test records of the same split. Record 202 (here) and 201 (in DS1) are one person:
#: the published split is not quite a split by subject; `splits.split_by_subject` knows.
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
#: MIT-BIH records with paced beats, left out of DS1 and DS2 as AAMI EC57 recommends.
PACED = ("102", "104", "107", "217")

_PHYSIONET = (
    "Goldberger AL, Amaral LAN, Glass L, Hausdorff JM, Ivanov PCh, Mark RG, Mietus JE, Moody GB, "
    "Peng CK, Stanley HE. PhysioBank, PhysioToolkit, and PhysioNet: Components of a New Research "
    "Resource for Complex Physiologic Signals. Circulation 101(23):e215-e220 (2000)."
)
_ODC_BY = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"


@dataclass(frozen=True)
class Database:
    """What is known about a public database beyond what its files say.

    Args:
        name: str, PhysioNet's short name.
        title: str.
        version: str, the published version meant.
        url: str, page that describes it.
        doi: str.
        license: str.
        citation: str, the authors' paper and PhysioNet's.
        lead: str, lead that is read when none is named.
        n_records: int, number of published records.
        n_subjects: int, number of persons.
        fs: float, Hz.
        paced: records with paced beats.
        same_subject: record -> earlier record of the same person.
        subject_is_folder: bool, True if each person has a folder.
        lacking: lead -> records known not to have it; they are left out without a warning.
        damaged_starts: record -> number of samples at its start that carry no ECG.
    """

    name: str
    title: str
    version: str
    url: str
    doi: str
    license: str
    citation: str
    lead: str
    n_records: int
    n_subjects: int
    fs: float
    paced: tuple[str, ...] = ()
    same_subject: Mapping[str, str] = field(default_factory=dict)
    subject_is_folder: bool = False
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    damaged_starts: Mapping[str, int] = field(default_factory=dict)

    def subject(self, record: str) -> str:
        """Person a record belongs to.

        Args:
            record: str, name of the record, for instance "202" or "Person_01/rec_1".

        Returns:
            str, the person's name, unique over databases.

        Example:
            >>> DATABASES["mitdb"].subject("202")
            'mitdb-201'
        """
        person = record.split("/")[0] if self.subject_is_folder else record
        return f"{self.name}-{self.same_subject.get(person, person)}"


DATABASES: dict[str, Database] = {
    "mitdb": Database(
        name="mitdb",
        title="MIT-BIH Arrhythmia Database",
        version="1.0.0",
        url="https://physionet.org/content/mitdb/1.0.0/",
        doi="10.13026/C2F305",
        license=_ODC_BY,
        citation="Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in "
        f"Med and Biol 20(3):45-50 (2001). {_PHYSIONET}",
        lead="MLII",
        n_records=48,
        n_subjects=47,
        fs=360.0,
        paced=PACED,
        same_subject={"202": "201"},
        lacking={"MLII": ("102", "104")},
    ),
    "ecgiddb": Database(
        name="ecgiddb",
        title="ECG-ID Database",
        version="1.0.0",
        url="https://physionet.org/content/ecgiddb/1.0.0/",
        doi="10.13026/C2J01F",
        license=_ODC_BY,
        citation="Lugovaya TS. Biometric human identification based on electrocardiogram. Master's "
        "thesis, Electrotechnical University \"LETI\", Saint-Petersburg (2005). "
        f"{_PHYSIONET}",
        lead="ECG I filtered",
        n_records=310,
        n_subjects=90,
        fs=500.0,
        subject_is_folder=True,
        damaged_starts={
            **dict.fromkeys(
                (
                    "Person_13/rec_2", "Person_24/rec_5", "Person_25/rec_4", "Person_26/rec_3",
                    "Person_27/rec_3", "Person_28/rec_4", "Person_32/rec_6", "Person_72/rec_3",
                ),
                2048,
            ),
            **dict.fromkeys(("Person_15/rec_1", "Person_44/rec_1", "Person_83/rec_1"), 1024),
        },  # fmt: skip
    ),
}


def data_folder(data_dir: str | Path = "") -> Path:
    """Folder that holds the databases.

    Args:
        data_dir: the folder; "" takes the environment's ECG_TF_DATA, else "data" here.

    Returns:
        Path, which need not exist.
    """
    return expanded(data_dir or os.environ.get("ECG_TF_DATA") or "data")


def known_database(folder: Path) -> Database | None:
    """The known database a folder holds, by the folder's name.

    Args:
        folder: Path of the database.

    Returns:
        Database, or None if the folder is one of the user's own.
    """
    return DATABASES.get(Path(folder).absolute().name)
