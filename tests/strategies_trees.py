"""Random formulas over a small cast of quantities that is chosen to be confusing."""

from __future__ import annotations

from hypothesis import strategies as st

from backprop_cli.documents.names import Names, Shown
from backprop_cli.language import tree

NAMES = Names.given(
    [
        Shown("J", "J", "J"),
        Shown("W1", "w", "W", "1", ("i", "j"), (3, 2), "parameter"),
        Shown("b1", "b", "b", "1", ("i",), (3,), "parameter"),
        Shown("z1", "z", "z", "1", ("i",), (3,)),
        Shown("W2_1", "w", "W", "2.1", ("i", "j"), (12, 12), "parameter"),
        Shown("z2_1", "z", "z", "2.1", ("i",), (12,)),
        Shown("w", "w", "w"),
        Shown("w12", "w12", "w12"),
        Shown("W_hidden", "W_hidden", "W_hidden", "", ("i", "j"), (3, 2), "parameter"),
        Shown("W_xh1", "v", "V", "1", ("i", "j"), (3, 12), "parameter", "xh"),
        Shown("b_row", "b", "b", "", ("i",), (12,), "parameter", "row"),
        Shown("m_x", "m", "m", "", (), (), "input", "x"),
        Shown("gamma2", "γ", "γ", "2", ("i",), (3,), "parameter"),
        Shown("xhat2", "x̂", "X̂", "2", ("n", "i"), (3, 2)),
        Shown("beta", "β", "β", "", ("i",), (3,), "parameter"),
        Shown("yhat", "ŷ", "ŷ", "", ("k",), (3,)),
        Shown("x", "x", "x", "", ("j",), (12,), "input"),
        Shown("lambda", "λ", "λ"),
        Shown("max", "max", "max", "", ("k",), (3,)),
        Shown("dJ", "dJ", "dJ"),
        Shown("dw", "dw", "dw"),
        Shown("T", "T", "T", "", ("t", "i", "d"), (2, 3, 4)),
        Shown("naïve", "naïve", "naïve"),
        Shown("e", "e", "e"),
        Shown("I", "I", "I"),
        Shown("aᵢ", "«aᵢ»", "«aᵢ»"),
    ]
)
INDICES = ("i", "j", "k", "n", "d", "row", "k_1", "β2")
FUNCTIONS = ("exp", "log", "tanh", "sigmoid", "relu", "leaky_relu", "sqrt", "abs")
SCALARS = tuple(name for name, shown in NAMES.quantities.items() if not shown.shape)
ARRAYS = tuple(name for name, shown in NAMES.quantities.items() if shown.shape)
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

numbers = st.sampled_from(("0", "1", "2", "12", "0.5", "3.", "1e-3", "2.5e12")).map(tree.Number)
sizes = st.sampled_from(("1", "3", "12")).map(tree.Number)
indices = st.sampled_from(INDICES).map(tree.Place)
positions = st.one_of(
    indices,
    st.sampled_from(("1", "2", "12")).map(tree.Number),
    st.builds(lambda k: tree.Add((k, tree.Negative(tree.Number("1")))), indices),
    st.builds(lambda p, k: tree.Add((tree.Product((tree.Number("2"), p)), k)), indices, indices),
)


@st.composite
def array_places(draw: st.DrawFn) -> tree.Place:
    name = draw(st.sampled_from(ARRAYS))
    return tree.Place(name, tuple(draw(positions) for _ in NAMES[name].shape))


places = st.one_of(st.sampled_from(SCALARS).map(tree.Place), array_places())
differentials = st.builds(tree.Differential, places)
partials = st.one_of(st.builds(tree.Partial, st.just(tree.Place("J")), places), st.builds(tree.Partial, places, places))


def _larger(inner: st.SearchStrategy[tree.Node], language_only: bool) -> st.SearchStrategy[tree.Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    comparisons = st.builds(tree.Comparison, st.sampled_from(COMPARISONS), inner, inner)
    bound = st.lists(st.sampled_from(INDICES), min_size=1, max_size=2, unique=True).map(tuple)
    used = st.builds(lambda body, found: tree.Product((body, found)), inner, array_places())
    options = [
        st.builds(tree.Negative, inner),
        st.builds(tree.Add, several),
        st.builds(tree.Product, several),
        st.builds(tree.Quotient, inner, inner),
        st.builds(tree.Power, inner, st.one_of(numbers, st.builds(tree.Negative, numbers), inner)),
        comparisons,
        st.builds(lambda f, argument: tree.Apply(f, (argument,)), st.sampled_from(FUNCTIONS), inner),
        st.builds(
            lambda f, a, b: tree.Apply(f, (a, tree.Number(b))), st.sampled_from(("max", "min")), inner, st.just("0")
        ),
        st.builds(lambda c, a, b: tree.Apply("where", (c, a, b)), st.one_of(comparisons, inner), inner, inner),
        st.builds(tree.Reduction, st.sampled_from(("sum", "mean", "argmax", "argmin")), inner, bound),
        st.builds(_over_own_index, st.sampled_from(("max", "min")), used),
    ]
    if not language_only:
        options.append(st.builds(tree.Prime, st.sampled_from(FUNCTIONS), inner))
    return st.one_of(options)


def _over_own_index(operation: str, body: tree.Product) -> tree.Node:
    """max and min reduce only over an index that the body has as a position; otherwise they compare two values."""
    place = body.factors[-1]
    assert isinstance(place, tree.Place)
    own = tuple(dict.fromkeys(p.name for p in place.positions if isinstance(p, tree.Place) and not p.positions))
    return tree.Reduction(operation, body, own) if own else tree.Apply(operation, (body, tree.Number("1")))


def formulas(language_only: bool = False) -> st.SearchStrategy[tree.Node]:
    """Expressions in index notation; ``language_only`` leaves out what authors cannot write, such as derivatives."""
    leaves = st.one_of(numbers, indices, places, *(() if language_only else (partials, differentials)))
    return st.recursive(leaves, lambda inner: _larger(inner, language_only), max_leaves=12)


def matrix_formulas() -> st.SearchStrategy[tree.Node]:
    """Expressions in the matrix view."""
    names = st.sampled_from(tuple(name for name in NAMES.quantities if len(NAMES[name].shape) in (0, 1, 2)))
    leaves = st.one_of(
        names.map(tree.Matrix),
        st.builds(tree.Gradient, names),
        st.sampled_from(("z1", "z2_1")).map(lambda name: tree.Gradient(name, delta=True)),
        st.builds(tree.Jacobian, names, names),
        st.builds(tree.Ones, sizes, sizes),
        st.builds(tree.Identity, sizes),
    )

    def larger(inner: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(tree.Transposed, inner),
            st.builds(tree.Diagonal, inner),
            st.builds(tree.OneHot, inner, sizes),
            st.builds(tree.MatrixProduct, several),
            st.builds(tree.Hadamard, several),
            st.builds(tree.Product, st.tuples(numbers, inner)),
            st.builds(tree.Add, several),
            st.builds(tree.Negative, inner),
            st.builds(tree.Quotient, inner, numbers),
            st.builds(tree.Prime, st.sampled_from(FUNCTIONS), inner),
            st.builds(lambda f, argument: tree.Apply(f, (argument,)), st.sampled_from(FUNCTIONS), inner),
            st.builds(lambda a, b: tree.Apply("where", (tree.Comparison(">", a, b), a, b)), inner, numbers),
        )

    return st.recursive(leaves, larger, max_leaves=8)


def equalities() -> st.SearchStrategy[tree.Equality]:
    sides = st.lists(formulas(), min_size=2, max_size=3).map(tuple)
    return st.builds(tree.Equality, sides)
