"""`--overwrite`: what an earlier call wrote is replaced once the new is whole, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from logbench import DataError
from logbench.base.files import check_free, whole


def bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "bundle.json").write_text("old")
    return folder


def test_only_what_the_option_wrote_is_replaced(tmp_path: Path) -> None:
    saved, other = bundle(tmp_path / "saved"), tmp_path / "other"
    check_free("--save", other, False)
    other.mkdir()
    for folder, overwrite, said in ((saved, False, "add --overwrite"), (other, True, "is not what --save wrote")):
        with pytest.raises(DataError, match=said):
            check_free("--save", folder, overwrite, "bundle.json")
    check_free("--save", saved, True, "bundle.json")
    (tmp_path / "link").symlink_to(saved)
    with pytest.raises(DataError, match="is not what"):
        check_free("--save", tmp_path / "link", True, "bundle.json")
    with pytest.raises(DataError, match="is not what"):
        check_free("--save", other, True)  # a folder where a file was asked for


def test_a_folder_is_replaced_once_the_new_one_is_whole(tmp_path: Path) -> None:
    saved = bundle(tmp_path / "saved")
    with pytest.raises(RuntimeError), whole(saved, replace=True) as folder:
        (folder / "bundle.json").write_text("half")
        raise RuntimeError
    assert (saved / "bundle.json").read_text() == "old"
    with whole(saved, replace=True) as folder:
        (folder / "bundle.json").write_text("new")
        assert (saved / "bundle.json").read_text() == "old"
    assert (saved / "bundle.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_the_old_folder_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, rename = bundle(tmp_path / "saved"), Path.rename

    def failing(path: Path, target: Path) -> Path:
        if target == saved and not path.name.endswith(".old"):
            raise OSError(5, "broken disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DataError), whole(saved, replace=True):
        pass
    assert (saved / "bundle.json").read_text() == "old"


@pytest.mark.parametrize("name", ["a\udcffb", "a\0b", "file/x", "file/x/y", "/proc/x", "/dev/null/x"])
def test_a_place_that_takes_no_files_is_refused_first(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError) as error:
        check_free("--save", tmp_path / name, False)
    assert "\n" not in str(error.value)
    check_free("--save", tmp_path / "new" / "folder" / "x", False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
