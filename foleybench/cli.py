"""The command line; only the module of the verb is imported.

A command module defines ``HELP`` (one line), ``EXAMPLE`` (a command to copy), ``add_arguments(parser)`` and
``run(args) -> exit code``. Exit codes: 0 done, 1 an error that the user can fix, 2 usage or an unknown name, 3 finished
but some clips or metrics failed, 4 ``--check`` found stale output, 130 interrupted.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from foleybench import registry
from foleybench.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, NO_ROOM, FoleyError, why
from foleybench.runtime.version import PACKAGE_VERSION
from foleybench.runtime.with_parent import end_with_named_parent

_NO_PLACE = NO_ROOM | {errno.EACCES, errno.EPERM}


def command_names() -> list[str]:
    """Return the verbs, as typed."""
    return registry.names("commands")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # Intervals need thousands of small decompositions: a second thread of OpenBLAS only waits for the first (on a busy
    # machine of two cores, distances in 128 dimensions took over seven times as long with it). torch is not affected.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    end_with_named_parent()
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
    except OSError as error:
        # The places that a command writes to are looked at before its work; a disk may fill up, or go, later.
        if error.errno not in _NO_PLACE:
            raise
        where = f"{error.filename} cannot be used" if error.filename else "something cannot be written"
        sys.stderr.write(f"foleybench: {where}: {why(error)}. Make room or name another place; what is done is kept.\n")
        return EXIT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("foleybench: interrupted; the same command goes on from here.\n")
        return EXIT_INTERRUPTED
    return code


class SuggestingParser(argparse.ArgumentParser):
    """A parser whose complaints about a mistyped word name the nearest that there is."""

    _words: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Remember the words, then parse."""
        self._words = [str(word) for word in args or ()]
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line; an option's own help is one word away."""
        verb = self._verb()
        self.exit(EXIT_USAGE, f"{verb.prog}: {message}{self._suggestions(message, verb)} (`{verb.prog} --help`)\n")

    def _verb(self) -> argparse.ArgumentParser:
        """Return the parser of the words' verb: what it does not know is told by the first parser of all."""
        verb: argparse.ArgumentParser = self
        for word in self._words:
            for action in verb._actions:
                if isinstance(action, argparse._SubParsersAction) and word in action.choices:
                    verb = action.choices[word]
                    break
        return verb

    def _suggestions(self, message: str, verb: argparse.ArgumentParser) -> str:
        options = [option for option in verb._option_string_actions if option.startswith("--")]
        choices = [str(choice) for action in verb._actions for choice in action.choices or ()]
        # The first complaint may be about an option that is missing because it was mistyped.
        given = [word.partition("=")[0] for word in self._words if word.startswith("--") and len(word) > 2]
        mistyped = [word for word in given if not any(option.startswith(word) for option in options)]
        if mistyped and (near := nearest_words(mistyped, options)):
            return near
        if wrong := re.search(r"invalid choice: '(.*?)' \(", message):
            return nearest_words([wrong[1]], choices)
        return ""


def nearest_words(mistyped: Sequence[str], known: Sequence[str]) -> str:
    """Return ``. Did you mean ...?`` with the word nearest to each mistyped one, "" when none is near.

    Example:
        >>> nearest_words(["--refernce"], ["--reference", "--resamples"])
        ". Did you mean '--reference'?"
    """
    near = [found[0] for word in mistyped if (found := difflib.get_close_matches(word, known, n=1))]
    return f". Did you mean {' and '.join(map(repr, near))}?" if near else ""


def _parse(words: Sequence[str]) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = SuggestingParser(
        prog="foleybench",
        description="The benchmark suite for video-to-audio (Foley) generation.",
    )
    parser.add_argument("--version", action="version", version=f"foleybench {PACKAGE_VERSION}")
    verbs = parser.add_subparsers(metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    names = command_names()
    # A command that comes first shows no overview, and reading fifteen sources for its lines takes 30 ms.
    for name in words[:1] if words[:1] and words[0] in names else names:
        if name == wanted:
            _add_command(verbs, name)
        else:
            verbs.add_parser(name, help=_help_line(name), add_help=False)
    return parser, parser.parse_args(words)


def _add_command(verbs: argparse._SubParsersAction[SuggestingParser], name: str) -> None:
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
