"""What the catalog in ``models/`` holds."""

from typing import Annotated

import typer

from aidc.cli.options import Json, print_json, print_table
from aidc.errors import CatalogError

app = typer.Typer(help="List and show what models/ holds.", no_args_is_help=True)


@app.command("list")
def list_(
    table: Annotated[str | None, typer.Argument(help="A table; all tables by default.")] = None,
    json_: Json = False,
) -> None:
    """Tables with their number of rows, or the rows of one."""
    from aidc import catalog

    if table is None:
        found = [(name, len(catalog.records(name))) for name in catalog.record_names()]
        if json_:
            print_json(dict(found))
        else:
            print_table(("table", "rows"), found)
            print(f"in {catalog.root()}")
        return
    names = list(dict.fromkeys(next(iter(row.values())) for row in catalog.records(table)))
    if json_:
        print_json(names)
    else:
        print("\n".join(names))


@app.command()
def show(
    table: Annotated[str, typer.Argument(help="A table, such as gpus or sites.")],
    name: Annotated[str, typer.Argument(help="A row or file of it.")],
    json_: Json = False,
) -> None:
    """One row or file, with its source."""
    from aidc import catalog, config

    rows = catalog.records(table)
    found = [row for row in rows if next(iter(row.values())) == name]
    if not found:
        listed = dict.fromkeys(next(iter(row.values())) for row in rows)
        raise CatalogError(catalog.missing(f"models/{table}", name, listed))
    if catalog.is_folder(table):
        data = catalog.document(table, name).data
        if json_:
            print_json(data)
        else:
            print(config.yaml_text(data), end="")
        return
    if json_:
        print_json(found)
        return
    for row in found:
        print_table(("field", "value"), row.items())
