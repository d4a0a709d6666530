"""The generated corpora of the mini preset: tasks, in published forms, and raw text.

The words are data: ``words/NAME.yaml`` beside ``NAME.py``, which draws from them. A task has its
phrasings in ``tasks/words/``, what draws and answers it in ``tasks/``, its role, if it is unseen,
in ``words/task.yaml``, and NIV2's definition in ``formats/words/niv2_definition.yaml``.
"""
