"""Zip archives, good and hostile, from Python's zipfile.

Run: /usr/bin/python3 test/golden/make-zip.py (Debian 12: Python 3.11)
"""

import base64
import io
import json
import platform
import struct
import zipfile
from pathlib import Path

golden = {"versions": {"Python": platform.python_version()}}


def archive(name, entries, method=zipfile.ZIP_DEFLATED, zip64=False):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for entry, content in entries:
            info = entry if isinstance(entry, zipfile.ZipInfo) else zipfile.ZipInfo(entry)
            info.compress_type = method
            with file.open(info, "w", force_zip64=zip64) as handle:
                handle.write(content)
    golden[name] = base64.b64encode(buffer.getvalue()).decode()
    return buffer.getvalue()


good = [("images/", b""), ("images/a.txt", b"alpha" * 100), ("images/ä.txt", b""), ("b.bin", bytes(range(256)))]
archive("deflated", good)
archive("stored", good, zipfile.ZIP_STORED)
archive("local zip64", good, zip64=True)
archive("bzip2", good, zipfile.ZIP_BZIP2)
for name, path in [
    ("climbing", "../../etc/passwd.png"),
    ("climbing inside", "images/../../x.png"),
    ("absolute", "/etc/x.png"),
    ("drive", "C:/x.png"),
    ("backslash", "images\\x.png"),
]:
    archive(name, [("fine.png", b"1"), (path, b"2")])
link = zipfile.ZipInfo("link.png")
link.external_attr = 0o120777 << 16
archive("link", [(link, b"/etc/passwd")])

# 64-bit directory: the entries' sizes and offsets moved to extra fields, and a zip64 end record.
plain = archive("plain", [("a.txt", b"hello")], zipfile.ZIP_STORED)
end = plain.rfind(b"PK\x05\x06")
start = struct.unpack("<I", plain[end + 16 : end + 20])[0]
entry = bytearray(plain[start:end])
extra = struct.pack("<HHQQQ", 1, 24, 5, 5, 0)
entry[20:28] = b"\xff" * 8
entry[42:46] = b"\xff" * 4
entry[30:32] = struct.pack("<H", len(extra))
entry += extra
end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(entry), start)
locator = struct.pack("<IIQI", 0x07064B50, 0, start + len(entry), 1)
last = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
golden["zip64"] = base64.b64encode(plain[:start] + bytes(entry) + end64 + locator + last).decode()

# A deflated megabyte whose directory claims less, and one that claims 4 GB from a kilobyte.
big = archive("megabyte", [("x", bytes(2**20))])
for name, claim in [("claims less", 100), ("claims more", 2**32 - 2)]:
    changed = bytearray(big)
    at = big.rfind(b"PK\x01\x02")
    changed[at + 24 : at + 28] = struct.pack("<I", claim)
    golden[name] = base64.b64encode(bytes(changed)).decode()

# 30 directory entries that share one packed megabyte.
at, end = big.rfind(b"PK\x01\x02"), big.rfind(b"PK\x05\x06")
shared = b""
for index in range(30):
    title = b"%04d" % index
    item = bytearray(big[at : at + 46])
    item[28:30] = struct.pack("<H", len(title))
    shared += bytes(item) + title
tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 30, 30, len(shared), at, 0)
golden["overlapping"] = base64.b64encode(big[:at] + shared + tail).decode()

Path(__file__).with_name("zip.json").write_text(json.dumps(golden, indent=1) + "\n")
