"""What the name of a column or signal says: time, rate, a lead with its unit, or no ECG at all."""

import re
import unicodedata
from dataclasses import dataclass

from ecg_tf.records.formats.common import to_millivolts

_SECONDS = {
    **dict.fromkeys("s sec secs second seconds".split(), 1.0),
    **dict.fromkeys("ms msec millis millisecond milliseconds".split(), 1e-3),
    **dict.fromkeys("us usec microsecond microseconds".split(), 1e-6),
    **dict.fromkeys("ns nanoseconds".split(), 1e-9),
}
_KINDS = {
    "time": "time,times,t,timestamp,timestamps,datetime,date time,elapsed,elapsed time,"
            "time elapsed",
    "rate": "fs,sfreq,samplerate,samplingrate,sample rate,sampling rate,sampling frequency,"
            "sample frequency,sampling freq",
    "counter": ",#,index,idx,row,sample,samples,sample #,sample number,sample no,sample index,"
               "sample id,counter,frame",
    "note": "label,labels,class,classes,target,targets,annotation,annotations,ann,anno,event,"
            "events,marker,markers,trigger,beat,beats,beat type,symbol,symbols,rpeak,rpeaks,r peak,"
            "r peaks,qrs,rhythm,diagnosis,quality,flag,comment,comments,note,notes,"
            "subject,subject id,patient,patient id,participant,age,sex,gender,record,record id,"
            "recording,filename,file,fold,ecg id,study id",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split(",")}
_OTHER_UNITS = set("% bpm /min 1/min mmhg kpa cmh2o °c degc ml l/min l/s g mg m/s2 m/s^2 s ms hz "
                   "ohm ω a.u. au adu adc count counts lsb raw digits nu deg".split())
_LEAD = re.compile(
    r"(?:mod(?:ified)? )?(?:i{1,3}|av[rlf]|-avr|v|v[1-9]r?|v[xyz]|m?l(?:i{1,3}|[123])|d(?:i{1,3}|"
    r"[123])|mv[1-6]|mcl ?[1-6]|c[mcrs] ?[1-6]|[ea]s|ai)", re.I)
_ECG = re.compile(r"(?:ecg|ekg|electrocardio|elektrokardio|(?:lead|ableitung|derivation) )", re.I)
_NO_ECG = re.compile(
    r"(?:eeg|[lir ]{0,2}eog|emg|meg|resp\w*|spo2|sao2|osat|ppg|pleth\w*|n?ibp|abp|cvp|pap|icp|hr|"
    r"heart ?rate|pulse\w*|bpm|temp\w*|acc\w*|gyro\w*|(?:et ?)?co2|(?:air ?)?flow|nasal|"
    r"thora\w*|abdo\w*|snor\w*|body|position|leg|tib\w*|chin|gsr|eda|battery|sound|mic|"
    # An EEG electrode against its reference; C3 alone may be a chest lead.
    r"(?:fp|[fcpot])[\dz] (?:[am][12]|ref|avg|(?:fp|[fcpot])[\dz]))(?![a-z])", re.I)


@dataclass(frozen=True)
class Column:
    """What a column's name says.

    Its kind is "time", "rate", "counter", "note" (labels, events, persons), "other" (measured, but
    no voltage, or no ECG by its name) or "lead".
    """

    raw: str  # the name as the file has it
    name: str  # the lead, without the unit: "II" of "II (uV)"
    kind: str
    unit: str = ""  # in the name, "" if there is none
    factor: float = 1.0  # to mV of a lead; to s of a time, 0 where the name has no unit


def column_of(raw: str, unit: str = "") -> Column:
    """Reads the name of a column, such as "II", "V1 [mV]", "II_uV", "ecg/mV", "time (ms)", "fs",
    "label"; `unit`: where the file says it elsewhere.

    Example:
        >>> column_of("II (uV)").name, column_of("II (uV)").factor, column_of("time_ms").factor
        ('II', 0.001, 0.001)
    """
    raw = str(raw).strip()
    clean = raw.strip("'\"").strip()
    name, within = (clean, unit.strip("'\" ")) if unit else _split(clean)
    words = words_of(name)
    base, _, last = words.rpartition(" ")
    if words in _SECONDS and len(words) > 1 or _KIND_OF.get(base) == "time" and last in _SECONDS:
        return Column(raw, clean, "time", last, _SECONDS[last])  # "seconds", "time_ms"
    in_hz = _KIND_OF.get(words.removesuffix(" hz")) == "rate"
    kind = "rate" if in_hz else _KIND_OF.get(words)
    if kind == "time":
        return Column(raw, clean, "time", within, _SECONDS.get(words_of(within), 0.0))
    if kind == "rate":
        return Column(raw, clean, "rate", within or "Hz")
    if kind == "counter" or re.fullmatch(r"unnamed: ?\d+", name.lower()):
        return Column(raw, clean, "counter")
    if kind:
        return Column(raw, clean, "note")
    factor = to_millivolts(within)
    if factor is None and (unit or within.casefold() in _OTHER_UNITS):
        return Column(raw, name, "other", within, 0.0)
    if factor is None:  # "II (filtered)": these parentheses hold no unit
        name, within, factor = clean, "", 1.0
    return Column(raw, name, "other" if is_no_ecg(name) else "lead", within, factor)


def is_ecg(label: str) -> bool:
    """Whether a signal is an ECG by its label: "ECG II", "EKG", "V1", "MLII", "aVR", "lead 2".

    Example:
        >>> is_ecg("ECG II"), is_ecg("ii"), is_ecg("EEG C3"), is_ecg("channel 1")
        (True, True, False, False)
    """
    words = words_of(label)
    return bool(_ECG.match(words) or _LEAD.fullmatch(words))


def is_no_ecg(label: str) -> bool:
    """Whether a signal is something else by its label: "EEG C3", "SpO2", "Resp", "HR"."""
    return bool(_NO_ECG.match(words_of(label))) and not is_ecg(label)


def words_of(name: str) -> str:
    """A name in small letters with one blank between words: "Patient_ID" is "patient id"."""
    name = unicodedata.normalize("NFKC", name[:200]).casefold()
    name = re.sub(r"^[\s'\"]+|[\s'\"]+$", "", name)
    return " ".join(re.split(r"[\s_./-]+", name)).strip()


def _split(name: str) -> tuple[str, str]:
    """Name and unit: "II (uV)", "V1 [mV]", "II_uV", "ecg/mV"."""
    if match := re.fullmatch(r"(.*?)[\s_]*[(\[{<]\s*([^()\[\]{}<>]*?)\s*[)\]}>]", name):
        return match[1], match[2]
    if match := re.fullmatch(r"(.+?)\s*/\s*([^\s/]+)", name):
        return (match[1], match[2]) if to_millivolts(match[2]) else (name, "")
    match = re.fullmatch(r"(.+?)[\s_-]+(\w+)", name)
    # A single "V" behind a blank is more often a lead than a unit.
    if match and len(match[2]) > 1 and to_millivolts(match[2]):
        return match[1], match[2]
    return name, ""
