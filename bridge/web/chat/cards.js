// Carousels, single cards, and the buttons on them.

import { el, icon, iconButton, spoken } from "./dom.js";
import { anchor, linkUrl, webUrl } from "./links.js";
import { words } from "./words.js";

const SHORT = 60; // characters of an address

/** A button of a card. `act` is what the page can do: say(payload, label), openPage(url, label, height). */
function button(what, act) {
  switch (what.type) {
    case "postback":
      return el(
        "button",
        {
          type: "button",
          class: "action",
          dir: "auto",
          on: { click: () => act.say(what.value, what.label) },
        },
        what.label,
      );
    case "url": {
      const url = linkUrl(what.url);
      return url ? anchor(url, { class: "action", dir: "auto" }, what.label, ...newTab()) : dead(what.label);
    }
    case "webview": {
      const url = webUrl(what.url);
      return url ? pageButton(url, what.label, what.height, act, "action") : dead(what.label);
    }
    default:
      return dead(what.label ?? "");
  }
}

const newTab = () => [icon("open"), spoken(` (${words.newTab})`)];

function dead(label) {
  return el("span", { class: "action dead", dir: "auto", title: words.noLink }, label);
}

/** Opens a page inside the chat; a link where it is meant for a window of its own, or cannot be framed. */
function pageButton(url, label, height, act, className) {
  const shown = label || words.openPage;
  if (height === "new_window" || !act.canFrame(url))
    return anchor(url, { class: className, dir: "auto" }, shown, ...newTab());
  return el(
    "button",
    {
      type: "button",
      class: className,
      dir: "auto",
      "aria-haspopup": "dialog",
      on: { click: () => act.openPage(url, shown, height) },
    },
    shown,
    icon("window"),
  );
}

/** What an address without a label is called: its host and path. */
function short(url) {
  const shown = (url.host + url.pathname).replace(/\/$/, "");
  return shown.length > SHORT ? `${shown.slice(0, SHORT - 1)}…` : shown;
}

/** A message with a button that opens a page: of a webview, and of a link that came alone. */
export function webview({ url: address, label, name, height }, act) {
  const url = webUrl(address);
  return el(
    "div",
    { class: "card" },
    name && el("p", { class: "card-text lone", dir: "auto" }, name),
    url ? pageButton(url, label || short(url), height, act, "action") : dead(label || address),
  );
}

export function card({ title, subtitle, media, buttons = [], default_action: tap }, act, attributes = {}) {
  const face = media && cover(media);
  const head = [
    title && el("h3", { class: "card-title", dir: "auto" }, title),
    subtitle && el("p", { class: "card-text", dir: "auto" }, subtitle),
  ];
  const top = el("div", { class: "card-top" }, face, el("div", { class: "card-words" }, ...head));
  return el(
    "article",
    { class: "card", ...attributes },
    tap ? tappable(top, tap, title, act) : top,
    ...buttons.map((one) => button(one, act)),
  );
}

/** The card's own action: a tap anywhere on its head does what its (unseen) button would. */
function tappable(top, tap, title, act) {
  const control = button({ ...tap, label: tap.label || title || words.openPage }, act);
  if (control.classList.contains("dead")) return top;
  control.className = "card-tap";
  top.classList.add("taps");
  top.append(control);
  return top;
}

function cover({ kind, url: address }) {
  const url = webUrl(address);
  if (!url) return el("div", { class: "cover broken" }, icon("image"));
  const shown =
    kind === "video"
      ? el("video", { class: "cover", src: url.href, controls: true, playsinline: true, preload: "metadata" })
      : el("img", {
          class: "cover",
          src: url.href,
          alt: "",
          loading: "lazy",
          decoding: "async",
          referrerpolicy: "no-referrer",
        });
  shown.addEventListener("error", () =>
    shown.replaceWith(el("div", { class: "cover broken" }, icon("image"))),
  );
  return shown;
}

export function carousel({ cards }, act) {
  const track = el(
    "div",
    {
      class: "track",
      role: "group",
      "aria-roledescription": "carousel",
      "aria-label": words.carousel,
      tabindex: "0",
    },
    ...cards.map((one, at) =>
      card(one, act, { role: "group", "aria-label": words.card(at + 1, cards.length) }),
    ),
  );
  const turn = (direction) => () => {
    const along = getComputedStyle(track).direction === "rtl" ? -direction : direction;
    track.scrollBy({ left: along * track.clientWidth * 0.8, behavior: "smooth" });
  };
  const earlier = iconButton("back", words.earlier, turn(-1), { class: "round turn earlier", hidden: true });
  const later = iconButton("forward", words.later, turn(1), { class: "round turn later", hidden: true });
  const update = () => {
    const at = Math.abs(track.scrollLeft);
    earlier.hidden = at < 8;
    later.hidden = at + track.clientWidth > track.scrollWidth - 8;
  };
  track.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(track);
  return el("div", { class: "carousel" }, earlier, track, later);
}
