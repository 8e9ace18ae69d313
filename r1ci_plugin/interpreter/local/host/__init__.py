"""The program that runs code calls: host, templates, slots, and what protects the machine from a call.

It is exec'ed into an interpreter of its own and loaded there under another name (`_BOOT` in `../launch.py`), so that
`r1ci_plugin` isn't importable where model code runs. Hence the modules here import the standard library and each other
by relative name, nothing else.
"""
