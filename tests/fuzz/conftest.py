"""At the end: how many cases each target had, what became of them, and the slowest and largest."""

from tests.fuzz.guard import COUNTS


def pytest_terminal_summary(terminalreporter):
    if not COUNTS:
        return
    write = terminalreporter.write_line
    write(f"{'fuzz target':<22}{'cases':>7}{'accepted':>10}{'refused':>9}{'slowest':>10}"
          f"{'most memory':>14}")
    for target, count in sorted(COUNTS.items()):
        write(f"{target:<22}{count.cases:>7}{count.accepted:>10}{count.refused:>9}"
              f"{count.seconds:>8.2f} s{count.bytes / 2**20:>11.1f} MB")
