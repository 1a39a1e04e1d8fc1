"""The bot's rooms below Discord: the pool, conversations, rendering, storage and what all of them lean on."""
