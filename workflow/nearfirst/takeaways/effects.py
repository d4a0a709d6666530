"""The registered tests by name."""

from collections.abc import Callable

from nearfirst.takeaways import measures, orders, tasks
from nearfirst.takeaways.evidence import Effect

Test = Callable[..., Effect]
TESTS: dict[str, Test] = {
    test.__name__: test
    for test in (
        *(orders.difference, orders.between, orders.equivalence, orders.trend),
        *(measures.early, measures.early_tasks, measures.steadier, measures.fairer),
        *(measures.tells_apart, tasks.sudden, tasks.follows, tasks.samples_differ),
        *(tasks.same_correlation, tasks.no_correlation),
    )
}
"""Each takes `Data`, a `Method` and the options of a claim; raises `NotTestableError`."""
