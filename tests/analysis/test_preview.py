"""What a saved file looks like: known by its content, read no further than needed, and nothing of it trusted."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.images import media_type_of, read_image
from keepsake._analysis.preview import MAX_TEXT_BYTES, preview_entry
from keepsake._analysis.strict_json import json_text
from keepsake._analysis.tabletext import read_csv, read_json_lines
from keepsake._model.manifest import Entry
from tests.analysis.saved import SavedFiles, Shelf

HOSTILE = "<script>alert(1)</script>\u202e\u2066\x1b[31m"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def preview(shelf: Shelf, path: str, content: bytes) -> dict[str, Any]:
    files = shelf.save({path: content})
    (entry,) = [one for one in files.entries() if one.path == path]
    document = preview_entry(entry, files.open)
    json.loads(json_text(document))
    assert document["path"] == path
    assert document["size_bytes"] == len(content)
    return document


def only_entry(files: SavedFiles) -> Entry:
    (entry,) = files.entries()
    return entry


def test_text_is_shown_with_its_language(shelf: Shelf) -> None:
    shown = preview(shelf, "train.py", b"print('x')\n")
    assert (shown["kind"], shown["language"], shown["text"], shown["is_cut"]) == (
        "text",
        "python",
        "print('x')\n",
        False,
    )


@pytest.mark.parametrize(
    ("name", "content", "language"),
    [
        ("a.yml", b"", "yaml"),
        ("a.toml", b"", "toml"),
        ("README.MD", b"", "markdown"),
        ("run.sh", b"", "shell"),
        ("x.patch", b"", "diff"),
        ("run", b"#!/usr/bin/env python3\n", "python"),
        ("run", b"#!/bin/bash\n", "shell"),
        ("page.html", b"<b>", None),
        ("image.svg", b"<svg onload='alert(1)'/>", None),
        ("Makefile", b"all:\n", None),
    ],
)
def test_the_language_is_guessed_from_the_name_or_the_first_line(
    shelf: Shelf, name: str, content: bytes, language: str | None
) -> None:
    shown = preview(shelf, name, content)
    assert (shown["kind"], shown["language"]) == ("text", language)


def test_a_long_text_is_cut_between_two_characters(shelf: Shelf) -> None:
    shown = preview(shelf, "log.txt", "é".encode() * MAX_TEXT_BYTES + b"x")
    assert shown["is_cut"]
    assert shown["text"] == "é" * (MAX_TEXT_BYTES // 2)
    odd = preview(shelf, "odd.txt", b"x" + "é".encode() * MAX_TEXT_BYTES)
    assert odd["text"] == "x" + "é" * ((MAX_TEXT_BYTES - 1) // 2)


def test_only_the_beginning_of_a_long_text_is_read(shelf: Shelf) -> None:
    files = shelf.save({"log.txt": np.random.default_rng(1).bytes(3_000_000).hex().encode() * 5})
    entry = only_entry(files)
    whole = len({extent.digest for extent in entry.extents})
    shelf.store.clear()
    assert preview_entry(entry, files.open)["is_cut"]
    assert shelf.store.count("get", "chunks/") < whole / 2


def test_of_weights_only_headers_are_read(shelf: Shelf, tmp_path: Path) -> None:
    from safetensors.numpy import save

    rng = np.random.default_rng(1)
    tensors = {f"layer.{number}": rng.random((512, 512), np.float32) for number in range(8)}
    files = shelf.save({"model.safetensors": save(tensors)})
    entry = only_entry(files)
    shelf.store.clear()
    shown = preview_entry(entry, files.open)
    assert shown["kind"] == "tensors"
    assert shown["tensors"][0] == {"name": "layer.0", "dtype": "float32", "shape": [512, 512], "size_bytes": 1 << 20}
    assert len(shown["tensors"]) == 8
    assert shelf.store.count("get", "chunks/") == 1
    assert shelf.store.bytes_read() < 10_000


def test_a_torch_file_is_read_without_running_what_it_says(shelf: Shelf, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"weight": torch.zeros(3, 2, dtype=torch.bfloat16)}, tmp_path / "good.pt")
    shown = preview(shelf, "good.pt", (tmp_path / "good.pt").read_bytes())
    assert shown["tensors"] == [{"name": "weight", "dtype": "bfloat16", "shape": [3, 2], "size_bytes": 12}]

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "touched",)

    torch.save({"weight": torch.zeros(2), "evil": Evil()}, tmp_path / "evil.pt")
    shown = preview(shelf, "evil.pt", (tmp_path / "evil.pt").read_bytes())
    assert shown["kind"] in ("tensors", "binary")
    assert not (tmp_path / "touched").exists()


def test_weights_that_lie_are_bytes_with_a_reason(shelf: Shelf) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4]}}).encode()
    shown = preview(shelf, "model.safetensors", struct.pack("<Q", len(header)) + header + bytes(4))
    assert shown["kind"] == "binary"
    assert "cannot be read" in shown["note"]


def test_an_array_is_a_file_of_one_tensor(shelf: Shelf, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3), np.float16))
    shown = preview(shelf, "a.npy", (tmp_path / "a.npy").read_bytes())
    assert shown["tensors"] == [{"name": "", "dtype": "float16", "shape": [2, 3], "size_bytes": 12}]


def test_other_archives_and_bytes_are_shown_as_their_first_bytes(shelf: Shelf, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello" * 100)
    shown = preview(shelf, "a.zip", (tmp_path / "a.zip").read_bytes())
    assert shown["kind"] == "binary"
    assert bytes.fromhex(shown["head"]).startswith(b"PK")
    assert preview(shelf, "b.bin", bytes(range(256)) * 10)["head"] == bytes(range(256)).hex()


def test_a_table_is_cut_after_200_rows(shelf: Shelf) -> None:
    shown = preview(shelf, "data.csv", b"a,b\n" + b"1,2\n" * 1000)
    assert (shown["kind"], shown["columns"], shown["is_cut"]) == ("table", ["a", "b"], True)
    assert shown["rows"] == [["1", "2"]] * 200


def test_tables_are_read_as_their_names_say(shelf: Shelf) -> None:
    assert preview(shelf, "a.tsv", b"a\tb,c\n1\t2\n")["columns"] == ["a", "b,c"]
    assert preview(shelf, "a.csv", b"a;b\n1,5;2\n")["rows"] == [["1,5", "2"]]
    lines = preview(shelf, "a.jsonl", b'{"a": 1, "b": "x"}\n{"c": [1, NaN]}\n7\n')
    assert lines["columns"] == ["a", "b", "c", "value"]
    assert lines["rows"] == [["1", "x", "", ""], ["", "", '[1,"NaN"]', ""], ["", "", "", "7"]]
    assert preview(shelf, "a.jsonl", b"no json\n")["kind"] == "text"
    assert preview(shelf, "a.csv", b"")["kind"] == "text"
    assert preview(shelf, "a.csv", b'a,b\n"x\ny",2,3\n')["rows"] == [["x\ny", "2", "3"]]


def test_the_last_row_of_a_table_that_is_cut_in_it_is_left_out() -> None:
    table = read_csv("a,b\n1,2\n3,", is_cut=True)
    assert table is not None
    assert (table.rows, table.is_cut) == ([["1", "2"]], True)
    lines = read_json_lines('{"a":1}\n{"a":', is_cut=True)
    assert lines is not None
    assert lines.rows == [["1"]]


def test_json_is_a_tree(shelf: Shelf) -> None:
    shown = preview(shelf, "config.json", b'{"lr": 0.1, "bad": NaN, "nested": {"x": [1, 2]}}')
    assert shown["kind"] == "json"
    assert shown["value"]["nested"] == {"x": [1, 2]}


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"", b"1" * 5000])
def test_what_is_no_json_is_text(shelf: Shelf, content: bytes) -> None:
    shown = preview(shelf, "config.json", content)
    assert (shown["kind"], shown["text"]) == ("text", content.decode())


def test_json_that_is_long_or_deep_is_not_sent_as_a_tree(shelf: Shelf) -> None:
    deep = preview(shelf, "deep.json", b"[" * 200 + b"]" * 200)
    assert (deep["kind"], deep["text"][:3]) == ("json", "[[[")
    long = preview(shelf, "long.json", json.dumps(["x" * 1000] * 1000).encode())
    assert (long["kind"], long["is_cut"], len(long["text"])) == ("json", True, MAX_TEXT_BYTES)


def test_a_notebook_is_its_cells_without_what_they_put_out(shelf: Shelf) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"data": {"text/html": HOSTILE * 30_000}}]},
    ]
    shown = preview(shelf, "a.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode())
    assert shown["kind"] == "notebook"
    assert shown["cells"] == [{"kind": "markdown", "source": "# Title\ntext"}, {"kind": "code", "source": "print(1)"}]
    assert preview(shelf, "b.ipynb", b'{"cells": 3}')["kind"] == "text"


def test_hostile_contents_come_as_they_are(shelf: Shelf) -> None:
    assert preview(shelf, "a.txt", HOSTILE.encode())["text"] == HOSTILE
    assert preview(shelf, "a.csv", f"{HOSTILE}\n{HOSTILE}\n".encode())["rows"] == [[HOSTILE]]
    assert preview(shelf, "a.json", json.dumps({HOSTILE: HOSTILE}).encode())["value"] == {HOSTILE: HOSTILE}


def test_what_is_no_file_says_what_it_is() -> None:
    def refuse(entry: Entry) -> Any:
        raise AssertionError(entry)

    gone = preview_entry(Entry("a", "missing", reason="vanished"), refuse)
    assert (gone["kind"], gone["note"]) == ("missing", "vanished")
    assert preview_entry(Entry("a", "link", target="../../etc/passwd"), refuse)["target"] == "../../etc/passwd"
    assert preview_entry(Entry("a", "directory"), refuse)["kind"] == "directory"


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def jpeg(width: int, height: int, *, before: int = 100) -> bytes:
    comment = b"\xff\xe1" + struct.pack(">H", before + 2) + b"\xff\xc0" * (before // 2)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + comment + b"\xff" + frame


WEBP = {
    "lossy": b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0" + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480),
    "lossless": b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14),
    "extended": b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"),
}


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png(640, 480), "image/png"),
        (jpeg(640, 480), "image/jpeg"),
        (jpeg(640, 480, before=60_000), "image/jpeg"),
        (b"GIF89a" + struct.pack("<HH", 640, 480), "image/gif"),
        *((data, "image/webp") for data in WEBP.values()),
    ],
)
def test_an_image_is_measured_by_its_header(shelf: Shelf, data: bytes, media_type: str) -> None:
    shown = preview(shelf, "figure.txt", data + bytes(100))
    assert (shown["kind"], shown["media_type"]) == ("image", media_type)
    assert (shown["width"], shown["height"]) == (640, 480)


def test_images_that_matplotlib_writes_are_measured(shelf: Shelf, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    for name in ("a.png", "a.jpg", "a.webp"):
        Figure(figsize=(4, 3), dpi=100).savefig(tmp_path / name)
        shown = preview(shelf, name, (tmp_path / name).read_bytes())
        assert (shown["width"], shown["height"]) == (400, 300)


@given(
    st.sampled_from([png(3, 4), jpeg(3, 4), b"GIF89a\1\0\1\0", *WEBP.values()]),
    st.integers(0, 60),
    st.binary(max_size=50),
)
def test_no_header_makes_an_image_unreadable(data: bytes, length: int, rest: bytes) -> None:
    image = read_image(data[:length] + rest)
    assert (image is None) == (media_type_of(data[:length] + rest) is None)


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_a_table_of_even_rows_or_none(text: str, is_cut: bool) -> None:
    for table in (read_csv(text, is_cut=is_cut), read_json_lines(text, is_cut=is_cut)):
        if table is not None:
            assert {len(row) for row in table.rows} <= {len(table.columns)}


@given(st.binary(max_size=400), st.sampled_from(["a.json", "a.csv", "a.jsonl", "a.ipynb", "a.pt", "a.txt"]))
def test_any_bytes_have_a_preview(data: bytes, name: str) -> None:
    import io

    from keepsake._model.manifest import Extent

    entry = Entry(name, "file", extents=(Extent("0" * 64, 0, len(data)),) if data else ())
    json.loads(json_text(preview_entry(entry, lambda _: io.BytesIO(data))))
