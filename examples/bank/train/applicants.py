"""Reads the applicants, and splits them once, for ever, by a seed.

Never changes a value: `NA` becomes missing (None), numbers stay numbers, and row
indexes count data rows from 0 (the header is not counted).
"""

import csv
import hashlib
import json
import random
from collections import defaultdict
from pathlib import Path

BANK = Path(__file__).resolve().parent.parent
CSV = BANK / "data" / "credit.csv"
SPLIT = BANK / "data" / "split.json"
SEED = 20261122
TEST_SHARE = 0.25

NUMBERS = ["Seniority", "Time", "Expenses", "Income", "Assets", "Debt", "Amount", "Price"]
CATEGORIES = ["Home", "Records", "Job"]
PROTECTED = ["Age", "Marital"]
FEATURES = ["Seniority", "Home", "Time", "Records", "Job", "Expenses", "Income", "Assets", "Debt", "Amount", "Price"]


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_applicants():
    """One dict per row: features and protected attributes by name, `good` as 0 or 1."""
    applicants = []
    with open(CSV, newline="") as file:
        for raw in csv.DictReader(file):
            row = {"good": int(raw.pop("Status") == "good")}
            for name, text in raw.items():
                if text == "NA":
                    row[name] = None
                elif name in NUMBERS or name == "Age":
                    row[name] = float(text)
                else:
                    row[name] = text
            applicants.append(row)
    return applicants


def split_rows(applicants):
    """Stratified by label. Identical rows stay together, so no test row was seen in training."""
    groups = defaultdict(list)
    for index, row in enumerate(applicants):
        groups[tuple(row.values())].append(index)
    test = []
    for label in (0, 1):
        members = [group for key, group in groups.items() if applicants[group[0]]["good"] == label]
        wanted = round(TEST_SHARE * sum(len(group) for group in members))
        random.Random(f"{SEED}-{label}").shuffle(members)
        taken = []
        for group in members:
            if len(taken) + len(group) <= wanted:
                taken.extend(group)
        test.extend(taken)
    held_out = set(test)
    return [i for i in range(len(applicants)) if i not in held_out], sorted(test)


def write_split(applicants):
    train, test = split_rows(applicants)
    split = {
        "file": "data/credit.csv",
        "sha256": sha256(CSV),
        "seed": SEED,
        "index": "0-based data rows, header not counted",
        "stratified_by": "Status",
        "train": train,
        "test": test,
    }
    SPLIT.write_text(json.dumps(split, separators=(",", ":")) + "\n")
    return train, test
