"""The command line, `python -m ecg_tf COMMAND`, thin: one function a command.

Exit status: 0 done, 2 bad input, 3 release gate failed (`evaluate`, `export`), 1 anything else.
"""

import argparse
import sys

from ecg_tf.base.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: list of str; default: those of the command line.

    Returns:
        int, the exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from the last checkpoint.", file=sys.stderr)
        return 1
    except Exception as error:
        from ecg_tf.study.execution import NotebookError

        if not isinstance(error, NotebookError):
            raise  # a fault of ours: the traceback is what mends it (Python exits with 1)
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
        import json

        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        from ecg_tf.study.describe_text import text_of

        print(text_of(found))
    return 0


def shard(options) -> int:
    """Writes the windows of an experiment as TFRecord files, for data larger than memory."""
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.shards.writing import folder_of, write_shards

    experiment = Experiment.from_yaml(options.file)
    write_shards(experiment, options.output, progress=not options.quiet)
    folder = folder_of(experiment, options.output)
    print(f"They are in {folder}. To train from them, write into the experiment file:\n"
          f"shards: {folder}")
    return 0


def run(options) -> int:
    """Runs an experiment without a notebook."""
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.evaluation.baselines import measured_table
    from ecg_tf.study.run import run as run_experiment

    experiment = Experiment.from_yaml(options.file)
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

    executed, page = make_report(read_plan(options.file, options.notebook), options.output)
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
    """Lays all runs beside each other: writes the comparison as notebook and HTML."""
    from ecg_tf.study.making import make_report
    from ecg_tf.study.plans import comparison_plan

    executed, page = make_report(comparison_plan(options.runs), options.output)
    print(f"The comparison: {executed} and {page}")
    return 0


def evaluate(options) -> int:
    """Judges a synthetic set that this software did not make; writes a report."""
    from ecg_tf.study.evaluate import evaluate as judge_folders
    from ecg_tf.study.evaluate import gate_text

    metrics, page = judge_folders(
        options.real, options.synthetic, options.holdout, options.output, options.name,
        progress=not options.quiet, leads=options.leads, csv_fs=options.fs,
        strip_seconds=options.strip_seconds, seed=options.seed)
    print(gate_text(metrics), f"The report: {page}", sep="\n")
    return 0 if metrics["privacy"]["passed"] else 3


def export(options) -> int:
    """Draws a synthetic set from a run's generator and writes it with its cards."""
    from ecg_tf.release.export import NotReleased
    from ecg_tf.release.export import export as release

    try:
        made = release(options.run, options.n, options.format, options.output, options.seed,
                       options.seconds, options.force, not options.quiet)
    except NotReleased as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 3
    print(f"{made.total.records:,} records, {made.total.seconds / 3600:.2f} hours, "
          f"{made.written:,} of them written now, are in {made.folder} with "
          "DATASET_CARD.md, MODEL_CARD.md and SHA256SUMS.txt.")
    if not made.gate.passed:
        print(f"FORCED: the release gate was not passed; {made.gate.why}.")
    return 0


def controls(options) -> int:
    """Prints how every measure orders sets whose right answer is known."""
    from ecg_tf.base.errors import InputError, write_whole
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
                from ecg_tf.base.checks import expanded
                from ecg_tf.figures.curve_plots import validity_figure
                from ecg_tf.figures.plots import png_of

                write_whole(expanded(options.figure), png_of(validity_figure(table.values)))
    return 0 if right else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ecg_tf", description="Synthetic ECGs by GANs, measured and attacked.",
        epilog="Exit status: 0 done, 2 bad input, 3 release gate failed (evaluate, "
        "export), 1 all else.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("data", help="download a database and verify it",
                              description=data.__doc__)
    one.add_argument("name", metavar="NAME", help="ptbxl, cinc2017, ludb, mitdb, ecgiddb, nstdb")
    one.add_argument("--records", nargs="+", metavar="NAME", help="only these: names, ends of "
                     "names, patterns such as 'records100/00*', or a file .txt that lists them")
    one.add_argument("--folds", nargs="+", metavar="N", help="only these of the published folds")
    one.add_argument("--rate", default="0", metavar="HZ", help="of a database stored at several "
                     "rates: one of them, or all (default: PTB-XL 100)")
    one.add_argument("--connections", type=int, default=4, metavar="N",
                     help="files at a time (default: 4)")
    one.add_argument("--data-dir", default="",
                     help="where to put it (default: $ECG_TF_DATA, else data)")
    one.set_defaults(command=data)

    one = commands.add_parser("describe", help="what a folder or database holds",
                              description=f"{describe.__doc__} Exit status 2 if nothing can be "
                              "read.")
    one.add_argument("source", metavar="FOLDER_OR_DATABASE",
                     help="a folder of WFDB, EDF, CSV or NumPy files, one file, or mitdb, ptbxl...")
    one.add_argument("--json", action="store_true", help="print JSON and nothing else")
    one.add_argument("--data-dir", default="", help="folder of the databases")
    one.add_argument("--leads", nargs="*", default=[], metavar="LEAD",
                     help="or all; default: the database's usual ones, all of a folder")
    one.add_argument("--fs", type=float, default=0.0, metavar="HZ",
                     help="of CSV files and arrays that do not say it")
    one.add_argument("--metadata", default="", metavar="FILE",
                     help="table that says who is who, beside what is found in the folder")
    one.set_defaults(command=describe)

    one = commands.add_parser("shard", help="write an experiment's windows into files",
                              description=f"{shard.__doc__} One record is in memory at a time; the "
                              "same command goes on after a kill.")
    one.add_argument("file", metavar="FILE.yaml", help="see notebooks/experiments/")
    one.add_argument("--output", default="", metavar="FOLDER", help="default: the experiment's "
                     "`shards`, else shards/NAME")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=shard)

    one = commands.add_parser("run", help="run an experiment file", description=run.__doc__)
    one.add_argument("file", metavar="FILE.yaml", help="see notebooks/experiments/")
    one.add_argument("--devices", type=int, default=1, metavar="N",
                     help="GPUs (or, to try it, shares of the processor) that train together")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=run)

    one = commands.add_parser("report", help="run an experiment file's notebook, write the report",
                              description=report.__doc__)
    one.add_argument("file", metavar="FILE.yaml", help="see notebooks/experiments/")
    one.add_argument("--notebook", default="", help="default: the one that the file names "
                     "(notebook: 04_arrangement), else notebooks/05_experiment.ipynb")
    one.add_argument("--output", default="reports", help="folder of the report (default: reports)")
    one.set_defaults(command=report)

    one = commands.add_parser("study", help="make the reports of all experiments",
                              description=f"{study.__doc__} Exit status 1 if one failed.")
    one.add_argument("paths", nargs="*", metavar="PATH", help="experiment files or folders of them "
                     "(default: notebooks/experiments)")
    one.add_argument("--only", default="", metavar="PATTERN",
                     help="those whose name contains this, or fits it: 'mitdb-*'")
    one.add_argument("--output", default="reports", help="folder of reports (default: reports)")
    one.add_argument("--dask", action="store_true",
                     help="several at once, in processes of this machine")
    one.add_argument("--workers", type=int, default=0, metavar="N",
                     help="so many (default: one a core, if memory allows)")
    one.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster "
                     "of yours that sees this folder, such as tcp://host:8786")
    one.set_defaults(command=study)

    one = commands.add_parser("results", help="pages of all reports, and the README's table",
                              description=results.__doc__)
    one.add_argument("--output", default="reports", help="folder of the reports (default: reports)")
    one.add_argument("--readme", default="README.md", metavar="FILE",
                     help='file with the table\'s marks (default: README.md); "" for none')
    one.set_defaults(command=results)

    one = commands.add_parser("compare", help="lay all runs beside each other",
                              description=compare.__doc__)
    one.add_argument("--runs", default="", metavar="DIR", help="folder of the runs (default: runs, "
                     "and some tiny ones are trained if there are none)")
    one.add_argument("--output", default="reports", help="folder of the report (default: reports)")
    one.set_defaults(command=compare)

    one = commands.add_parser("evaluate", help="judge a synthetic set made by other software",
                              description=f"{evaluate.__doc__} Folders hold WFDB records, EDF "
                              "files, or CSV files: a column `time` (s) or `fs` (Hz), the others "
                              "leads in mV. "
                              "Exit status 0: gate passed, 3: gate failed, 2: bad input.")
    one.add_argument("--real", required=True, metavar="FOLDER",
                     help="ECGs the synthetic set was made from")
    one.add_argument("--synthetic", required=True, metavar="FOLDER", help="the synthetic set")
    one.add_argument("--holdout", default="", metavar="FOLDER",
                     help="ECGs of other persons; without them most attacks have no null")
    one.add_argument("--output", default="reports", help="folder of the report (default: reports)")
    one.add_argument("--name", default="", help="of the report (default: evaluate-FOLDER)")
    one.add_argument("--leads", nargs="*", default=[], metavar="LEAD",
                     help="default: those that all records have")
    one.add_argument("--fs", type=float, default=0.0, metavar="HZ",
                     help="of CSV files that have neither `time` nor `fs`")
    one.add_argument("--strip-seconds", type=float, default=10.0, metavar="S",
                     help="length of what is compared (default: 10)")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=evaluate)

    one = commands.add_parser("export", help="write a synthetic set and its cards for others",
                              description=f"{export.__doc__} The same command goes on after a "
                              "kill; a larger --n adds to the same folder. Exit status 3: the "
                              "run's release gate was not passed, nothing is written.")
    one.add_argument("run", metavar="RUN_FOLDER", help="of a finished run: runs/NAME")
    one.add_argument("--n", type=int, default=1000, help="records (default: 1000)")
    one.add_argument("--format", default="wfdb", help="wfdb (default), edf or csv")
    one.add_argument("--output", default="", metavar="FOLDER",
                     help="default: RUN_FOLDER/export-FORMAT")
    one.add_argument("--seed", type=int, default=0, help="record i depends on it and on i alone")
    one.add_argument("--seconds", type=float, default=0.0, metavar="S",
                     help="length of every record (default: whole windows)")
    one.add_argument("--force", action="store_true",
                     help="write although the gate was not passed; the cards say so first")
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=export)

    one = commands.add_parser("controls", help="print the planted-fault table",
                              description=f"{controls.__doc__} Exit status 1 if an order is wrong.")
    one.add_argument("--database", default="simulated", help="simulated (default), mitdb, ...")
    one.add_argument("--data-dir", default="", help="folder of the databases")
    one.add_argument("--tables", nargs="+", default=["faults"],
                     choices=["faults", "copies", "intervals", "sessions", "detectors",
                              "delineation"],
                     help="planted faults (default), power of the copy test, clinical intervals, "
                     "recognition and attributes of real persons over several dates, R-peak "
                     "detectors, delineation against cardiologists' marks")
    one.add_argument("--markdown", action="store_true", help="for the documentation")
    one.add_argument("--figure", default="", metavar="FILE.png",
                     help="also draw the table of recognition (with --tables sessions)")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--quiet", action="store_true", help="show no progress")
    one.set_defaults(command=controls)
    return parser


if __name__ == "__main__":
    sys.exit(main())
