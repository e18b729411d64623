"""Home visits to people on social assistance (探视走访), recorded once and provable later.

The listing of this folder is the table of contents of the work; docs/adr/0001-layout.md says who may import whom.
"""
