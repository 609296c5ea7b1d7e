"""Files on disk: written so that a crash cannot harm them, read so that they cannot run code.

May import: errors.
"""
