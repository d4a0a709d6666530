"""The n-gram divergence between the training data seen so far and test data (Eqs. 11 to 13)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def ngram_ids(texts: Sequence[str], n: int) -> tuple[Integers, Integers]:
    """Assign ids to all n-grams of whitespace-separated words (Eq. 11).

    Returns
    -------
    ids, bounds
        The ids of all n-grams, from 0, text after text; those of text i are
        `ids[bounds[i] : bounds[i + 1]]`, empty if it has fewer than n words.
    """
    vocabulary: defaultdict[str, int] = defaultdict(count().__next__)
    words = [
        np.fromiter(map(vocabulary.__getitem__, text.split()), dtype=np.int64)
        for text in bar(texts, "words", len(texts))
    ]
    lengths = np.array(list(map(len, words)), dtype=np.int64)
    flat = np.concatenate([*words, np.zeros(0, dtype=np.int64)])
    ids = flat
    for offset in range(1, n):
        # Renumber from 0 after each word, so that the product does not overflow.
        pairs = ids[:-1] * len(vocabulary) + flat[offset:]
        ids = np.unique(pairs, return_inverse=True)[1]
    # Drop windows that extend into the next text; none were formed at the very end.
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(flat))
    ids = ids[left[: len(ids)] >= n]
    return ids, np.cumsum([0, *np.maximum(lengths - n + 1, 0)])


def kl_curves(
    train: Sequence[str],
    test: Sequence[str],
    ends: Sequence[int] | Integers,
    groups: Mapping[str, Integers],
    *,
    ngram: int = 2,
    epsilon: float = 1e-10,
    counting: Literal["types", "occurrences"] = "types",
) -> Floats:
    """Return KL(p‖q) = Σ pᵢ log(pᵢ / (qᵢ + ε)) for every prefix of the training texts (Eq. 12).

    Each text is read once, and counts accumulate over the checkpoints. With N n-grams seen, cᵢ of
    type i, and mᵢ = cᵢ (types) or cᵢ² (occurrences), the divergence is
    (Σ mᵢ log cᵢ − Σ mᵢ (log N + log ε) − Σ mᵢ log(qᵢ/ε + 1)) / N. The last term is zero for
    types that do not occur in the test data. Raises InputError if no test text of a task has n
    words.

    Parameters
    ----------
    train, test
        Training texts in training order; test texts.
    ends
        (K,) number of training texts seen at each checkpoint, ascending.
    groups
        Indices of the test texts of each of G tasks; "" is the whole test set.
    ngram, epsilon
        The number of words in an n-gram; ε.
    counting
        `types`: each type is one term of the sum, as in the formula. `occurrences`: each occurrence
        is a term, as in the published code.

    Returns
    -------
    (K, G) in nats; NaN until an n-gram is seen.
    """
    ids, bounds = ngram_ids([*train, *test], ngram)
    types, weights, starts = _log_ratios(ids, bounds[len(train) :], groups, ngram, epsilon)
    power = {"types": 1, "occurrences": 2}[counting]
    counts = np.zeros(ids.max() + 1, dtype=np.int64)
    mass, log_mass = 0, 0.0  # Σ m and Σ m log c
    curves = np.full((len(ends), len(groups)), np.nan)
    segments = enumerate(pairwise([0, *bounds[np.asarray(ends)]]))
    for k, (start, end) in bar(segments, "n-grams", len(ends)):
        seen, num_seen = np.unique(ids[start:end], return_counts=True)
        before, after = counts[seen], counts[seen] + num_seen
        counts[seen] = after
        mass += int((after**power - before**power).sum())
        log_mass += float(_m_log_c(after, power).sum() - _m_log_c(before, power).sum())
        if end:
            overlap = np.add.reduceat(counts[types] ** power * weights, starts)
            curves[k] = (log_mass - mass * (np.log(end) + np.log(epsilon)) - overlap) / end
    return curves


def _m_log_c(counts: Integers, power: int) -> Floats:
    # Zero for unseen types.
    result: Floats = np.log(np.maximum(counts, 1)) * counts**power
    return result


def _log_ratios(
    ids: Integers, bounds: Integers, groups: Mapping[str, Integers], n: int, epsilon: float
) -> tuple[Integers, Floats, Integers]:
    """Return the types of all groups, their log(q/ε + 1), and the start of each group."""
    types, weights = [], []
    for name, rows in groups.items():
        group_ids = np.concatenate([ids[bounds[row] : bounds[row + 1]] for row in rows])
        if not len(group_ids):
            raise InputError(
                f"task '{name}': none of its test texts has {n} words, so there are no {n}-grams "
                "to compare with; choose a smaller similarity.ngram"
            )
        group_types, counts = np.unique(group_ids, return_counts=True)
        types.append(group_types)
        weights.append(np.log1p(counts / len(group_ids) / epsilon))
    starts = np.cumsum([0, *map(len, types[:-1])])
    return np.concatenate(types), np.concatenate(weights), starts
