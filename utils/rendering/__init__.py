"""How answers and errors look: split messages, streamed replies, one sentence per failure.

``splitting`` cuts text into messages, ``sentences`` says errors in the reader's language, ``writer`` paces
the edits of a running answer; ``discord/`` alone knows Discord. Import from these modules: the package
itself loads none, so that who wants a sentence does not load discord.py.
"""
