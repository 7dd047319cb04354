"""What both cards say: the forced line, sources, what was tested and what was not."""

from collections.abc import Iterable, Sequence

from ecg_tf.images.codec import Codec
from ecg_tf.records.provenance import in_words
from ecg_tf.release.decision import Decision, about_persons
from ecg_tf.study.results import Result
from ecg_tf.training.conditions import IMBALANCE, SHARED_BY

NOT_TESTED = (
    "The records of this release themselves: measures and attacks were made on another sample of "
    "the same generator ({strips} strips of {seconds:g} s, the middle of each window). "
    "`ecg-tf evaluate --synthetic THIS_FOLDER` evaluates these.",
    "Whole records longer than {seconds:g} s: an attacker who uses all of one was not tried.",
    "Attackers who know more: other recordings of the persons, other leads, medical files, or the "
    "generator's weights. Attacks that were not made find nothing.",
    "Rare persons: power is over all persons; one unusual heart may be found where others are not.",
    "More than one training: another seed may leak more or less.",
    "Physicians: none is known to have looked at these ECGs.",
    "Other devices, leads, populations and filters than those of the sources below.",
)
UNSUITABLE = (
    "Diagnosis, triage, monitoring, or any decision about a patient.",
    "Approval or certification of a medical device or algorithm.",
    "Prevalence, normal values or any statement about a population.",
    "As a replacement of a data protection assessment: that tests found nothing, or found "
    "something, does not settle what the law asks.",
    "Rhythms and morphologies that are rare in the sources: they are rarer or missing here.",
)


def forced_line(gate: Decision) -> str:
    """The first line of a card of a set that did not pass the gate; "" if it did."""
    if gate.passed:
        return ""
    reason = gate.reason[:1].upper() + gate.reason[1:]
    return f"**FORCED: the release gate was not passed.** {reason}.\n\n"


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "".join(f"- {line}\n" for line in lines)


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A Markdown table; cells are made harmless."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ")
                                     for cell in line) + " |\n" for line in lines)


def shown(value) -> str:
    """A number for people; "–" where there is none."""
    return f"{value:.3g}" if isinstance(value, (int, float)) else "–"


def leads_of(codec: Codec) -> str:
    """The leads of a release, and which of them no generator made."""
    computed = [lead for lead in codec.leads if lead not in codec.image_leads]
    more = f"; of these {', '.join(computed)} computed from the other limb leads" * bool(computed)
    return ", ".join(codec.leads) + more


def sources(run: Result) -> str:
    """Source databases with license, citation, persons and checksum."""
    data = run.content["data"]
    split = run.content.get("split", {})
    title = data.get("title", "")
    rows = [("database", f"{title} {data.get('version', '')}".strip()),
            ("where", " ".join(filter(None, (data.get("url"), data.get("doi")
                                             and f"doi:{data['doi']}")))),
            ("license", data.get("license", "not stated")), ("cite", data.get("citation", "")),
            ("read", in_words(data) if "records" in data else ""),
            ("labels", "; ".join(f"{kind}: " + ", ".join(f"{name} {n}" for name, n in of.items())
                                 for kind, of in (data.get("labels") or {}).items())),
            ("persons by part", ", ".join(f"{part} {n}" for part, n in split.items())),
            ("options", data.get("options", "")),
            ("SHA-256 of what was read", data.get("sha256", ""))]
    text = table(("", ""), [(name, value) for name, value in rows if value])
    if warnings := run.content.get("warnings"):
        text += "\n" + bullets(f"**Warning:** {text}" for text in warnings)
    if "ODC-By" in str(data.get("license", "")):
        text += (f"\nContains information from the {title}, which is made available under the ODC "
                 "Attribution License v1.0. Whoever publishes this set, or results of it, keeps "
                 "this notice and the citation.\n")
    return text


def labels(run: Result, wanted: dict | None = None) -> str:
    """What the generator was told, and how well it keeps to it; "" for a run without labels."""
    found = run.content.get("labels")
    if not found or run.conditions is None:
        return ""
    every = ", ".join(f"{kind} {name}" for kind, name in (wanted or {}).items())
    asked = f"Requested for every record: {every}. Beside these, labels" if every else "Labels"
    rows = [(row["label"], shown(row["persons"]), *(shown(row.get(name)) for name in (
        "real", "synthetic", "trained_on_synthetic"))) for row in found["table"]]
    return (f"\n## Labels\n\n{asked} are as frequent as among the training persons; combinations "
            f"that fewer than {SHARED_BY} of them share are not generated. A label is what was "
            f"*requested*: no physician gave it. {IMBALANCE}\n\n{found['words']}\n\n" + table(
                ("label", "training persons", "AUROC on real test strips", "on synthetic strips",
                 "trained on synthetic, on real test strips"), rows))


def tested(run: Result, gate: Decision) -> str:
    """The gate's table, its power and notes, and what was measured beside it."""
    if not gate.rows:
        return "Nothing. This run has not been evaluated.\n"
    text = table(("measure", "about", "verdict", "criterion", "result", "note"),
                 [(name, "persons" if about_persons(name) else "fidelity or use",
                   *(row.get(key, "") for key in ("verdict", "criterion", "result", "note")))
                  for name, row in gate.rows.items()])
    text += f"\nPower of the tests about persons: {gate.power or 'not stated'}.\n\n{gate.words}\n"
    notes = [*gate.notes]
    if gate.dropped:
        notes.append("The run's settings took these rows of the default gate out: "
                     f"{', '.join(gate.dropped)}.")
    if notes:
        text += "\n" + bullets(notes)
    beside = [measure for measure in run.content.get("measures", ())
              if about_persons(measure["name"]) and measure["name"] not in gate.rows]
    if beside:
        excess = [measure["name"] for measure in beside
                  if measure.get("p_value") is not None and measure["p_value"] < 0.05]
        text += "\nMeasured of persons beside the gate" + (
            f"; more than chance (p < 0.05, each alone): {'; '.join(excess)}" if excess else "")
        text += ":\n\n" + measures_table(beside)
    return text


def not_tested(run: Result, gate: Decision) -> str:
    """What was not tested, the gate's own gaps first."""
    missing = gate.having("not measured")
    first = [f"Rows of the gate that were not measured: {', '.join(missing)}."] if missing else []
    facts = {"strips": run.content.get("synthetic_windows", 0),
             "seconds": run.experiment.strip_seconds}
    return bullets([*first, *(line.format(**facts) for line in NOT_TESTED)])


def measures_table(measures: Iterable[dict]) -> str:
    """Measures with baseline, interval and p-value."""
    rows = [(m["name"], shown(m["value"]), shown(m["baseline"]),
             f"{shown(m['low'])} to {shown(m['high'])}" if m.get("low") is not None else "–",
             shown(m.get("p_value")), m.get("unit", ""), m.get("n", "")) for m in measures]
    return table(("measure", "value", "baseline", "95 %", "p", "unit", "n"), rows)


def checksums(sums: dict[str, str]) -> str:
    """Name and SHA-256 of files, one a line."""
    return "```text\n" + "".join(f"{digest}  {name}\n" for name, digest in sums.items()) + "```\n"
