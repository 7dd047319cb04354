"""Raw ECGs to images, GANs on them, and measures of their fidelity and leaks.

`import ecg_tf as et` brings the names below when they are used, TensorFlow when a GAN is made.
"""

import importlib

__version__ = "0.1.0"
_HOMES = {
    "load": "ecg_tf.records", "ECGs": "ecg_tf.records", "Codec": "ecg_tf.images.codec",
    "GAN": "ecg_tf.interface", "sample": "ecg_tf.interface",
    "Experiment": "ecg_tf.config.experiment", "run": "ecg_tf.study.run",
    "evaluate": "ecg_tf.evaluation.evaluate", "export": "ecg_tf.release.export",
}
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'ecg_tf' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():
    return sorted([*globals(), *__all__])
