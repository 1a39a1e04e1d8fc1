// The control interface, as functions. Every failure comes out as a `Trouble` whose message is a sentence to show.

export class Trouble extends Error {}

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof FormData) {
    options.headers["X-Sandbox"] = "1";
    options.body = body;
  } else if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  let answer;
  try {
    answer = await fetch(`/_sandbox${path}`, options);
  } catch {
    throw new Trouble(Trouble.offline);
  }
  if (answer.status === 204) return null;
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Trouble(found.error || `The sandbox answered ${answer.status}.`);
  return found;
}

Trouble.offline = "The sandbox does not answer; start it again.";

function withFiles(payload, files) {
  if (!files?.length) return payload;
  const form = new FormData();
  form.append("payload_json", JSON.stringify(payload));
  files.forEach((file, index) => form.append(`files[${index}]`, file, file.name));
  return form;
}

export const api = {
  state: () => call("GET", "/state"),
  messages: (channel) => call("GET", `/channels/${channel}/messages`),
  say: (channel, payload, files) => call("POST", `/channels/${channel}/messages`, withFiles(payload, files)),
  edit: (channel, message, payload) => call("PATCH", `/channels/${channel}/messages/${message}`, payload),
  remove: (channel, message, payload) => call("DELETE", `/channels/${channel}/messages/${message}`, payload),
  invoke: (channel, payload, files) => call("POST", `/channels/${channel}/commands`, withFiles(payload, files)),
  autocomplete: (channel, payload) => call("POST", `/channels/${channel}/autocomplete`, payload),
  interaction: (id, wait) => call("GET", `/interactions/${id}?wait=${wait}`),
  press: (payload) => call("POST", "/components", payload),
  submit: (payload, files) => call("POST", "/modals", withFiles(payload, files)),
  newKey: () => call("POST", "/gemini/keys", {}),
  keyAction: (label, action) => call("POST", `/gemini/keys/${encodeURIComponent(label)}`, { action }),
};
