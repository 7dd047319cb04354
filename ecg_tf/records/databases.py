"""The public ECG databases this package knows: whose they are, how to cite them, their quirks."""

import os
from pathlib import Path

from ecg_tf.base.checks import expanded
from ecg_tf.records.database import Database

#: Training records of the inter-patient split of de Chazal et al. (2004), no paced records.
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)
#: Test records of the same split. Record 202 (here) and 201 (in DS1) are one person:
#: the published split is not quite a split by subject; `splits.split_by_subject` knows.
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)
#: MIT-BIH records with paced beats, left out of DS1 and DS2 as AAMI EC57 recommends.
PACED = ("102", "104", "107", "217")

_PHYSIONET = (
    "Goldberger AL, Amaral LAN, Glass L, Hausdorff JM, Ivanov PCh, Mark RG, Mietus JE, Moody GB, "
    "Peng CK, Stanley HE. PhysioBank, PhysioToolkit, and PhysioNet: Components of a New Research "
    "Resource for Complex Physiologic Signals. Circulation 101(23):e215-e220 (2000)."
)
_ODC_BY = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
_CC_BY = "Creative Commons Attribution 4.0 International (CC BY 4.0)"

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
        n_records=48,
        n_subjects=47,
        fs=360.0,
        lead="MLII",
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
        n_records=310,
        n_subjects=90,
        fs=500.0,
        lead="ECG I filtered",
        persons="folder",
        damaged_starts={
            **dict.fromkeys(
                (
                    "Person_13/rec_2", "Person_24/rec_5", "Person_25/rec_4", "Person_26/rec_3",
                    "Person_27/rec_3", "Person_28/rec_4", "Person_32/rec_6", "Person_72/rec_3",
                ),
                2048,
            ),
            **dict.fromkeys(("Person_15/rec_1", "Person_44/rec_1", "Person_83/rec_1"), 1024),
        },
    ),
    "ptbxl": Database(
        name="ptbxl",
        title="PTB-XL, a large publicly available electrocardiography dataset",
        version="1.0.3",
        url="https://physionet.org/content/ptb-xl/1.0.3/",
        doi="10.13026/kfzx-aw45",
        license=_CC_BY,
        citation="Wagner P, Strodthoff N, Bousseljot R-D, Kreiseler D, Lunze FI, Samek W, "
        "Schaeffter T. PTB-XL: A Large Publicly Available ECG Dataset. Scientific Data 7, 154 "
        "(2020). Wagner P, Strodthoff N, Bousseljot R, Samek W, Schaeffter T. PTB-XL (version "
        f"1.0.3). PhysioNet (2022). {_PHYSIONET}",
        n_records=21_799,
        n_subjects=18_869,
        fs=100.0,
        persons="table",
        leave_out_paced=True,
        tables=("ptbxl_database.csv", "scp_statements.csv"),
        fold_column="strat_fold",
        rates={100: "records100/", 500: "records500/"},
        annotators=(),
        path="ptb-xl",
    ),
    "cinc2017": Database(
        name="cinc2017",
        title="AF Classification from a Short Single Lead ECG Recording: The PhysioNet/Computing "
        "in Cardiology Challenge 2017, training records",
        version="1.0.0",
        url="https://physionet.org/content/challenge-2017/1.0.0/",
        doi="10.13026/d3hm-sf11",
        license=_ODC_BY,
        citation="Clifford GD, Liu C, Moody B, Lehman L, Silva I, Li Q, Johnson AE, Mark RG. AF "
        "Classification from a Short Single Lead ECG Recording: The PhysioNet/Computing in "
        f"Cardiology Challenge 2017. Computing in Cardiology 44 (2017). {_PHYSIONET}",
        n_records=8_528,
        n_subjects=0,
        fs=300.0,
        persons="unknown",
        # The revised labels of November 2017 first.
        tables=(
            "REFERENCE-v3.csv", "training/REFERENCE-v3.csv",
            "REFERENCE.csv", "training/REFERENCE.csv",
        ),
        apart=("validation/",),  # copies of training records
        annotators=(),
        extensions=("hea", "mat"),
        path="challenge-2017",
        records_list="training/RECORDS",
    ),
    "ludb": Database(
        name="ludb",
        title="Lobachevsky University Electrocardiography Database",
        version="1.0.1",
        url="https://physionet.org/content/ludb/1.0.1/",
        doi="10.13026/eegm-h675",
        license=_ODC_BY,
        citation="Kalyakulina AI, Yusipov II, Moskalenko VA, Nikolskiy AV, Kosonogov KA, Osipov "
        "GV, Zolotykh NY, Ivanchenko MV. LUDB: A New Open-Access Validation Tool for "
        "Electrocardiogram Delineation Algorithms. IEEE Access 8:186181-186190 (2020). "
        f"{_PHYSIONET}",
        n_records=200,
        n_subjects=200,
        fs=500.0,
        # The published headers give each limb lead the gain that makes it 1.000 mV high, in all 200
        # records. The counts themselves obey Einthoven's law within half a count with one gain; of
        # 1,000 a mV lead I is 1.1 mV high (median), lead II 1.4 mV.
        gain=1000.0,
        tables=("ludb.csv",),
        # One file a lead, under the lead's own name: onset, peak and offset of P, QRS and T.
        annotators=(
            "i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6",
        ),
    ),
    "nstdb": Database(
        name="nstdb",
        title="MIT-BIH Noise Stress Test Database, its three records of noise",
        version="1.0.0",
        url="https://physionet.org/content/nstdb/1.0.0/",
        doi="10.13026/C2HS3T",
        license=_ODC_BY,
        citation="Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. "
        f"Computers in Cardiology 11:381-384 (1984). {_PHYSIONET}",
        n_records=3,
        n_subjects=0,
        fs=360.0,
        persons="none",
        apart=("118e", "119e"),  # MIT-BIH records with this noise added
        annotators=(),
    ),
}


def data_folder(data_dir: str | Path = "") -> Path:
    """Folder that holds the databases, which need not exist; "" is $ECG_TF_DATA, else "data"
    here."""
    return expanded(data_dir or os.environ.get("ECG_TF_DATA") or "data")


def known_database(folder: Path) -> Database | None:
    """The known database a folder holds, by the folder's name: "data/ptbxl", or as PhysioNet names
    it, "files/ptb-xl/1.0.3". None if the folder is one of the user's own."""
    folder = Path(folder).absolute()
    for database in DATABASES.values():
        names = (database.name, database.path or database.name)
        if folder.name in names:
            return database
        if folder.name == database.version and folder.parent.name in names:
            return database
    return None
