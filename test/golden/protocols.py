"""Every named protocol, written a second time from its documentation, with NumPy, SciPy and scikit-learn.

    npx tsx test/golden/make-protocol-inputs.ts
    /usr/bin/python3 test/golden/protocols.py

Reads test/golden/protocol-inputs.json (random recordings and activations; what our seeded generator draws: folds, halves
of trials and of images, halves for the choice of a layer, sites that are spared) and writes test/golden/protocols.json,
the figures of `score` for each recording and protocol. Splits of scikit-learn are its own. What is computed is what
README.md, ARCHITECTURE.md and the descriptions of protocols and ceilings say; no function here follows one of src/. Not covered: what
sampling makes of a network's layers (the activations are given), intervals, surrogates, bins of more than 200 sites.
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from protocol_ceilings import (
    best_other_site,
    best_pair,
    median_split_half,
    mismatched,
    no_ceiling,
    published,
    split_half,
    split_half_within,
)
from protocol_parts import by_site, pls, regress, ridge
from protocol_world import INPUTS, World, average, middle

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


CEILINGS = {
    "split-half": split_half,
    "median-split-half": median_split_half,
    "published": published,
    "best-pair": best_pair,
    "none": no_ceiling,
}


def ceiling_kind(world, protocol, time_bin, groups):
    kind, sites = protocol["ceiling"], range(len(world.ids))
    if kind == "best-other-site":
        return best_other_site(world, time_bin, groups, sites, protocol["correlation"])
    return CEILINGS[kind](world, time_bin, groups, sites)


IMAGE = dict(
    regression=pls(1e-6), folds="k-fold", correlation="pearson", ceiling="split-half", by="r/c", choice="best",
    missing="per-site",
)  # fmt: skip
GRID = dict(IMAGE, folds="leave-one-image-out")
OTHER_SITES = dict(GRID, correlation="spearman", ceiling="best-other-site")
LINSLEY = dict(OTHER_SITES, missing="drop-sites")
LINSLEY_CODE = dict(GRID, regression=pls(1e-4), ceiling="best-pair", missing="drop-sites")
BRAIN_SCORE = dict(IMAGE, folds="shuffle", ceiling="median-split-half", missing="drop-sites")

# Every named protocol on the recordings with names of their own, some of them and some changed ones on the others.
ON_IMAGES = {
    "ventral": dict(IMAGE, choice="nested"),
    "image-cv": IMAGE,
    "image-cv-ridge": dict(IMAGE, regression=ridge),
    "brainscore-like-2020": BRAIN_SCORE,
    "brainscore-like-2026": dict(BRAIN_SCORE, by="r²/c"),
    "image-cv-drop-stimuli": dict(IMAGE, missing="drop-stimuli"),
    "image-cv-published": dict(IMAGE, ceiling="published"),
}
ON_GRIDS = {
    "ventral": dict(GRID, choice="nested"),
    "linsley2023": LINSLEY,
    "linsley2023-code": LINSLEY_CODE,
    "linsley2023-nested": dict(LINSLEY, choice="half"),
    "grid-cv": GRID,
}
NAMED = ["ventral", "image-cv", "image-cv-ridge", "brainscore-like-2020", "brainscore-like-2026"]
ASKED = {
    "even": NAMED,
    "odd": NAMED,
    "unequal": NAMED,
    "single": ["ventral"],
    "mostly-single": ["ventral", "brainscore-like-2020"],
    "otherwise": ["image-cv"],
    "noisy": ["ventral"],
    "published": ["image-cv-published"],
    "missing": ["ventral", "image-cv", "image-cv-ridge", "image-cv-drop-stimuli", "brainscore-like-2020"],
    "grid-even": list(ON_GRIDS),
    "grid-odd": list(ON_GRIDS),
    "grid-single": ["ventral", "linsley2023", "linsley2023-code", "linsley2023-nested"],
    "grid-noisy": ["ventral"],
    "grid-few": ["grid-cv"],
    "grid-missing": ["ventral", "grid-cv", "linsley2023", "linsley2023-nested"],
    "grid-single-missing": ["ventral", "linsley2023-code"],
}


def settings_for(name, protocol):
    entry = INPUTS["worlds"][name]
    repeated = "trial" in entry["dims"]
    if protocol == "ventral" and not repeated:
        return dict(OTHER_SITES if "row" in entry["dims"] else dict(IMAGE, ceiling="none"), choice="nested")
    return (ON_GRIDS if "row" in entry["dims"] else ON_IMAGES)[protocol]


def folds_of(world, protocol, name):
    """Lists of stimuli that are held out together."""
    if protocol["folds"] == "k-fold":
        folds = [np.array(fold) for fold in world.drawn["folds"]["ventral" if name == "ventral" else "image-cv"]]
        check_folds(world, folds, grouped=name == "ventral")
        return folds
    if protocol["folds"] == "leave-one-image-out":
        return [np.array([stimulus]) for stimulus in range(world.stimuli)]
    classes = world.stimulus_columns.get("object_name")
    settings = dict(n_splits=10, test_size=0.1, random_state=1)
    everything = np.arange(world.stimuli)
    splitter = ShuffleSplit(**settings) if classes is None else StratifiedShuffleSplit(**settings)
    return [np.sort(test) for _, test in splitter.split(everything, classes)]


def check_folds(world, folds, grouped):
    """What is promised of the folds that we are given: every stimulus once, nearly even sizes and classes, groups whole."""
    assert sorted(np.concatenate(folds)) == list(range(world.stimuli))
    sizes = [len(fold) for fold in folds]
    columns = world.stimulus_columns
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


def groups_for(world, protocol, folds):
    """Rows within which a correlation is computed: a split's, an image's, or all."""
    if protocol["folds"] == "shuffle":
        return [world.rows_of(fold) for fold in folds]
    if world.grid:
        return [world.rows_of([stimulus]) for stimulus in range(world.stimuli)]
    return [np.arange(len(world.image_of_row))]


def scored(world, protocol, name):
    """Everything that is fitted: folds, ceilings, regressions and, where the protocol chooses, figures for the choice."""
    folds = folds_of(world, protocol, name)
    groups = groups_for(world, protocol, folds)
    ceilings = [ceiling_kind(world, protocol, b, groups) for b in range(len(world.means))]
    having = [b for b, c in enumerate(ceilings) if not np.isnan(c["per_site"]).all()]
    chosen_bin = max(having, key=lambda b: ceilings[b]["strength"])
    side_by_side, course_sites, own_sites = over_common_sites(ceilings)
    course = {
        "ceilings": [level_of(ceiling) for ceiling in side_by_side],
        "sites": course_sites, "ownSites": own_sites, "layers": {},
    }  # fmt: skip
    layers, inner = {}, {}
    for layer, x in world.layers.items():
        course["layers"][layer] = []
        for b, y in enumerate(world.means):
            predictions = held_out(world, protocol, folds, x, y)
            r = correlations_of(protocol, groups, folds, world, y, predictions)
            figures = aggregate(r, side_by_side[b], protocol["by"])
            course["layers"][layer].append({k: figures[k] for k in ("raw", "value")})
            if b == chosen_bin:
                layers[layer] = {"r": r, "predictions": predictions}
        if protocol["choice"] != "best":
            inner[layer] = inner_figures(world, protocol, folds, x, chosen_bin, ceilings[chosen_bin])
    return {
        "world": world, "protocol": protocol, "sites": world.ids, "folds": folds, "groups": groups,
        "ceilings": ceilings, "bin": chosen_bin, "layers": layers, "course": course, "inner": inner,
        "y": world.means[chosen_bin],
    }  # fmt: skip


def over_common_sites(ceilings):
    """A time course is over the sites that all bins have a ceiling for; bins without any have none, and take none away."""
    own = [~np.isnan(ceiling["per_site"]).all(0) for ceiling in ceilings]
    counts = [int(sites.sum()) for sites in own]
    if not ceilings[0]["raw_too"]:
        return ceilings, counts, counts
    common = np.all([sites for sites in own if sites.any()], 0)
    kept = [dict(c, per_site=np.where(common, c["per_site"], np.nan)) for c in ceilings]
    return kept, [int(common.sum()) if count else 0 for count in counts], counts


def level_of(ceiling):
    if ceiling["overall"] is not None:
        return ceiling["overall"]
    return average([middle(row) for row in ceiling["per_site"]])


def held_out(world, protocol, folds, x, y):
    """Predictions of each fold, a list, from all rows that it does not hold out (nor, by `half`, chooses on)."""
    predictions = []
    for k, fold in enumerate(folds):
        out = list(fold)
        if protocol["choice"] == "half":
            out += world.drawn["choosing"][k]
        predictions.append(regress(protocol["regression"], x, y, world.rows_of(out), world.rows_of(fold)))
    return predictions


def correlations_of(protocol, groups, folds, world, y, predictions):
    """[groups, sites]."""
    kind = protocol["correlation"]
    if protocol["folds"] == "shuffle":
        return np.array([by_site(y[rows], p, kind) for rows, p in zip(groups, predictions)])
    whole = np.full(y.shape, np.nan)
    level = np.zeros(y.shape)
    for fold, p in zip(folds, predictions):
        rows = world.rows_of(fold)
        whole[rows] = p
        if not world.grid:
            level[rows] = training_mean(y, rows)
    return np.array([by_site((y - level)[rows], (whole - level)[rows], kind) for rows in groups])


def training_mean(y, left_out):
    """What rows of several folds are taken around, before they are correlated together; by site."""
    return np.nanmean(np.delete(y, left_out, 0), 0)


def inner_figures(world, protocol, folds, x, time_bin, ceiling):
    """For each fold, the layer's value on others: all of them, predicted from each other, or the chosen half, from the rest."""
    predict, kind, y = protocol["regression"], protocol["correlation"], world.means[time_bin]
    values = []
    for i, fold in enumerate(folds):
        half = protocol["choice"] == "half"
        judges = world.drawn["choosing"][i] if half else [j for j in range(len(folds)) if j != i]
        whole = np.full(y.shape, np.nan)
        level = np.zeros(y.shape)
        for j in judges:
            out = [*fold, *(s for k in judges for s in folds[k])] if half else [*fold, *folds[j]]
            test = world.rows_of(folds[j])
            whole[test] = regress(predict, x, y, world.rows_of(out), test)
            level[test] = training_mean(y, world.rows_of(out))
        if world.grid:
            r = np.array([by_site(y[g], whole[g], kind) for g in (world.rows_of(folds[j]) for j in judges)])
            within = dict(ceiling, per_site=ceiling["per_site"][judges])
        else:
            inside = np.sort(np.concatenate([world.rows_of(folds[j]) for j in judges]))
            r = by_site((y - level)[inside], (whole - level)[inside], kind)[None]
            within = ceiling
            if protocol["ceiling"] == "split-half":
                within = split_half_within(world, time_bin, inside, range(len(world.ids)), ceiling)
        values.append(aggregate(r, within, protocol["by"])["value"])
    return values


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
                "raw": average(figures["kept"][:, s]),
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
            {"raw": middle(figures["kept"][g]), "value": middle(figures["ceiled"][g])} for g in range(len(r))
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
    by = part["protocol"]["by"]
    best = max(aggregate(each["r"], part["ceilings"][part["bin"]], by)["value"] for each in layers.values())
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
    found = {"bin": part["bin"], "layer": best, "layers": layers, "timeCourse": part["course"]}
    found["choice"] = None if part["protocol"]["choice"] == "best" else chosen_layers(part)
    if part["protocol"]["ceiling"] == "best-other-site":
        world, kind = part["world"], part["protocol"]["correlation"]
        found["mismatched"] = mismatched(world, part["bin"], part["groups"], range(len(world.ids)), kind)
    if part["protocol"]["folds"] == "shuffle":
        found["splitError"] = split_error(part, layers[best]["raw"], layers[best]["folds"])
    return found


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
    for name, protocols in ASKED.items():
        found[name] = {}
        for protocol in protocols:
            settings = settings_for(name, protocol)
            found[name][protocol] = plain(report(scored(World(name, settings["missing"]), settings, protocol)))
    return found


if __name__ == "__main__":
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__}
    text = json.dumps({"versions": versions, "scores": everything()})
    (HERE / "protocols.json").write_text(text.replace('"layers": {', '\n"layers": {') + "\n")
