"""Ceilings of protocols.py, each from its documentation: reliabilities, which sites are used, best other sites and pairs."""

import numpy as np
from scipy.stats import f as f_distribution

from protocol_parts import correlate
from protocol_world import INPUTS, SPLITS, average, middle

DEALS = 200
LEVEL = 0.05


# Reliabilities from halves of the trials


def halves_of(world, time_bin, site, split):
    """Means of the two halves of every row's own trials, and how many trials each has; NaN and 0 where it has none."""
    drawn = world.drawn["trialHalves"]
    digits = drawn.get("all") or drawn[world.ids[site]]
    trials = world.trials[time_bin, :, :, site]
    half = np.array(list(digits[split])).reshape(trials.shape)
    means, counts = [], []
    for digit in "01":
        inside = half == digit
        count = inside.sum(1)
        total = np.where(inside, np.nan_to_num(trials), 0).sum(1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
        counts.append(count)
    several = (~np.isnan(trials)).sum(1) > 1
    # No trial is dropped, and halves are as even as they can be.
    assert (np.where(several, (~np.isnan(trials)).sum(1), 0) == counts[0] + counts[1]).all()
    assert (abs(counts[0] - counts[1]) <= 1).all()
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
    if np.isnan(r):
        return np.nan
    otherwise = analysis_of_variance(trials[scored], counts[scored])
    if otherwise is not None:
        return otherwise
    lam = np.mean(1 / counts[scored]) / np.mean(shares)
    return float(1 / (1 + (1 / r - 1) * lam)) if r > 0 else float(r)


def analysis_of_variance(trials, counts):
    """
    1 − noise of the scored means / their variance, where stimuli that are repeated vary otherwise than all that are
    scored; None where all are repeated, or these vary alike within a factor of 1.5.
    """
    repeated = counts > 1
    if repeated.all():
        return None
    means = np.nanmean(trials, 1)
    noise = np.nansum((trials - means[:, None]) ** 2) / (counts - 1).sum()

    def signal(rows):
        return np.var(means[rows], ddof=1) - noise * np.mean(1 / counts[rows])

    ratio = signal(np.full(len(counts), True)) / signal(repeated)
    if 1 / 1.5 < ratio < 1.5:
        return None
    return float(1 - noise * np.mean(1 / counts) / np.var(means, ddof=1))


# Sites that respond to the stimuli at all: a one-way analysis of variance of trials


def presentations(world, time_bin):
    """Rows of which some site has two trials or more, once for each presentation, and the responses to it."""
    trials = world.trials[time_bin]
    shown = ~np.isnan(trials).all(2)
    shown[shown.sum(1) < 2] = False
    rows, at = np.nonzero(shown)
    return rows, trials[rows, at]


def passing(world, groups, rows, values):
    """
    [half, site]: whether the lower end of the one-sided 95 % interval of the intraclass correlation is above 0, which is
    F beyond what chance exceeds in 5 %; by the rows of each half of the images, differences between groups aside.
    """
    values = values - np.nanmean(values, 0)
    there = ~np.isnan(values)
    one_hot = (np.arange(len(world.image_of_row))[:, None] == rows[None]).astype(float)
    counts = one_hot @ there
    sums = one_hot @ np.where(there, values, 0)
    squares = one_hot @ np.where(there, values**2, 0)
    found = np.zeros((2, values.shape[1]), bool)
    for half in (0, 1):
        for site in range(values.shape[1]):
            between = within = between_df = within_df = 0
            for group in groups:
                own = group[(world.half_of_row[group] == half) & (counts[group, site] > 1)]
                if not len(own):
                    continue
                n, total = counts[own, site], sums[own, site]
                grand = total.sum() / n.sum()
                between += (n * (total / n - grand) ** 2).sum()
                within += (squares[own, site] - total**2 / n).sum()
                between_df += len(own) - 1
                within_df += n.sum() - len(own)
            if between_df and within_df:
                ratio = (between / between_df) / (within / within_df)
                found[half, site] = f_distribution.sf(ratio, between_df, within_df) < LEVEL
    return found


def more_than_chance(world, groups, rows, values):
    """
    Whether more sites pass, on either half, than in 95 % of draws in which presentations are dealt anew, the same to all
    sites. The draws are our own: the answer must not hang on them.
    """
    count = passing(world, groups, rows, values).sum()
    if count == 0:
        return False
    random = np.random.default_rng(7)
    as_many = 0
    for _ in range(DEALS):
        as_many += passing(world, groups, rows, values[random.permutation(len(values))]).sum() >= count
    assert as_many <= 2 or as_many >= 25, f"{world.name}: {count} sites pass, in {as_many} of {DEALS} draws as many"
    return as_many < DEALS * LEVEL


# Ceilings: {"per_site": [groups, sites], "overall": number or None, "strength": what time bins are compared by}


def split_half(world, time_bin, groups, sites, minimum=0.1):
    """
    Whether a site is used is decided on one half of the images, its ceiling taken from the other; both ways. On rows, √ρ of
    all images where both halves choose it; where one does, √ρ on the other, and every second such site is spared.
    On maps, √ρ of the map, of sites that the half without its image chooses.
    """
    rho = np.array([[reliability(world, time_bin, s, rows) for s in sites] for rows in groups])
    found = {
        "per_site": np.full(rho.shape, np.nan),
        "overall": None,
        "strength": average(rho.ravel()),
        "raw_too": True,
        "rows_of_site": [np.arange(len(world.image_of_row)) for _ in sites],
    }
    shown = presentations(world, time_bin)
    if not more_than_chance(world, groups, *shown):
        return found
    passed = passing(world, groups, *shown)
    halved = world.half_of_row.any()
    if not halved:
        passed[1] = passed[0]
    if len(groups) > 1:
        other = [1 - world.half_of_row[rows[0]] for rows in groups]
        used = np.array([passed[half] for half in other]) & (rho > 0) & (rho >= minimum)
        found["per_site"] = np.where(used, np.sqrt(np.where(used, rho, 1)), np.nan)
        return found
    (rows,) = groups
    halves = [rows[world.half_of_row[rows] == half] if halved else rows for half in (0, 1)]
    on_half = np.array([[reliability(world, time_bin, s, half) for s in sites] for half in halves])
    chosen = passed & (on_half >= minimum)
    once = [s for s in sites if chosen[0, s] != chosen[1, s]]
    # One site with nothing beside it is not spared, and has the ρ of all images.
    if len(once) == 1 and not chosen.all(axis=0).any():
        once = []
    spared = [once[place] for place in INPUTS["spared"][str(len(once))]] if once else []
    for s in sites:
        if not chosen[:, s].any() or s in spared:
            continue
        of = rho[0, s]
        if s in once:
            judge = int(chosen[0, s])
            of = on_half[judge, s]
            found["rows_of_site"][s] = halves[judge]
        found["per_site"][0, s] = np.sqrt(of) if of > 0 else np.nan
    return found


def split_half_within(world, time_bin, rows, sites, ceiling):
    """Of some rows, for sites that have a ceiling on all: from those of the rows that their ceiling is of."""
    rho = np.array(
        [reliability(world, time_bin, s, rows[np.isin(rows, ceiling["rows_of_site"][s])]) for s in sites]
    )
    usable = ~np.isnan(ceiling["per_site"]) & (rho > 0)
    return dict(ceiling, per_site=np.where(usable, np.sqrt(np.where(usable, rho, 1)), np.nan))


def median_split_half(world, time_bin, groups, sites):
    """Brain-Score's: Pearson of half means, plain Spearman–Brown also of unequal halves, median over sites, mean over splits."""
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


def published(world, time_bin, groups, sites, minimum=0.1):
    rho = np.array([np.nan if r is None else r for r in world.published])
    used = (rho > 0) & (rho >= minimum)
    return {
        "per_site": np.tile(np.where(used, np.sqrt(np.where(used, rho, 1)), np.nan), (len(groups), 1)),
        "overall": None,
        "strength": average(rho),
        "raw_too": True,
    }


def best_other_site(world, time_bin, groups, sites, kind):
    maps = world.means[time_bin]
    found = np.full((len(groups), len(sites)), np.nan)
    for g, rows in enumerate(groups):
        for s in sites:
            found[g, s] = highest(maps[rows], maps[rows], s, kind)
    return {
        "per_site": np.where(found > 0, found, np.nan),
        "overall": None,
        "strength": average(found.ravel()),
        "raw_too": False,
    }


def highest(maps, others, site, kind):
    """The highest correlation of a site's map with another site's, each over the fixations that both have."""
    found = [correlate(maps[:, site], others[:, t], kind) for t in range(maps.shape[1]) if t != site]
    found = [r for r in found if not np.isnan(r)]
    return max(found) if found else np.nan


def mismatched(world, time_bin, groups, sites, kind):
    """The null of best other sites: each map against other sites' maps of other images; aggregated as the ceiling is."""
    maps = world.means[time_bin]
    levels = []
    for rows in groups:
        by_image = []
        for others in groups:
            if others is rows:
                continue
            best = [highest(maps[rows], maps[others], s, kind) for s in sites]
            by_image.append(middle([c for c in best if c > 0]))
        levels.append(average(by_image))
    return average(levels)


def best_pair(world, time_bin, groups, sites):
    """As released: row-by-row Pearson of two maps, averaged; the last site left out; the highest pair of each image."""
    maps = world.means[time_bin]
    pairs_of_image = []
    for rows in groups:
        lines = maps[rows].reshape(-1, world.columns, len(sites))
        pairs = [
            np.mean([correlate(line[:, a], line[:, b], "pearson") for line in lines])
            for a in range(len(sites) - 1)
            for b in range(a)
        ]
        pairs_of_image.append(max(pairs))
    overall = float(np.mean(pairs_of_image))
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
