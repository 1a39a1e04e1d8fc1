"""What is known of Gemini models without asking the service: data, dated because it ages.

Sources: https://ai.google.dev/gemini-api/docs/models and https://ai.google.dev/gemini-api/docs/changelog .
"""

#: The day this was checked.
AS_OF = "2026-11-21"

#: Offered when the service cannot be asked which models there are.
KNOWN = (
    "gemini-4-hydrogen",
    "gemini-3.8-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
    "gemini-2.5-flash-lite",
)

#: Shut down or rerouted: the id on the left is asked for as the one on the right.
SUCCESSORS = {
    "gemini-pro": "gemini-3.8-flash",
    "gemini-pro-vision": "gemini-3.8-flash",
    "gemini-1.0-pro": "gemini-3.8-flash",
    "gemini-1.5-pro": "gemini-3.8-flash",
    "gemini-1.5-pro-latest": "gemini-3.8-flash",
    "gemini-1.5-flash": "gemini-3.5-flash-lite",
    "gemini-1.5-flash-latest": "gemini-3.5-flash-lite",
    "gemini-1.5-flash-8b": "gemini-3.1-flash-lite",
    "gemini-2.0-flash": "gemini-3.8-flash",
    "gemini-2.0-flash-exp": "gemini-3.8-flash",
    "gemini-2.0-flash-001": "gemini-3.8-flash",
    "gemini-2.0-flash-lite": "gemini-3.5-flash-lite",
    "gemini-2.0-pro-exp": "gemini-3.8-flash",
    "gemini-2.0-flash-thinking-exp": "gemini-3.8-flash",
    "gemini-3-pro-preview": "gemini-4-carbon",
    "gemini-3.5-flash": "gemini-3.6-flash",
    "gemini-3.7-flash": "gemini-3.8-flash",
}
