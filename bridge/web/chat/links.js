// Decides what may become an address. An agent's words are never trusted to be one.

import { el } from "./dom.js";

const WEB = ["http:", "https:"];
const LINKS = [...WEB, "mailto:", "tel:"];

function parsed(value, protocols) {
  try {
    const url = new URL(value);
    return protocols.includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The address of a picture, a file or a page as a URL, null for anything but http(s). */
export const webUrl = (value) => parsed(value, WEB);

/** What may stand in a link: http(s), mailto and tel; else null. */
export const linkUrl = (value) => parsed(value, LINKS);

/** A link to another place. Nothing of this page is told to it, and it cannot reach back. */
export function anchor(url, attributes, ...children) {
  const tab = WEB.includes(url.protocol);
  return el(
    "a",
    { href: url.href, target: tab && "_blank", rel: "noopener noreferrer", ...attributes },
    ...children,
  );
}

const FOUND = /https?:\/\/[^\s<>"“”]+/gi;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };

/** What follows a link in a sentence belongs to the sentence: "(see https://a.example/b)." */
function trimmed(found) {
  const counts = {};
  for (const sign of found) counts[sign] = (counts[sign] ?? 0) + 1;
  let end = found.length;
  for (;;) {
    const last = found[end - 1];
    const opener = CLOSERS[last];
    const unopened = opener && counts[last] > (counts[opener] ?? 0);
    if (!unopened && !/[.,;:!?'’…*]/.test(last)) return found.slice(0, end);
    counts[last] -= 1;
    end -= 1;
  }
}

/** The text as nodes, with its http(s) addresses as links. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FOUND)) {
    const shown = trimmed(match[0]);
    const url = webUrl(shown);
    if (!url) continue;
    nodes.push(text.slice(from, match.index), anchor(url, {}, shown));
    from = match.index + shown.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}
