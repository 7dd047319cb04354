"""One experiment from records to results: `ecg-tf run`, and notebook 05.

Computing stays apart from showing: everything that figures, reports and cards need is in the run's
folder. A run that is complete, from the same data, settings and code, is read and not computed.
"""

import hashlib
import json
from dataclasses import replace

import numpy as np

from ecg_tf.base.code import COMPUTING, code_digest
from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import holding
from ecg_tf.base.stages import say
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment, affecting
from ecg_tf.evaluation.attacks import Attack, Scores, attribute_attack
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.label_adherence import LabelAdherence, label_adherence
from ecg_tf.evaluation.privacy_evaluation import (
    AttackSettings,
    PrivacyEvaluation,
    evaluate_privacy,
    unattacked,
)
from ecg_tf.evaluation.strip_measures import strip_measures
from ecg_tf.evaluation.waveform import seam_ratio
from ecg_tf.records.checksums import sha256_of
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows, cut_strips
from ecg_tf.study.results import ARRAYS, RESULTS, Result, read_result
from ecg_tf.study.writing import SYNTHETIC_SEED, write_results
from ecg_tf.training.data import Data, evaluation_strips, prepare_data, seams_of, source_digest


def run(experiment: Experiment, progress: bool = True, devices: int = 1) -> Result:
    """Records to results; writes runs_dir/experiment.

    A run that is there already, made from the same data, settings and code, is read. Otherwise the
    training continues from its checkpoint, if data, settings and training code are the same.

    Args:
        progress: bool, show how far the training is. Default True.
        devices: int, devices that share the training, see `models.devices`. Default 1.

    Raises:
        InputError: the experiment, its data or its folder cannot be used, or another process is at
            work in the folder.

    Example:
        >>> run(Experiment.from_yaml("notebooks/experiments/quickstart.yaml")).measures[0].value
    """
    with holding(experiment.folder):
        kept = kept_result(experiment)
        if kept is None:
            return _run(experiment, progress, devices)
        if progress:
            print(f"{experiment.folder} is complete: its results are read.", flush=True)
        return kept


def _run(experiment: Experiment, progress: bool, devices: int) -> Result:
    (experiment.folder / RESULTS).unlink(missing_ok=True)
    experiment.save(experiment.folder / "experiment.yaml")  # before hours of work: can it be?
    say("Reading the records and cutting them into windows", progress)
    data = prepare_data(experiment)
    experiment = data.settled(experiment)
    for text in data.warnings if progress else ():
        print(f"Warning: {text}", flush=True)
    with quiet_startup():  # these bring TensorFlow: only now, when bad input has been found
        from ecg_tf.evaluation.stopping_callbacks import stopping_rule
        from ecg_tf.training.fit import train
        from ecg_tf.training.synthesis import final_generator, synthesize

    say(f"Training, {experiment.steps:,} steps: the first one takes as long as many", progress)
    gan = train(experiment, data, progress=progress, devices=devices,
                stop=stopping_rule(experiment, data))
    say(f"Generating {experiment.synthetic:,} images and decoding them", progress)
    generator = final_generator(experiment, gan, data)
    synthetic = synthesize(generator, data.codec, experiment.synthetic,
                           experiment.seed + SYNTHETIC_SEED, high=experiment.band_high,
                           conditions=data.conditions)
    say("Measuring fidelity", progress)
    measures = measure(experiment, data, synthetic)
    labels = adherence(experiment, data, synthetic)
    measures += labels.measures if labels else []
    verdict = attack(experiment, data, gan, synthetic, measures, progress)
    return write_results(experiment, run_key(experiment, data.source), data, generator, synthetic,
                         verdict, int(gan.step.value), labels)


def kept_result(experiment: Experiment) -> Result | None:
    """The results in an experiment's folder; None if they are of other settings, or incomplete."""
    try:
        result = read_result(experiment.folder)
        settled = experiment.settled(result.content["fitted"])
        whole = sha256_of(result.folder / ARRAYS) == result.content["sha256"][ARRAYS]
        same = whole and result.content["key"] == run_key(settled, source_digest(settled))
    except (InputError, OSError, KeyError, TypeError):
        return None
    return result if same else None


def run_key(experiment: Experiment, source: str) -> str:
    """A digest of all that decides about the results: settings of the settled experiment, data
    (`source` of `data.source_digest`) and computing code."""
    settings = {name: value for name, value in experiment.to_dict().items()
                if name not in affecting("nothing")}
    code = code_digest(*COMPUTING, "study/run.py", "study/writing.py", "study/people.py")
    text = json.dumps([settings, source, code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measure(experiment: Experiment, data: Data, synthetic: Windows) -> list[Measured]:
    """The fidelity measures of the synthetic ECGs, each with its baseline.

    Args:
        data: `Data`; its test subjects are what the synthetic ECGs are compared with.
        synthetic: `Windows` of `synthesize`.

    Returns:
        list of Measured: those of `strip_measures`, then the seam ratio (baseline: test windows).

    Raises:
        InputError: too few synthetic windows are long enough for a strip.
    """
    e = data.settled(experiment)
    test, train = (evaluation_strips(data.strips[part], e) for part in ("test", "train"))
    strips = cut_strips(synthetic, e.strip_seconds)
    if len(strips) < 10:
        raise InputError(f"Only {len(strips)} of {len(synthetic)} synthetic windows last "
                         f"{e.strip_seconds:g} s.", expected="10 or more", got=str(len(strips)),
                         fix="lower strip_seconds, take a larger image, or train longer")
    measures = strip_measures(test, strips, train, seed=e.seed)
    real = data.windows["test"]
    codes = data.codec.decode(data.codec.encode(real.take(slice(None, None, 1 + len(real) // 300))))
    ratios = [seam_ratio(w.signals, seams_of(data.codec, w)) for w in (synthetic, codes)]
    if not np.isnan(ratios[0]):
        measures.append(Measured("seam ratio", ratios[0], ratios[1], n=len(synthetic)))
    return measures


def adherence(experiment: Experiment, data: Data, synthetic: Windows) -> LabelAdherence | None:
    """How well the synthetic ECGs keep their labels, see `label_adherence`; None without labels."""
    if data.conditions is None:
        return None
    e = data.settled(experiment)
    test, train = (evaluation_strips(data.strips[part], e) for part in ("test", "train"))
    strips, source = cut_strips(synthetic, e.strip_seconds, with_source=True)
    made = replace(synthetic.take(source), signals=strips)
    return label_adherence(train, test, made, data.conditions, seed=e.seed)


def attack(experiment: Experiment, data: Data, gan, synthetic: Windows, measures,
           progress: bool = False) -> PrivacyEvaluation:
    """Who could be found in the synthetic ECGs, and may they be released?

    Members are the training subjects; the validation and test subjects, whom the generator never
    saw, are the holdout. Without `attacks` only fidelity is measured, without a `gan` its
    discriminator is not attacked. The measures begin with those given.
    """
    e = data.settled(experiment)
    if not e.attacks:
        return unattacked(measures, e.gate, warnings=data.unknown_persons)
    holdout = Windows.concatenate([data.strips[part] for part in ("validation", "test")
                                   if part in data.strips])
    attacks = {f"attribute inference, {name}": attribute_attack(values)
               for name, values in data.attributes.items()}
    if gan is not None:
        scores = discriminator_scores(gan, data)
        attacks["discriminator"] = Attack(lambda _: scores, "the discriminator")
    found = evaluate_privacy(cut_strips(synthetic, e.strip_seconds), data.strips["train"], holdout,
                             attacks, AttackSettings(seed=e.seed, progress=progress))
    return found.gated(measures, e.gate, data.unknown_persons)


def discriminator_scores(gan, data: Data, most: int = 1000) -> Scores:
    """The discriminator's scores of real images of members and of non-members, at most `most` a
    side, spread over the subjects; for an `Attack`."""
    scores, sides = [], []
    for parts in (("train",), ("validation", "test")):
        windows = thin(Windows.concatenate([thin(data.windows[part], most) for part in parts
                                            if part in data.windows]), most)
        sides.append(windows.subjects)
        for start in range(0, len(windows), 128):
            some = windows.take(slice(start, start + 128))
            seen = data.codec.encode(some)
            if data.conditions is not None:  # the attacker knows what is known of each candidate
                seen = [seen, data.conditions.encode(some)]
            found = gan.discriminator(seen, training=False)  # an ACGAN's: scores and logits
            found = found[0] if isinstance(found, (list, tuple)) else found
            scores.append(np.asarray(found).astype(np.float32).ravel())
    return Scores(np.concatenate(scores), np.concatenate(sides),
                  np.repeat([True, False], [len(subjects) for subjects in sides]))
