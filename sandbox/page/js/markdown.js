// Discord's flavour of Markdown, as a tree. Pure: no DOM, no state. `markup.js` makes elements of the tree.
//
// Blocks: {kind: "p" | "h3" | "h4" | "h5" | "small", children}, {kind: "code", lang, text}, {kind: "quote", blocks},
// {kind: "list", ordered, start, items: [blocks]}. Inline: strings and {kind, ...} as `inline` makes them.

const DEEPEST = 8;

/** The blocks of a message's text; every line of it ends up in exactly one of them. */
export function parse(text, depth = 0) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at, depth);
    const before = blocks.at(-1);
    if (block.kind === "p" && before?.kind === "p") before.text += `\n${block.text}`;
    else blocks.push(block);
    at = next;
  }
  for (const block of blocks) {
    if (block.kind === "p") block.children = inline(block.text);
  }
  return blocks;
}

function readBlock(lines, at, depth) {
  const line = lines[at];
  const fence = line.match(/^(.*?)(```+)(.*)$/);
  if (fence) {
    const found = readFence(lines, at, fence);
    if (found) return found;
  }
  if (depth < DEEPEST) {
    if (/^>>> /.test(line)) {
      const rest = [line.slice(4), ...lines.slice(at + 1)].join("\n");
      return [{ kind: "quote", blocks: parse(rest, depth + 1) }, lines.length];
    }
    if (/^> /.test(line) || line === ">") return readQuote(lines, at, depth);
    if (LIST_ITEM.test(line)) return readList(lines, at, depth);
  }
  const heading = line.match(/^(#{1,3}) +(\S.*)$/);
  if (heading) return [{ kind: `h${heading[1].length + 2}`, children: inline(heading[2]) }, at + 1];
  if (line.startsWith("-# ")) return [{ kind: "small", children: inline(line.slice(3)) }, at + 1];
  return [{ kind: "p", text: line }, at + 1];
}

// A fence may begin in the middle of a line and end on the same one; without an end it is plain text.
function readFence(lines, at, [, before, ticks, after]) {
  if (before.trim()) {
    const rest = [ticks + after, ...lines.slice(at + 1)];
    if (!readFence([...rest], 0, ["", "", ticks, after])) return null;
    lines.splice(at, lines.length - at, before, ...rest);
    return [{ kind: "p", text: before }, at + 1];
  }
  const sameLine = after.indexOf(ticks);
  if (sameLine >= 0) {
    lines[at] = after.slice(sameLine + ticks.length);
    return [{ kind: "code", lang: "", text: after.slice(0, sameLine) }, lines[at].trim() ? at : at + 1];
  }
  const lang = /^[\w+#.-]*$/.test(after.trim()) ? after.trim() : "";
  for (let end = at + 1; end < lines.length; end += 1) {
    const close = lines[end].indexOf(ticks);
    if (close < 0) continue;
    const body = lines.slice(at + 1, end);
    if (after.trim() && !lang) body.unshift(after);
    if (close > 0) body.push(lines[end].slice(0, close));
    const tail = lines[end].slice(close).replace(/^`+/, "");
    lines[end] = tail;
    return [{ kind: "code", lang, text: body.join("\n") }, tail.trim() ? end : end + 1];
  }
  return null;
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && (/^> /.test(lines[end]) || lines[end] === ">")) end += 1;
  const inner = lines
    .slice(at, end)
    .map((line) => line.slice(2))
    .join("\n");
  return [{ kind: "quote", blocks: parse(inner, depth + 1) }, end];
}

const LIST_ITEM = /^( *)([-*]|\d{1,9}\.) +(\S.*)$/;

function readList(lines, at, depth) {
  const [, , mark] = lines[at].match(LIST_ITEM);
  const ordered = /\d/.test(mark);
  const indent = lines[at].match(/^ */)[0].length;
  const list = { kind: "list", ordered, start: ordered ? Number.parseInt(mark, 10) : 1, items: [] };
  let end = at;
  while (end < lines.length) {
    const item = lines[end].match(LIST_ITEM);
    if (!item || item[1].length < indent || (item[1].length === indent && /\d/.test(item[2]) !== ordered)) break;
    const own = item[3];
    end += 1;
    const deeper = [];
    while (end < lines.length && lines[end].match(/^ */)[0].length > indent && lines[end].trim())
      deeper.push(lines[end++]);
    const least = Math.min(...deeper.map((line) => line.match(/^ */)[0].length));
    const nested = deeper.map((line) => line.slice(least)).join("\n");
    list.items.push([{ kind: "p", children: inline(own) }, ...(nested ? parse(nested, depth + 1) : [])]);
  }
  return [list, end];
}

const SIMPLE = [
  ["***", "bolditalic"],
  ["**", "bold"],
  ["__", "underline"],
  ["~~", "strike"],
  ["||", "spoiler"],
  ["*", "italic"],
  ["_", "italic"],
];

const PATTERNS = [
  [/^<@!?(\d{1,20})>/, (m) => ({ kind: "user", id: m[1] })],
  [/^<@&(\d{1,20})>/, (m) => ({ kind: "role", id: m[1] })],
  [/^<#(\d{1,20})>/, (m) => ({ kind: "channel", id: m[1] })],
  [/^<\/([^:<>]{1,100}):(\d{1,20})>/, (m) => ({ kind: "command", name: m[1] })],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (m) => ({ kind: "time", seconds: Number(m[1]), style: m[2] ?? "f" })],
  [/^<a?:(\w{2,32}):\d{1,20}>/, (m) => ({ kind: "emoji", name: m[1] })],
  [/^<(https?:\/\/[^\s<>]+)>/, (m) => ({ kind: "link", url: m[1], children: [m[1]] })],
  [/^@(everyone|here)\b/, (m) => ({ kind: "everyone", text: m[0] })],
  [/^https?:\/\/[^\s<>]*[^\s<>.,:;"')\]*_~|]/, (m) => ({ kind: "link", url: m[0], children: [m[0]] })],
];

/** The inline tree of one paragraph; newlines stay in the strings. */
export function inline(text, depth = 0) {
  const out = [];
  let at = 0;
  while (at < text.length) {
    const found = depth < DEEPEST ? readInline(text, at, depth) : null;
    const piece = found?.[0] ?? text[at];
    if (typeof piece === "string" && typeof out.at(-1) === "string") out[out.length - 1] += piece;
    else out.push(piece);
    at = found?.[1] ?? at + 1;
  }
  return out;
}

const STARTS = new Set("\\`<@h[*_~|");

function readInline(text, at, depth) {
  const first = text[at];
  if (!STARTS.has(first)) return null;
  if (first === "\\") return /[\\`*_~|<>[\]()#@:-]/.test(text[at + 1] ?? "") ? [text[at + 1], at + 2] : null;
  if (first === "`") return readCode(text, at);
  if (first === "[") return readLink(text, at, depth);
  if (first === "<" || first === "@" || first === "h") {
    const rest = text.slice(at, at + 2100);
    for (const [pattern, make] of PATTERNS) {
      const match = rest.match(pattern);
      if (match) return [make(match), at + match[0].length];
    }
    return null;
  }
  return readEmphasis(text, at, depth);
}

function readCode(text, at) {
  const ticks = text.slice(at).match(/^`+/)[0];
  const end = text.indexOf(ticks, at + ticks.length);
  const body = text.slice(at + ticks.length, end);
  if (end < 0 || !body) return [ticks, at + ticks.length];
  return [{ kind: "inlineCode", text: ticks.length > 1 ? body.replace(/^ (.*) $/s, "$1") : body }, end + ticks.length];
}

function readLink(text, at, depth) {
  const match = text
    .slice(at, at + 4200)
    .match(/^\[([^\[\]\n]{1,2000})\]\(<?(https?:\/\/[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?: "[^"\n]*")?\)/);
  return match ? [{ kind: "link", url: match[2], children: inline(match[1], depth + 1) }, at + match[0].length] : null;
}

function readEmphasis(text, at, depth) {
  for (const [mark, kind] of SIMPLE) {
    if (!text.startsWith(mark, at)) continue;
    const end = closing(text, at + mark.length, mark);
    if (end < 0) continue;
    const children = inline(text.slice(at + mark.length, end), depth + 1);
    return [{ kind, children }, end + mark.length];
  }
  return null;
}

// A single * or _ opens only before something that is not space, closes only after it, and _ never inside a word.
function closing(text, from, mark) {
  const single = mark.length === 1;
  if (single && /\s|^$/.test(text[from] ?? "")) return -1;
  if (mark === "_" && /\w/.test(text[from - 2] ?? "")) return -1;
  for (let end = text.indexOf(mark, from); end >= 0; end = text.indexOf(mark, end + 1)) {
    if (end === from) continue;
    if (text[end - 1] === "\\") continue;
    if (single && (/\s/.test(text[end - 1]) || text[end + 1] === mark || text[end - 1] === mark)) continue;
    if (mark === "_" && /\w/.test(text[end + 1] ?? "")) continue;
    return end;
  }
  return -1;
}
