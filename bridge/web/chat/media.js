// Images, videos, audio and files. An address that cannot be one is named as such, never left out.

import { el, icon } from "./dom.js";
import { anchor, webUrl } from "./links.js";
import { words } from "./words.js";

/** The last part of an address as a name, "" when it has none. */
function nameOf(url) {
  const last = url.pathname.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** 1536000 -> "1.5 MB"; null and what is no size -> "". */
function humanSize(bytes) {
  if (!Number.isFinite(bytes) || bytes < 0) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit && size < 9.95 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** In place of what cannot be shown: its name, and a link where there is one. */
function instead(label, url) {
  const body = el(
    "span",
    { class: "tile-text" },
    el("span", { class: "tile-name", dir: "auto" }, label),
    el("span", { class: "tile-note" }, url ? words.noMedia : words.noLink),
  );
  const face = el("span", { class: "tile-face" }, icon("warn"));
  return url ? anchor(url, { class: "tile" }, face, body) : el("div", { class: "tile" }, face, body);
}

export function image({ url: address, name }, openImage) {
  const url = webUrl(address);
  if (!url) return instead(name || words.image, null);
  const picture = el("img", {
    src: url.href,
    alt: name || "",
    loading: "lazy",
    decoding: "async",
    referrerpolicy: "no-referrer",
  });
  const button = el(
    "button",
    {
      type: "button",
      class: "picture",
      "aria-label": words.openImage(name),
      on: { click: () => openImage(url, name) },
    },
    picture,
  );
  const figure = el("figure", { class: "media" }, button, name && el("figcaption", { dir: "auto" }, name));
  picture.addEventListener("error", () =>
    figure.replaceWith(instead(name || nameOf(url) || words.image, url)),
  );
  return figure;
}

export function video({ url: address, name, size }) {
  const url = webUrl(address);
  if (!url) return instead(name || words.video, null);
  const player = el("video", {
    src: url.href,
    controls: true,
    playsinline: true,
    preload: "metadata",
    "aria-label": name || words.video,
  });
  const figure = el("figure", { class: "media film" }, player, caption(name, size));
  player.addEventListener("error", () =>
    figure.replaceWith(instead(name || nameOf(url) || words.video, url)),
  );
  return figure;
}

export function audio({ url: address, name, size }) {
  const url = webUrl(address);
  if (!url) return instead(name || words.audio, null);
  const player = el("audio", {
    src: url.href,
    controls: true,
    preload: "metadata",
    "aria-label": name || words.audio,
  });
  const figure = el("figure", { class: "media sound" }, caption(name || nameOf(url), size), player);
  player.addEventListener("error", () =>
    figure.replaceWith(instead(name || nameOf(url) || words.audio, url)),
  );
  return figure;
}

function caption(name, size) {
  const told = humanSize(size);
  if (!name && !told) return undefined;
  return el(
    "figcaption",
    {},
    el("span", { class: "tile-name", dir: "auto" }, name || ""),
    told && el("span", { class: "tile-note" }, told),
  );
}

export function file({ url: address, name, size }) {
  const url = webUrl(address);
  if (!url) return instead(name || words.file, null);
  const shown = name || nameOf(url) || url.hostname;
  const kind = /\.([a-z0-9]{1,4})$/i.exec(name || "")?.[1] ?? /\.([a-z0-9]{1,4})$/i.exec(nameOf(url))?.[1];
  const note = [humanSize(size), url.hostname].filter(Boolean).join(" · ");
  return anchor(
    url,
    { class: "tile", download: shown },
    el("span", { class: "tile-face" }, kind ? kind.toUpperCase() : icon("download")),
    el(
      "span",
      { class: "tile-text" },
      el("span", { class: "tile-name", dir: "auto" }, shown),
      el("span", { class: "tile-note" }, note),
    ),
    icon("download"),
  );
}
