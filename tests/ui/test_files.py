"""Saved files: listed as a checkout would write them, sent byte for byte, and never as something to run."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import keepsake
from keepsake.ui.downloads import disposition_of, parse_range
from tests.analysis.test_preview import png
from tests.ui.serving import Asker, serving

PNG = png(4, 3)
AS_IMAGE: dict[str, Any] = {"as": "image"}
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.fixture
def directory(project: keepsake.Project) -> Path:
    assert project.directory is not None
    return Path(project.directory)


@pytest.fixture
def experiment(project: keepsake.Project, directory: Path) -> keepsake.Experiment:
    """One whose checkpoint replaces a file of its own."""
    (directory / "code").mkdir()
    (directory / "code/train.py").write_text("print('first')\n")
    (directory / "code/figure.png").write_bytes(PNG)
    (directory / "code/run.sh").write_text("#!/bin/sh\n")
    (directory / "code/run.sh").chmod(0o755)
    (directory / "code/link").symlink_to("/etc/passwd")
    experiment = project.experiments.create(path="code", quiet=True)
    (directory / "code/train.py").write_text("print('second')\n")
    np.save(directory / "code/weights.npy", np.arange(100_000, dtype=np.float32))
    experiment.checkpoint(path="code", step=1, metrics={"loss": 1.0}, primary_metric=("loss", "minimize"))
    experiment.stop()
    return experiment


@pytest.fixture
def server(project: keepsake.Project, experiment: keepsake.Experiment) -> Iterator[Asker]:
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        yield asker


@pytest.fixture
def checkpoint(experiment: keepsake.Experiment) -> keepsake.Checkpoint:
    return experiment.checkpoints[0]


def listed(server: Asker, address: str) -> dict[str, dict[str, Any]]:
    return {one["path"]: one for one in server.json(f"{address}/files")["files"]}


def test_files_of_an_experiment_are_those_that_it_began_with(server: Asker, experiment: keepsake.Experiment) -> None:
    files = listed(server, f"/experiments/{experiment.id[:12]}")
    assert set(files) == {"code/train.py", "code/figure.png", "code/run.sh", "code/link"}
    assert files["code/run.sh"]["executable"] is True
    assert (files["code/link"]["kind"], files["code/link"]["target"]) == ("link", "/etc/passwd")
    assert {one["source"] for one in files.values()} == {"experiment"}


def test_files_of_a_checkpoint_lie_over_those_of_its_experiment(
    project: keepsake.Project, directory: Path, server: Asker
) -> None:
    (directory / "model.txt").write_text("weights")
    experiment = project.experiments.create(path="code", quiet=True)
    saved = experiment.checkpoint(path="model.txt", step=1)
    experiment.stop()
    answer = server.json(f"/checkpoints/{saved.id}/files")
    sources = {one["path"]: one["source"] for one in answer["files"]}
    assert sources["model.txt"] == "checkpoint"
    assert sources["code/train.py"] == "experiment"
    assert answer["unsaved"] is None


def test_a_file_is_sent_byte_for_byte_as_an_attachment(
    server: Asker, experiment: keepsake.Experiment, checkpoint: keepsake.Checkpoint
) -> None:
    for one, text in ((experiment.id, b"print('first')\n"), (checkpoint.id[:12], b"print('second')\n")):
        answer = server.get(f"/files/{one}", path="code/train.py")
        assert answer.content == text
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith('attachment; filename="train.py"')
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_range_is_answered_with_what_was_asked_for(server: Asker, checkpoint: keepsake.Checkpoint) -> None:
    whole = server.get(f"/files/{checkpoint.id}", path="code/weights.npy").content
    assert len(whole) == 400_128

    def ask(text: str, **more: str) -> httpx.Response:
        headers = {"range": text} | more
        return server.get(f"/files/{checkpoint.id}", path="code/weights.npy", headers=headers)

    part = ask("bytes=1000-1999")
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["content-range"] == "bytes 1000-1999/400128"
    assert ask("bytes=400000-").content == whole[400_000:]
    assert ask("bytes=-28").content == whole[-28:]
    assert ask("bytes=0-0").content == whole[:1]
    assert ask("bytes=0-99999999").content == whole
    beyond = ask("bytes=400128-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */400128")
    for odd in ("bytes=5-2", "bytes=1-2,5-6", "lines=1-2", "bytes=-"):
        assert (ask(odd).status_code, ask(odd).content) == (200, whole)
    tag = part.headers["etag"]
    assert ask("bytes=0-3", **{"if-range": tag}).status_code == 206
    assert ask("bytes=0-3", **{"if-range": '"other"'}).status_code == 200
    assert ask("bytes=0-3", **{"if-none-match": tag}).status_code == 304


def test_a_head_says_how_long_a_file_is(server: Asker, checkpoint: keepsake.Checkpoint) -> None:
    answer = server.client.head(f"/api/v1/files/{checkpoint.id}", params={"path": "code/weights.npy"})
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "400128", b"")


def test_only_real_images_are_shown_as_such(
    project: keepsake.Project, directory: Path, server: Asker, experiment: keepsake.Experiment
) -> None:
    shown = server.get(f"/files/{experiment.id}", path="code/figure.png", **AS_IMAGE)
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["content-security-policy"].startswith("sandbox")
    (directory / "code/evil.png").write_bytes(SCRIPT)
    (directory / "code/evil.svg").write_bytes(SCRIPT)
    other = project.experiments.create(path="code", quiet=True)
    other.stop()
    for path in ("code/evil.png", "code/evil.svg", "code/train.py"):
        assert server.error(400, f"/files/{other.id}", path=path, **AS_IMAGE)
        sent = server.get(f"/files/{other.id}", path=path)
        assert sent.headers["content-type"] == "application/octet-stream"
        assert sent.headers["content-disposition"].startswith("attachment")
    assert server.error(400, f"/files/{experiment.id}", path="code/figure.png", **AS_IMAGE | {"as": "html"})


@pytest.mark.parametrize(
    "path",
    [
        "code/../../../etc/passwd",
        "/etc/passwd",
        "code//train.py",
        "code/./train.py",
        "CODE/TRAIN.PY",
        "code/train.py\0",
    ],
)
def test_a_path_that_does_not_stand_in_the_manifest_is_not_found(
    server: Asker, experiment: keepsake.Experiment, path: str
) -> None:
    for address in ("files", "preview"):
        assert server.error(404, f"/{address}/{experiment.id}", path=path)["kind"] == "not-found"


def test_what_is_no_file_is_not_sent(server: Asker, experiment: keepsake.Experiment) -> None:
    assert "link" in server.error(400, f"/files/{experiment.id}", path="code/link")["message"]
    assert server.error(404, f"/files/{experiment.id}", path="code")
    assert server.error(400, f"/files/{experiment.id}")["message"] == "path= is missing"
    shown = server.json(f"/preview/{experiment.id}", path="code/link")
    assert (shown["kind"], shown["target"]) == ("link", "/etc/passwd")
    assert "did you mean" in server.error(404, f"/files/{experiment.id}", path="code/trian.py")["hint"]


HOSTILE_NAMES = [
    "<script>alert(1)</script>.txt",
    "a\"b'; filename=x.exe.txt",
    "line\nbreak\r\nset-cookie: a=b.txt",
    "\u202egnp.exe.txt",
    "ünï cödé 数据.txt",
    "%2e%2e%2f.txt",
    "x" * 240 + ".txt",
    "back\\slash.txt",
    "#hash?query&amp;=+.txt",
]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_files_of_any_name_are_listed_previewed_and_sent(
    project: keepsake.Project, directory: Path, server: Asker
) -> None:
    names = HOSTILE_NAMES if os.pathconf(directory, "PC_NAME_MAX") >= 255 else HOSTILE_NAMES[:5]
    (directory / "odd").mkdir()
    for name in names:
        (directory / "odd" / name).parent.mkdir(exist_ok=True)
        (directory / "odd" / name).write_text(name)
    (directory / "odd" / os.fsdecode(b"latin-\xe9.txt")).write_text("latin")
    experiment = project.experiments.create(path="odd", quiet=True)
    experiment.stop()
    paths = set(listed(server, f"/experiments/{experiment.id}"))
    assert {f"odd/{name}" for name in names} < paths
    for name in names:
        answer = server.get(f"/files/{experiment.id}", path=f"odd/{name}")
        assert answer.text == name
        header = answer.headers["content-disposition"]
        assert header.isascii()
        assert header.isprintable()
        assert "set-cookie" not in answer.headers
        assert server.json(f"/preview/{experiment.id}", path=f"odd/{name}")["text"] == name
    (shown,) = paths - {f"odd/{name}" for name in names}
    assert server.get(f"/files/{experiment.id}", path=shown).text == "latin"


def test_the_name_of_a_download_is_shown_as_it_is() -> None:
    assert disposition_of("a/b/model.pt") == "attachment; filename=\"model.pt\"; filename*=UTF-8''model.pt"
    assert "filename*=UTF-8''_gnp.exe" in disposition_of("\u202egnp.exe")
    assert 'filename="a_b.txt"' in disposition_of('a"b.txt')
    long = disposition_of("é" * 300 + ".safetensors")
    assert long.endswith(".safetensors")
    assert len(long) < 900
    assert 'filename="file"' in disposition_of("...")


def test_ranges_are_read_as_the_standard_says() -> None:
    assert parse_range("bytes=0-", 10) == (0, 10)
    assert parse_range("bytes=-0", 10) == (10, 10)
    assert parse_range("bytes=-100", 10) == (0, 10)
    assert parse_range("bytes=3-5", 0) == (3, 0)
    assert parse_range("", 10) is None


def test_a_long_file_is_sent_in_pieces(project: keepsake.Project, directory: Path, server: Asker) -> None:
    data = np.random.default_rng(1).bytes(5_000_000)
    (directory / "large.bin").write_bytes(data)
    experiment = project.experiments.create(path="large.bin", quiet=True)
    experiment.stop()
    assert server.get(f"/files/{experiment.id}", path="large.bin").content == data
    middle = server.get(f"/files/{experiment.id}", path="large.bin", headers={"range": "bytes=1500000-4499999"})
    assert middle.content == data[1_500_000:4_500_000]


def damage_chunks(project: keepsake.Project, *, keep: int = 0) -> None:
    chunks = sorted(Path(str(project.repository)).glob("chunks/*/*"), key=lambda path: path.stat().st_size)
    for path in chunks[: len(chunks) - keep]:
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[-1] ^= 0xFF
        path.write_bytes(data)


def test_damage_is_an_error_and_no_dead_server(
    project: keepsake.Project, server: Asker, checkpoint: keepsake.Checkpoint
) -> None:
    damage_chunks(project)
    for address in ("files", "preview"):
        error = server.error(500, f"/{address}/{checkpoint.id}", path="code/train.py")
        assert error["kind"] == "corruption"
    assert server.error(500, f"/histogram/{checkpoint.id}", path="code/weights.npy")["kind"] == "corruption"
    assert server.json("/meta")["experiments"] == 1


def test_a_download_that_meets_damage_halfway_breaks_off(
    project: keepsake.Project, directory: Path, server: Asker, capfd: pytest.CaptureFixture[str]
) -> None:
    (directory / "large.bin").write_bytes(np.random.default_rng(1).bytes(12_000_000))
    experiment = project.experiments.create(path="large.bin", quiet=True)
    experiment.stop()
    (last,) = {extent.digest for entry in experiment.saved_files().entries() for extent in entry.extents[-1:]}
    path = next(Path(str(project.repository)).glob(f"chunks/*/{last}*"))
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(httpx.RemoteProtocolError):
        server.get(f"/files/{experiment.id}", path="large.bin")
    assert "a download broke off" in capfd.readouterr().err
    assert server.json("/meta")["experiments"] == 2


def test_a_missing_manifest_is_not_found(
    project: keepsake.Project, server: Asker, checkpoint: keepsake.Checkpoint
) -> None:
    for path in Path(str(project.repository)).glob("manifests/*/*"):
        path.unlink()
    assert server.error(404, f"/checkpoints/{checkpoint.id}/files")["kind"] == "not-found"
    assert server.error(404, f"/files/{checkpoint.id}", path="code/train.py")["kind"] == "not-found"


def test_files_of_what_was_deleted_are_gone(
    server: Asker, experiment: keepsake.Experiment, checkpoint: keepsake.Checkpoint
) -> None:
    addresses = [f"/files/{experiment.id}", f"/files/{checkpoint.id}", f"/preview/{checkpoint.id}"]
    for address in addresses:
        assert server.get(address, path="code/train.py").status_code == 200
    experiment.delete()
    for address in addresses:
        assert server.error(404, address, path="code/train.py")["kind"] == "not-found"
    assert server.error(404, f"/experiments/{experiment.id}/files")
    assert server.error(404, f"/checkpoints/{checkpoint.id}/files")


def test_files_are_found_once_and_not_after_their_checkpoint_is_deleted(
    project: keepsake.Project, server: Asker, checkpoint: keepsake.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/files/{checkpoint.id}"
    assert server.get(address, path="code/train.py").status_code == 200
    running = project.experiments.create(quiet=True)
    with monkeypatch.context() as context:
        context.setattr(keepsake.Project, "get", None)
        assert server.get(address, path="code/train.py").content == b"print('second')\n"
    running.stop()
    checkpoint.delete()
    assert server.error(404, address, path="code/train.py")["kind"] == "not-found"


def test_a_histogram_of_a_tensor(server: Asker, checkpoint: keepsake.Checkpoint) -> None:
    shown = server.json(f"/preview/{checkpoint.id}", path="code/weights.npy")
    assert shown["tensors"] == [{"name": "", "dtype": "float32", "shape": [100_000], "size_bytes": 400_000}]
    found = server.json(f"/histogram/{checkpoint.id}", path="code/weights.npy", tensor="")
    assert found["counts"] == [2000] * 50
    assert (found["min"], found["max"], found["sampled"]) == (0.0, 99_999.0, None)
    assert server.error(400, f"/histogram/{checkpoint.id}", path="code/train.py")
    assert server.error(404, f"/histogram/{checkpoint.id}", path="code/weights.npy", tensor="x")


def test_numbers_that_json_has_not_are_text(project: keepsake.Project, directory: Path, server: Asker) -> None:
    (directory / "bad.json").write_text('{"a": NaN, "b": -Infinity, "c": 1e999}')
    data = io.BytesIO()
    np.save(data, np.array([np.inf, np.nan, 1e308, -1e308]))
    (directory / "bad.npy").write_bytes(data.getvalue())
    experiment = project.experiments.create(path=".", quiet=True)
    experiment.stop()
    shown = json.loads(server.get(f"/preview/{experiment.id}", path="bad.json").text)
    assert shown["value"] == {"a": "NaN", "b": "-Infinity", "c": "Infinity"}
    assert server.json(f"/histogram/{experiment.id}", path="bad.npy")["nonfinite"] == 2


def test_repositories_of_format_1_have_files_too() -> None:
    golden = Path(__file__).parents[1] / "golden/format-1"
    with serving(golden / "repository") as server:
        seen = 0
        for one in server.json("/experiments")["ids"]:
            answer = server.get(f"/experiments/{one}/files")
            assert answer.status_code in (200, 404)
            for file in answer.json().get("files", ()):
                if file["kind"] == "file":
                    sent = server.get(f"/files/{one}", path=file["path"])
                    assert len(sent.content) == file["size_bytes"]
                    assert server.json(f"/preview/{one}", path=file["path"])["kind"]
                    seen += 1
        assert seen
