"""What a table of `population` says: the strongest attacker, and sentences on few and many."""

import numpy as np
import pandas as pd


def strongest(table: pd.DataFrame) -> pd.DataFrame:
    """The strongest attacker of each training: that of the smallest p-value.

    Returns:
        DataFrame, index as the table's: attacker, its AUC of persons, and p, its one-sided p-value
        times the number of attackers (Bonferroni), at most 1. NaN where none was measured.
    """
    names = [name for name in dict.fromkeys(table.columns.get_level_values(0))
             if name.startswith("membership")]
    auc, p = (table.xs(field, axis=1, level=1).reindex(columns=names)
              for field in ("value", "p_value"))
    rank = (auc - 1e6 * p).fillna(-np.inf)  # of equal p-values the larger AUC
    best = rank.to_numpy().argmax(axis=1)
    rows = np.arange(len(table))
    return pd.DataFrame({"attacker": [names[k].split(", ")[1] for k in best],
                         "AUC": auc.to_numpy()[rows, best],
                         "p": np.minimum(1, len(names) * p.to_numpy()[rows, best])},
                        index=table.index)


def learned(table: pd.DataFrame) -> list[str]:
    """What the table says of few and of many persons, in sentences."""
    sizes = table.index.get_level_values("persons")
    few, many = sizes.min(), sizes.max()
    at = {n: table.xs(n, level="persons") for n in (few, many)}
    sentences = [f"{name} to persons never seen: {_range(at[few][name]['value'])} with {few:,} "
                 f"persons, {_range(at[many][name]['value'])} with {many:,}; other real persons "
                 f"reach {at[many][name]['baseline'].median():.3g}." for name in ("MMD²", "recall")]
    copied = at[few]["MMD²"]["memorized"].median()
    views = [at[n]["training"]["views"].median() for n in (few, many)]
    return [
        *sentences,
        f"The strips of {few:,} persons, released as they are, would have an MMD² of {copied:.3g}: "
        "no GAN is needed to be that near.",
        *_members_found(strongest(table), few, many),
        f"In {table.index.get_level_values('steps')[0]:,} steps each image was seen {views[0]:,.0f}"
        f" times with {few:,} persons, {views[1]:,.0f} times with {many:,}: persons and "
        "repetitions change together.",
    ]


def _members_found(worst: pd.DataFrame, few: int, many: int) -> list[str]:
    found = (worst["p"] < 0.05).groupby(level="persons").agg(["sum", "size"])
    share = ", ".join(f"{row['sum']} of {row['size']} training{'' if row['size'] == 1 else 's'} on "
                      f"{n:,} persons" for n, row in found.iterrows())
    auc = [_range(worst.xs(n, level="persons")["AUC"]) for n in (few, many)]
    return [f"Members were found (corrected for the number of attackers) in {share}.",
            f"The strongest attacker's AUC is {auc[0]} with {few:,} persons, {auc[1]} with "
            f"{many:,}."]


def _range(values) -> str:
    values = values.dropna()
    if not len(values):
        return "not measured"
    low, high = values.min(), values.max()
    return f"{low:.3g}" if len(values) == 1 else f"{low:.3g} to {high:.3g}"
