"""The room where requests wait for a model: a fair line, its promises, its pace, and when places come free.

``room.Room`` is one model's; ``places.Place`` is what one request holds; ``slots`` says when the next calls may begin.
"""
