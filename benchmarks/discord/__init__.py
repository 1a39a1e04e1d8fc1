"""The whole bot under load: two emulators and a crowd in one process, the bot in another, and what each of them saw."""
