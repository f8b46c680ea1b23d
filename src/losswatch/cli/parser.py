"""The commands of ``losswatch`` and their options."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from losswatch.cli.arguments import address, field, label, rate, text, url
from losswatch.generate.watched import RUNBOOK
from losswatch.version import __version__

if TYPE_CHECKING:
    # argparse has no public name for it.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

__all__ = ["build_parser"]

LEVELS = ("debug", "info", "warning", "error")

EPILOG = """\
exit codes: 0 ok, 1 the data or the run failed, 2 the call or the config is wrong
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="losswatch",
        description="The error meter for regression models: exact running MSE and RMSE.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"losswatch {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_replay(commands)
    _add_check(commands)
    _add_rules(commands)
    _add_dashboard(commands)
    _add_merge(commands)
    _add_acknowledge(commands)
    _add_schema(commands)
    _add_demo(commands)
    return parser


def _add(commands: Commands, name: str, about: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about)
    command.add_argument(
        "--log.level", dest="log_level", choices=LEVELS, default="info", help="default: %(default)s"
    )
    return command


def _add_run(commands: Commands) -> None:
    command = _add(commands, "run", "Run the service: events to costs to /metrics.")
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    _add_listen(command, None, "instead of listen in the YAML")
    command.add_argument(
        "--web.config.file",
        dest="web_file",
        metavar="FILE",
        help="TLS, passwords and headers, as other exporters have them, instead of those in the"
        " YAML",
    )
    command.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="let POST and PUT /-/reload load the YAML again; SIGHUP always does",
    )

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.run import run

        return run(options)

    command.set_defaults(command=call)


def _add_replay(commands: Commands) -> None:
    command = _add(commands, "replay", "Score files once and print the cost of each model.")
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a folder, or - for standard input"
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    _add_monitors(command)
    _add_format(command)

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.replay import replay

        return replay(options)

    command.set_defaults(command=call)


def _add_monitors(command: argparse.ArgumentParser) -> None:
    """Add the options that say what is watched."""
    command.add_argument("--config", help="the YAML file with the models, windows and segments")
    command.add_argument(
        "--by",
        action="append",
        default=[],
        metavar="LABEL",
        help="split every model by this label of segment, for example city; may be repeated",
    )
    command.add_argument(
        "--window",
        action="append",
        default=[],
        help='besides the lifetime, for example 5m or "1000 events"; may be repeated',
    )


def _add_format(command: argparse.ArgumentParser) -> None:
    """Add the options that say how files are read."""
    command.add_argument("--format", choices=("ndjson", "csv"), help="default: by the file's name")
    command.add_argument(
        "--delimiter",
        type=lambda cell: cell.replace(r"\t", "\t"),
        help=r"between the cells of a CSV; \t is a tab; default: ,",
    )
    command.add_argument("--model", help="the model of events that do not name one")
    command.add_argument(
        "--field",
        type=field,
        action="append",
        default=[],
        metavar="FIELD=PLACE",
        help="your name of y_true, y_pred, w, model, time, prediction_id or segment.LABEL,"
        " for example y_true=payload.actual",
    )
    command.add_argument("--max-line-bytes", type=int, help="default: 1048576")


def _add_check(commands: Commands) -> None:
    command = _add(commands, "check", "Check a config and list everything that is wrong.")
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument(
        "--data",
        nargs="+",
        default=[],
        metavar="FILE",
        help="past events: tell when each alarm would have come, and how long its blocks should be",
    )

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.check import check

        return check(options.config, options.data)

    command.set_defaults(command=call)


def _add_rules(commands: Commands) -> None:
    command = _add(commands, "rules", "Write the rules of a config for Prometheus.")
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument(
        "--output", metavar="FILE", help="write them to this file; default: standard output"
    )
    _add_job(command, "the name of the scrape job; default: %(default)s")
    command.add_argument(
        "--runbook-url",
        type=text,
        default=RUNBOOK,
        metavar="BASE",
        help="where your runbook is; default: %(default)s",
    )

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.rules import rules

        return rules(options.config, options.job, options.runbook_url, options.output)

    command.set_defaults(command=call)


def _add_job(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("--job", type=text, default="losswatch", metavar="NAME", help=about)


def _add_dashboard(commands: Commands) -> None:
    command = _add(commands, "dashboard", "Write the dashboard of a config for Grafana.")
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument(
        "--output", metavar="FILE", help="write it to this file; default: standard output"
    )
    _add_job(command, "the scrape job that is shown at first; default: %(default)s")

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.dashboard import dashboard

        return dashboard(options.config, options.job, options.output)

    command.set_defaults(command=call)


def _add_merge(commands: Commands) -> None:
    command = _add(commands, "merge", "Add up the states of several machines, exactly.")
    command.add_argument("states", nargs="+", metavar="STATE", help="a state file; it is only read")
    command.add_argument(
        "--output", metavar="FILE", help="write the sum to this new file, a state like the others"
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.merge import merge

        return merge(options.states, options.output, as_json=options.json)

    command.set_defaults(command=call)


def _add_acknowledge(commands: Commands) -> None:
    command = _add(commands, "acknowledge", "Turn an alarm of a running service off.")
    command.add_argument("model", metavar="MODEL", help="the model")
    command.add_argument("alarm", metavar="ALARM", help="the name of the alarm")
    command.add_argument(
        "--segment",
        type=label,
        action="append",
        default=[],
        metavar="LABEL=VALUE",
        help="only of this segment; once for each of its labels",
    )
    command.add_argument(
        "--url",
        type=url,
        default="http://127.0.0.1:18100",
        help="where the service answers; default: %(default)s",
    )
    command.add_argument(
        "--user", help="with the password in the environment variable LOSSWATCH_PASSWORD"
    )
    command.add_argument("--ca-file", metavar="FILE", help="who signed the service's certificate")

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.alarms import Door, acknowledge

        door = Door(options.url, options.user, options.ca_file)
        return acknowledge(door, options.model, options.alarm, dict(options.segment))

    command.set_defaults(command=call)


def _add_schema(commands: Commands) -> None:
    command = _add(commands, "schema", "Print the JSON schema of the config, for editors.")

    def call(_: argparse.Namespace) -> int:
        from losswatch.cli.check import schema

        return schema()

    command.set_defaults(command=call)


def _add_demo(commands: Commands) -> None:
    command = _add(
        commands, "demo", "Watch river models learn real data, live here and at /metrics."
    )
    _add_listen(command, "127.0.0.1:18100", "default: 127.0.0.1:18100")
    command.add_argument(
        "--rate", type=rate, default=20.0, help="events a second of each model; default: 20"
    )
    command.add_argument(
        "--events", type=int, default=0, help="stop after so many of each model; default: never"
    )

    def call(options: argparse.Namespace) -> int:
        from losswatch.cli.demo import demo

        return demo(options.listen, options.rate, options.events)

    command.set_defaults(command=call, log_level="warning")  # the demo says it itself


def _add_listen(command: argparse.ArgumentParser, default: str | None, about: str) -> None:
    command.add_argument(
        "--web.listen-address",
        dest="listen",
        metavar="ADDRESS:PORT",
        default=default,
        type=address,
        help=about,
    )
