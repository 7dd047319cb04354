"""What a run leaves behind, written: settings, split, codec, generator, arrays and results."""

import io
import json
from dataclasses import asdict

import numpy as np

from ecg_tf.base.code import git_commit, versions
from ecg_tf.base.errors import whole_file, write_whole
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.baselines import plain_measures, plain_number
from ecg_tf.evaluation.clinical import rhythm
from ecg_tf.evaluation.label_adherence import LabelAdherence
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation
from ecg_tf.records.checksums import sha256_of
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows, cut_strips
from ecg_tf.study.people import people_table
from ecg_tf.study.results import ARRAYS, RESULTS, RHYTHM, Result, read_result
from ecg_tf.training.conditions import LABELS
from ecg_tf.training.data import Data, evaluation_strips

SYNTHETIC_SEED = 1  # added to the experiment's: the final latents are none of the training's
SHOWN = 500  # strips of either side that are kept for figures


def write_results(e: Experiment, key: str, data: Data, generator, synthetic: Windows,
                  verdict: PrivacyEvaluation, steps: int,
                  labels: LabelAdherence | None = None) -> Result:
    """Writes what a run leaves behind; `results.json`, which makes it complete, last.

    `e`: settled; `key`: of `run.run_key`; `generator`: of `final_generator`; `synthetic`: of
    `synthesize`; `verdict`: with all measures; `steps`: of the training; `labels`: of an experiment
    with labels.
    """
    folder = e.folder
    e.save(folder / "experiment.yaml")
    write_whole(folder / "split.json", json.dumps(data.split, indent=1))
    data.codec.save(folder / "codec.json")
    (folder / LABELS).unlink(missing_ok=True)
    if data.conditions is not None:
        data.conditions.save(folder / LABELS)
    with whole_file(folder / "generator.keras") as part:
        generator.save(part)
    arrays = io.BytesIO()
    kept: dict = arrays_of(e, data, generator, synthetic)
    np.savez_compressed(arrays, **kept)
    write_whole(folder / ARRAYS, arrays.getvalue())
    content = results_of(e, data, synthetic, verdict)
    if labels is not None:
        content["labels"] = labels.plain()
    content |= {"key": key, "steps": steps, "sha256": {
        name: sha256_of(folder / name) for name in ("split.json", "codec.json", ARRAYS)}}
    write_whole(folder / RESULTS, json.dumps(content, indent=1))
    return read_result(folder)


def results_of(e: Experiment, data: Data, synthetic: Windows, verdict: PrivacyEvaluation) -> dict:
    """JSON-able: the measures and everything needed to obtain them again.

    No times are in it, so that the same experiment gives the same file.
    """
    with quiet_startup():
        from ecg_tf.training.precision import precision_of
    windows = data.windows["train"].take(slice(0, 200))
    return {
        "experiment": e.to_dict(),
        "fitted": data.fitted,
        "seeds": {"training": e.seed, "synthetic": e.seed + SYNTHETIC_SEED},
        "measures": plain_measures(verdict.measures),
        "privacy": plain_verdict(verdict),
        "synthetic_windows": len(synthetic),
        "training_images": len(data.windows["train"]),
        "data": data.provenance,
        "split": {part: len(who) for part, who in data.split.items()},
        "strips": {part: len(strips) for part, strips in data.strips.items()},
        "people": people_table(data.strips).to_dict("index"),
        "left_out": [asdict(record) for record in data.left_out],
        "warnings": list(data.warnings),
        "quality": {kind: log.counts() for kind, log in data.quality.items()},
        "precision": precision_of(e.precision),
        "codec": _plain(data.codec.report(windows)),
        "round_trip": data.codec.round_trip_error(data.windows["test"].take(slice(0, 50))),
        "versions": versions(),
        "git": git_commit(),
    }


def arrays_of(e: Experiment, data: Data, generator, synthetic: Windows) -> dict[str, np.ndarray]:
    """What figures need, by name.

    Returns:
        "train" with "train_subjects": a strip of each of six training subjects; "test" with
        "test_subjects" and "synthetic": at most `SHOWN` strips, (strip, time, lead) mV;
        "real_rhythm", "synthetic_rhythm": (strip, `RHYTHM`) of these; "real_images" with
        "image_subjects", "synthetic_images": six each; "arc": images between two latents.
    """
    from ecg_tf.models.sampling import PLACES, arc_latents, sample_images

    rng = np.random.default_rng(e.seed)
    train, test = data.strips["train"], evaluation_strips(data.strips["test"], e)
    present = [who for who in data.split["train"] if who in train.subjects][:6]
    train = train.take(np.array([rng.choice(np.flatnonzero(train.subjects == who))
                                 for who in present]))
    test = thin(test, SHOWN)
    strips = cut_strips(synthetic, e.strip_seconds)[:SHOWN]
    windows = data.windows["train"]
    windows = windows.take(rng.choice(len(windows), min(6, len(windows)), replace=False))
    seed, given, arc = e.seed + SYNTHETIC_SEED, None, arc_latents(generator.inputs[0].shape[-1])
    way = arc.astype(np.float32)
    if data.conditions is not None:  # one person's labels all along the arc
        given = data.conditions.draw(6, seed)
        way = [way, np.repeat(given[:1], PLACES, axis=0)]
    return {
        "train": train.signals, "train_subjects": np.asarray(train.subjects, str),
        "test": test.signals, "test_subjects": np.asarray(test.subjects, str),
        "synthetic": np.asarray(strips, np.float32),
        **{f"{side}_rhythm": rhythm(signals, e.fs)[list(RHYTHM)].to_numpy(float)
           for side, signals in (("real", test.signals), ("synthetic", strips))},
        "real_images": data.codec.encode(windows),
        "image_subjects": np.asarray(windows.subjects, str),
        "synthetic_images": sample_images(generator, 6, seed, given),
        "arc": np.asarray(generator(way, training=False), np.float32),
    }


def plain_verdict(verdict: PrivacyEvaluation) -> dict:
    """JSON-able: the gate's table, the power, the notes and the landmarks."""
    landmarks = {name: _plain(row) for name, row in verdict.landmarks.to_dict("index").items()}
    return {"passed": verdict.gate.passed, "gate": verdict.gate.table.to_dict("index"),
            "words": verdict.gate.words, "power": verdict.power, "notes": list(verdict.notes),
            "warnings": list(verdict.gate.warnings), "landmarks": landmarks}


def _plain(values: dict) -> dict:
    return {name: plain_number(value.item() if isinstance(value, np.generic) else value)
            for name, value in values.items()}
