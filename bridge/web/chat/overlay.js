// What opens over the chat: a page of the agent's in a panel, an image at full size. Escape and the close
// button end both; the browser keeps the keyboard inside and gives the focus back.

import { el, icon, iconButton } from "./dom.js";
import { anchor } from "./links.js";
import { words } from "./words.js";

const HEIGHTS = new Set(["full", "tall", "compact"]);

function show(dialog) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

const closeButton = (dialog) => iconButton("close", words.close, () => dialog().close());
const tabLink = (url) =>
  anchor(url, { class: "round", title: words.openTab, "aria-label": words.openTab }, icon("open"));

/** The page runs with its own origin's rights and none over this one. */
export function openPage(url, label, height) {
  const frame = el("iframe", {
    src: url.href,
    title: label,
    referrerpolicy: "no-referrer",
    sandbox: "allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    allow: "fullscreen",
  });
  const bar = el(
    "header",
    { class: "bar" },
    el("h2", { dir: "auto" }, label),
    tabLink(url),
    closeButton(() => dialog),
  );
  const dialog = el(
    "dialog",
    { class: `panel ${HEIGHTS.has(height) ? height : "full"} waits`, "aria-label": label },
    bar,
    frame,
  );
  frame.addEventListener("load", () => dialog.classList.remove("waits"));
  return show(dialog);
}

export function openImage(url, name) {
  const picture = el("img", { src: url.href, alt: name || words.image, referrerpolicy: "no-referrer" });
  const bar = el(
    "header",
    { class: "bar" },
    el("h2", { dir: "auto" }, name || ""),
    tabLink(url),
    closeButton(() => dialog),
  );
  const dialog = el("dialog", { class: "light", "aria-label": name || words.image }, bar, picture);
  picture.addEventListener("click", () => dialog.close());
  return show(dialog);
}
