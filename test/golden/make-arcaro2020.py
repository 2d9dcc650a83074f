"""A small archive in the layout of the release of Arcaro et al. 2020 (Linsley et al. 2023), with what must come of it.

Writes arcaro2020.zip and arcaro2020.json: for each recording the sums of counts in its 40 ms bins, as NumPy gives them.
"""
import io, json, zipfile
from pathlib import Path
import numpy, PIL, scipy
from PIL import Image
from scipy.io import savemat

rng = numpy.random.default_rng(2020)
folder = Path(__file__).parent
starts = [50, 90, 130, 170, 210]


def counts(rows, columns, samples, channels, images):
    return rng.poisson(0.12, (rows, columns, samples, channels, images)).astype(float)


def mat(maps, names, compressed):
    cells = numpy.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    stream = io.BytesIO()
    savemat(stream, {"imageRF": maps, "UniqueNames": cells, "fs": 1000.0}, do_compression=compressed)
    # SciPy's text names the day.
    return b"MATLAB 5.0 MAT-file, SciPy".ljust(116) + stream.getvalue()[116:]


def picture():
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype="uint8")).save(stream, "png")
    return stream.getvalue()


def sums(maps):
    """Flipped along x and y; binned; in the order image, channel, bin, y, x of a recording."""
    flipped = maps[::-1, ::-1]
    binned = numpy.stack([flipped[:, :, s : s + 40].sum(2) for s in starts], axis=2)
    return binned.transpose(4, 3, 2, 1, 0).astype(int)


george, red = counts(2, 3, 260, 63, 2), counts(3, 3, 250, 32, 2)
george_names = ["C:\\Livingstone\\natural_test\\Zebra.png", "C:\\Livingstone\\natural_test\\apple.png"]
red_names = ["E:\\red\\red_naturalface\\face2.png", "E:\\red\\red_naturalface\\face10.png"]
entries = {
    "Arcaro2020/George/george_060118_data.mat": mat(george, george_names, False),
    "Arcaro2020/Red/red_062419_data.mat": mat(red, red_names, True),
    "__MACOSX/Arcaro2020/George/._george_060118_data.mat": b"by-product",
}
for name in ["Zebra", "apple"]:
    entries[f"Arcaro2020/George/natural_test/{name}.png"] = picture()
for name in ["face2", "face10"]:
    entries[f"Arcaro2020/Red/red_naturalface/{name}.png"] = picture()
with zipfile.ZipFile(folder / "arcaro2020.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, data in entries.items():
        archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)

whole, other = sums(george), sums(red)
(folder / "arcaro2020.json").write_text(
    json.dumps(
        {
            "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__, "pillow": PIL.__version__},
            "m1-pl": {"shape": whole[:, :31].shape, "sums": whole[:, :31].ravel().tolist()},
            "m1-ml": {"shape": whole[:, 31:].shape, "sums": whole[:, 31:].ravel().tolist()},
            "m2-ml": {"shape": other.shape, "sums": other.ravel().tolist()},
        }
    )
    + "\n"
)
