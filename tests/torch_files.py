"""Makes .pt files by hand, and holds two that PyTorch 2.13 wrote.

``torch.save(VALUE, ...)`` in today's format and in that before 1.6, where

a = torch.arange(6.0).reshape(2, 3)
VALUE = {"a": a, "row": a[1], "t": a.t(), "h": torch.tensor([1.5, -2]).bfloat16(),
         "p": torch.nn.Parameter(torch.ones(2)), "n": [1, None, "x"]}
"""

import base64
import io
import struct
import zipfile
import zlib

import minidl


def written(value):
    """The bytes of a ``.pt`` file."""
    file = io.BytesIO()
    minidl.save(value, file, format="pt")
    return file.getvalue()


def hostile(pickled, records=None, compression=zipfile.ZIP_STORED):
    """A ``.pt`` file of a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in {"data.pkl": pickled, "version": b"3\n", **(records or {})}.items():
            archive.writestr(f"archive/{name}", data)
    return file.getvalue()


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def storage(kind=b"FloatStorage", key=b"0", where=b"cpu", count=b"K\x02"):
    return b"(" + text(b"storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(where) + count + b"tQ"


def tensor(place=b"", offset=b"K\x00", size=b"K\x02\x85", stride=b"K\x01\x85", grad=b"\x89"):
    head = b"ctorch._utils\n_rebuild_tensor_v2\n("
    return b"\x80\x02" + head + (place or storage()) + offset + size + stride + grad + b"}tR."


def _unpacked(text):
    return zlib.decompress(base64.b64decode(text))


ZIP = _unpacked("""
eNqlll1P01AYx8/arRtVeVUZqPguRWF0rwwRRxpTL5oozJgQErOUrbLGsvF0B1AT4xIzlDswxsQb47fw1q/ghYkX3mFivPIreM4pjLa8KZzt
7KRn5/d//qd7ntNNanwQoUgE7WjtqBPpdrFsLhnDJR3rsYUnlqq0ohlPq3MvAEnTAQLoECjiKiFihUVsWjWxYBuzi6ZVKmCjUqvahaWECJwk
TYfJ4hpZqc8ZwDuIqFpVHT9wJkUIMkEZQtM8GYsLiyBoAobwlIY0TuNXIKLxWmAFWlaLxaplGUVsVis18b5dMmyjdMcsYhHEgTwcw3A8DyeY
il1dhtYyiV/my8FyqMwU26aIEN+Adi3QgI7VMoU6MXTl4SSzgOGUHzlNTfAatwLdWoB6iTpYD4bePJxhWBnOOtjm7hS2vXimucFzbFkc+ogm
h+E821gDLlAbFx29Sxgu5+EKW7gAV/e4tQu6rc8b2LBFuLbllCEJ6He0pU3tAap93dG+gWEwD0Nv2EXsNQznQWZUBeKPICFpgXvs8ikkjcXY
pBaOfGjJ9P8kU7RP7pkz3eS1lTOxx1V7XseFJcOukV9HVbp8qcNanIp//vPjFQ1H+97ivWhkW3wzfwq6Zc5V5o0KVpXkbvoHtUyKGsgtw2+O
hOD2NdCBck0Ds8+wUaXppipjh4m71SwTY8ugHhrjGz0CiSLs66EV3fZU5bCsKjePYMBRrefIxwR5k14n/dMEddS99ms9Sr6IHuBo0OsorirS
Pzv6kkNfaKzw1MwGCYCCB8Sa8MZKqMqto9z+GWfv9Rz1sDYlfKNBI/t6aENjTQ/N3B45rImkSCN//Tj38OD860OJ7QJg268Ztkkq4LlOz7+C
WVKV2H8akbOp0VQ2m02NjGbScio7kkzLcjKbzozGk2Q2nUinUylZTlOXy+OZ7xLxITGXAWq26dN9PrTvcO5/jvhp9wHQ7SFTHNrrRPGLuIu4
1yOy7hbZcXL4ddyF2OHR6eTRzgPAj7urptWDv+eRr3b9rLsKvKwU9LFxP+vOXi/7zs8m/Kw7/9o8bDSE/Nnuh91p0eeB37rg3RN2UhOEwa30
5oeaZItvvMs5Y1ZwRsLRfxHo5aYH58kREhymha131v4F/Fvw7g==
""")
LEGACY = _unpacked("""
eNp9kslu1EAQhr3MAoaEsBPWhNVhGWY1zCkRQrm0Eohz8SWyjKcVGxl7/nZPWKRIc5kh4Rk4cOQx8jo8AhIHutszgMRAy2Wpqtv/91e5h8Yn
K/nxef370uuvLxdrQ2Pjmyne+9Bsb0HTtD7LeBZmib9HWR5nKXRxwJsTO0nMeUJ9mvbiIIVx4FmiyN/3qZ/HH2gOcx8l2yuLYh5ljKNMDM8U
WZxyVEjJK0mNLN1FlZQGgylTF9UAesgzFkY1f8DjJLd8Rl8N4qTnc5rmGfP3mhYM2/aqUlycDHYpzOITaz3JAr5dFC2UvHlxptt+Wneana7T
bThdB2XlI+wPhI/KJkd1i2jEIOYYx4hJ9DGOH4ai5YSGXHScWy9YjzLaex6H3IK14uIEx0kXc0qGZW8xHwk3kRnNpJ2KCsrClhA3RzhN9BHO
HEZS6CzHORfnVdccF/4nc3Eic0maNYkxxiLRpefLhdQVjqsurimpCNcLqclMnqmhNJxfY7nxm9B40mq2nVazjiVBMARhWY1jhJvS6K1C/TbH
HRd3lXof9/7xe/oBC95QTpkF++9eFKnTFaSVCen+hPRAkh4WpEccNRePD1RS/4iGi6bCpmjtoG0TfVOl79Ch8tbsyFszg6HPatGYNVmT1gxt
uoarMqb50ap2VNH+XHJfWxOPiKGIL2s/AeKn0js=
""")
