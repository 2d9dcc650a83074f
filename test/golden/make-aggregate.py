"""Figures of the protocols on made maps, computed with SciPy and NumPy alone: the oracle of test/scoring/aggregate.test.ts.

Run: python3 test/golden/make-aggregate.py
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.ndimage import gaussian_filter
from scipy.stats import pearsonr, spearmanr

rng = np.random.default_rng(20231201)
IMAGES, ROWS, COLUMNS, SITES = 4, 6, 5, 5

common = rng.normal(size=(IMAGES, ROWS, COLUMNS, 1))
recorded = common + gaussian_filter(rng.normal(size=(IMAGES, ROWS, COLUMNS, SITES)), (0, 1, 1, 0))
# Spike counts have ties; a site that no other site resembles has no positive ceiling on some images.
recorded = np.round(recorded * 4) / 4
recorded[..., 4] = np.round(-2 * common[..., 0] + rng.normal(size=(IMAGES, ROWS, COLUMNS)), 2)
predicted = recorded + rng.normal(size=recorded.shape) * 0.8


def maps(array, image):
    return array[image].reshape(-1, SITES)


def linsley_text():
    raw, ceilings, values, left_out = [], [], [], []
    for image in range(IMAGES):
        x, y = maps(recorded, image), maps(predicted, image)
        r = np.array([spearmanr(x[:, s], y[:, s]).statistic for s in range(SITES)])
        c = np.array(
            [max(spearmanr(x[:, s], x[:, o]).statistic for o in range(SITES) if o != s) for s in range(SITES)]
        )
        good = c > 0
        left_out += [[image, int(s)] for s in np.flatnonzero(~good)]
        raw.append(np.median(r))
        ceilings.append(np.median(c[good]))
        values.append(np.median(r[good] / c[good]))
    return {"raw": np.mean(raw), "ceiling": np.mean(ceilings), "value": np.mean(values), "leftOut": left_out, "perImage": values}


def linsley_code():
    raw, best = [], []
    for image in range(IMAGES):
        x, y = maps(recorded, image), maps(predicted, image)
        raw.append(np.median([pearsonr(x[:, s], y[:, s])[0] for s in range(SITES)]))
        pairs = []
        for a in range(SITES - 1):
            for b in range(a):
                pairs.append(
                    np.mean([pearsonr(recorded[image, row, :, a], recorded[image, row, :, b])[0] for row in range(ROWS)])
                )
        best.append(max(pairs))
    return {"raw": np.mean(raw), "ceiling": np.mean(best), "value": np.mean(raw) / np.mean(best)}


text = linsley_text()
values = np.array(text["perImage"])
half = scipy.stats.t.ppf(0.975, IMAGES - 1) * values.std(ddof=1) / np.sqrt(IMAGES)
golden = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
    "shape": [IMAGES, ROWS, COLUMNS, SITES],
    "recorded": recorded.ravel().tolist(),
    "predicted": predicted.ravel().tolist(),
    "linsley2023": text,
    "tInterval": [values.mean() - half, values.mean() + half],
    "linsley2023Code": linsley_code(),
}
path = pathlib.Path(__file__).with_name("aggregate.json")
path.write_text(json.dumps(golden, default=float) + "\n")
print(path, text["value"], text["leftOut"], golden["linsley2023Code"]["value"])
