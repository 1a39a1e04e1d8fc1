"""What is kept of every request, and how it is told: a ring of records, sentences, and lines of JSON.

``history.History`` keeps, ``explain`` tells, ``recorded`` writes and reads what the simulator replays.
"""
