"""The generated world of the mini preset: tasks, in published formats, and raw text.

Each ``NAME.py`` draws its words from ``words/NAME.yaml``. ``skills.yaml`` and ``text.yaml`` hold
what the base model is taught, ``tasks.yaml`` how tasks ask for it.
"""
