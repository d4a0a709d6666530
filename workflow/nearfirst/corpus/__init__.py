"""The generated world of the mini preset: tasks, in published forms, and raw text.

The words are data: ``words/NAME.yaml`` beside ``NAME.py``, which draws from them. What the base
model is taught is in ``skills.yaml`` and ``text.yaml``, how tasks ask for it in ``tasks.yaml``.
"""
