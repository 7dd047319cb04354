"""The command line, `ecg-tf COMMAND` or `python -m ecg_tf COMMAND`: one function a command.

Exit status: 0 done, 2 bad input, 3 release gate failed (`evaluate`, `export`), 1 anything else.
"""

import argparse
import json
import sys

import ecg_tf
from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.config.shipped import experiment_file


def main(arguments: list[str] | None = None) -> int:
    """Runs one command, by default that of the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The same command resumes from the last checkpoint.", file=sys.stderr)
        return 1
    except Exception as error:
        from ecg_tf.study.execution import NotebookError
        if not isinstance(error, NotebookError):
            raise  # a bug: the traceback helps to fix it (Python exits with 1)
        print(f"Error: {error}", file=sys.stderr)
        return 1


def data(options) -> int:
    """Downloads a database from PhysioNet and verifies it."""
    from ecg_tf.records import DATABASES
    from ecg_tf.records.download import download

    folder = download(options.name, options.data_dir, options.records, options.folds, options.rate,
                      connections=options.connections)
    database = DATABASES[options.name]
    print(f"{database.title} is in {folder}. License: {database.license}.\n"
          f"Please cite: {database.citation}")
    return 0


def describe(options) -> int:
    """Reads records and says what they hold: persons, leads, labels, what fits, what is wrong."""
    from ecg_tf.study.describe import describe as describe_source

    leads = "all" if options.leads == ["all"] else options.leads or None
    found = describe_source(options.source, options.data_dir, leads, fs=options.fs,
                            metadata=options.metadata)
    if options.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        from ecg_tf.study.describe_text import text_of

        print(text_of(found))
    return 0


def store(options) -> int:
    """Writes the windows of an experiment into files, for data larger than memory."""
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.training.stored import store_windows

    experiment = Experiment.from_yaml(experiment_file(options.file))
    folder = store_windows(experiment, options.output, progress=not options.quiet)
    print(f"They are in {folder}. To train from them, write into the experiment file:\n"
          f"stored: {folder}")
    return 0


def run(options) -> int:
    """Runs an experiment without a notebook."""
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.evaluation.baselines import measured_table
    from ecg_tf.study.run import run as run_experiment

    experiment = Experiment.from_yaml(experiment_file(options.file))
    result = run_experiment(experiment, not options.quiet, options.devices)
    table = measured_table(result.measures)
    print(table[["value", "baseline", "unit"]].to_string(float_format="{:.4g}".format))
    print(f"\nRelease gate\n{result.verdict.gate.table.to_string()}\n")
    print("\n".join([result.verdict.gate.words, *result.verdict.notes]))
    print(f"Everything is in {result.folder}")
    return 0


def report(options) -> int:
    """Runs an experiment's notebook with papermill; writes the report as notebook and HTML."""
    from ecg_tf.study.making import make_report
    from ecg_tf.study.plans import read_plan

    plan = read_plan(experiment_file(options.file), options.notebook)
    executed, page = make_report(plan, options.output)
    print(f"The report: {executed} and {page}")
    return 0


def study(options) -> int:
    """Makes the reports of all experiments that are not up to date, then the comparison."""
    from ecg_tf.study.plans import find_plans
    from ecg_tf.study.study import run_study

    plans, elsewhere = find_plans(options.paths, options.only), None
    if options.dask or options.scheduler or options.workers:
        import functools

        from ecg_tf.study.cluster import make_reports

        elsewhere = functools.partial(make_reports, scheduler=options.scheduler,
                                      workers=options.workers)
    outcomes = run_study(plans, options.output, elsewhere=elsewhere)
    return int(any(outcome.state == "failed" for outcome in outcomes))


def results(options) -> int:
    """Makes all that is made from reports: their pages, the page over all, the README's table."""
    from ecg_tf.study.reports import make_pages
    from ecg_tf.study.results_table import update_readme

    page, number = make_pages(options.output)
    print(f"{number} reports; the page over all: {page}")
    if options.readme:
        changed = update_readme(options.readme, options.output)
        print(f"The table in {options.readme}: {'regenerated' if changed else 'unchanged'}.")
    return 0


def compare(options) -> int:
    """Compares all runs: writes the comparison as notebook and HTML."""
    from ecg_tf.study.making import make_report
    from ecg_tf.study.plans import comparison_plan

    executed, page = make_report(comparison_plan(options.runs), options.output)
    print(f"The comparison: {executed} and {page}")
    return 0


def evaluate(options) -> int:
    """Evaluates a synthetic set that this software did not make; writes a report."""
    from ecg_tf.study.evaluate import evaluate as evaluate_folders
    from ecg_tf.study.evaluate import gate_text

    metrics, page = evaluate_folders(
        options.real, options.synthetic, options.holdout, options.output, options.name,
        progress=not options.quiet, leads=options.leads, csv_fs=options.fs,
        strip_seconds=options.strip_seconds, seed=options.seed)
    print(gate_text(metrics), f"The report: {page}", sep="\n")
    return 0 if metrics["privacy"]["passed"] else 3


def export(options) -> int:
    """Samples a synthetic set from a run's generator and writes it with its cards."""
    from ecg_tf.release.export import NotReleased, labels_of
    from ecg_tf.release.export import export as release

    try:
        made = release(options.run, options.n, options.format, options.output, options.seed,
                       options.seconds, options.force, not options.quiet,
                       labels_of(options.labels))
    except NotReleased as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 3
    print(f"{made.total.records:,} records, {made.total.seconds / 3600:.2f} hours, "
          f"{made.written:,} of them written now, are in {made.folder} with "
          "DATASET_CARD.md, MODEL_CARD.md and SHA256SUMS.txt.")
    if not made.gate.passed:
        print(f"FORCED: the release gate was not passed; {made.gate.reason}.")
    return 0


def controls(options) -> int:
    """Prints how every measure orders sets whose correct order is known."""
    from ecg_tf.base.tf_startup import quiet_startup
    from ecg_tf.evaluation.validation.control_tables import control_tables

    if options.figure and "sessions" not in options.tables:
        raise InputError("The figure shows the table of recognition only.",
                         expected="--tables sessions", got=", ".join(options.tables),
                         fix="add --tables sessions")
    right = True
    with quiet_startup():
        for table in control_tables(options.tables, options.database, options.data_dir,
                                    options.seed, not options.quiet):
            print(table.text(options.markdown), end="\n\n", flush=True)
            right &= table.right
            if options.figure and table.kind == "sessions":
                from ecg_tf.figures.curve_plots import validity_figure
                from ecg_tf.figures.plots import png_of

                write_whole(expanded(options.figure), png_of(validity_figure(table.values)))
    return 0 if right else 1


def _option(*names, **more):
    return names, more


_FILE = _option("file", metavar="FILE.yaml", help="path of an experiment file, or the name of one "
                "that comes with the package, such as quickstart")
_QUIET = _option("--quiet", action="store_true", help="show no progress")
_SEED = _option("--seed", type=int, default=0, help="of everything that is random (default: 0)")
_REPORTS = _option("--output", default="reports", help="folder of reports (default: reports)")
_DATA_DIR = _option("--data-dir", default="",
                    help="folder of the databases (default: $ECG_TF_DATA, else data)")

#: (function, by whose name it is called, one line of help, more for its own page, options)
COMMANDS = (
    (data, "download a database and verify it", "", (
        _option("name", metavar="NAME", help="ptbxl, cinc2017, ludb, mitdb, ecgiddb, nstdb"),
        _option("--records", nargs="+", metavar="NAME", help="only these: names, ends of names, "
                "patterns such as 'records100/00*', or a file .txt that lists them"),
        _option("--folds", nargs="+", metavar="N", help="only these of the published folds"),
        _option("--rate", default="0", metavar="HZ", help="of a database stored at several rates: "
                "one of them, or all (default: PTB-XL 100)"),
        _option("--connections", type=int, default=4, metavar="N",
                help="files at a time (default: 4)"),
        _DATA_DIR)),
    (describe, "what a folder or database holds", "Exit status 2 if nothing can be read.", (
        _option("source", metavar="FOLDER_OR_DATABASE", help="a folder of WFDB, EDF, CSV or NumPy "
                "files, one file, or mitdb, ptbxl..."),
        _option("--json", action="store_true", help="print JSON and nothing else"),
        _DATA_DIR,
        _option("--leads", nargs="*", default=[], metavar="LEAD",
                help="or all; default: the database's usual ones, all of a folder"),
        _option("--fs", type=float, default=0.0, metavar="HZ",
                help="of CSV files and arrays that do not say it"),
        _option("--metadata", default="", metavar="FILE",
                help="table that says who is who, beside what is found in the folder"))),
    (store, "write an experiment's windows into files",
     "One record is in memory at a time; the same command resumes after a kill.", (
        _FILE,
        _option("--output", default="", metavar="FOLDER",
                help="default: the experiment's `stored`, else stored/NAME"),
        _QUIET)),
    (run, "run an experiment file", "", (
        _FILE,
        _option("--devices", type=int, default=1, metavar="N",
                help="GPUs (or, to try it, shares of the processor) that train together"),
        _QUIET)),
    (report, "run an experiment file's notebook, write the report", "", (
        _FILE,
        _option("--notebook", default="", help="default: the one that the file names (notebook: "
                "04_arrangement), else 05_experiment.ipynb"),
        _REPORTS)),
    (study, "make the reports of all experiments", "Exit status 1 if one failed.", (
        _option("paths", nargs="*", metavar="PATH", help="experiment files or folders of them "
                "(default: notebooks/experiments, else those that come with the package)"),
        _option("--only", default="", metavar="PATTERN",
                help="those whose name contains this, or fits it: 'mitdb-*'"),
        _REPORTS,
        _option("--dask", action="store_true",
                help="several at once, in processes of this machine"),
        _option("--workers", type=int, default=0, metavar="N",
                help="so many (default: one a core, if memory allows)"),
        _option("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster of yours "
                "that sees this folder, such as tcp://host:8786"))),
    (results, "pages of all reports, and the README's table", "", (
        _REPORTS,
        _option("--readme", default="README.md", metavar="FILE",
                help='file with the table\'s marks (default: README.md); "" for none'))),
    (compare, "compare all runs", "", (
        _option("--runs", default="", metavar="DIR", help="folder of the runs (default: runs, and "
                "some tiny ones are trained if there are none)"),
        _REPORTS)),
    (evaluate, "evaluate a synthetic set made by other software",
     "Folders hold WFDB records, EDF files, or CSV files: a column `time` (s) or `fs` (Hz), the "
     "others leads in mV. Exit status 0: gate passed, 3: gate failed, 2: bad input.", (
        _option("--real", required=True, metavar="FOLDER",
                help="ECGs the synthetic set was made from"),
        _option("--synthetic", required=True, metavar="FOLDER", help="the synthetic set"),
        _option("--holdout", default="", metavar="FOLDER",
                help="ECGs of other persons; without them most attacks have no null"),
        _REPORTS,
        _option("--name", default="", help="of the report (default: evaluate-FOLDER)"),
        _option("--leads", nargs="*", default=[], metavar="LEAD",
                help="default: those that all records have"),
        _option("--fs", type=float, default=0.0, metavar="HZ",
                help="of CSV files that have neither `time` nor `fs`"),
        _option("--strip-seconds", type=float, default=10.0, metavar="S",
                help="length of what is compared (default: 10)"),
        _SEED, _QUIET)),
    (export, "write a synthetic set and its cards for others",
     "The same command resumes after a kill; a larger --n adds to the same folder. Exit status 3: "
     "the run's release gate was not passed, nothing is written.", (
        _option("run", metavar="RUN_FOLDER", help="of a finished run: runs/NAME"),
        _option("--n", type=int, default=1000, help="records (default: 1000)"),
        _option("--format", default="wfdb", help="wfdb (default), edf or csv"),
        _option("--output", default="", metavar="FOLDER", help="default: RUN_FOLDER/export-FORMAT"),
        _option("--seed", type=int, default=0, help="record i depends on it and on i alone"),
        _option("--seconds", type=float, default=0.0, metavar="S",
                help="length of every record (default: whole windows)"),
        _option("--labels", nargs="+", default=[], metavar="KIND=STATEMENT", help="what every "
                "record is to have, such as superclass=MI sex=female, of a run with labels"),
        _option("--force", action="store_true",
                help="write although the gate was not passed; the cards say so first"),
        _QUIET)),
    (controls, "print the planted-fault table", "Exit status 1 if an order is wrong.", (
        _option("--database", default="simulated", help="simulated (default), mitdb, ..."),
        _DATA_DIR,
        _option("--tables", nargs="+", default=["faults"], choices=["faults", "copies", "sessions"],
                help="planted faults (default), power of the copy test, recognition and "
                "attributes of real persons over several dates"),
        _option("--markdown", action="store_true", help="for the documentation"),
        _option("--figure", default="", metavar="FILE.png", help="also plot the table of sessions"),
        _SEED, _QUIET)),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecg-tf", description="Synthetic ECGs by GANs, measured and attacked.",
        epilog="Exit status: 0 done, 2 bad input, 3 gate failed (evaluate, export), 1 all else.")
    parser.add_argument("--version", action="version", version=f"ecg-tf {ecg_tf.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function, text, more, options in COMMANDS:
        own = commands.add_parser(function.__name__, help=text,
                                  description=f"{function.__doc__} {more}")
        for names, settings in options:
            own.add_argument(*names, **settings)
        own.set_defaults(command=function)
    return parser


if __name__ == "__main__":
    sys.exit(main())
