"""What protocols.py is made of: recordings, correlations, reliabilities, ceilings and regressions, each from its documentation."""

import json
import pathlib
import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV

INPUTS = json.loads((pathlib.Path(__file__).parent / "protocol-inputs.json").read_text())
SPLITS = INPUTS["splits"]
COMPONENTS = 25
STRENGTHS = [0.1, 1.0, 10.0, 100.0, 1000.0]


# Recordings


class World:
    """A recording as rows (an image, or a fixation of one; image-major) × trials × sites, for each time bin."""

    def __init__(self, name):
        entry = INPUTS["worlds"][name]
        self.name, self.entry = name, entry
        dims = entry["dims"]
        values = np.array([np.nan if v is None else v for v in entry["thousandths"]], float) / 1000
        array = values.reshape(entry["shape"])
        if "trial" not in dims:
            array = np.expand_dims(array, -2)
        if "row" not in dims:
            array = array[:, None, None]
        stimuli, rows, columns, bins, trials, sites = array.shape
        self.grid = "row" in dims
        self.columns, self.stimuli = columns, stimuli
        self.image_of_row = np.repeat(np.arange(stimuli), rows * columns)
        self.trials = array.transpose(3, 0, 1, 2, 4, 5).reshape(bins, -1, trials, sites)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.means = np.nanmean(self.trials, 2)
        # A dead site says the same in every trial, up to rounding.
        spread = np.nanmax(self.trials, (0, 1, 2)) - np.nanmin(self.trials, (0, 1, 2))
        self.sites = np.flatnonzero(spread > 1e-9 * np.nanmax(np.abs(self.trials), (0, 1, 2)))
        self.ids = [f"s{s}" for s in self.sites]
        self.layers = {
            layer: (np.array(x["thousandths"]) / 1000).reshape(x["shape"]).astype(np.float32).astype(float)
            for layer, x in INPUTS["features"][entry["features"]].items()
        }

    def rows_of(self, stimuli):
        return np.flatnonzero(np.isin(self.image_of_row, stimuli))

    def sets(self):
        """Sites that miss the same stimuli: {missing stimuli as text: positions among the sites in use}."""
        found = {}
        for position, site in enumerate(self.sites):
            gone = np.unique(self.image_of_row[np.isnan(self.means[:, :, site]).any(0)])
            found.setdefault(",".join(map(str, gone)), []).append(position)
        return found


# Correlations


def correlate(a, b, kind):
    """One number for two lists; NaN where one of them is constant."""
    if kind == "spearman":
        a, b = rankdata(a), rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def by_site(recorded, predicted, kind):
    return np.array([correlate(recorded[:, s], predicted[:, s], kind) for s in range(recorded.shape[1])])


def middle(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return float(np.median(values)) if values.size else np.nan


def average(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return float(np.mean(values)) if values.size else np.nan


# Reliabilities from halves of the trials


def halves_of(world, time_bin, site, split):
    """Means of the two halves of every row's own trials, and how many trials each has; NaN and 0 where it has none."""
    drawn = world.entry["trialHalves"]
    digits = drawn.get("all") or drawn[f"s{site}"]
    trials = world.trials[time_bin, :, :, site]
    half = np.array(list(digits[split])).reshape(trials.shape)
    means, counts = [], []
    for digit in "01":
        inside = half == digit
        count = inside.sum(1)
        total = np.where(inside, np.nan_to_num(trials), 0).sum(1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
        counts.append(count)
    return means, counts


def reliability(world, time_bin, site, rows):
    """Of the mean over the trials of each row, from halves: r is averaged over splits, then corrected by λ."""
    correlations, shares = [], []
    for split in range(SPLITS):
        (a, b), (count_a, count_b) = halves_of(world, time_bin, site, split)
        there = rows[(count_a[rows] > 0) & (count_b[rows] > 0)]
        correlations.append(correlate(a[there], b[there], "pearson"))
        shares.append(np.mean((1 / count_a[there] + 1 / count_b[there]) / 2))
    trials = world.trials[time_bin][rows][:, :, site]
    counts = (~np.isnan(trials)).sum(1)
    scored = counts > 0
    r = np.mean(correlations)
    if not r > 0:
        return float(r)
    if (counts[scored] == 1).any():
        other = analysis_of_variance(trials[scored], counts[scored])
        if other is not None:
            return other
    lam = np.mean(1 / counts[scored]) / np.mean(shares)
    return float(1 / (1 + (1 / r - 1) * lam))


def analysis_of_variance(trials, counts):
    """1 − noise of the scored means / their variance, where single stimuli vary otherwise than repeated ones; else None."""
    means = np.nanmean(trials, 1)
    noise = np.nansum((trials - means[:, None]) ** 2) / (counts - 1).sum()
    repeated = counts > 1

    def signal(rows):
        return np.var(means[rows], ddof=1) - noise * np.mean(1 / counts[rows])

    ratio = signal(np.full(len(counts), True)) / signal(repeated)
    if 1 / 1.5 <= ratio <= 1.5:
        return None
    return float(1 - noise * np.mean(1 / counts) / np.var(means, ddof=1))


# Ceilings: {"per_site": [groups, sites], "overall": number or None, "strength": what time bins are compared by}


def split_half(world, time_bin, groups, sites, minimum=0.1):
    rho = np.array([[reliability(world, time_bin, s, rows) for s in sites] for rows in groups])
    used = (rho > 0) & (rho >= minimum)
    return {
        "per_site": np.where(used, np.sqrt(np.where(used, rho, 1)), np.nan),
        "overall": None,
        "strength": average(rho.ravel()),
        "raw_too": True,
    }


def median_split_half(world, time_bin, groups, sites):
    """Brain-Score's: Pearson of half means, Spearman–Brown, median over sites, mean over splits."""
    medians = []
    for split in range(SPLITS):
        of_sites = []
        for site in sites:
            (a, b), _ = halves_of(world, time_bin, site, split)
            there = ~np.isnan(a) & ~np.isnan(b)
            r = correlate(a[there], b[there], "pearson")
            of_sites.append(2 * r / (1 + r))
        medians.append(middle(of_sites))
    overall = float(np.mean(medians))
    return {
        "per_site": np.ones((len(groups), len(sites))),
        "overall": overall,
        "error": float(np.std(medians) / np.sqrt(SPLITS)),
        "strength": overall,
        "raw_too": False,
    }


def best_other_site(world, time_bin, groups, sites, kind):
    maps = world.means[time_bin][:, sites]
    found = np.full((len(groups), len(sites)), np.nan)
    for g, rows in enumerate(groups):
        for s in range(len(sites)):
            others = [correlate(maps[rows, s], maps[rows, t], kind) for t in range(len(sites)) if t != s]
            found[g, s] = np.nanmax(others)
    return {
        "per_site": np.where(found > 0, found, np.nan),
        "overall": None,
        "strength": average(found.ravel()),
        "raw_too": False,
    }


def mismatched(world, time_bin, groups, sites, kind):
    """The null of best other sites: each map against other sites' maps of other images; aggregated as the ceiling is."""
    maps = world.means[time_bin][:, sites]
    levels = []
    for rows in groups:
        by_image = []
        for others in groups:
            if others is rows:
                continue
            best = [
                max(correlate(maps[rows, s], maps[others, t], kind) for t in range(len(sites)) if t != s)
                for s in range(len(sites))
            ]
            by_image.append(middle([c for c in best if c > 0]))
        levels.append(average(by_image))
    return average(levels)


def best_pair(world, time_bin, groups, sites):
    """As released: row-by-row Pearson of two maps, averaged; the last site left out; the highest pair of each image."""
    maps = world.means[time_bin][:, sites]
    highest = []
    for rows in groups:
        lines = maps[rows].reshape(-1, world.columns, len(sites))
        pairs = [
            np.mean([correlate(line[:, a], line[:, b], "pearson") for line in lines])
            for a in range(len(sites) - 1)
            for b in range(a)
        ]
        highest.append(max(pairs))
    overall = float(np.mean(highest))
    return {
        "per_site": np.ones((len(groups), len(sites))),
        "overall": overall,
        "strength": overall,
        "raw_too": False,
    }


def no_ceiling(world, time_bin, groups, sites):
    return {
        "per_site": np.ones((len(groups), len(sites))),
        "overall": None,
        "strength": 1.0,
        "raw_too": False,
    }


# Regressions


def pls(tolerance):
    def predict(x, y, test):
        model = PLSRegression(COMPONENTS, scale=False, max_iter=500, tol=tolerance)
        return model.fit(x, y).predict(test).reshape(len(test), -1)

    return predict


def ridge(x, y, test):
    """The strength of each site by the squared error of leaving one training row out."""
    return RidgeCV(STRENGTHS, alpha_per_target=True).fit(x, y).predict(test).reshape(len(test), -1)
