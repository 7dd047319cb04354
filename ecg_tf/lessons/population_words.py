"""What a table of `population` says: the strongest attacker, and sentences on few and many."""

import numpy as np
import pandas as pd


def strongest(table: pd.DataFrame) -> pd.DataFrame:
    """The strongest attacker of each training.

    Returns:
        DataFrame, index as the table's: attacker, AUC of persons, and p, its one-sided p-value
        times the number of attackers (Bonferroni), at most 1.
    """
    names = [name for name in dict.fromkeys(table.columns.get_level_values(0))
             if name.startswith("membership")]
    auc, p = (table.xs(field, axis=1, level=1).reindex(columns=names)
              for field in ("value", "p_value"))
    best = auc.fillna(-np.inf).idxmax(axis=1)
    return pd.DataFrame({
        "attacker": best.str.split(", ").str[1], "AUC": auc.max(axis=1),
        "p": np.minimum(1, len(names) * p.min(axis=1))})


def learned(table: pd.DataFrame) -> list[str]:
    """What the table says of few and of many persons, in sentences."""
    few, most = (table.xs(of(table.index.get_level_values("persons")), level="persons")
                 for of in (min, max))
    size = [of(table.index.get_level_values("persons")) for of in (min, max)]
    sentences = []
    for name in ("MMD²", "recall"):
        a, b = (_range(part[name]["value"]) for part in (few, most))
        base = most[name]["baseline"].median()
        sentences.append(f"{name} to persons never seen: {a} with {size[0]} persons, {b} with "
                         f"{size[1]}; other real persons reach {base:.3g}.")
    copied = few["MMD²"]["memorized"].median()
    sentences.append(f"The strips of {size[0]} persons, released as they are, would have an MMD² "
                     f"of {copied:.3g}: no GAN is needed to be that near.")
    worst = strongest(table)
    found = (worst["p"] < 0.05).groupby(level="persons").agg(["sum", "size"])
    sentences.append("Members were found (corrected for the number of attackers) in " + ", ".join(
        f"{row['sum']} of {row['size']} trainings on {n} persons" for n, row in found.iterrows())
        + f". The strongest AUC is {_range(worst.xs(size[0], level='persons')['AUC'])} with "
        f"{size[0]} persons, {_range(worst.xs(size[1], level='persons')['AUC'])} with {size[1]}.")
    views = [part["training"]["views"].median() for part in (few, most)]
    return [*sentences, f"In {table.index.get_level_values('steps')[0]:,} steps each image was "
            f"seen {views[0]:,.0f} times with {size[0]} persons, {views[1]:,.0f} times with "
            f"{size[1]}: persons and repetitions change together."]


def _range(values) -> str:
    values = values.dropna()
    if not len(values):
        return "not measured"
    low, high = values.min(), values.max()
    return f"{low:.3g}" if len(values) == 1 else f"{low:.3g} to {high:.3g}"
