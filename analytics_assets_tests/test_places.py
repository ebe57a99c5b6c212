"""One value, one place: what the catalogue shows is where files are written, from whichever folder a process is started."""

from pathlib import Path

import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.lake.files import Files
from analytics_assets.places import address, project_root, state_place
from analytics_assets.settings import settings
from analytics_assets.state.database import engine


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("lake", "{root}/lake"),
        ("./lake/", "{root}/lake"),
        ("a/../lake", "{root}/lake"),
        ("linked", "{root}/target"),
        ("linked/../lake", "{root}/lake"),
        (" lake\n", "{root}/lake"),
        ("~/lake", "{home}/lake"),
        ("file:///srv/lake/", "/srv/lake"),
        ("local:///srv//lake", "/srv/lake"),
        ("/srv/lake//", "/srv/lake"),
        ("s3://bucket/lake/", "s3://bucket/lake"),
        ("s3://bucket/", "s3://bucket"),
    ],
)
def test_a_lake_is_written_where_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, place: str
) -> None:
    """Home folders, trailing slashes, dots, links and file URLs name one place; a relative path belongs to the project."""
    root, elsewhere, home = tmp_path / "project", tmp_path / "elsewhere", tmp_path / "home"
    for folder in (root / "target", elsewhere, home):
        folder.mkdir(parents=True)
    (root / "linked").symlink_to(root / "target")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(home))
    wanted = place.format(root=root, home=home)
    lake = settings({"ANALYTICS_LAKE": value}, root=root).lake
    files = Files(lake)
    assert (lake, address(lake), files.named(files.root)) == (wanted, wanted, wanted)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("/srv/a::b", "chains file systems with `::`"),
        ("simplecache::s3://bucket/lake", "chains file systems with `::`"),
        ("file://lake", "has a relative path in a file URL"),
        ("~nobody-of-this-name/lake", "the home folder of a user who is not known here"),
        ("$HOME/lake", "holds a variable that nothing has replaced"),
        ("${DATA}/lake", "holds a variable that nothing has replaced"),
        ("%USERPROFILE%/lake", "holds a variable that nothing has replaced"),
        ("s3://${BUCKET}/lake", "holds a variable that nothing has replaced"),
        ("C:/lake", "is a path of Windows"),
        ("C:\\lake", "is a path of Windows"),
        ("\\\\server\\share", "is a path of Windows"),
        ("s3://bucket//lake", "has an empty step"),
        ("s3://bucket/a/../lake", "has an empty step"),
        ("/srv/la\nke", "holds a line break"),
    ],
)
def test_a_lake_that_is_not_one_place_is_refused(tmp_path: Path, value: str, why: str) -> None:
    """By the settings and by whatever opens a lake by its path."""
    with pytest.raises(PermanentError, match=r"^ANALYTICS_LAKE") as refused:
        settings({"ANALYTICS_LAKE": value}, root=tmp_path)
    assert why in str(refused.value)
    for opened in (Files, address):
        with pytest.raises(PermanentError) as caught:
            opened(value)
        assert why in str(caught.value)


def test_a_password_in_the_address_of_a_bucket_may_hold_anything_and_is_not_repeated(tmp_path: Path) -> None:
    """Only what names the place is looked at."""
    named = "sftp://ana:p$word@host/lake"
    assert settings({"ANALYTICS_LAKE": named}, root=tmp_path).lake == named
    with pytest.raises(PermanentError) as refused:
        settings({"ANALYTICS_LAKE": f"{named}::{named}"}, root=tmp_path)
    assert "word" not in str(refused.value)


def test_the_state_database_is_one_file_from_whichever_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is where the setting says, and the database of another process is the same one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    named = {
        "sqlite:///data/state.db": f"sqlite:///{tmp_path}/data/state.db",
        "sqlite:///~/state.db": f"sqlite:///{tmp_path}/own/state.db",
        "sqlite:////srv/a/../state.db": "sqlite:////srv/state.db",
        "postgresql+psycopg2://u:p%40ss@host/state": "postgresql+psycopg2://u:p%40ss@host/state",
    }
    assert {value: state_place(value, tmp_path) for value in named} == named
    engine(settings({"ANALYTICS_STATE": "sqlite:///data/state.db"}, root=tmp_path).state)
    assert (tmp_path / "data/state.db").is_file()


@pytest.mark.parametrize(
    "value", ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite:///", "sqlite:///x?mode=memory", "sqlite:///file:x"]
)
def test_a_state_database_in_memory_is_refused(tmp_path: Path, value: str) -> None:
    """Each process would have one of its own: report tasks would be created twice, and limits counted apart."""
    with pytest.raises(PermanentError, match=r"^ANALYTICS_STATE names .* Write it as sqlite:///"):
        settings({"ANALYTICS_STATE": value}, root=tmp_path)


def test_relative_paths_belong_to_the_checkout_from_whichever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nightly job that starts in / looks at the lake of its project, whatever DAGSTER_HOME is."""
    checkout = Path(__file__).parents[1]
    monkeypatch.chdir(tmp_path)
    assert project_root(None) == project_root(str(tmp_path)) == checkout
    assert settings({}).lake == f"{checkout}/data/sandbox"


def test_without_a_project_a_relative_path_is_refused_and_an_absolute_one_is_not() -> None:
    """The working directory is nobody's choice."""
    with pytest.raises(PermanentError, match="is a relative path, and no Dagster project is here"):
        state_place("sqlite:///data/state.db", None)
    assert state_place("sqlite:////srv/state.db", None) == "sqlite:////srv/state.db"
