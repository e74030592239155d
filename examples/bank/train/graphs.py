"""Writes trained models as ONNX graphs, node by node.

Every graph has one input per feature, named as in the contract, shape [N,1]: float for
numbers (NaN is missing), string for categories ("" is missing). One output: `score` [N,1].
The encoding of categories lives in the graph, so a caller never sees a code or a column order.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper

from applicants import CATEGORIES, FEATURES, NUMBERS

NAN = float("nan")


def feature_inputs():
    return [
        helper.make_tensor_value_info(
            name, TensorProto.STRING if name in CATEGORIES else TensorProto.FLOAT, ["N", 1]
        )
        for name in FEATURES
    ]


def write_graph(path, name, nodes, initializers, notes):
    output = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph(nodes, name, feature_inputs(), [output], initializers)
    model = helper.make_model(
        graph,
        ir_version=8,
        producer_name="examples/bank/train",
        opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)],
    )
    helper.set_model_props(model, notes)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def tree_attributes(booster):
    """XGBoost's trees as the parallel arrays of TreeEnsembleRegressor.

    XGBoost goes left when `x < split` (float32) and sends missing values to the default side,
    hence BRANCH_LT with the left child as the true branch.
    """
    learner = json.loads(booster.save_raw("json").decode())["learner"]
    base = float(learner["learner_model_param"]["base_score"])
    out = {key: [] for key in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids", "target_ids",
        "target_weights",
    )}
    for tree_id, tree in enumerate(learner["gradient_booster"]["model"]["trees"]):
        pending = [0]
        while pending:
            node = pending.pop(0)
            left, right = tree["left_children"][node], tree["right_children"][node]
            leaf = left == -1
            value = tree["split_conditions"][node]
            out["nodes_treeids"].append(tree_id)
            out["nodes_nodeids"].append(node)
            out["nodes_featureids"].append(0 if leaf else tree["split_indices"][node])
            out["nodes_values"].append(0.0 if leaf else value)
            out["nodes_modes"].append("LEAF" if leaf else "BRANCH_LT")
            out["nodes_truenodeids"].append(0 if leaf else left)
            out["nodes_falsenodeids"].append(0 if leaf else right)
            out["nodes_missing_value_tracks_true"].append(0 if leaf else int(tree["default_left"][node]))
            if leaf:
                out["target_treeids"].append(tree_id)
                out["target_nodeids"].append(node)
                out["target_ids"].append(0)
                out["target_weights"].append(value)
            else:
                pending += [left, right]
    out["base_values"] = [float(np.log(base / (1 - base)))]
    return out


def write_boosted(path, booster, codes, notes):
    """Column order of the trees: FEATURES. `codes` maps each category to the number it was trained as."""
    nodes = []
    columns = []
    for name in FEATURES:
        if name in CATEGORIES:
            nodes.append(helper.make_node(
                "LabelEncoder", [name], [f"{name}_code"], name=f"encode_{name}", domain="ai.onnx.ml",
                keys_strings=list(codes[name]), values_floats=[float(v) for v in codes[name].values()], default_float=NAN,
            ))
            columns.append(f"{name}_code")
        else:
            columns.append(name)
    nodes += [
        helper.make_node("Concat", columns, ["columns"], name="columns", axis=1),
        helper.make_node(
            "TreeEnsembleRegressor", ["columns"], ["margin"], name="trees", domain="ai.onnx.ml",
            n_targets=1, aggregate_function="SUM", post_transform="NONE", **tree_attributes(booster),
        ),
        helper.make_node("Sigmoid", ["margin"], ["score"], name="probability"),
    ]
    write_graph(path, "credit-boosted", nodes, [], notes)


def write_logistic(path, logistic, notes):
    """Median for missing numbers, log(1+x), standardise; one column per category value; then a line and a sigmoid."""
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [len(logistic["weights"]), 1], logistic["weights"])
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [1], [logistic["bias"]])
    nodes = [
        helper.make_node("Concat", NUMBERS, ["numbers"], name="numbers", axis=1),
        helper.make_node(
            "Imputer", ["numbers"], ["known"], name="median_for_missing", domain="ai.onnx.ml",
            imputed_value_floats=logistic["medians"], replaced_value_float=NAN,
        ),
        helper.make_node("Add", ["known", "one"], ["plus_one"], name="plus_one"),
        helper.make_node("Log", ["plus_one"], ["logs"], name="log"),
        helper.make_node(
            "Scaler", ["logs"], ["scaled"], name="standardise", domain="ai.onnx.ml",
            offset=logistic["means"], scale=[1.0 / s for s in logistic["deviations"]],
        ),
        helper.make_node("IsNaN", ["Income"], ["income_unknown"], name="income_unknown"),
        helper.make_node("Cast", ["income_unknown"], ["income_flag"], name="income_flag", to=TensorProto.FLOAT),
    ]
    columns = ["scaled", "income_flag"]
    for name, values in logistic["categories"].items():
        nodes += [
            helper.make_node(
                "OneHotEncoder", [name], [f"{name}_hot"], name=f"encode_{name}", domain="ai.onnx.ml",
                cats_strings=values, zeros=1,
            ),
            helper.make_node("Flatten", [f"{name}_hot"], [f"{name}_columns"], name=f"flat_{name}", axis=1),
        ]
        columns.append(f"{name}_columns")
    nodes += [
        helper.make_node("Concat", columns, ["columns"], name="columns", axis=1),
        helper.make_node("MatMul", ["columns", "weights"], ["weighted"], name="weigh"),
        helper.make_node("Add", ["weighted", "bias"], ["margin"], name="margin"),
        helper.make_node("Sigmoid", ["margin"], ["score"], name="probability"),
    ]
    write_graph(path, "credit-logistic", nodes, [one, weights, bias], notes)
