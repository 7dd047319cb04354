"""The newest state of a GAN on the disk, whole or not at all, and what it belongs to."""

import os
import re
import warnings
from pathlib import Path

import keras

from ecg_tf.base.errors import InputError, whole_file, write_whole


class Checkpoint(keras.callbacks.Callback):
    """Keeps the newest state of a GAN (weights, averages, optimizers, random state) and the one
    before, which serves if the newest turns out to be damaged.

    Args:
        path: the `.keras` file; beside it lie `previous.keras` and `<stem>.key`, which says what
            both belong to.
        key: str, of `fit.training_key`.
    """

    def __init__(self, path, key: str):
        super().__init__()
        self.path, self.key = Path(path), key
        self.previous = self.path.with_name("previous.keras")
        self.key_path = self.path.with_suffix(".key")
        self._damaged = False  # what lies at `path`

    def load(self):
        """The GAN as it was kept, or None if nothing of this experiment is there.

        Raises:
            InputError: there is something, but nothing that can be read.
        """
        if not self._of_this_experiment():
            return None
        problem = None
        for path in (kept for kept in (self.path, self.previous) if kept.exists()):
            try:
                gan = keras.saving.load_model(path, safe_mode=True)  # the archive is checked (CRC)
            except Exception as error:
                problem, self._damaged = error, True
                continue
            if problem is not None:
                warnings.warn(f"The checkpoint '{self.path}' is damaged ({str(problem)[:100]}). "
                              "Resuming from the one before it, of step "
                              f"{int(gan.step.value):,}.", stacklevel=3)
            return gan
        if problem is None:
            return None
        raise InputError(
            f"No checkpoint in '{self.path.parent}' can be read.",
            expected="a checkpoint of this experiment", got=str(problem)[:200],
            fix=f"delete the folder '{self.path.parent}' to train from the beginning",
        ) from problem

    def on_epoch_end(self, epoch, logs=None):
        with whole_file(self.path) as part:
            self.model.save(part)
            if not self._of_this_experiment():
                # An old checkpoint must never be found beside the key of a new one, whenever the
                # process is killed.
                self.path.unlink(missing_ok=True)
                self.previous.unlink(missing_ok=True)
                write_whole(self.key_path, self.key)
            elif self.path.exists() and not self._damaged:
                os.replace(self.path, self.previous)
        self._damaged = False

    def _of_this_experiment(self) -> bool:
        kept = self.key_path.read_bytes() if self.key_path.exists() else b""
        if kept and not re.fullmatch(rb"[0-9a-f]{16}", kept) and self.path.exists():
            raise InputError(
                f"'{self.key_path}' is damaged: it is unknown which experiment made the "
                "checkpoints beside it.", expected="16 hexadecimal digits", got=repr(kept[:40]),
                fix=f"restore it, or delete the folder '{self.path.parent}' to train from the "
                "beginning",
            )
        return kept == self.key.encode()
