"""Files and folders: whole or as before, whatever happens in between."""

import os
import subprocess
import sys
import threading
from errno import EBUSY
from pathlib import Path

import pytest

from helpers import files
from helpers.files import HelperError

ROOT = files.ROOT


def folder(path: Path, mark: str) -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "manifest.json").write_text(mark)
    (path / "deep" / "file").write_text(mark)
    (path / f"only-{mark}").write_text(mark)
    return path


def content(path: Path) -> dict[str, str]:
    return {p.relative_to(path).as_posix(): p.read_text() for p in path.rglob("*") if p.is_file()}


def whole(mark: str) -> dict[str, str]:
    return {"manifest.json": mark, "deep/file": mark, f"only-{mark}": mark}


@pytest.fixture
def mounted(monkeypatch):
    """The folder `market` cannot be renamed, as a mount point cannot."""
    replace = os.replace

    def refuse(source, target):
        if Path(source).name == "market" or Path(target).name == "market":
            raise OSError(EBUSY, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)


def test_a_file_is_whole_or_as_before(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.txt"
    files.write_whole(path, "grün\n")
    assert path.read_bytes() == "grün\n".encode()
    files.write_whole(path, b"bytes")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space"):
        files.write_whole(path, "lost")
    assert path.read_bytes() == b"bytes"
    assert list(path.parent.iterdir()) == [path]


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert files.sha256(tmp_path / "file").startswith("ba7816bf8f01cfea")


def test_a_folder_takes_the_place_of_another(tmp_path):
    target = tmp_path / "market"
    for mark in ("one", "two"):
        with files.fresh_folder(target) as new:
            new.rmdir()
            folder(new, mark)
        assert content(target) == whole(mark)
        assert list(tmp_path.iterdir()) == [target]


def test_what_fails_while_it_is_filled_changes_nothing(tmp_path):
    target = folder(tmp_path / "market", "one")

    def stopped():
        with files.fresh_folder(target) as new:
            (new / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert content(target) == whole("one")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("broken", [1, 2])
def test_a_rename_that_fails_is_undone_at_once(tmp_path, monkeypatch, broken):
    target, new = folder(tmp_path / "market", "one"), folder(tmp_path / "fresh", "two")
    replace, calls = os.replace, []

    def fail(source, goal):
        calls.append(source)
        if len(calls) == broken:
            raise OSError(28, "No space left on device")
        replace(source, goal)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        files.replace_folder(new, target)
    assert content(target) == whole("one")
    assert not (tmp_path / ".market.old").exists()


def test_a_rename_refused_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    target, new = folder(tmp_path / "market", "one"), folder(tmp_path / "fresh", "two")
    replace, refused = os.replace, []

    def busy(source, goal):
        if len(refused) < 3:
            refused.append(source)
            raise PermissionError(13, "Access is denied")
        replace(source, goal)

    monkeypatch.setattr(os, "replace", busy)
    files.replace_folder(new, target)
    assert content(target) == whole("two")


def test_the_old_folder_can_be_kept(tmp_path):
    target = folder(tmp_path / "market", "one")
    files.replace_folder(folder(tmp_path / "a", "two"), target, keep_old=True)
    assert content(tmp_path / "market.damaged") == whole("one")
    files.replace_folder(folder(tmp_path / "b", "three"), target, keep_old=True)
    assert content(tmp_path / "market.damaged") == whole("one")
    assert content(tmp_path / "market.damaged1") == whole("two")
    assert content(target) == whole("three")


def test_a_link_stays_a_link(tmp_path):
    real = folder(tmp_path / "real", "one")
    link = tmp_path / "market"
    link.symlink_to(real)
    files.replace_folder(folder(tmp_path / "fresh", "two"), link)
    assert link.is_symlink()
    assert content(real) == whole("two")


def test_a_mount_point_swaps_its_contents(tmp_path, mounted):
    target = folder(tmp_path / "market", "one")
    files.replace_folder(folder(tmp_path / "fresh", "two"), target)
    assert content(target) == whole("two")
    assert list(tmp_path.iterdir()) == [target]
    files.replace_folder(folder(tmp_path / "fresh", "three"), target, keep_old=True)
    assert content(target) == whole("three")
    assert content(tmp_path / "market.damaged") == whole("two")


def test_a_volume_in_a_folder_that_is_not_ours_is_filled_from_inside(tmp_path, monkeypatch):
    target = folder(tmp_path / "market", "one")
    mkdir = Path.mkdir

    def only_inside(self, *arguments, **options):
        if self.parent == tmp_path and not options.get("exist_ok"):
            raise PermissionError(13, "Permission denied")
        mkdir(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", only_inside)
    with files.fresh_folder(target) as new:
        for name, mark in whole("two").items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(mark)
    assert content(target) == whole("two")
    assert sorted(path.name for path in target.iterdir()) == ["deep", "manifest.json", "only-two"]


KILLED = """
import os, signal, sys
from pathlib import Path
from helpers import files
replace, count, mounted = os.replace, 0, {mounted}
def killed(source, target):
    global count
    if mounted and "market" in (Path(source).name, Path(target).name):
        raise OSError(16, "Device or resource busy")
    if count == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    count += 1
    replace(source, target)
os.replace = killed
with files.fresh_folder(Path({target!r})) as new:
    for name in ("manifest.json", "deep/file", "only-two"):
        (new / name).parent.mkdir(exist_ok=True)
        (new / name).write_text("two")
"""


@pytest.mark.parametrize("mounted", [False, True])
def test_killed_at_any_step_one_of_the_two_is_whole(tmp_path, mounted):
    steps = 0
    while True:
        target = folder(tmp_path / str(steps) / "market", "one")
        code = KILLED.format(mounted=mounted, step=steps, target=str(target))
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
        files.recover(target)
        assert content(target) in (whole("one"), whole("two"))
        assert list(target.parent.iterdir()) == [target]
        if done.returncode == 0:
            break
        assert done.returncode == -9
        steps += 1
    assert content(target) == whole("two")
    assert steps == (7 if mounted else 2)


def test_only_what_dead_processes_left_is_swept(tmp_path):
    target = folder(tmp_path / "market", "one")
    living = tmp_path / f".market.{os.getppid()}-0000abcd.new"
    dead = tmp_path / ".market.4194399-0000abcd.new"
    stranger = tmp_path / ".other.4194399-0000abcd.new"
    for path in (living, dead, stranger):
        path.mkdir()
    (tmp_path / ".market.4194399-1111abcd.part").touch()
    (target / ".market.4194399-2222abcd.new").mkdir()
    files.recover(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [living.name, stranger.name, target.name]
    )
    assert content(target) == whole("one")
    (tmp_path / ".note.txt.4194399-1111abcd.part").touch()
    (tmp_path / "note.txt.old").touch()
    (tmp_path / "market.old").mkdir()
    files.recover(target)
    files.write_whole(tmp_path / "note.txt", "x")
    assert not (tmp_path / ".note.txt.4194399-1111abcd.part").exists()
    assert (tmp_path / "note.txt.old").exists()  # a reader's own
    assert (tmp_path / "market.old").exists()


def test_a_reader_that_recovers_does_not_disturb_a_swap(tmp_path):
    target = folder(tmp_path / "market", "one")
    stop = threading.Event()

    def read():
        while not stop.is_set():
            files.recover(target)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        files.replace_folder(folder(tmp_path / f"new{number}", "two"), target)
    stop.set()
    reader.join()
    assert content(target) == whole("two")
    assert list(tmp_path.iterdir()) == [target]


def test_two_at_once_end_with_one_of_them(tmp_path):
    target = folder(tmp_path / "market", "one")
    failed = []

    def swap(number):
        try:
            files.replace_folder(folder(tmp_path / f"new{number}", "two"), target)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert content(target) == whole("two")
    assert list(tmp_path.iterdir()) == [target]


def test_a_checkout_that_cannot_be_written_has_its_cache_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(files, "CACHE", tmp_path / "file" / "cache")
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path))
    assert files.cache().parent == tmp_path
    (files.cache() / "written").touch()
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(HelperError, match="set TMPDIR"):
        files.cache()
