#!/usr/bin/python3
"""Trains the bank's credit models and writes every file that depends on them.

    /usr/bin/python3 examples/bank/train/train.py

Same data and library versions give the same bytes. Held-out rows are used to measure, never to choose:
thresholds and the baseline's points come from the train rows (thresholds from out-of-fold scores).
"""

import json
import platform
import re
import sys

import numpy as np
import onnx
import sklearn
import xgboost
import yaml
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

sys.dont_write_bytecode = True

import measures
from applicants import BANK, CATEGORIES, CSV, FEATURES, NUMBERS, PROTECTED, SEED, read_applicants, sha256, write_split
from cards import write_cards
from graphs import write_boosted, write_logistic

MODELS = BANK / "models"
RULES = BANK / "rules" / "credit.yaml"
FOLDS = 5

# Orders of the categories for the trees; a missing value has no code and follows each split's default side.
CODES = {
    "Home": {"owner": 0, "priv": 1, "parents": 2, "rent": 3, "other": 4, "ignore": 5},
    "Records": {"no": 0, "yes": 1},
    "Job": {"fixed": 0, "freelance": 1, "others": 2, "partime": 3},
}

# 1: more of it never lowers the score; -1: more of it never raises it.
MONOTONE = {"Seniority": 1, "Income": 1, "Assets": 1, "Expenses": -1, "Debt": -1, "Amount": -1}

TREES = 150
BOOSTING = {
    "objective": "binary:logistic",
    "base_score": 0.5,
    "max_depth": 2,
    "eta": 0.1,
    "min_child_weight": 5,
    "reg_lambda": 3,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "tree_method": "exact",
    "monotone_constraints": "(" + ",".join(str(MONOTONE.get(name, 0)) for name in FEATURES) + ")",
    "seed": SEED,
    "nthread": 1,
}

# The bank's appetite: at most this share of bad loans among the approved, at least this share among the declined.
APPROVED_BAD_AT_MOST = 0.10
DECLINED_BAD_AT_LEAST = 0.75


class Boosted:
    framework = "xgboost"

    def columns(self, rows):
        def number(row, name):
            return CODES[name].get(row[name]) if name in CATEGORIES else row[name]

        table = [[np.nan if number(row, name) is None else number(row, name) for name in FEATURES] for row in rows]
        return np.array(table, dtype=np.float32)

    def fit(self, rows, good):
        data = xgboost.DMatrix(self.columns(rows), good, feature_names=FEATURES)
        self.booster = xgboost.train(BOOSTING, data, TREES)
        return self

    def score(self, rows):
        return self.booster.predict(xgboost.DMatrix(self.columns(rows), feature_names=FEATURES))

    def write(self, path, notes):
        write_boosted(path, self.booster, CODES, notes)

    def summary(self):
        gain = self.booster.get_score(importance_type="total_gain")
        total = sum(gain.values())
        shares = {name: round(gain.get(name, 0.0) / total, 4) for name in FEATURES}
        return {"trees": TREES, "parameters": BOOSTING, "gain_share": dict(sorted(shares.items(), key=lambda s: -s[1]))}


class Logistic:
    """log(1+x) of every number, standardised; median for missing, a flag for unknown income; one column per category."""

    framework = "scikit-learn"
    categories = {"Home": list(CODES["Home"]), "Records": ["yes"], "Job": list(CODES["Job"])}

    def logs(self, rows):
        table = np.array([[np.nan if row[name] is None else row[name] for name in NUMBERS] for row in rows])
        return np.log1p(np.where(np.isnan(table), self.medians, table))

    def columns(self, rows):
        flag = [[float(row["Income"] is None)] for row in rows]
        hot = [[float(row[name] == value) for name, values in self.categories.items() for value in values] for row in rows]
        return np.hstack([self.scaler.transform(self.logs(rows)), flag, hot])

    def fit(self, rows, good):
        self.medians = [float(np.median([row[n] for row in rows if row[n] is not None])) for n in NUMBERS]
        self.scaler = StandardScaler().fit(self.logs(rows))
        self.model = LogisticRegression(C=1.0, max_iter=5000).fit(self.columns(rows), good)
        return self

    def score(self, rows):
        return self.model.predict_proba(self.columns(rows))[:, 1]

    def trained(self):
        return {
            "medians": self.medians,
            "means": self.scaler.mean_.tolist(),
            "deviations": self.scaler.scale_.tolist(),
            "categories": self.categories,
            "weights": self.model.coef_[0].tolist(),
            "bias": float(self.model.intercept_[0]),
        }

    def write(self, path, notes):
        write_logistic(path, self.trained(), notes)

    def summary(self):
        names = [f"log {n}" for n in NUMBERS] + ["Income unknown"]
        names += [f"{name} = {value}" for name, values in self.categories.items() for value in values]
        weights = {name: round(w, 4) for name, w in zip(names, self.model.coef_[0].tolist())}
        return {"weights_standardised": weights, "bias": round(float(self.model.intercept_[0]), 4)}


class Baseline:
    """Evaluates rules/credit.yaml as it is; the points are set by hand, this only measures them."""

    framework = "rules"

    def __init__(self):
        self.rules = yaml.safe_load(RULES.read_text())

    def fired(self, rows):
        columns = []
        for point in self.rules["points"]:
            text = point["when"].replace("&&", " and ").replace("||", " or ")
            condition = compile(re.sub(r"\bnull\b", "None", text), point["name"], "eval")
            columns.append([float(bool(eval(condition, {"__builtins__": {}}, dict(row)))) for row in rows])
        return np.array(columns).T

    def score(self, rows):
        points = np.array([point["add"] for point in self.rules["points"]])
        sums = self.rules["base"] + self.fired(rows) @ points
        return np.round(np.clip(sums, 0.0, 1.0), 9)  # equal points are equal scores, whatever the order of the sum

    def summary(self, rows, good):
        """Least-squares points on the train rows, for whoever revises the rules."""
        fit = Ridge(alpha=1.0).fit(self.fired(rows), good)
        names = [point["name"] for point in self.rules["points"]]
        return {
            "points": len(names),
            "fitted_base": round(float(fit.intercept_), 3),
            "fitted_points": {name: round(float(c), 3) for name, c in zip(names, fit.coef_)},
        }


def out_of_fold(make, rows, good):
    scores = np.zeros(len(rows))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(rows, good)
    for train, test in folds:
        scores[test] = make().fit([rows[i] for i in train], good[train]).score([rows[i] for i in test])
    return scores


def choose_thresholds(good, score):
    steps = np.round(np.arange(0.05, 0.96, 0.01), 2)
    approve = min(t for t in steps if (score >= t).any() and (1 - good)[score >= t].mean() <= APPROVED_BAD_AT_MOST)
    decline = max(t for t in steps if (score <= t).any() and (1 - good)[score <= t].mean() >= DECLINED_BAD_AT_LEAST)
    return {"approve": float(approve), "decline": float(decline)}


def compact(value):
    return int(value) if isinstance(value, float) and value.is_integer() else value


def write_golden(name, model, rows, scores):
    golden = {
        "model": name,
        "framework": model.framework,
        "versions": versions(),
        "onnx_sha256": sha256(MODELS / f"{name}.onnx"),
        "score": "P(good)",
        "order": "data/split.json, test",
        "rows": [
            {"features": {f: compact(row[f]) for f in FEATURES}, "score": float(str(score))}
            for row, score in zip(rows, scores)
        ],
    }
    text = json.dumps(golden, separators=(",", ":"), allow_nan=False)
    (MODELS / f"{name}.golden.json").write_text(text + "\n")


def versions():
    return {
        "python": platform.python_version(),
        "xgboost": xgboost.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
    }


def measure(good, score, rows, thresholds):
    ages = np.array([measures.age_band(row["Age"]) for row in rows])
    marital = np.array([row["Marital"] or "missing" for row in rows])
    return {
        "auc": measures.auc(good, score),
        "calibration": measures.calibration(good, score),
        "decisions": measures.decisions(good, score, thresholds),
        "by_age": measures.by_group(good, score, ages, thresholds),
        "by_marital": measures.by_group(good, score, marital, thresholds),
    }


def proxies(train_rows, test_rows):
    """How much of the protected attributes the model's features still carry."""
    maker = Boosted()
    train, test = maker.columns(train_rows), maker.columns(test_rows)
    settings = {"max_depth": 3, "eta": 0.08, "min_child_weight": 20, "seed": SEED, "nthread": 1}
    age_train, age = (np.array([r["Age"] for r in rows]) for rows in (train_rows, test_rows))
    guess = xgboost.train(settings, xgboost.DMatrix(train, age_train), TREES).predict(xgboost.DMatrix(test))
    married_train, married = (np.array([int(r["Marital"] == "married") for r in rows]) for rows in (train_rows, test_rows))
    settings = {**settings, "objective": "binary:logistic"}
    married_guess = xgboost.train(settings, xgboost.DMatrix(train, married_train), TREES).predict(xgboost.DMatrix(test))
    return {
        "age_r2": round(float(1 - np.sum((age - guess) ** 2) / np.sum((age - age.mean()) ** 2)), 3),
        "married": measures.auc(married, married_guess),
    }


def main():
    applicants = read_applicants()
    train, test = write_split(applicants)
    train_rows, test_rows = [applicants[i] for i in train], [applicants[i] for i in test]
    good_train, good = (np.array([row["good"] for row in rows]) for rows in (train_rows, test_rows))
    assert not set(FEATURES) & set(PROTECTED)
    MODELS.mkdir(exist_ok=True)

    inside = {"credit-boosted": out_of_fold(Boosted, train_rows, good_train)}
    inside["credit-logistic"] = out_of_fold(Logistic, train_rows, good_train)
    thresholds = choose_thresholds(good_train, inside["credit-boosted"])

    notes = {"score": "P(good)", "contract": "applicant@1", "data_sha256": sha256(CSV), "seed": str(SEED)}
    models, scores = {}, {}
    for name, model in {"credit-boosted": Boosted(), "credit-logistic": Logistic()}.items():
        model.fit(train_rows, good_train)
        path = MODELS / f"{name}.onnx"
        model.write(path, notes)
        scores[name] = model.score(test_rows)
        write_golden(name, model, test_rows, scores[name])
        models[name] = {
            "file": f"models/{path.name}",
            "sha256": sha256(path),
            "bytes": path.stat().st_size,
            **model.summary(),
            "auc_train": measures.auc(good_train, model.score(train_rows)),
            "auc_out_of_fold": measures.auc(good_train, inside[name]),
            "out_of_fold": measures.decisions(good_train, inside[name], thresholds),
            "held_out": measure(good, scores[name].astype(float), test_rows, thresholds),
        }
    baseline = Baseline()
    scores["credit-baseline"] = baseline.score(test_rows)
    models["credit-baseline"] = {
        "file": "rules/credit.yaml",
        "sha256": sha256(RULES),
        **baseline.summary(train_rows, good_train),
        "auc_train": measures.auc(good_train, baseline.score(train_rows)),
        "held_out": measure(good, scores["credit-baseline"], test_rows, thresholds),
    }
    metrics = {
        "versions": versions(),
        "data": {
            "file": "data/credit.csv",
            "sha256": sha256(CSV),
            "rows": len(applicants),
            "train": len(train),
            "test": len(test),
            "good_rate_train": round(float(good_train.mean()), 4),
            "good_rate_test": round(float(good.mean()), 4),
        },
        "thresholds": {
            **thresholds,
            "chosen_on": f"out-of-fold scores of credit-boosted on the train rows, {FOLDS} folds",
            "approved_bad_at_most": APPROVED_BAD_AT_MOST,
            "declined_bad_at_least": DECLINED_BAD_AT_LEAST,
        },
        "models": models,
        "differences": {
            "boosted_minus_logistic": measures.auc_difference(good, scores["credit-boosted"], scores["credit-logistic"]),
            "boosted_minus_baseline": measures.auc_difference(good, scores["credit-boosted"], scores["credit-baseline"]),
        },
        "proxies": proxies(train_rows, test_rows),
    }
    (MODELS / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    write_cards(metrics)
    for name, model in models.items():
        print(name, model["sha256"], json.dumps(model["held_out"]["auc"]), json.dumps(model["held_out"]["decisions"]))
    print("thresholds", thresholds)


if __name__ == "__main__":
    main()
