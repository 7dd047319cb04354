"""*Run All Cells* a second time, in the same kernel, after a parameter was changed."""

import ast
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from tests.lessons.test_notebooks import NOTEBOOKS

ROOT = Path(__file__).parents[2]
#: Lessons that make no `Experiment` of their parameters.
WITHOUT = ("02_hypothesis", "evaluate")
#: The whole of a lesson in a minute or two.
QUICK = {"base_filters": 4, "latent_dim": 8, "batch_size": 8, "steps": 4, "train_steps": 3,
         "synthetic": 40, "strip_seconds": 4.0, "height": 16, "width": 32, "minutes": 2.5,
         "attacks": False, "check_every": 1, "ring_steps": 20, "long_steps": 3, "plain_strips": 20,
         "few_windows": 3, "max_strips": 150, "images": 30, "checks": 2, "per_class": 40,
         "repeats": 2, "classifiers": ["forest"], "trained": ["window"], "recipes": ["saturating"],
         "image_side": 8, "most_images": 60, "measure_every": 2, "shown": 2}
OWN = {"04_arrangement": {"trained": ["rgb_planar"], "side": 32}, "09_anonymity": {"subjects": 14},
       "05_experiment": {"experiment": "twice"}, "02_hypothesis": {"height": 8},
       "10_comparison": {"contenders": ["row_major wavegan"], "steps": 3, "seconds_shown": 3.0},
       "11_population": {"sizes": [2, 0], "repeats": 1, "subjects": 10, "half_samples": 2},
       "08_stopping": {"steps": 8, "check_every": 2, "model": "dcgan"},
       "07_classifier_gan": {"height": 8, "width": 16, "ectopy": 5.0}}


class Kernel:
    """A notebook's kernel."""

    def __init__(self, cwd):
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(cwd))

    def run(self, source: str, timeout: float = 3600) -> str:
        """What the cell prints; its error is raised."""
        printed = []

        def keep(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, timeout=timeout, output_hook=keep)
        if reply["content"]["status"] == "error":
            raise AssertionError(f"{source}\n{reply['content']['evalue']}")
        return "".join(printed)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    started = Kernel(tmp_path)
    yield started
    started.end()


def cells(name: str) -> list[str]:
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_gives_a_parameters_name_to_something_else(path):
    first, *others = cells(path.stem)
    assert first.startswith("# parameters")
    given = {node.targets[0].id for node in ast.parse(first).body}
    for source in others:
        for node in (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Assign)):
            stored = {n.id for target in node.targets for n in ast.walk(target)
                      if isinstance(n, ast.Name)}
            used = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
            assert not (stored & given) - used, ast.unparse(node)  # `n = count(n, ...)` may be


def test_the_settings_of_all_lessons_can_be_made_again_in_one_kernel(kernel):
    kernel.run("from dataclasses import replace\nfrom pathlib import Path\n"
               "from ecg_tf.config.experiment import Experiment")  # of a cell with slow imports
    for name in (path.stem for path in NOTEBOOKS if path.stem not in WITHOUT):
        own = cells(name)
        upto = next(i for i, source in enumerate(own) if ".from_namespace(" in source)
        for high in (30.0, 35.0, 35.0):
            kernel.run(own[0] + f"\nband_high = {high}")
            kernel.run(own[upto])
            kernel.run(own[upto])  # this cell alone once more
            kernel.run("mine = 3")
        experiment = cells("05_experiment")[0].split('experiment = "')[1].split('"')[0]
        seen = kernel.run("print(settings.band_high, settings.experiment)").split()
        assert seen[0] == "35.0" and (seen[1] == experiment or seen[1].startswith("lesson"))
    with pytest.raises(AssertionError, match="(?s)'sedd'.*Did you mean 'seed'"):
        kernel.run(cells("05_experiment")[0] + "\nsedd = 3")
        kernel.run(cells("05_experiment")[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS if path.stem != "evaluate"])
def test_a_whole_lesson_runs_twice(name, kernel):
    parameters, *others = cells(name)
    given = {node.targets[0].id for node in ast.parse(parameters).body}
    small = {key: value for key, value in (QUICK | OWN.get(name, {})).items() if key in given}
    small |= {"subjects": small.get("subjects", 8)} if "subjects" in given else {}
    for seed in (0, 1):
        new = small | ({"seed": seed} if "seed" in given else {"seeds": [seed]})
        kernel.run(parameters + "".join(f"\n{key} = {value!r}" for key, value in new.items()))
        for source in others:
            kernel.run(source)
