"""What an auditor runs: verify, prove, replay, close, export the head, recover."""

from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import Json, print_json
from aidc.errors import InputError, LedgerError

Place = Annotated[
    Path, typer.Argument(help="A folder, a .db or a .jsonl file.", show_default=False)
]
By = Annotated[str, typer.Option("--by", help="Who does it: recorded with every entry.")]
Approver = Annotated[str, typer.Option(help="A second name, other than --by.")]
Anchor = Annotated[
    Path | None, typer.Option(help="A head that export-head wrote and that was kept elsewhere.")
]


def file_of(place: Path) -> Path:
    """The file of a ledger that is named by its folder or its file."""
    return place if place.suffix in (".db", ".jsonl") else place / "ledger.db"


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the ledger."""
    for name, command in (
        ("verify", verify),
        ("replay", replay),
        ("close", close),
        ("reopen", reopen),
        ("prove", prove),
        ("export-head", export_head),
        ("reindex", reindex),
        ("recover", recover),
    ):
        app.command(name)(command)


def verify(
    ledger: Annotated[
        Path | None,
        typer.Argument(
            help="A folder, a .db or a .jsonl file; a proof and its head are checked without one.",
            show_default=False,
        ),
    ] = None,
    anchor: Anchor = None,
    proof: Annotated[
        Path | None, typer.Option(help="A proof that prove wrote: shows one entry alone.")
    ] = None,
    chain_only: Annotated[
        bool, typer.Option(help="Hashes and roots alone: quicker, and blind to rules and index.")
    ] = False,
    json_: Json = False,
) -> None:
    """Recomputes chain, roots, index and rules from the stored bytes; exit status 1 where one fails."""
    from dataclasses import asdict

    from aidc.ledger import verify_file
    from aidc.ledger.journal import audit

    if ledger is None:
        _verify_alone(proof, anchor)
        return
    file = file_of(ledger)
    head = None if anchor is None else audit.read_head(anchor)
    found = verify_file(file, head)
    seen = audit.Inspected(True, ()) if not found.ok or chain_only else audit.inspect(file)
    if json_:
        print_json({**asdict(found), **asdict(seen)})
    elif found.ok:
        closed = "1 close" if found.periods == 1 else f"{found.periods} closes"
        print(f"{found.entries} entries hold; head {found.head}; {closed}")
        print(f"note: {found.note}")
    if not found.ok:
        raise LedgerError(
            f"{file}: entry {found.bad_line}: {found.problem}; {found.entries} entries before it hold"
        )
    if not seen.index_agrees:
        raise LedgerError(f"{file}: the entries hold, their index does not; run reindex")
    if seen.faults:
        raise LedgerError(
            f"{file}: the chain holds, and its entries break rules:\n" + "\n".join(seen.faults)
        )
    if proof is not None:
        _verify_proof(file, proof)


def _verify_alone(proof: Path | None, anchor: Path | None) -> None:
    """A proof against the roots of an exported head: all that an auditor without the ledger has."""
    from aidc.ledger.journal import audit

    if proof is None or anchor is None:
        raise InputError("name a ledger, or give --proof and --anchor, which do without one")
    held, head = audit.read_proof(proof), audit.read_head(anchor)
    if not any(held.holds(root) for root in head.roots.values()):
        listed = f"{len(head.roots)} roots" if head.roots else "no root: no period was closed yet"
        raise LedgerError(
            f"{proof}: {held.entry_id} is under no root of {anchor}, which has {listed}"
        )
    print(
        f"{held.entry_id} stands under a root of ledger {head.ledger_id}, head {head.head}; "
        f"the proof names its period {held.period}"
    )
    print(held.body)


def _verify_proof(file: Path, path: Path) -> None:
    from aidc.ledger import Ledger
    from aidc.ledger.journal import audit

    held = audit.read_proof(path)
    with Ledger.open(file) as opened:
        roots = {close.root for close in opened.closes.values() if close.period == held.period}
    if not any(held.holds(root) for root in roots):
        raise LedgerError(f"{path}: {held.entry_id} is not under a root of {held.period}")
    print(f"{held.entry_id} stands under the root of {held.period}")


def replay(
    ledger: Place,
    calc: Annotated[str | None, typer.Option(help="Id of one; all by default.")] = None,
    json_: Json = False,
) -> None:
    """Derives recorded statements again from what they could read; exit status 1 where a byte differs."""
    from aidc import __version__
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        names = [calc] if calc else list(opened.calcs)
        found = {name: opened.replay(name, code_version=__version__) for name in names}
    if json_:
        print_json(
            {
                name: {"same": one.same, "differences": one.differences}
                for name, one in found.items()
            }
        )
    else:
        for name, one in found.items():
            print(f"{name}: {'the same bytes' if one.same else '; '.join(one.differences)}")
    wrong = [name for name, one in found.items() if not one.same]
    if wrong:
        raise LedgerError(f"{len(wrong)} of {len(found)} statements do not replay")
    if not found:
        print("no statement was drawn up in this ledger")


def close(
    ledger: Place,
    period: Annotated[str, typer.Option(help="2022 or 2022-07.")],
    by: By,
    approved_by: Approver,
) -> None:
    """Closes a period: a Merkle root over all entries since the close before."""
    from aidc.cli.ledger import now
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        root = opened.close_period(
            period, recorded_at=now(), recorded_by=by, approved_by=approved_by
        )
    print(f"{period} is closed; root {root}")


def reopen(
    ledger: Place,
    period: Annotated[str, typer.Option(help="2022 or 2022-07.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    by: By,
    approved_by: Approver,
) -> None:
    """Lets a closed period take entries again; its root stays."""
    from aidc.cli.ledger import now
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        opened.reopen_period(
            period, reason=reason, recorded_at=now(), recorded_by=by, approved_by=approved_by
        )
    print(f"{period} takes entries again")


def prove(
    ledger: Place,
    entry: Annotated[str, typer.Argument(help="Id of the entry.", show_default=False)],
    to: Annotated[Path, typer.Argument(help="The .json file to write.", show_default=False)],
) -> None:
    """Writes the proof that one entry stands under its period's root; the others stay private."""
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        made = opened.prove(entry)
    made.write(to)
    print(f"{entry}: {len(made.path)} hashes lead to the root of {made.period}, {made.root}")


def export_head(
    ledger: Place,
    to: Annotated[Path, typer.Argument(help="The .json file to write.", show_default=False)],
) -> None:
    """Writes head and roots for its owner to sign, time-stamp or mail to the auditor."""
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        made = opened.export_head(to)
    print(f"{to}: {made.entries} entries, head {made.head}, {len(made.roots)} roots")


def reindex(ledger: Place) -> None:
    """Makes the index anew from the entries."""
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        changed = opened.reindex()
    print("the index was other than its entries; it is made anew" if changed else "the index held")


def recover(
    ledger: Place,
    to: Annotated[Path, typer.Argument(help="The .db file to write.", show_default=False)],
) -> None:
    """Copies the entries before the first bad one into a new ledger, and the rest beside it."""
    from aidc.ledger.journal import audit

    found = audit.recover(file_of(ledger), to)
    print(f"{found.kept} entries in {to}")
    if found.left:
        print(f"{found.left} lines from the first bad one ({found.problem}) in {found.rest}")
