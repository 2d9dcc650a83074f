"""Writes the array of the paper's size (17 × 17 × 300 × 63 × 14 doubles, 611 MB) with SciPy, raw and compressed."""
import sys
import numpy, scipy
from scipy.io import savemat

folder = sys.argv[1]
rng = numpy.random.default_rng(0)
maps = rng.poisson(0.05, (17, 17, 300, 63, 14)).astype(float)
names = numpy.empty((14, 1), dtype=object)
names[:, 0] = [f"C:\\set\\image{i:02d}.png" for i in range(14)]
for kind in ("raw", "compressed"):
    content = {"imageRF": maps, "UniqueNames": names}
    savemat(f"{folder}/{kind}.mat", content, do_compression=kind == "compressed")
sums = [maps[:, :, s : s + 40].mean(2).sum() for s in (50, 90, 130, 170, 210)]
print(",".join(repr(float(s)) for s in sums))
