"""Settings are a closed vocabulary at every door: the environment, luigi.cfg, luigi.toml, Luigi's command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import OF_OTHERS, Settings

LUIGI = str(Path(sys.executable).with_name("luigi"))
ASK = "import minimax_tasks as mm; s = mm.Settings.load(); print(s.budget, s.root, s.requests_per_minute)"


COMMANDS = """
import gc, importlib, json, os, sys
gc.disable()
for name in ("clips.service", "console.ledger", "console.output", "dataset.plan", "storyboard.delivery", "storyboard.film"):
    importlib.import_module("minimax_tasks." + name)
import dateutil.parser, requests, tornado.httpclient  # and what Luigi needs
gc.freeze()
assert "luigi" not in sys.modules
from minimax_tasks.commands.main import main
for line in sys.stdin:
    words, folder, environment = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.environ.update(environment)
        for number, name in ((1, "told.out"), (2, "told.err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        code = main(words)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs a command for each line, in a process that has not loaded Luigi, which reads its configuration then."""

Fresh = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """Runs a command in a folder, in a fresh process; the exit code, and what it said."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    given = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX_", "LUIGI_"))}
    with subprocess.Popen(
        [sys.executable, "-c", COMMANDS],
        cwd=tmp_path_factory.mktemp("fresh"),
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def command(words: list[str], folder: Path, **environment: str) -> tuple[int, str]:
            print(json.dumps([words, str(folder), environment]), file=process.stdin, flush=True)
            code = int(process.stdout.readline())
            return code, (folder / "told.out").read_text() + (folder / "told.err").read_text()

        yield command
        process.stdin.close()


def configure(text: str, folder: Path) -> None:
    (folder / "given.cfg").write_text(text)
    luigi.configuration.get_config().read([str(folder / "given.cfg")])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("budjet", "budget"),
        ("budget_usd", "budget"),
        ("requests_per_minut", "requests_per_minute"),
        ("requests-per-minut", "requests_per_minute"),
        ("apikey", "api_key"),
        ("Root", "root"),
        ("rpm", "allowed: api_key, base_url, root"),
    ],
)
def test_a_key_of_the_section_that_is_no_setting(name: str, meant: str, tmp_path: Path) -> None:
    configure(f"[minimax]\n{name} = 0.1\n", tmp_path)
    with pytest.raises(mm.ConfigurationError) as caught:
        Settings.load()
    assert str(caught.value).startswith(f"{name} ([minimax] of the Luigi configuration) is no setting")
    assert meant in str(caught.value)


def test_a_variable_that_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINIMAX_BUGDET", "sk-part-of-a-key")
    with pytest.raises(
        mm.ConfigurationError, match="MINIMAX_BUGDET is no setting; did you mean MINIMAX_BUDGET"
    ):
        Settings.load()
    assert main(["ledger"]) == 2
    told = capsys.readouterr().err
    assert "MINIMAX_BUDGET?" in told
    assert "sk-part" not in told


def test_all_wrong_names_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIMAX_BUGDET", "1")
    monkeypatch.setenv("MINIMAX_ROOTS", "x")
    with pytest.raises(mm.ConfigurationError, match=r"MINIMAX_BUGDET.*MINIMAX_ROOTS"):
        Settings.load()


def test_an_argument_does_not_hide_a_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIMAX_BUGDET", "1")
    with pytest.raises(mm.ConfigurationError):
        Settings.load(budget=3)


def test_variables_of_other_programs_for_the_same_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_OTHERS:
        monkeypatch.setenv(name, "something")
    monkeypatch.setenv("MINIMAX_NOTHING", " ")
    assert Settings.load() == Settings()


def test_what_every_section_has_is_no_mistake(tmp_path: Path) -> None:
    configure("[DEFAULT]\nhome = /data\n[minimax]\nroot = %(home)s/films\n", tmp_path)
    try:
        assert Settings.load().root == "/data/films"
    finally:
        luigi.configuration.get_config().remove_option("DEFAULT", "home")


@pytest.mark.parametrize("section", ["Minimax", "MINIMAX", "minmax", "minimaxx", "mini-max", "mini_max"])
def test_a_section_that_is_nearly_ours_is_no_section_of_settings(section: str, tmp_path: Path) -> None:
    configure(f"[{section}]\nbudget = 0.1\n", tmp_path)
    try:
        with pytest.raises(mm.ConfigurationError) as caught:
            Settings.load()
    finally:
        luigi.configuration.get_config().remove_section(section)
    assert str(caught.value) == (
        f"[{section}] of the Luigi configuration is no section of settings; did you mean [minimax]?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[luigi_minimax]\nroot = x\nbudget = 3\n",  # of law
        "[MiniMax]\nroot = x\n",  # a task of somebody's may be called so
        "[minimax_mcp]\nbudget = 3\n",
        "[maxima]\nbudget = 3\n",
    ],
)
def test_sections_of_others_are_left_alone(text: str, tmp_path: Path) -> None:
    configure(text, tmp_path)
    section = text[1:].partition("]")[0]
    try:
        assert Settings.load() == Settings()
    finally:
        luigi.configuration.get_config().remove_section(section)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MINMAX_BUDGET", "MINIMAX_BUDGET"),
        ("MINI_MAX_BUDGET", "MINIMAX_BUDGET"),
        ("minimax_budget", "MINIMAX_BUDGET"),
        ("MINIMAXX_BASE_URL", "MINIMAX_BASE_URL"),
        ("MINMAX_H3_IN_FLIGHT", "MINIMAX_H3_IN_FLIGHT"),
    ],
)
def test_a_variable_that_nearly_begins_like_ours(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "0.1")
    with pytest.raises(mm.ConfigurationError, match=rf"^{name} is no setting; did you mean {meant}\?"):
        Settings.load()


@pytest.mark.parametrize(
    "name", ["MINIMAXI_BASE_URL", "MINIMAXI_API_KEY", "BUDGET", "MAX_BUDGET", "MINMAX_BUGDET"]
)
def test_variables_of_others_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0.1")
    assert Settings.load() == Settings()


@pytest.mark.parametrize(
    ("file", "parser", "needed"),
    [
        ("luigi.toml", "", "LUIGI_CONFIG_PARSER=toml"),
        ("luigi.toml", "cfg", "LUIGI_CONFIG_PARSER=toml"),
        ("luigi.cfg", "toml", "LUIGI_CONFIG_PARSER=cfg"),
    ],
)
def test_a_file_that_luigi_does_not_read_holds_no_settings(
    file: str, parser: str, needed: str, tmp_path: Path, fresh: Fresh
) -> None:
    chosen = {"LUIGI_CONFIG_PARSER": parser} if parser else {}
    (tmp_path / file).write_text("[worker]\nkeep_alive = false\n")
    assert fresh(["ledger", "--root", "out"], tmp_path, **chosen)[0] == 0
    (tmp_path / file).write_text("[worker]\nkeep_alive = false\n\n[minimax]\nbudget = 0.1\n")
    code, told = fresh(["ledger", "--root", "out"], tmp_path, **chosen)
    assert code == 2
    assert f"{file} has a section [minimax], and Luigi does not read that file" in told
    assert needed in told


def test_a_setting_that_would_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIMAX_POLL_INTERVAL", "inf")
    with pytest.raises(mm.ConfigurationError, match="poll_interval = 'inf'"):
        Settings.load()


def test_nothing_is_paid_for_with_a_misspelt_budget(sandbox: Sandbox, tmp_path: Path) -> None:
    configure("[minimax]\nbudjet = 0.1\n", tmp_path)
    with pytest.raises(mm.ConfigurationError, match="budget"):
        mm.build([mm.TextToVideo(prompt="x", root="out")])
    assert sandbox.ledger() == []


def run(words: list[str], folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_luigi_toml(tmp_path: Path) -> None:
    (tmp_path / "luigi.toml").write_text('[minimax]\nbudget = 0\nroot = "50%"\nrequests_per_minute = 2.5\n')
    done = run(["-W", "ignore", "-c", ASK], tmp_path, LUIGI_CONFIG_PARSER="toml")
    assert done.stdout == "0.0 50% 2.5\n", done.stderr


def test_a_key_of_luigi_toml_that_is_no_setting(tmp_path: Path, fresh: Fresh) -> None:
    (tmp_path / "luigi.toml").write_text("[minimax]\nbudjet = 0.1\n")
    code, told = fresh(["ledger"], tmp_path, LUIGI_CONFIG_PARSER="toml")
    assert code == 2
    assert "did you mean budget" in told


@pytest.mark.slow
def test_luigi_shows_the_settings_and_takes_them_on_its_command_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    help_text = run([LUIGI, "--module", "minimax_tasks", "--help-all"], tmp_path).stdout
    for name in Settings.model_fields:
        assert f"--minimax-{name.replace('_', '-')} " in help_text
    assert "Most submits a minute" in " ".join(help_text.split())
    words = ["--module", "minimax_tasks", "TextToVideo", "--prompt", "x", "--local-scheduler"]
    done = run([LUIGI, *words, "--minimax-root", "told"], tmp_path, MINIMAX_ROOT="from-environment")
    assert (tmp_path / "told/clips").is_dir(), done.stderr
    done = run([LUIGI, *words, "--minimax-budget", "cheap"], tmp_path)
    assert "budget = 'cheap' (--minimax-budget)" in done.stderr
    assert run([LUIGI, *words, "--minimax-budjet", "1"], tmp_path).returncode != 0


def test_the_settings_are_a_configuration_of_luigi_s(tmp_path: Path) -> None:
    from minimax_tasks.tasks.configuration import minimax

    configure("[minimax]\nroot = films\napi_key = sk-planted\n", tmp_path)
    assert issubclass(minimax, luigi.Config)
    assert minimax().root == "films"
    assert "planted" not in repr(minimax()) + minimax().task_id


BROKEN = [
    ("[minimax]\napi_key sk-PLANTED\n", "line 2: it is no `name = value`"),
    ("[minimax]\nsk-PLANTED-as-a-name = x\n", "is no setting"),
    ("[minimax]\napi_key = sk-1\napi_key = sk-PLANTED\n", "line 3: this name stands there twice"),
    ("api_key = sk-PLANTED\n", "line 1: there is no [section] above it"),
    ("[minimax]\napi_key = ${NOT_SET}sk-PLANTED\n", "names an environment variable that is not set"),
    ("[minimax]\napi_key = sk-PLANTED%(\nbudget = %(PLANTED)s\n", "budget"),
]


@pytest.mark.parametrize(("text", "wrong"), BROKEN)
@pytest.mark.parametrize(
    "words", [["ledger"], ["luigi", "TextToVideo", "--prompt", "x", "--local-scheduler"]]
)
def test_a_configuration_that_cannot_be_read_shows_no_part_of_the_key(
    text: str, wrong: str, words: list[str], tmp_path: Path, fresh: Fresh
) -> None:
    (tmp_path / "luigi.cfg").write_text(text)
    code, told = fresh(words, tmp_path)
    assert code == 2, told
    assert "Traceback" not in told
    assert "should not happen" not in told
    assert wrong in told
    assert "sk-PLANTED" not in told


@pytest.mark.slow
def test_the_installed_command_says_the_same_of_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "luigi.cfg").write_text(BROKEN[0][0])
    done = run(["-m", "minimax_tasks", "ledger"], tmp_path)
    assert done.returncode == 2
    assert BROKEN[0][1] in done.stderr
    assert "PLANTED" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_toml_that_cannot_be_read(tmp_path: Path, fresh: Fresh) -> None:
    (tmp_path / "luigi.toml").write_text('[minimax]\napi_key = "sk-PLANTED\n')
    code, told = fresh(["ledger"], tmp_path, LUIGI_CONFIG_PARSER="toml")
    assert code == 2
    assert "line 2: it is not understood" in told
    assert "PLANTED" not in told
