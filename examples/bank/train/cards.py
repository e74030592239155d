"""Fills the model cards in `train/cards/` with figures from `models/metrics.json`.

Never computes a figure. `{{ a.b.c }}` is a value of the metrics, `{{ a.b.c | % }}` a share as
percent, `{{ groups a.b.c }}` and `{{ bins a.b.c }}` are tables, `{{ auc a.b }}` an AUC with its interval.
"""

import re

from applicants import BANK

TEMPLATES = BANK / "train" / "cards"


def look_up(metrics, path):
    value = metrics
    for part in path.split("."):
        value = value[part]
    return value


def percent(share):
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(value):
    return f"{value['value']:.3f} (95 % interval {value['low']:.3f} to {value['high']:.3f})"


def group_table(measured):
    lines = ["| group | rows | actually good | approved | declined | approved of the good | AUC |", "|---|---|---|---|---|---|---|"]
    for name, group in measured["groups"].items():
        if "note" in group:
            lines.append(f"| {name} | {group['n']} | too few rows | | | | |")
            continue
        rates = (group[key] for key in ("good_rate", "approve_rate", "decline_rate", "approve_rate_of_good"))
        area = group["auc"]
        cells = [name, str(group["n"]), *map(percent, rates), f"{area['value']:.2f} ({area['low']:.2f} to {area['high']:.2f})"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bin_table(bins):
    lines = ["| tenth, from lowest score | rows | mean score | actually good |", "|---|---|---|---|"]
    for i, row in enumerate(bins, 1):
        lines.append(f"| {i} | {row['n']} | {row['mean_score']:.3f} | {row['good_rate']:.3f} |")
    return "\n".join(lines)


def aligned(text):
    """Pads the columns of every table, as the repository's formatter does."""
    lines, table = [], []
    for line in [*text.split("\n"), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if table:
            rows = [row for row in table if not all(set(cell) <= {"-"} and cell for cell in row)]
            widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
            rows.insert(1, ["-" * width for width in widths])
            lines += ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
            table = []
        lines.append(line)
    return "\n".join(lines[:-1])


def fill(template, metrics):
    def replace(match):
        words = match.group(1).split()
        if words[0] == "groups":
            return group_table(look_up(metrics, words[1]))
        if words[0] == "bins":
            return bin_table(look_up(metrics, words[1]))
        if words[0] == "auc":
            return interval(look_up(metrics, words[1]))
        value = look_up(metrics, words[0])
        if words[1:] == ["|", "%"]:
            return percent(value)
        return str(value)

    return re.sub(r"\{\{ (.+?) \}\}", replace, template)


def write_cards(metrics):
    (BANK / "cards").mkdir(exist_ok=True)
    for template in sorted(TEMPLATES.glob("*.md")):
        (BANK / "cards" / template.name).write_text(aligned(fill(template.read_text(), metrics)))
