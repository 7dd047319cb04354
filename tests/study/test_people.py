"""The table of who is in each part."""

import numpy as np

from ecg_tf.records.record import About
from ecg_tf.signals.windows import Windows
from ecg_tf.study.people import people_table


def windows(subjects, abouts):
    names = np.array([f"r{k}" for k in range(len(subjects))])
    zeros = np.zeros(len(names), int)
    return Windows(np.zeros((len(names), 4, 1), np.float32), 100.0, ("II",), zeros + 4,
                   np.array(subjects), names, zeros, about=dict(zip(names, abouts, strict=True)))


def test_persons_records_sex_age_and_labels_are_counted():
    train = windows(["a", "a", "b"], [
        About("female", 40.0, labels={"rhythm": ("SR",)}),
        About("female", 41.0, labels={"rhythm": ("SR", "AF")}), About("male", 60.0)])
    table = people_table({"train": train, "test": windows(["c"], [About()])})
    assert table.loc["persons"].tolist() == ["2", "1"]
    assert table.loc["records"].tolist() == ["3", "1"]
    assert table.loc["women"].tolist() == ["67 %", ""]
    assert table.loc["age, median (5 to 95 %)", "train"] == "41 (40 to 58)"
    assert table.loc["rhythm: SR"].tolist() == ["2", "0"]
    assert "women" not in people_table({"test": windows(["c"], [About()])}).index
