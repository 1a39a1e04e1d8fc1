// Server-sent events of all that changes, and what the page says while the connection is lost.

const KINDS = [
  "hello",
  "lost",
  "message_create",
  "message_update",
  "message_delete",
  "thread_create",
  "thread_update",
  "thread_delete",
  "typing",
  "interaction",
  "commands",
  "bot",
  "violation",
  "keys",
  "gemini_request",
  "reset",
  "clock",
];

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;

/** Listens for ever. `onEvent(kind, data)`; `onConnection(up)` is told each change; the answer's `retry` tries at once. */
export function listen({ onEvent, onConnection }) {
  let source = null;
  let delay = FIRST_RETRY_MS;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource("/_sandbox/events");
    source.onopen = () => {
      delay = FIRST_RETRY_MS;
      onConnection(true);
    };
    source.onerror = () => {
      // the browser's own retry gives up on some errors and waits without a word on others; this one does neither
      source.close();
      onConnection(false);
      timer = setTimeout(open, delay);
      delay = Math.min(delay * 2, LONGEST_RETRY_MS);
    };
    for (const kind of KINDS) source.addEventListener(kind, (event) => onEvent(kind, JSON.parse(event.data)));
  }

  open();
  addEventListener("pagehide", () => source?.close());
  return { retry: open };
}
