"""Every named protocol, written a second time from its documentation, with NumPy, SciPy and scikit-learn.

    npx tsx test/golden/make-protocol-inputs.ts
    /usr/bin/python3 test/golden/protocols.py

Reads test/golden/protocol-inputs.json (random recordings and activations; what our seeded generator draws: folds, halves
of trials, halves for the choice of a layer) and writes test/golden/protocols.json, the figures of `score` for each
recording and protocol. Splits of scikit-learn are its own. What is computed is what README.md, ARCHITECTURE.md and the
descriptions of the protocols say; no function here follows one of src/. Not covered: what sampling makes of a network's
layers (the activations are given), intervals, surrogates.
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from protocol_parts import (
    INPUTS,
    World,
    average,
    best_other_site,
    best_pair,
    by_site,
    median_split_half,
    middle,
    mismatched,
    no_ceiling,
    pls,
    reliability,
    ridge,
    split_half,
)

HERE = pathlib.Path(__file__).parent


# Aggregation


def normalised(r, c, by):
    return r / c if by == "r/c" else np.sign(r) * r**2 / c


def aggregate(r, ceiling, by):
    """r [groups, sites] → raw, value, ceiling: medians over sites, means over groups."""
    c = ceiling["per_site"]
    overall = ceiling["overall"]
    ceiled = normalised(r, c if overall is None else overall, by)
    kept = np.where(np.isnan(ceiled), np.nan, r) if ceiling["raw_too"] else r
    raw = average([middle(row) for row in kept])
    if overall is not None:
        return {"raw": raw, "value": normalised(raw, overall, by), "ceiling": overall, "ceiled": ceiled, "kept": kept}
    return {
        "raw": raw,
        "value": average([middle(row) for row in ceiled]),
        "ceiling": average([middle(row) for row in c]),
        "ceiled": ceiled,
        "kept": kept,
    }


# Protocols, as their descriptions say


def ceiling_kind(world, protocol, time_bin, groups, sites):
    kind = protocol["ceiling"]
    if kind == "best-other-site":
        return best_other_site(world, time_bin, groups, sites, protocol["correlation"])
    made = {"split-half": split_half, "median-split-half": median_split_half, "best-pair": best_pair, "none": no_ceiling}
    return made[kind](world, time_bin, groups, sites)


IMAGE = dict(
    regression=pls(1e-6), folds="k-fold", correlation="pearson", ceiling="split-half", by="r/c", choice="best"
)
GRID = dict(IMAGE, folds="leave-one-image-out")
LINSLEY = dict(GRID, correlation="spearman", ceiling="best-other-site")
BRAIN_SCORE = dict(IMAGE, folds="shuffle", ceiling="median-split-half")


def protocols_for(world):
    repeated = world.trials.shape[2] > 1
    if world.grid:
        return {
            "ventral": dict(GRID if repeated else LINSLEY, choice="nested"),
            "linsley2023": LINSLEY,
            "linsley2023-code": dict(GRID, regression=pls(1e-4), ceiling="best-pair"),
            "linsley2023-nested": dict(LINSLEY, choice="half"),
            **({"grid-cv": GRID} if repeated else {}),
        }
    if world.name == "missing":
        # How layers are chosen for folds that differ between sites is not written anywhere.
        return {"image-cv": IMAGE}
    if not repeated:
        return {"ventral": dict(IMAGE, ceiling="none", choice="nested")}
    return {
        "ventral": dict(IMAGE, choice="nested"),
        "image-cv": IMAGE,
        "image-cv-ridge": dict(IMAGE, regression=ridge),
        "brainscore-like-2020": BRAIN_SCORE,
        "brainscore-like-2026": dict(BRAIN_SCORE, by="r²/c"),
    }


def folds_of(world, protocol, name, missing):
    """Lists of stimuli that are held out together."""
    if protocol["folds"] == "k-fold":
        drawn = world.entry["folds"]
        folds = [np.array(fold) for fold in drawn[name.removesuffix("-ridge")][missing]]
        check_folds(world, folds, missing, grouped=name == "ventral")
        return folds
    if protocol["folds"] == "leave-one-image-out":
        return [np.array([stimulus]) for stimulus in range(world.stimuli)]
    classes = world.entry["columns"].get("object_name")
    settings = dict(n_splits=10, test_size=0.1, random_state=1)
    everything = np.arange(world.stimuli)
    splitter = ShuffleSplit(**settings) if classes is None else StratifiedShuffleSplit(**settings)
    return [np.sort(test) for _, test in splitter.split(everything, classes)]


def check_folds(world, folds, missing, grouped):
    """What is promised of the folds that we are given: every stimulus once, nearly even sizes and classes, groups whole."""
    gone = [int(s) for s in missing.split(",")] if missing else []
    assert sorted(np.concatenate(folds)) == sorted(set(range(world.stimuli)) - set(gone))
    sizes = [len(fold) for fold in folds]
    columns = world.entry["columns"]
    if grouped and "alike" in columns:
        alike = np.array(columns["alike"])
        fold_of = {stimulus: k for k, fold in enumerate(folds) for stimulus in fold}
        for group in set(alike):
            assert len({fold_of[s] for s in np.flatnonzero(alike == group)}) == 1
        return
    assert max(sizes) - min(sizes) <= 1
    for name in set(columns.get("object_name", [])):
        counts = [sum(columns["object_name"][s] == name for s in fold) for fold in folds]
        assert max(counts) - min(counts) <= 1


def groups_for(world, protocol, folds, rows):
    """Rows within which a correlation is computed: a split's, an image's, or all."""
    if protocol["folds"] == "shuffle":
        return [world.rows_of(fold) for fold in folds]
    if world.grid:
        return [world.rows_of([stimulus]) for stimulus in range(world.stimuli)]
    return [rows]


def figures_of(world, protocol, name):
    """The score of a recording under a protocol."""
    parts = [
        scored_set(world, protocol, name, missing, world.sites[positions], positions)
        for missing, positions in world.sets().items()
    ]
    return parts[0] if len(parts) == 1 else merged(world, protocol, parts)


def scored_set(world, protocol, name, missing, sites, positions):
    """Sites that have the same rows: folds, ceilings, regressions and, where the protocol chooses, layers."""
    gone = [int(s) for s in missing.split(",")] if missing else []
    kept = np.flatnonzero(~np.isin(np.arange(world.stimuli), gone))
    rows = world.rows_of(kept)
    folds = folds_of(world, protocol, name, missing)
    groups = groups_for(world, protocol, folds, rows)
    bins = range(len(world.means))
    ceilings = [ceiling_kind(world, protocol, b, groups, sites) for b in bins]
    chosen_bin = int(np.argmax([ceiling["strength"] for ceiling in ceilings]))
    layers, courses, inner = {}, {}, {}
    for layer, x in world.layers.items():
        courses[layer] = []
        for b in bins:
            y = world.means[b][:, sites]
            predictions = held_out(world, protocol, folds, rows, x, y)
            r = correlations_of(protocol, groups, folds, world, y, predictions)
            figures = aggregate(r, ceilings[b], protocol["by"])
            courses[layer].append({k: figures[k] for k in ("raw", "value")})
            if b == chosen_bin:
                layers[layer] = dict(figures, r=r, predictions=predictions)
        if protocol["choice"] != "best":
            y = world.means[chosen_bin][:, sites]
            inner[layer] = inner_figures(world, protocol, folds, rows, sites, x, y, chosen_bin, ceilings[chosen_bin])
    return {
        "world": world, "protocol": protocol, "sites": [f"s{s}" for s in sites], "positions": positions,
        "folds": folds, "groups": groups, "ceilings": ceilings, "bin": chosen_bin, "layers": layers,
        "courses": courses, "inner": inner, "y": world.means[chosen_bin][:, sites],
    }  # fmt: skip


def held_out(world, protocol, folds, rows, x, y):
    """Predictions of each fold, a list, from all rows that it does not hold out (nor, by `half`, chooses on)."""
    predictions = []
    for k, fold in enumerate(folds):
        out = list(fold)
        if protocol["choice"] == "half":
            out += world.entry["choosing"][k]
        train = np.setdiff1d(rows, world.rows_of(out))
        predictions.append(protocol["regression"](x[train], y[train], x[world.rows_of(fold)]))
    return predictions


def correlations_of(protocol, groups, folds, world, y, predictions):
    """[groups, sites]."""
    kind = protocol["correlation"]
    if protocol["folds"] == "shuffle":
        return np.array([by_site(y[rows], p, kind) for rows, p in zip(groups, predictions)])
    whole = np.full(y.shape, np.nan)
    for fold, p in zip(folds, predictions):
        whole[world.rows_of(fold)] = p
    return np.array([by_site(y[rows], whole[rows], kind) for rows in groups])


def inner_figures(world, protocol, folds, rows, sites, x, y, time_bin, ceiling):
    """For each fold, the layer's value on others: all of them, predicted from each other, or the chosen half, from the rest."""
    predict, kind = protocol["regression"], protocol["correlation"]
    values = []
    for i, fold in enumerate(folds):
        half = protocol["choice"] == "half"
        judges = world.entry["choosing"][i] if half else [j for j in range(len(folds)) if j != i]
        whole = np.full(y.shape, np.nan)
        for j in judges:
            out = [*fold, *(s for k in judges for s in folds[k])] if half else [*fold, *folds[j]]
            train = np.setdiff1d(rows, world.rows_of(out))
            test = world.rows_of(folds[j])
            whole[test] = predict(x[train], y[train], x[test])
        if world.grid:
            r = np.array([by_site(y[g], whole[g], kind) for g in (world.rows_of(folds[j]) for j in judges)])
            within = dict(ceiling, per_site=ceiling["per_site"][judges])
        else:
            inside = np.sort(np.concatenate([world.rows_of(folds[j]) for j in judges]))
            r = by_site(y[inside], whole[inside], kind)[None]
            within = ceiling_on(world, protocol, time_bin, inside, sites, ceiling)
        values.append(aggregate(r, within, protocol["by"])["value"])
    return values


def ceiling_on(world, protocol, time_bin, rows, sites, ceiling):
    """Of one group of rows, the reliabilities on some of them, for the sites that have a ceiling on all."""
    if protocol["ceiling"] == "none":
        return ceiling
    rho = np.array([[reliability(world, time_bin, s, rows) for s in sites]])
    usable = ~np.isnan(ceiling["per_site"]) & (rho > 0)
    return dict(ceiling, per_site=np.where(usable, np.sqrt(np.where(usable, rho, 1)), np.nan))


# What a score file says


def layer_figures(part, r, predictions):
    """raw, value, ceiling of a layer (or of what was chosen), by fold and by site."""
    protocol, ceiling = part["protocol"], part["ceilings"][part["bin"]]
    figures = aggregate(r, ceiling, protocol["by"])
    c = ceiling["per_site"] if ceiling["overall"] is None else np.full(r.shape, ceiling["overall"])
    return {
        **{key: figures[key] for key in ("raw", "value", "ceiling")},
        "folds": fold_figures(part, r, predictions, figures),
        "sites": {
            site: {
                "raw": average(r[:, s]),
                "ceiling": average(c[:, s]),
                "value": average(figures["ceiled"][:, s]),
            }
            for s, site in enumerate(part["sites"])
        },
    }


def fold_figures(part, r, predictions, figures):
    protocol, world, y = part["protocol"], part["world"], part["y"]
    if protocol["folds"] != "k-fold":
        # A group is a fold: an image, or a split.
        return [
            {"raw": middle(r[g]), "value": middle(figures["ceiled"][g])} for g in range(len(r))
        ]
    c = part["ceilings"][part["bin"]]["per_site"][0]
    found = []
    for fold, p in zip(part["folds"], predictions):
        within = by_site(y[world.rows_of(fold)], p, protocol["correlation"])
        found.append({"raw": middle(within[~np.isnan(c)]), "value": middle(within / c)})
    return found


def chosen_layers(part):
    """For each fold the layer with the highest inner figure, and the figures of their predictions together."""
    inner, layers = part["inner"], part["layers"]
    taken = [max(inner, key=lambda layer: inner[layer][k]) for k in range(len(part["folds"]))]
    predictions = [layers[layer]["predictions"][k] for k, layer in enumerate(taken)]
    r = correlations_of(part["protocol"], part["groups"], part["folds"], part["world"], part["y"], predictions)
    figures = layer_figures(part, r, predictions)
    best = max(layers[layer]["value"] for layer in layers)
    return {"layers": taken, **figures, "best": best, "optimism": best - figures["value"]}


def split_error(part, raw, folds):
    """Population spread over splits / √splits; propagated through the normalisation, independent of the ceiling's."""
    ceiling = part["ceilings"][part["bin"]]
    c, error = ceiling["overall"], ceiling["error"]
    of_r = np.std([fold["raw"] for fold in folds]) / np.sqrt(len(folds))
    if part["protocol"]["by"] == "r/c":
        value = np.sqrt((of_r / c) ** 2 + (raw * error / c**2) ** 2)
    else:
        value = np.sqrt((2 * raw / c) ** 2 * of_r**2 + (raw**2 / c**2) ** 2 * error**2)
    return {"value": value, "unscaled": of_r}


def report(part):
    layers = {
        layer: layer_figures(part, each["r"], each["predictions"]) for layer, each in part["layers"].items()
    }
    best = max(layers, key=lambda layer: layers[layer]["value"])
    found = {"bin": part["bin"], "layer": best, "layers": layers, "timeCourse": part["courses"]}
    found["choice"] = None if part["protocol"]["choice"] == "best" else chosen_layers(part)
    if part["protocol"]["ceiling"] == "best-other-site":
        world, kind = part["world"], part["protocol"]["correlation"]
        found["mismatched"] = mismatched(world, part["bin"], part["groups"], world.sites, kind)
    if part["protocol"]["folds"] == "shuffle":
        found["splitError"] = split_error(part, layers[best]["raw"], layers[best]["folds"])
    return found


def merged(world, protocol, parts):
    """Sets of sites that have rows of their own, side by side: a median over all their sites."""
    layers = {}
    for layer in world.layers:
        r = np.full((1, len(world.sites)), np.nan)
        c = np.full((1, len(world.sites)), np.nan)
        for part in parts:
            r[:, part["positions"]] = part["layers"][layer]["r"]
            c[:, part["positions"]] = part["ceilings"][part["bin"]]["per_site"]
        figures = aggregate(r, {"per_site": c, "overall": None, "raw_too": True}, protocol["by"])
        layers[layer] = {
            **{key: figures[key] for key in ("raw", "value", "ceiling")},
            "sites": {
                site: {"raw": r[0, s], "ceiling": c[0, s], "value": r[0, s] / c[0, s]}
                for s, site in enumerate(world.ids)
            },
        }
    best = max(layers, key=lambda layer: layers[layer]["value"])
    return {"bin": 0, "layer": best, "layers": layers, "timeCourse": None, "choice": None}


def plain(value):
    """For JSON: NumPy's numbers as Python's, NaN as null."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return int(value) if isinstance(value, np.integer) else value


def everything():
    found = {}
    for name in INPUTS["worlds"]:
        world = World(name)
        found[name] = {}
        for protocol, settings in protocols_for(world).items():
            part = figures_of(world, settings, protocol)
            found[name][protocol] = plain(report(part) if "inner" in part else part)
    return found


if __name__ == "__main__":
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__}
    text = json.dumps({"versions": versions, "scores": everything()})
    (HERE / "protocols.json").write_text(text.replace('"layers": {', '\n"layers": {') + "\n")
