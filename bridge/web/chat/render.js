// One content of an entry as an element. Who said it, when, and whether it was read is the timeline's matter.

import { card, carousel, webview } from "./cards.js";
import { el, icon } from "./dom.js";
import { linked } from "./links.js";
import { audio, file, image, sent, video } from "./media.js";
import { words } from "./words.js";

/** The contents that stand in the middle and have no author. */
export const CENTRED = new Set(["notice", "handover"]);

/**
 * `act` is what the page can do: say(payload, label), openPage(url, label, height), openImage(url, name),
 * canFrame(url), fileUrl(id), isKept(at). `at` is when it was said, in milliseconds.
 */
export function render(content, act, at) {
  switch (content.type) {
    case "text":
      return el("div", { class: "bubble", dir: "auto" }, ...linked(content.text));
    case "sent":
      return sent(content, act, at);
    case "image":
      return image(content, act.openImage);
    case "video":
      return video(content);
    case "audio":
      return audio(content);
    case "file":
      return file(content);
    case "carousel":
      return carousel(content, act);
    case "card":
      return card(content, act);
    case "webview":
      return webview(content, act);
    case "handover":
      return el(
        "div",
        { class: "handover" },
        icon("person"),
        el("p", { dir: "auto" }, ...linked(content.text)),
      );
    case "notice":
      return el("p", { class: "notice", dir: "auto" }, content.text);
    default:
      return el("div", { class: "bubble muted" }, words.unknown);
  }
}

/** The quick replies of a text; they go once the user has said something. */
export function quickReplies(options, act) {
  return el(
    "div",
    { class: "options", role: "group", "aria-label": words.answers },
    ...options.map(({ label, text }) =>
      el(
        "button",
        { type: "button", class: "option", dir: "auto", on: { click: () => act.say(text, label) } },
        label,
      ),
    ),
  );
}
