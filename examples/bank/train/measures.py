"""Measures of a scored set: discrimination, calibration, what the thresholds do, and to whom.

Decides nothing. Every interval says its method; a group under 30 rows gets no rates.
"""

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.linear_model import LogisticRegression

SMALL_GROUP = 30


def placements(good, score):
    """DeLong's structural components (1988), by midranks (Sun and Xu 2014)."""
    positive, negative = score[good == 1], score[good == 0]
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    v10 = (ranks[:m] - rankdata(positive)) / n
    v01 = 1.0 - (ranks[m:] - rankdata(negative)) / m
    return v10, v01


def auc(good, score):
    v10, v01 = placements(good, score)
    value = float(v10.mean())
    error = float(np.sqrt(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)))
    return {
        "value": round(value, 4),
        "low": round(max(0.0, value - 1.96 * error), 4),
        "high": round(min(1.0, value + 1.96 * error), 4),
        "method": "DeLong, 95 %",
    }


def auc_difference(good, first, second):
    """Paired: both scores on the same rows."""
    a10, a01 = placements(good, first)
    b10, b01 = placements(good, second)
    d10, d01 = a10 - b10, a01 - b01
    value = float(d10.mean())
    error = float(np.sqrt(d10.var(ddof=1) / len(d10) + d01.var(ddof=1) / len(d01)))
    return {
        "value": round(value, 4),
        "low": round(value - 1.96 * error, 4),
        "high": round(value + 1.96 * error, 4),
        "p": round(float(2 * norm.sf(abs(value) / error)), 4),
        "method": "DeLong paired, 95 %",
    }


def calibration(good, score, bins=10):
    """Slope and intercept of a logistic recalibration (1 and 0 are perfect), and the error over equal-count bins."""
    p = np.clip(score, 1e-6, 1 - 1e-6)
    logit = np.log(p / (1 - p)).reshape(-1, 1)
    line = LogisticRegression(C=1e9, max_iter=1000).fit(logit, good)
    parts = np.array_split(np.argsort(score, kind="stable"), bins)
    rows = [
        {"n": len(part), "mean_score": round(float(score[part].mean()), 4), "good_rate": round(float(good[part].mean()), 4)}
        for part in parts
    ]
    return {
        "brier": round(float(np.mean((score - good) ** 2)), 4),
        "log_loss": round(float(-np.mean(good * np.log(p) + (1 - good) * np.log(1 - p))), 4),
        "slope": round(float(line.coef_[0][0]), 3),
        "intercept": round(float(line.intercept_[0]), 3),
        "expected_calibration_error": round(
            sum(r["n"] * abs(r["mean_score"] - r["good_rate"]) for r in rows) / len(score), 4
        ),
        "bins": rows,
    }


def rate(part, whole):
    return round(float(part) / float(whole), 4) if whole else None


def decisions(good, score, thresholds):
    approve, decline = score >= thresholds["approve"], score <= thresholds["decline"]
    refer = ~approve & ~decline
    return {
        "n": len(score),
        "approve_rate": rate(approve.sum(), len(score)),
        "refer_rate": rate(refer.sum(), len(score)),
        "decline_rate": rate(decline.sum(), len(score)),
        "bad_rate_of_approved": rate((1 - good)[approve].sum(), approve.sum()),
        "bad_rate_of_referred": rate((1 - good)[refer].sum(), refer.sum()),
        "bad_rate_of_declined": rate((1 - good)[decline].sum(), decline.sum()),
    }


def by_group(good, score, groups, thresholds):
    approve, decline = score >= thresholds["approve"], score <= thresholds["decline"]
    out = {}
    for group in dict.fromkeys(sorted(groups)):
        mine = groups == group
        n = int(mine.sum())
        if n < SMALL_GROUP:
            out[group] = {"n": n, "note": f"fewer than {SMALL_GROUP} rows: no rates"}
            continue
        good_mine = mine & (good == 1)
        out[group] = {
            "n": n,
            "good_rate": rate(good[mine].sum(), n),
            "mean_score": round(float(score[mine].mean()), 4),
            "approve_rate": rate(approve[mine].sum(), n),
            "decline_rate": rate(decline[mine].sum(), n),
            "approve_rate_of_good": rate(approve[good_mine].sum(), good_mine.sum()),
            "auc": auc(good[mine], score[mine]),
        }
    rates = [g["approve_rate"] for g in out.values() if "approve_rate" in g]
    return {"groups": out, "lowest_to_highest_approve_rate": round(min(rates) / max(rates), 3)}


def age_band(age):
    return "18-25" if age <= 25 else "26-35" if age <= 35 else "36-50" if age <= 50 else "51+"
