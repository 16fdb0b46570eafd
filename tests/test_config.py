"""chat/config.py: one table of options, from the command line and the environment."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chat import __version__
from chat.config import Command, Config, parse, parse_command

ROOT = Path(__file__).parent.parent


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_default() -> None:
    environment = {"CHAT_PORT": "9000", "CHAT_RATE": "2.5"}
    config = parse(["--port=9001"], environment)
    assert (config.port, config.rate, config.rooms) == (9001, 2.5, 1000)


@pytest.mark.parametrize("item", fields(Config), ids=lambda item: item.name)
def test_every_option_has_a_flag_a_variable_and_a_line_in_the_docs(item: object) -> None:
    name, default = item.name, item.default  # type: ignore[attr-defined]
    text = {bool: "no" if default else "yes", int: "7", float: "7.5"}.get(type(default), "10.0.0.1")
    text = "locked" if name == "door" else text
    flag = "--" + name.replace("_", "-")
    by_flag, by_variable = (
        parse([f"{flag}={text}"], {}),
        parse([], {f"CHAT_{name.upper()}": text}),
    )
    assert getattr(by_flag, name) == getattr(by_variable, name) != default
    docs = (ROOT / "docs" / "configuration.md").read_text()
    assert re.search(rf"^### `{flag}`$", docs, re.MULTILINE)
    assert f"CHAT_{name.upper()}" in docs


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--prot=8000"], {}),
        (["--port=http"], {}),
        (["--port=70000"], {}),
        (["--port=-1"], {}),
        (["--rate=nan"], {}),
        (["--rate=-3"], {}),
        (["--debug=maybe"], {}),
        (["--rooms=many"], {}),
        (["--plain=maybe"], {}),
        (["--door=ajar"], {}),
        (["--trusted-proxies=proxy.example.org"], {}),
        (["--trusted-proxies=10.0.0.1/8"], {}),
        (["extra"], {}),
        ([], {"CHAT_PORT": "http"}),
        ([], {"CHAT_DEBUG": "maybe"}),
        (["--restore=backup.db"], {}),
        (["--restore", "backup.db"], {}),
        ([], {"CHAT_RESTORE": "backup.db"}),
    ],
)
def test_a_wrong_option_is_one_clear_line_and_exit_2(
    arguments: list[str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments, environment)
    assert ended.value.code == 2
    assert re.fullmatch(r"chat: [^\n]+\(--help lists the options\)\n", capsys.readouterr().err)


def test_a_restore_that_stayed_in_a_unit_is_told_that_it_is_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse([], {"CHAT_RESTORE": "backup.db"})
    assert "run.py restore FILE" in capsys.readouterr().err


def test_a_command_comes_first_and_has_its_file_and_the_data_folder() -> None:
    here = Path("data")
    assert parse_command(["--port=1"], {}) is None
    assert parse_command(["backup"], {}) == Command("backup", here, None)
    assert parse_command(["backup", "f"], {"CHAT_DATA": "d"}) == Command(
        "backup", Path("d"), Path("f")
    )
    assert parse_command(["restore", "f", "--data=d"], {"CHAT_DATA": "e", "CHAT_RESTORE": "x"}) == (
        Command("restore", Path("d"), Path("f"))
    )


def test_a_look_at_the_storage_takes_the_options_of_the_server() -> None:
    """And so does a new owner link: it is for where the server is."""
    for name in ("storage", "owner-link"):
        assert parse_command([name], {}) == Command(name, Path("data"), config=Config())
        given = parse_command([name, "--port=1", "--data=d"], {"CHAT_FILES_GB": "0.5"})
        config = Config(port=1, data=Path("d"), files_gb=0.5)
        assert given == Command(name, Path("d"), config=config)
        assert config.files_limit == 500_000_000


@pytest.mark.parametrize(
    "arguments", [["restore"], ["backup", "a", "b"], ["restore", "--port=1"], ["storage", "a"]]
)
def test_a_wrong_command_is_one_clear_line_and_exit_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_command(arguments, {})
    assert ended.value.code == 2
    assert re.fullmatch(r"chat: [^\n]+\n", capsys.readouterr().err)


def test_help_has_a_line_for_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"], {})
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for item in fields(Config):
        assert "--" + item.name.replace("_", "-") in shown


def test_a_flag_without_a_value_turns_debug_on() -> None:
    assert parse(["--debug"], {}).debug
    assert not parse(["--debug=off"], {"CHAT_DEBUG": "1"}).debug


def test_host_is_a_list_of_names() -> None:
    assert parse(["--host=Chat.example.org, b"], {}).hosts == {"chat.example.org", "b"}
    assert parse([], {}).hosts == frozenset()


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("", False), ("0.0.0.0", False)],
)
def test_only_an_address_of_this_machine_is_loopback(address: str, loopback: bool) -> None:
    assert Config(address=address).loopback is loopback


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_wrong_port_says_which_are_right(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--port={port}"], {})
    assert "(0 to 65535)" in capsys.readouterr().err


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--version"], {})
    assert (ended.value.code, capsys.readouterr().out) == (0, f"chat {__version__}\n")


def test_a_misspelt_variable_is_told_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parse([], {"CHAT_PROT": "9000", "CHATTER": "1"}) == Config()
    assert capsys.readouterr().err == "chat: CHAT_PROT is not an option, it changes nothing\n"


def test_what_docker_and_kubernetes_say_of_a_neighbour_is_not_for_us(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A container or service called "chat" gives all others these variables."""
    link = {
        "CHAT_PORT": "tcp://10.0.0.1:8000",
        "CHAT_PORT_8000_TCP_ADDR": "10.0.0.1",
        "CHAT_SERVICE_HOST": "10.0.0.1",
        "CHAT_ENV_LANG": "C",
    }
    assert parse([], link) == Config()
    assert capsys.readouterr().err == ""


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"], {})
    assert "Example: python run.py --port=" in capsys.readouterr().out
