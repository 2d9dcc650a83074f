"""Recordings of protocols.py: rows, trials and sites in use, and what our generator drew for them."""

import json
import pathlib
import warnings

import numpy as np

INPUTS = json.loads((pathlib.Path(__file__).parent / "protocol-inputs.json").read_text())
SPLITS = INPUTS["splits"]


def quietly(function, *arguments):
    """NaN of nothing, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*arguments)


class World:
    """
    A recording as rows (an image, or a fixation of one; image-major) × trials × sites, for each time bin; only the
    stimuli and sites that are used where missing responses cost themselves alone (`per-site`), their sites (`drop-sites`)
    or their stimuli (`drop-stimuli`).
    """

    def __init__(self, name, missing):
        entry = INPUTS["worlds"][name]
        self.name = name
        dims = entry["dims"]
        values = np.array([np.nan if v is None else v for v in entry["thousandths"]], float) / 1000
        array = values.reshape(entry["shape"])
        if "trial" not in dims:
            array = np.expand_dims(array, -2)
        if "row" not in dims:
            array = array[:, None, None]
        kept, sites = in_use(array, missing)
        left_out = sorted(set(range(len(array))) - set(kept))
        self.drawn = entry["drawn"][",".join(map(str, left_out))]
        array = array[kept][..., sites]
        self.stimuli, rows, self.columns, bins, trials, _ = array.shape
        self.grid = "row" in dims
        self.site_numbers = sites
        self.ids = [f"s{s}" for s in sites]
        self.published = entry["published"] and [entry["published"][s] for s in sites]
        self.image_of_row = np.repeat(np.arange(self.stimuli), rows * self.columns)
        self.half_of_row = np.array([int(h) for h in self.drawn["imageHalves"]])[self.image_of_row]
        self.trials = array.transpose(3, 0, 1, 2, 4, 5).reshape(bins, -1, trials, len(sites))
        self.means = quietly(np.nanmean, self.trials, 2)
        self.stimulus_columns = {key: [of[s] for s in kept] for key, of in entry["columns"].items()}
        kept_rows = np.repeat(np.isin(np.arange(entry["shape"][0]), kept), rows * self.columns)
        self.layers = {
            layer: features(x)[: len(kept_rows)][kept_rows]
            for layer, x in INPUTS["features"][entry["features"]].items()
        }

    def rows_of(self, stimuli):
        return np.flatnonzero(np.isin(self.image_of_row, stimuli))


def features(table):
    return (np.array(table["thousandths"]) / 1000).reshape(table["shape"]).astype(np.float32).astype(float)


def in_use(array, missing):
    """Stimuli and sites that take part, of [stimulus, row, column, time, trial, site]."""
    # The share of the fixations of a stimulus that a site lacks in some bin.
    lacking = np.isnan(array).all(4).any(3).mean((1, 2))
    recorded = lacking.mean(0) < 1
    lost = lacking[:, recorded].mean(1)
    kept = np.flatnonzero(lost <= (0 if missing == "drop-stimuli" else 0.5))
    share = lacking[kept].mean(0)
    enough = share <= 0.5 if missing == "per-site" else share == 0
    # A dead site says the same in every trial, up to rounding.
    here = np.moveaxis(array[kept], -1, 0).reshape(array.shape[-1], -1)
    spread = quietly(lambda: np.nanmax(here, 1) - np.nanmin(here, 1))
    varies = spread > 1e-9 * quietly(np.nanmax, np.abs(here), 1)
    return kept, np.flatnonzero(recorded & enough & varies)


# Numbers


def middle(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return float(np.median(values)) if values.size else np.nan


def average(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return float(np.mean(values)) if values.size else np.nan
