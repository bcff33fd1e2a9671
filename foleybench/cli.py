"""The command line; only the module of the verb is imported.

A command module defines ``HELP`` (one line), ``EXAMPLE`` (a command to copy), ``add_arguments(parser)`` and
``run(args) -> exit code``. Exit codes: 0 done, 1 an error that the user can fix, 2 usage or an unknown name, 3 finished
but some clips or metrics failed, 4 ``--check`` found stale output, 130 interrupted.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence

from foleybench import __version__, registry
from foleybench.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, FoleyError


def command_names() -> list[str]:
    """Return the verbs, as typed."""
    return registry.names("commands")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # Intervals need thousands of small decompositions: a second thread of OpenBLAS only waits for the first (on a busy
    # machine of two cores, distances in 128 dimensions took over seven times as long with it). torch is not affected.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parser, args = _parse(words)
        if not hasattr(args, "run"):
            parser.print_help()
            return EXIT_USAGE
        code: int = args.run(args)
        sys.stdout.flush()
    except FoleyError as error:
        sys.stderr.write(f"foleybench: {error}\n")
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output (head, less) has left; what is still unwritten goes nowhere, without a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        sys.stderr.write("foleybench: interrupted; the same command goes on from here.\n")
        return EXIT_INTERRUPTED
    return code


def _parse(words: Sequence[str]) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(
        prog="foleybench",
        description="The benchmark suite for video-to-audio (Foley) generation.",
    )
    parser.add_argument("--version", action="version", version=f"foleybench {__version__}")
    verbs = parser.add_subparsers(metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    for name in command_names():
        if name == wanted:
            _add_command(verbs, name)
        else:
            verbs.add_parser(name, help=_help_line(name), add_help=False)
    return parser, parser.parse_args(words)


def _add_command(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str) -> None:
    module = registry.module("commands", name)
    parser = verbs.add_parser(
        name,
        help=module.HELP,
        description=module.HELP,
        epilog=f"example: {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)


def _help_line(name: str) -> str:
    """Read ``HELP`` from a command's source, so that the overview imports no command."""
    path = registry.path("commands", name)
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path else ():
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "HELP":
            return str(ast.literal_eval(node.value))
    return ""


if __name__ == "__main__":
    sys.exit(main())
