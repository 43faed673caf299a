"""What a room loads: a program that uses one of them pays for no other."""

import ast
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import minimax_tasks

ENGINE_FREE = (
    "clips", "storyboard", "dataset", "api", "prompts", "sandbox", "video", "storage", "console", "engines"
)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after some code."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\n{code}\nprint(*sorted({{n.split('.')[0] for n in sys.modules}}))",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    return set(told.stdout.splitlines()[-1].split())


def modules_of(room: str) -> list[str]:
    """Every module of a room, itself included. The folders of other engines need those engines."""
    folder = f"{minimax_tasks.__path__[0]}/{room}"
    walk = pkgutil.iter_modules if room == "engines" else pkgutil.walk_packages
    found = walk([folder], prefix=f"minimax_tasks.{room}.")
    return [f"minimax_tasks.{room}", *(each.name for each in found if room != "engines" or not each.ispkg)]


def imported_by(module: Path) -> set[str]:
    """The top-level modules that a file imports anywhere, in its functions too."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".")[0])
    return found


def test_luigi_is_imported_in_its_room_and_by_its_command_alone() -> None:
    package = Path(minimax_tasks.__path__[0])
    modules = [path.relative_to(package) for path in package.rglob("*.py")]
    naming = [module for module in modules if "luigi" in (package / module).read_text(encoding="utf-8")]
    engines = {module.as_posix() for module in naming if "luigi" in imported_by(package / module)}
    assert {name for name in engines if not name.startswith("tasks/")} == {"commands/luigi.py"}
    assert "tasks/stages.py" in engines


def test_the_rule_of_imports_keeps_luigi_from_every_other_room() -> None:
    package = Path(minimax_tasks.__path__[0])
    rules = tomllib.loads((package.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (rule,) = [
        contract
        for contract in rules["tool"]["importlinter"]["contracts"]
        if contract.get("forbidden_modules") == ["luigi"]
    ]
    rooms = {found.name for found in pkgutil.iter_modules(minimax_tasks.__path__)}
    named = {name.removeprefix("minimax_tasks.") for name in rule["source_modules"]}
    assert rooms - named == {"tasks", "commands", "__main__"}


def has_luigi_after_each(modules: list[str]) -> dict[str, bool]:
    """Module -> whether Luigi is loaded after it and those before it were imported into a fresh interpreter."""
    code = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    importlib.import_module(name)\n"
        "    print(name, int('luigi' in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return {name: found == "1" for name, found in map(str.split, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def luigi_after() -> dict[str, bool]:
    return has_luigi_after_each([name for room in ENGINE_FREE for name in modules_of(room)])


@pytest.mark.parametrize("room", ENGINE_FREE)
def test_only_the_tasks_need_luigi(room: str, luigi_after: dict[str, bool]) -> None:
    modules = modules_of(room)
    assert modules
    assert not [name for name in modules if luigi_after[name]]


def test_settings_need_luigi_only_where_it_is_configured() -> None:
    code = "from minimax_tasks import Settings\nassert Settings.load().root == "
    assert "luigi" not in loaded_by(code + "'minimax-output'")
    with open("luigi.cfg", "w", encoding="utf-8") as configuration:
        configuration.write("[minimax]\nroot = from-luigi\n")
    assert "luigi" in loaded_by(code + "'from-luigi'")


def test_planning_text_needs_nothing_that_reads_pictures_or_clips(tmp_path: Path) -> None:
    board = tmp_path / "board.yaml"
    board.write_text(
        "title: Words\nlook: Grainy film.\nshots:\n- {id: one, action: Rain., camera: push in}\n"
        "- {id: two, prompt: Sun., cut: fade 0.5}\n- {id: three, action: Wind., cut: true, takes: 2}\n",
        encoding="utf-8",
    )
    code = (
        "from minimax_tasks.storyboard.planning.make import make_plan\n"
        f"plan = make_plan({str(board)!r}, root={str(tmp_path / 'out')!r}, language='en')\n"
        "assert len(plan.segments) == 4, plan.segments"
    )
    heavy = {"av", "numpy", "PIL", "luigi", "httpx", "rich", "pyarrow", "starlette", "uvicorn"}
    assert not heavy & loaded_by(code)


HEAVY = {
    "PIL", "aiohttp", "av", "fsspec", "h11", "httpx", "jinja2", "luigi", "numpy", "pydantic", "rich", "starlette",
    "uvicorn", "yaml",
}  # fmt: skip


def test_the_package_alone_is_light() -> None:
    assert not loaded_by("import minimax_tasks") & (HEAVY | {"asyncio", "argparse"})


def test_help_loads_nothing_but_the_table_of_commands() -> None:
    code = (
        "from minimax_tasks.commands.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0"
    )
    assert not loaded_by(code) & (HEAVY | {"asyncio", "logging", "tempfile"})


@pytest.mark.parametrize("table", ["models", "cameras", "transitions", "templates", "errors"])
def test_a_table_of_the_catalogue_loads_what_it_shows(table: str) -> None:
    code = (
        "from minimax_tasks.commands.main import main\n"
        f"assert main([{table!r}]) == main([{table!r}, '--json']) == 0"
    )
    allowed = {"rich"}
    assert not loaded_by(code) & (HEAVY - allowed | {"asyncio"})
