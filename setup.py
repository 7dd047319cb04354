"""The packages: those below ecg_tf/, and the notebooks, which a wheel holds inside of it."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["ecg_tf*"]), "ecg_tf.notebooks"],
      package_dir={"ecg_tf.notebooks": "notebooks"})
