"""Callbacks that measure decoded ECGs along a training and stop it; the rule is in `stopping`.

Both act at the end of a round of `check_every` steps. What they know they read from
`measures.csv`, so that a killed training resumes as if it had not been.
"""

import io
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError, whole_file, write_whole
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.stopping import MEASURES, StripEvaluator, Verdict, decide
from ecg_tf.images.codec import Codec
from ecg_tf.training.data import Data, evaluation_strips
from ecg_tf.training.synthesis import synthesize


class MeasuresAlong(keras.callbacks.Callback):
    """Every `every` steps: generates ECGs with the averaged generator, decodes and measures them.

    The latents are the same each time, so that a change is the generator's. Writes `measures.csv`
    (step, against, name, value) and `baselines.csv`, each whole or not at all. Sampling touches no
    random state: the training ends with the same weights, measured or not.

    Args:
        folder: where to write.
        codec: `Codec` of the images.
        evaluator: `StripEvaluator`; without the test persons if anything is chosen by it.
        every: steps between two checks; taken at the first end of a round that is due.
        n: images generated, default 200.
        seed: int, of the latents.
        keep: also keep the averaged weights of every check, for looking back; default False.
        high: float, Hz, low-pass of the decoded ECGs, see `synthesize`; default 0, none.
        conditions: of `synthesize`, for a GAN that was given labels; default None.

    Attributes:
        rows: DataFrame, all measures so far.

    Example:
        >>> along = MeasuresAlong(folder, data.codec, evaluator, every=200)
        >>> train(experiment, data, callbacks=[along])
        >>> along.table("validation")["MMD²"].idxmin()  # the step of the lowest
    """

    def __init__(self, folder, codec: Codec, evaluator: StripEvaluator, every: int, n: int = 200,
                 seed: int = 0, keep: bool = False, high: float = 0.0, conditions=None):
        super().__init__()
        self.folder, self.codec, self.evaluator = Path(folder), codec, evaluator
        self.every, self.n, self.seed, self.keep, self.high = every, n, seed, keep, high
        self.conditions = conditions
        self.path = self.folder / "measures.csv"
        # As the file holds it: with other baselines, its measures do not count.
        baselines = evaluator.baselines.assign(images=n, latents=seed)
        self._baselines = baselines.to_csv(lineterminator="\n")
        self.rows = _NOTHING.copy()

    def load(self, step: int) -> pd.DataFrame:
        """What was measured up to a step with these very baselines; nothing with others."""
        baselines, self.rows = self.folder / "baselines.csv", _NOTHING.copy()
        both = self.path.exists() and baselines.exists()
        if not both or baselines.read_text("utf-8") != self._baselines:
            return self.rows
        try:
            rows = pd.read_csv(self.path, float_precision="round_trip")
            rows = rows.astype(_NOTHING.dtypes)[list(_NOTHING)]
        except (ValueError, KeyError, OSError) as error:
            raise InputError(f"The measures '{self.path}' are damaged.",
                             expected="columns step, against, name, value", got=str(error)[:200],
                             fix=f"delete '{self.folder}' to train again") from error
        self.rows = rows[rows["step"] <= step].reset_index(drop=True)
        return self.rows

    def table(self, against: str) -> pd.DataFrame:
        """Measures against one group: one row a check (index: step), one column a measure."""
        rows = self.rows[self.rows["against"] == against]
        return rows.pivot(index="step", columns="name", values="value").reindex(columns=MEASURES)

    def complete(self, gan) -> pd.DataFrame:
        """All rows of a trained GAN, also of one that was trained before.

        Raises:
            InputError: it was trained without this callback, or with other images or persons.
        """
        step = int(gan.step.numpy())
        rows = self.load(step)
        if not len(rows) or rows["step"].max() // self.every < step // self.every:
            raise InputError(f"The training in '{self.folder}' was not measured like this.",
                             expected=f"checks every {self.every} steps up to {step}",
                             got=f"{rows['step'].nunique()} checks",
                             fix=f"delete '{self.folder}' to train again")
        return rows

    def weights_of(self, step: int) -> Path:
        """The file of a check's averaged weights, if `keep`."""
        return self.folder / "checkpoints" / f"step_{step:06d}.weights.h5"

    def on_train_begin(self, logs=None):
        self.load(int(self.model.step.numpy()))

    def on_epoch_end(self, epoch, logs=None):
        step = int(self.model.step.numpy())
        last = int(self.rows["step"].max()) if len(self.rows) else 0
        if step // self.every <= last // self.every:
            return
        values = self.evaluator.measure(synthesize(
            self.model.ema_generator, self.codec, self.n, self.seed, self.high, self.conditions))
        new = pd.DataFrame([(step, *key, value) for key, value in values.items()],
                           columns=_NOTHING.columns)
        self.rows = pd.concat([self.rows, new], ignore_index=True) if len(self.rows) else new
        if self.keep:
            save_averages(self.model, self.weights_of(step))
        write_whole(self.folder / "baselines.csv", self._baselines)
        text = io.StringIO()
        self.rows.to_csv(text, index=False, lineterminator="\n")
        write_whole(self.path, text.getvalue())


class StopAtBaseline(keras.callbacks.Callback):
    """Ends the training where a measure reaches its baseline or no longer improves; keeps the best.

    Never a loss. At the end, `restore` gives the averaged generator the weights of the best check;
    the checkpoint keeps the last ones, from which the training can be resumed.

    Args:
        along: `MeasuresAlong`.
        path: file for the best averaged weights, `*.weights.h5`.
        against: group of the evaluator, default "validation".
        measure: name in `MEASURES`, default "MMD²".
        factor, patience: see `stopping.decide`.

    Example:
        >>> stop = StopAtBaseline(along, folder / "best.weights.h5", patience=10)
        >>> fit_gan(gan, batches, 10_000, callbacks=stop.callbacks, stop=stop)
        >>> stop.restore(gan)
    """

    def __init__(self, along: MeasuresAlong, path, against: str = "validation",
                 measure: str = "MMD²", factor: float = 1.0, patience: int = 10):
        super().__init__()
        if (against, measure) not in along.evaluator.baselines.index:
            raise InputError(
                "There is no such measure to stop at; a loss is none.",
                expected=", ".join(f"{name} against {group}"
                                   for group, name in along.evaluator.baselines.index),
                got=f"{measure} against {against}",
                fix="take MMD² against validation",
            )
        self.along, self.path, self.against, self.measure = along, Path(path), against, measure
        self.factor, self.patience = factor, patience

    @property
    def callbacks(self) -> list:
        """What to hand to the training, before its checkpoint."""
        return [self.along, self]

    @property
    def verdict(self) -> Verdict:
        """What the rule says of all checks so far."""
        of = self.along.evaluator.baselines.loc[(self.against, self.measure)]
        values = self.along.table(self.against)[self.measure]
        return decide(values, of["baseline"], self.factor, self.patience, of["better"])

    def over(self, gan) -> bool:
        """Whether the training of this GAN has ended, also after loading it."""
        self.along.load(int(gan.step.numpy()))
        return self.verdict.stop is not None

    def on_epoch_end(self, epoch, logs=None):
        checks = self.along.table(self.against).index
        if not len(checks) or checks[-1] != int(self.model.step.numpy()):
            return
        if self.verdict.best == len(checks) - 1:
            save_averages(self.model, self.path)
        if self.verdict.stop is not None:
            self.model.stop_training = True

    def restore(self, gan) -> str:
        """Gives the averaged generator its best weights; returns a sentence that says which."""
        checks, verdict = self.along.table(self.against)[self.measure], self.verdict
        if verdict.best is None:
            return "No check was made: the last weights are kept."
        load_averages(gan, self.path)
        baseline = self.along.evaluator.baselines.loc[(self.against, self.measure), "baseline"]
        why = {"baseline": "the baseline was reached", "": "all steps were trained",
               "patience": f"{self.patience} checks without improvement"}[verdict.reason]
        return (f"Trained {checks.index[-1]:,} steps: {why}. Kept: the weights of step "
                f"{checks.index[verdict.best]:,}, {self.measure} against {self.against} "
                f"{checks.iloc[verdict.best]:.3g} (baseline {baseline:.3g}).")


def stopping_rule(experiment: Experiment, data: Data) -> StopAtBaseline | None:
    """The rule of an experiment with `stop: "baseline"`, MMD² against the validation persons; else
    None.

    InputError where there are no validation persons with strips.
    """
    e = data.settled(experiment)
    if e.stop != "baseline":
        return None
    if "validation" not in data.strips:
        raise InputError("No validation person is left to decide when to stop.",
                         expected="validation persons with strips", got="none",
                         fix='give more records, or set stop to "steps"')
    validation, train = (
        evaluation_strips(data.strips[part], e) for part in ("validation", "train")
    )
    evaluator = StripEvaluator({"validation": validation, "training": train}, train,
                               e.strip_seconds, seed=e.seed)
    along = MeasuresAlong(e.folder, data.codec, evaluator, e.measure_every, seed=e.seed,
                          high=e.band_high, conditions=data.conditions)
    return StopAtBaseline(along, e.folder / "checkpoints" / "best.weights.h5", patience=e.patience)


def save_averages(gan, path) -> None:
    """Writes the averaged generator's weights, whole or not at all."""
    with whole_file(path) as part:
        # By way of an archive, which Keras writes from memory: HDF5 crashes on a full disk.
        archive = part.with_name(f"{part.name}.keras")
        try:
            gan.ema_generator.save(archive)
            with zipfile.ZipFile(archive) as kept:
                part.write_bytes(kept.read("model.weights.h5"))
        finally:
            archive.unlink(missing_ok=True)


def load_averages(gan, path) -> None:
    """Gives a GAN averaged weights that `save_averages` wrote.

    Raises:
        InputError: the file is missing, damaged or of another network.
    """
    try:
        gan.ema_generator.load_weights(path)
    except Exception as error:
        raise InputError(f"The weights '{path}' cannot be read.",
                         expected="what a training of this experiment kept", got=str(error)[:200],
                         fix="delete the run's checkpoints/ to train again") from error


_NOTHING = pd.DataFrame({"step": np.zeros(0, int), "against": np.zeros(0, str),
                         "name": np.zeros(0, str), "value": np.zeros(0)})
