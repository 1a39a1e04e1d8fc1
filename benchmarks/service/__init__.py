"""One emulated Gemini over HTTP, several clients before it, and what each makes of the same bad day."""
