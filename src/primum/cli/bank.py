"""``primum bank``: build, check, exchange and annotate our own bank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli import bank_annotate
from primum.cli.norms import NormsOption, norm_files
from primum.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from primum.bank.forms.context import BuildContext
    from primum.bank.quality.report import Check
    from primum.schema.base import Language
    from primum.schema.item import Item

_FORMATS = ("jsonl", "parquet", "lm-eval", "inspect", "croissant", "cards")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Our own bank: norms to items, quality in numbers, exchange, annotation.", no_args_is_help=True, rich_markup_mode=None)
    group.command("build", help="Build every item in both languages; the same norms and seed give the same bytes.")(build_command)
    group.command("check", help="Measure the bank's quality against its limits; exit code 1 when one is broken.")(check_command)
    group.command("screen", help="List items that give themselves away without their question (adversarial filtering).")(screen_command)
    group.command("contamination", help="Look for test items in a training file; exit code 1 when one is found.")(contamination_command)
    group.command("export", help="Write the bank for other tools: " + ", ".join(_FORMATS) + ".")(export_command)
    bank_annotate.register(group)
    app.add_typer(group, name="bank")


def _built(norms: Path | None, seed: int | None) -> tuple[BuildContext, dict[Language, list[Item]]]:
    from primum.bank.build import BANK_SEED, build_items, prepare
    from primum.schema.base import LANGUAGES

    context = prepare(norm_files(norms), seed=BANK_SEED if seed is None else seed)
    return context, {language: list(build_items(context, language)) for language in LANGUAGES}


SeedOption = Annotated[int | None, typer.Option(help="Another seed makes another bank.", show_default=False)]


def build_command(  # noqa: D103 - the help text is given on registration
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("bank"),
    seed: SeedOption = None,
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from collections import Counter

    from primum.bank.build import BANK_VERSION
    from primum.bank.exchange.rows import item_rows, write_jsonl
    from primum.cli.console import print_json, print_table, say
    from primum.hashing import sha256_file
    from primum.runs import layout

    context, items = _built(norms, seed)
    files = {}
    for language, chosen in items.items():
        path = out / f"items-{language}.jsonl"
        write_jsonl(path, item_rows(chosen, context))
        files[path.name] = sha256_file(path)
    counts = {language: len(chosen) for language, chosen in items.items()}
    by_form = Counter(item.groups["form"] for item in items["zh"])
    manifest = {
        "version": BANK_VERSION, "seed": context.seed, "sources": len({norm.source for norm in context.norms}), "norms": len(context.norms),
        "items": counts, "forms": dict(sorted(by_form.items())),
        "splits": dict(sorted(Counter(item.groups.get("split", "") for item in items["zh"]).items())), "files": files,
    }  # fmt: skip
    layout.write_json(out / "manifest.json", manifest)
    if json:
        print_json({**manifest, "directory": str(out)})
        return
    print_table("", ("form", "items in each language"), [[form, count] for form, count in by_form.most_common()])
    say(f"{manifest['norms']} norms of {manifest['sources']} sources: {counts['zh']} items in each language, in {out}")


def check_command(  # noqa: D103
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the search for near-duplicates, which embeds every text.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show examples also where a check passed.")] = False,
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from primum.bank.quality.check import check_bank
    from primum.bank.quality.limits import packaged_limits
    from primum.cli.console import print_json, print_table, say

    checks: list[Check] = list(check_bank(norm_files(norms), packaged_limits(), similarity=not quick, advance=_counter("texts embedded")))
    failed = [check for check in checks if not check.passed]
    if json:
        print_json({"passed": not failed, "checks": [{**check.model_dump(mode="json"), "passed": check.passed} for check in checks]})
    else:
        rows = [["ok" if check.passed else "FAILED", check.name, f"{check.value:g}", check.limits, check.n or "", check.note] for check in checks]
        print_table("", ("", "check", "value", "limits", "n", "note"), rows)
        for check in checks if show else failed:
            for example in check.examples:
                say(f"{check.name}: {example}")
        say(f"{len(checks)} checks, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)


def _counter(what: str) -> Any:
    import sys

    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} {what} ")
            sys.stderr.flush()

    return advance


def screen_command(  # noqa: D103
    target: Annotated[float, typer.Option(help="Stop when the filtering models are right on at most this share.")] = 0.22,
    judgements: Annotated[float, typer.Option(help="The same for judgements, found from the outward form of the question.")] = 0.53,
    most: Annotated[float, typer.Option(help="Never withhold more than this share of the items.")] = 0.4,
    out: Annotated[Path | None, typer.Option("--out", help="YAML file to write (default: print the count only).", show_default=False)] = None,
    norms: NormsOption = None,
) -> None:
    import yaml

    from primum.bank.build import BANK_SEED, build_items, prepare
    from primum.bank.forms.conduct_choice import asks_for_conduct
    from primum.bank.quality.screening import METHOD, form_votes, judged, screen
    from primum.cli.console import note, say
    from primum.runs import layout
    from primum.schema.base import LANGUAGES

    context = prepare(norm_files(norms), withheld=frozenset())
    every = {language: list(build_items(context, language)) for language in LANGUAGES}

    def kept(chosen: Callable[[Item], bool]) -> dict[Language, list[Item]]:
        return {language: [item for item in items if chosen(item)] for language, items in every.items()}

    def report(left: int, share: float) -> None:
        note(f"{left} items left, {share:.3f} found without the question")

    names = screen(kept(asks_for_conduct), target=target, most=most, seed=BANK_SEED, report=report)
    names += screen(kept(judged), target=judgements, most=most, seed=BANK_SEED, report=report, votes_of=form_votes)
    if out is not None:
        layout.write_bytes(out, yaml.safe_dump({"method": METHOD, "items": sorted(names)}, allow_unicode=True, sort_keys=False, width=160).encode())
    say(f"{len(names)} items would be withheld" + (f"; written to {out}" if out else ""))


def contamination_command(  # noqa: D103
    file: Annotated[Path, typer.Argument(help="Training file: .jsonl, .json, .csv or .tsv.")],
    split: Annotated[str, typer.Option("--split", help="Compare with this split only: test, seen-norm, train or all.")] = "test",
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from primum.bank.build import prepare
    from primum.bank.contamination import find_overlaps, read_cells
    from primum.bank.similarity import bank_texts
    from primum.bank.splits import SEEN_NORM, TEST, TRAIN
    from primum.cli.console import print_json, print_table, say
    from primum.errors import UsageError
    from primum.registry import nearest

    known = (TEST, SEEN_NORM, TRAIN, "all")
    if split not in known:
        raise UsageError(f"--split {split!r} is not known", remedy=nearest(split, known))
    context = prepare(norm_files(norms))
    texts = [text for text in bank_texts(context.norms, dict(context.splits)) if split in ("all", text.split)]
    cells = read_cells(file)
    found = find_overlaps(cells, texts, advance=_counter("texts embedded"))
    if json:
        print_json({"file": str(file), "texts": len(cells), "compared_with": len(texts), "overlaps": [hit.model_dump(mode="json") for hit in found]})
    else:
        rows = [[hit.row, hit.column, hit.text, hit.split, hit.language, hit.contained, hit.jaccard, hit.cosine] for hit in found[:50]]
        if rows:
            print_table("", ("row", "column", "our text", "split", "language", "contained", "jaccard", "cosine"), rows)
        say(f"{len(cells)} texts of {file} compared with {len(texts)} of ours ({split}): {len(found)} overlaps")
    if found:
        raise typer.Exit(1)


def export_command(  # noqa: D103
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="One of the formats; may be repeated (default: all).", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("bank-export"),
    published: Annotated[str, typer.Option(help="Day of publication for the metadata (YYYY-MM-DD).")] = "2026-11-21",
    url: Annotated[str, typer.Option(help="Where the export is published, for the metadata.")] = "https://example.org/primum-bank",
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json, say
    from primum.errors import UsageError
    from primum.registry import nearest

    wanted = formats or list(_FORMATS)
    for name in wanted:
        if name not in _FORMATS:
            raise UsageError(f"no format {name!r}", remedy=nearest(name, _FORMATS))
    context, items = _built(norms, None)
    written = [path for name in wanted for path in _export(name, out, context, items, norms, published=published, url=url)]
    if json:
        print_json({"directory": str(out), "files": [path.relative_to(out).as_posix() for path in written]})
    else:
        for path in written:
            say(str(path))


def _export(
    name: str, out: Path, context: BuildContext, items: dict[Language, list[Item]], norms: Path | None, *, published: str, url: str
) -> list[Path]:
    from primum.bank.exchange import croissant, data_card, inspect_ai, lm_eval
    from primum.bank.exchange.rows import item_rows, write_jsonl, write_parquet
    from primum.tasks.prompts import choice_text

    if name == "lm-eval":
        return lm_eval.write_lm_eval(out / name, dict(items), prompt=choice_text)
    if name == "inspect":
        return inspect_ai.write_inspect(out / name, dict(items))
    if name == "cards":
        return data_card.write_cards(out, norm_files(norms), dict(items))
    written = []
    for language, chosen in items.items():
        path = out / f"primum-bank-{language}.{'jsonl' if name == 'jsonl' else 'parquet'}"
        (write_jsonl if name == "jsonl" else write_parquet)(path, item_rows(chosen, context))
        written.append(path)
    if name == "croissant":
        counts = {str(language): len(chosen) for language, chosen in items.items()}
        written.append(croissant.describe(out, written, counts=counts, published=published, review="Unreviewed by physicians.", url=url))
    return written
