"""Leads that all records have, for folders whose records differ in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ecg_tf.base.errors import InputError
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.record import Record

SHARE = 0.8  # of the records must have a lead that is taken where not all have the same


def same_leads(ecgs: ECGs) -> ECGs:
    """Gives all records the same leads in the same order; the same object where nothing differs.

    Where they differ, the leads that at least four in five records have are taken; records without
    one of them are left out by name, and a warning says which leads were taken. InputError: no lead
    is in four of five records.
    """
    if len({record.leads for record in ecgs}) <= 1:
        return ecgs
    counts = Counter(lead for record in ecgs for lead in record.leads)
    leads = tuple(lead for lead, n in counts.items() if n >= SHARE * len(ecgs))
    if not leads:
        raise InputError(
            "The records have no lead in common.",
            expected="a lead that four in five records have, named alike",
            got=", ".join(f"{lead} in {n} of {len(ecgs)}" for lead, n in counts.most_common(5)),
            fix="name the leads to read, or rename them in the headers",
        )
    kept = [record for record in ecgs if set(leads) <= set(record.leads)]
    out = [LeftOut(record.name, "lead", f"it has not all of {', '.join(leads)}")
           for record in ecgs if not set(leads) <= set(record.leads)]
    warning = f"The records differ in their leads: {', '.join(leads)} are used" + (
        f", {len(out)} records without them are left out." if out else ".")
    return ecgs.replaced(records=tuple(only_leads(record, leads) for record in kept),
                         left_out=(*ecgs.left_out, *out), warnings=(*ecgs.warnings, warning))


def only_leads(record: Record, leads: Sequence[str]) -> Record:
    """A record with these of its leads, in this order."""
    if tuple(leads) == record.leads:
        return record
    columns = [record.leads.index(lead) for lead in leads]
    return replace(record, signal=record.signal[:, columns], leads=tuple(leads))
