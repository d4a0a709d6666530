"""Test conversations that also occur, word for word, in the training data."""

import json
from array import array
from hashlib import blake2b

from nearfirst.data.conversation import Instance


class Overlap:
    """Counts test conversations that also occur in the training data, apart from white space.

    Texts are kept as hashes of eight bytes, so that those of a large pool fit into memory.
    """

    def __init__(self) -> None:
        self._train = array("Q")
        self._test: dict[str, int] = {}

    def add_train(self, instance: Instance) -> None:
        """Add a conversation of the training data."""
        self._train.append(_hash(instance))

    def add_test(self, instance: Instance) -> None:
        """Add a conversation of the test set."""
        self._test[instance.id] = _hash(instance)

    def warning(self) -> str | None:
        """Return a warning for the user, or None if there is no overlap."""
        shared = set(self._test.values()).intersection(self._train)
        ids = [id_ for id_, hash_ in self._test.items() if hash_ in shared]
        if not ids:
            return None
        return (
            f"{len(ids)} of {len(self._test)} test conversations are word for word among the "
            f"{len(self._train)} training conversations, the first is '{ids[0]}'; their loss does "
            "not show generalization unless they are left out of training (data.NAME.exclude)"
        )


def _hash(instance: Instance) -> int:
    turns = [" ".join(turn["content"].split()) for turn in instance.messages]
    return int.from_bytes(blake2b(json.dumps(turns).encode(), digest_size=8).digest())
