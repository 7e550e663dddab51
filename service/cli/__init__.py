"""`zhengpiao`: what an operator and an issuer type.

`serve`, `worker`, `migrate`, `deploy`, `keys`, `users`, `activity` and `status` work on this machine's settings and database: they
have to work while no service runs. `issue`, `import` and `proof` ask a running service over HTTP, with a key of the caller's: so
they see the same rules and rights, leave the same trace, and work from any machine.
"""

import sys
import traceback
from collections.abc import Sequence

import orjson
import typer
from sqlalchemy.exc import OperationalError

from service.cli import activity, deploying, diagnosing, following, keys, operating, reconciling, registering, status, users
from service.cli.outcome import Exit, Failed

app = typer.Typer(
    name="zhengpiao",
    help="Invoices that anyone can check. Exit status: 0 done, 1 refused, 64 usage, 65 bad file, 69 no answer (ask again), "
    "70 internal error, 77 not allowed, 78 settings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for room in (operating, deploying, status, registering, reconciling, following, diagnosing):
    room.add_to(app)
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
app.add_typer(activity.app, name="activity")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a failure is a sentence on standard error, or with --json an object."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for_machines = "--json" in arguments
    try:
        status = app(arguments, prog_name="zhengpiao", standalone_mode=False)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            return Exit.USAGE
        said = error.format_message().replace("Value error, ", "")
        return _fail(Failed(Exit.USAGE, "usage", f"{said.rstrip('.')} (see --help)"), for_machines)
    except typer.Abort:
        return _fail(Failed(Exit.REFUSED, "aborted", "aborted"), for_machines)
    except Failed as failure:
        return _fail(failure, for_machines)
    except OperationalError as error:
        return _fail(Failed(Exit.UNAVAILABLE, "database", f"the database does not answer: {error.orig}"), for_machines)
    except BrokenPipeError:
        return Exit.DONE
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not look like a refusal
        traceback.print_exc()
        return _fail(Failed(Exit.INTERNAL, "internal", f"internal error: {type(error).__name__}"), for_machines)
    return status if isinstance(status, int) else Exit.DONE


def _fail(failure: Failed, for_machines: bool) -> int:
    if for_machines:
        error = {"code": failure.code, "detail": failure.sentence, **failure.members}
        print(orjson.dumps({"error": error}).decode(), file=sys.stderr)
    else:
        print(f"zhengpiao: {failure.sentence}", file=sys.stderr)
    return failure.exit
