"""The panels of the report, one module a subject.

Each offers functions that give a section, or None where there is nothing to show.
"""
