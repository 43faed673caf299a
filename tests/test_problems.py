"""How the mistakes of a file are told: in its order, each once, no more than anybody reads."""

from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.problems import MOST_TOLD, Problem, Problems

FOUND = st.lists(
    st.builds(
        Problem,
        st.integers(1, 9),
        st.sampled_from(["seconds = 7; allowed: 6, 10", "unknown key 'foo'", "x" * 5_000]),
        st.sampled_from(["", "010", "020"]),
    ),
    max_size=400,
)


@given(FOUND, st.integers(1, 30))
def test_mistakes_are_told_in_the_order_of_the_file_and_each_once(found: list[Problem], most: int) -> None:
    lines = Problems("board.yaml", found, most_told=most).lines()
    kinds = {(problem.line, problem.text) for problem in found}
    assert len(lines) == min(len(kinds), most) + (len(kinds) > most)
    told = lines[:most]
    assert len(set(told)) == len(told)
    numbers = [int(line.split(":")[1]) for line in told]
    assert numbers == sorted(numbers)
    assert all(len(line) < 3_500 for line in lines)
    if len(kinds) > most:
        assert lines[-1] == f"board.yaml: … and {len(kinds) - most:,} more mistakes"


@given(FOUND)
def test_a_shot_is_wrong_when_something_in_it_is(found: list[Problem]) -> None:
    problems = Problems("board.yaml", found)
    assert bool(problems) == bool(found)
    for shot in ("010", "020"):
        assert problems.has(shot) == any(problem.shot == shot for problem in found)


def test_a_mistake_of_several_shots_names_them() -> None:
    problems = Problems("board.yaml")
    for shot in ("010", "020"):
        problems.add(3, "resolution = 720P; allowed: 768P, 1080P", shot)
    assert problems.lines() == ["board.yaml:3: shots 010, 020: resolution = 720P; allowed: 768P, 1080P"]


def test_tables_are_counted_in_their_own_unit() -> None:
    problems = Problems("waves.parquet", [Problem(7, "prompt: it is empty")], unit="row")
    assert problems.lines() == ["waves.parquet, row 7: prompt: it is empty"]


def test_a_guess_is_made_as_long_as_anybody_reads_it() -> None:
    problems = Problems("board.yaml")
    assert problems.suggest("dissolv", ["fade", "dissolve"]) == "dissolve"
    assert problems.suggest("qqq", ["fade", "dissolve"]) is None
    problems.extend(Problem(line, "wrong") for line in range(MOST_TOLD))
    assert problems.suggest("dissolv", ["fade", "dissolve"]) is None
