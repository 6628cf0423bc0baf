"""The command ``backprop``: each command reads its options, calls the library, and prints what comes back.

Text goes to standard output, diagnostics to standard error. Exit status: 0 done, 1 the answer is no, 2 bad input; and
as shells have it, 130 after Ctrl-C and 141 where the reader of a pipe went away. Commands import what they need when
they run, so that ``--help`` starts at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from backprop_cli import __version__
from backprop_cli.bundled import bundled_exercise, bundled_exercises, bundled_spec, bundled_specs, starting_spec
from backprop_cli.errors import BackpropError
from backprop_cli.exercise_commands import exercise, grade
from backprop_cli.options import (
    DeriveFormat,
    Detail,
    Form,
    Format,
    RunFormat,
    View,
    WalkView,
    asked_language,
    in_our_words,
    listed,
    number_above_zero,
    one_of,
)
from backprop_cli.output import as_json, discard_output, page_width, shows_colour, warn, write
from backprop_cli.parameters import Digits, Fragment, Lang, Output, Quantity, Spec
from backprop_cli.translation import language, of_locale, tr, written_in

app = typer.Typer(
    name="backprop",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def derive(
    spec: Spec,
    of: Quantity = None,
    expand: Annotated[bool, typer.Option("--expand", help="Write --of in inputs and parameters alone.")] = False,
    unroll: Annotated[
        bool, typer.Option("--unroll", help="Of a recurrent network, write out each step's cost by itself as well.")
    ] = False,
    view: Annotated[
        View, typer.Option(metavar=listed(View), parser=one_of(View), help="Index notation, or matrices.")
    ] = View.INDEX,
    format: Annotated[
        DeriveFormat, typer.Option(metavar=listed(DeriveFormat), parser=one_of(DeriveFormat), help="How to print it.")
    ] = DeriveFormat.TEXT,
    fragment: Fragment = False,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Derive every gradient symbolically, from the cost back to the first layer."""
    from backprop_cli.questions import Question
    from backprop_cli.renderers import derivation_data, pages, terminal
    from backprop_cli.sources import network_of

    if fragment:
        pages.require_fragment(format)
    network = network_of(spec)
    derivation = network.derive()
    question = Question(of, expand, view is View.MATRIX, unroll)
    match format:
        case DeriveFormat.TEXT:
            page = terminal.render(question.document(derivation), page_width(), colour=shows_colour(output))
            write(page, output)
        case DeriveFormat.JSON:
            steps = question.steps(derivation)
            data = derivation_data.steps_as_data(derivation.graph.name, steps, derivation.names)
            write(as_json(data), output, data=True)
        case _:
            document = question.document(derivation)._replace(source=network.source)
            write(pages.page(format, document, fragment=fragment), output, data=True)


@app.command()
def run(
    spec: Spec,
    digits: Digits = 4,
    full: Annotated[bool, typer.Option("--full", help="Show every number of large arrays.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the pass as a NumPy program instead, to read and to run.")
    ] = False,
    format: Annotated[
        RunFormat, typer.Option(metavar=listed(RunFormat), parser=one_of(RunFormat), help="How to print it.")
    ] = RunFormat.TEXT,
    fragment: Fragment = False,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Run the forward and the backward pass, and print both as tables."""
    from backprop_cli.documents.run_tables import run_document
    from backprop_cli.renderers import pages, program_source, run_csv, terminal
    from backprop_cli.sources import network_of

    if fragment:
        pages.require_fragment(format)
    if explain and format is not RunFormat.TEXT:
        message = tr("--explain prints a Python program, not {name}; leave out --format {format}")
        raise BackpropError(message.format(name=format.upper(), format=format))
    network = network_of(spec)
    if explain:
        write(program_source.render(network.compile(), page_width(), colour=shows_colour(output)), output)
        return
    trace = network.compile().run()
    match format:
        case RunFormat.JSON:
            write(as_json(trace.as_data()), output, data=True)
        case RunFormat.CSV:
            write(run_csv.render(trace), output, data=True)
        case _:
            document = run_document(network.graph, network.names, trace, digits=digits, full=full)
            if format is RunFormat.TEXT:
                write(terminal.render(document, page_width(), colour=shows_colour(output)), output)
            else:
                page = pages.page(format, document._replace(source=network.source), fragment=fragment)
                write(page, output, data=True)
    for name in trace.non_finite if format is not RunFormat.TEXT or output is not None else ():
        warn(tr("warning: {name} is not finite").format(name=name))


@app.command()
def walk(
    spec: Spec,
    of: Quantity = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="PART", show_default=False, help="One layer alone, 'layer 2', or 'cost'."),
    ] = None,
    view: Annotated[
        WalkView,
        typer.Option(
            metavar=listed(WalkView),
            parser=one_of(WalkView),
            help="Entries by their indices, whole matrices, the calls of Torch's modules, or Jacobians.",
        ),
    ] = WalkView.INDEX,
    perturb: Annotated[
        str | None,
        typer.Option(
            "--perturb",
            metavar="ENTRY=CHANGE",
            show_default=False,
            help="Follow a small change of one number to the cost instead, such as W1[1,2]=0.01.",
        ),
    ] = None,
    learning_rate: Annotated[
        float,
        typer.Option(
            metavar="RATE",
            parser=number_above_zero("--learning-rate"),
            help="Of the update at the end of --view modules.",
        ),
    ] = 0.01,
    detail: Annotated[
        Detail,
        typer.Option(metavar=listed(Detail), parser=one_of(Detail), help="One entry of each quantity, or every entry."),
    ] = Detail.BRIEF,
    digits: Digits = 4,
    format: Annotated[
        DeriveFormat, typer.Option(metavar=listed(DeriveFormat), parser=one_of(DeriveFormat), help="How to print it.")
    ] = DeriveFormat.TEXT,
    fragment: Fragment = False,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Walk through the derivation with the network's numbers: each step as formula = numbers put in = result.

    Other views tell the same pass as Torch's modules or as products of Jacobians; --perturb tells what a small change
    of one number does.
    """
    from backprop_cli.renderers import pages, terminal
    from backprop_cli.sources import network_of
    from backprop_cli.walking import PerturbedWalk, Request, Walk

    if fragment:
        pages.require_fragment(format)
    request = Request(digits, of, only, detail is Detail.FULL, view, learning_rate)
    network = network_of(spec)
    walk = Walk(network, request) if perturb is None else PerturbedWalk(network, request, perturb)
    match format:
        case DeriveFormat.TEXT:
            write(terminal.render(walk.document, page_width(), colour=shows_colour(output)), output)
        case DeriveFormat.JSON:
            write(as_json(walk.as_data()), output, data=True)
        case _:
            document = walk.document._replace(source=walk.network.source)
            write(pages.page(format, document, fragment=fragment), output, data=True)


@app.command()
def verify(
    spec: Spec,
    format: Annotated[
        Format, typer.Option(metavar=listed(Format), parser=one_of(Format), help="How to print it.")
    ] = Format.TEXT,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Check every gradient against independent oracles; exit status 1 if any disagrees.

    The oracles are central differences, SymPy's own derivative of the expanded cost (small networks), and PyTorch or
    HIPS autograd where one is installed.
    """
    from backprop_cli.documents.verification import verification_document
    from backprop_cli.renderers import report_data, terminal
    from backprop_cli.sources import network_of

    network = network_of(spec)
    report = network.verify()
    if format is Format.JSON:
        write(as_json(report_data.report_as_data(network.name, report)), output, data=True)
    else:
        document = verification_document(network.name, network.names, report)
        write(terminal.render(document, page_width(), colour=shows_colour(output)), output)
    if not report.ok:
        raise typer.Exit(1)


app.command()(exercise)
app.command()(grade)


@app.command()
def examples(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", show_default=False, help="Print the text of this spec.")
    ] = None,
    format: Annotated[
        Format, typer.Option(metavar=listed(Format), parser=one_of(Format), help="How to print the list.")
    ] = Format.TEXT,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """List the bundled specs, or print one of them, or an exercise file: first-sheet or through-time."""
    if name in bundled_exercises():
        write(bundled_exercise(name), output, data=True)
    elif name is not None:
        spec = bundled_spec(name)
        write(as_json({**spec.as_data(), "text": spec.text}) if format is Format.JSON else spec.text, output, data=True)
    elif format is Format.JSON:
        write(as_json([spec.as_data() for spec in bundled_specs()]), output, data=True)
    else:
        width = max(len(spec.name) for spec in bundled_specs())
        write("".join(f"{spec.name:{width}}  {spec.description}\n" for spec in bundled_specs()), output)


@app.command()
def new(
    form: Annotated[
        Form, typer.Option(metavar=listed(Form), parser=one_of(Form), help="A stack of layers, or equations.")
    ] = Form.LAYERS,
    output: Output = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
    lang: Lang = None,
) -> None:
    """Write a commented spec to start from."""
    if output is not None and output.exists() and not force:
        raise BackpropError(tr("{file} exists; --force overwrites it").format(file=output))
    write(starting_spec(form), output, data=True)


@app.command()
def schema(
    of_exercises: Annotated[bool, typer.Option("--exercise", help="That of exercise files instead.")] = False,
    output: Output = None,
    lang: Lang = None,
) -> None:
    """Print the JSON Schema of specs, for editors."""
    from backprop_cli.spec import exercise_file, schema

    write(as_json((exercise_file if of_exercises else schema).json_schema()), output, data=True)


def main() -> NoReturn:
    """The console command."""
    gc.freeze()
    gc.set_threshold(100_000)  # a short-lived process: collecting while SymPy is imported costs a tenth of the start
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # none is used, and looking for them costs 20 ms
    status = run_command_line(sys.argv[1:])
    gc.freeze()  # nor is it worth looking for garbage at the end, which costs as much as a quarter of the whole run
    sys.exit(status)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status; what the user did wrong becomes one message on standard error."""
    with written_in(of_locale(os.environ)):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        status: int | None = app(list(arguments), prog_name="backprop", standalone_mode=False)
    except typer.TyperException as error:
        with written_in(asked_language(arguments) or language()):  # what cannot be read stops typer before --lang
            warn(_usage(error))
        return error.exit_code
    except BackpropError as error:
        warn(str(error))
        return 2
    except (BrokenPipeError, SystemExit):  # typer itself turns a broken pipe into SystemExit
        discard_output()
        return 141
    except OSError as error:
        discard_output()
        warn(tr("cannot write the output: {reason}").format(reason=error.strerror or error))
        return 2
    except (MemoryError, RecursionError):
        warn(tr("the network is too large or too deeply nested for this command"))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return status or 0


def _usage(error: typer.TyperException) -> str:
    """Which command was called in a wrong way, what is wrong, and where to look; without a command the help itself."""
    context: typer.Context | None = getattr(error, "ctx", None)
    message = in_our_words(error.format_message())
    if message.startswith("Usage:") or context is None:
        return message
    hint = tr("Try '{command} --help'.").format(command=context.command_path)
    told = tr("{command}: {problem}").format(command=context.command_path, problem=message)
    return f"{told}\n{hint}"


def _print_version(wanted: bool) -> None:
    if wanted:
        write(f"backprop {__version__}\n", None)
        raise typer.Exit


@app.callback()
def _backprop(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Derive backpropagation for a network written in YAML, run it, and verify its gradients."""


if __name__ == "__main__":
    main()
