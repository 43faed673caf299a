"""Names of folders that hold on every system."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.storage.naming import (
    LIMIT,
    dataset_name,
    file_name,
    film_name,
    former_dataset_name,
    former_film_name,
)

ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
PLAIN = st.text("abcdefgh XYZ019_&!:/äé雾", max_size=30)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Harbour", "harbour"),
        ("Summer: Film!", "summer-film"),
        ("Cafe\u0301 noir", "caf\u00e9-noir"),
        ("Caf\u00e9 noir", "caf\u00e9-noir"),
        ("हिन्दी फिल्म", "हिन्दी-फिल्म"),
        ("雾散了", "雾散了"),
        ("CON", "con_"),
        ("nul", "nul_"),
        ("aux.", "aux_"),
        ("COM1", "com1_"),
        ("LPT²", "lpt²_"),
        ("console", "console"),
        ("❤️ 1️⃣ story", "1-story"),
    ],
)
def test_titles(title: str, name: str) -> None:
    assert film_name(title) == name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("waves", "waves"),
        ("Waves", "Waves"),
        ("a/b", "a-b"),
        ("run 2 (best)+x=1", "run 2 (best)+x=1"),
        ("aux.tar", "aux_.tar"),
        ("Cafe\u0301", "Caf\u00e9"),
        (" dots. . ", "dots"),
        ("..", "dataset"),
    ],
)
def test_names_of_datasets(given_name: str, name: str) -> None:
    assert dataset_name(given_name) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"C:\t\waves.csv", "waves.csv"),
        ("C:/t/waves.csv", "waves.csv"),
        ("/t/waves.csv", "waves.csv"),
        ("waves.csv", "waves.csv"),
        ("s3://b/t/waves.csv?versionId=3", "waves.csv"),
        ("https://h/waves.csv#top", "waves.csv"),
        (r"\\server\share\film.yaml", "film.yaml"),
    ],
)
def test_the_last_part_of_any_path(path: str, name: str) -> None:
    assert file_name(path) == name


@given(ANY)
def test_every_name_holds_everywhere(text: str) -> None:
    for rule in (film_name, dataset_name):
        name = rule(text)
        assert 0 < len(name.encode()) <= LIMIT
        assert name == unicodedata.normalize("NFC", name)
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        assert not name.startswith(".")
        assert not name.endswith((".", " "))
        assert not re.fullmatch(r"(?i)(con|prn|aux|nul|(com|lpt)\d)(\..*)?", name)
        assert rule(unicodedata.normalize("NFD", text)) == name
        assert rule(unicodedata.normalize("NFC", text)) == name


@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=80, max_size=200), st.text("ab", max_size=3)
)
def test_names_that_were_cut_are_told_apart(text: str, more: str) -> None:
    for rule in (film_name, dataset_name):
        one, other = rule(f"{text}a{more}"), rule(f"{text}b{more}")
        assert one.casefold() != other.casefold()


@given(PLAIN)
def test_where_the_former_rule_gave_a_name_that_holds_it_is_still_the_name(text: str) -> None:
    assert film_name(text) == former_film_name(text)
    assert dataset_name(text) == former_dataset_name(text)
