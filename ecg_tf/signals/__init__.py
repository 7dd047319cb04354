"""From raw records to windows for training, and the part of each subject.

In the order in which data flow:

| file | content |
| --- | --- |
| `filtering.py` | raw records to clean ones of one rate: flaws bridged, resampled, band-passed |
| `quality.py` | what is wrong with a raw signal, and which windows may pass |
| `rpeaks.py` | R peaks of a whole record, annotated or detected |
| `limb_leads.py` | which limb leads follow from which, and whether a record agrees |
| `steps.py` | steps at the ends of a record and spikes of one sample |
| `plausibility.py` | whether a record can be an ECG in mV, and what is implausible about it |
| `record_measures.py` | heart rate, flat and clipped shares, disagreement of limb leads |
| `polarity.py` | whether a record is upside down |
| `qrs.py` | QRS complexes by the energy of all leads |
| `windows.py` | stretches of prepared records that remember their origin |
| `selection.py` | equally many windows of each subject |
| `cutting.py` | records to windows, by time or by beats |
| `interpolation.py` | interpolation, for arrays and for tensors |
| `preparation.py` | one way from raw records to windows |
| `stored.py` | windows in memory-mapped files |
"""
