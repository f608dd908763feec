// Images, videos, audio and files, the agent's and the user's own. An address that cannot be one is named as such, never left out.

import { el, icon } from "./dom.js";
import { anchor, linked, webUrl } from "./links.js";
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
export function humanSize(bytes) {
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
function instead(label, url, note = url ? words.noMedia : words.noLink) {
  const body = el(
    "span",
    { class: "tile-text" },
    el("span", { class: "tile-name", dir: "auto" }, label),
    el("span", { class: "tile-note" }, note),
  );
  const face = el("span", { class: "tile-face" }, icon("warn"));
  return url ? anchor(url, { class: "tile" }, face, body) : el("div", { class: "tile" }, face, body);
}

export function image({ url: address, name, caption: under = name }, openImage) {
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
  const figure = el("figure", { class: "media" }, button, under && el("figcaption", { dir: "auto" }, under));
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

/** The ending of a name in capitals, "" where it has none that is short. */
export const nameKind = (name) => /\.([a-z0-9]{1,4})$/i.exec(name || "")?.[1].toUpperCase() ?? "";

export function file({ url: address, name, size, from }) {
  const url = webUrl(address);
  if (!url) return instead(name || words.file, null);
  const shown = name || nameOf(url) || url.hostname;
  const kind = nameKind(name) || nameKind(nameOf(url));
  const note = [humanSize(size), from ?? url.hostname].filter(Boolean).join(" · ");
  return anchor(
    url,
    { class: "tile", download: shown },
    el("span", { class: "tile-face" }, kind || icon("download")),
    el(
      "span",
      { class: "tile-text" },
      el("span", { class: "tile-name", dir: "auto" }, shown),
      el("span", { class: "tile-note" }, note),
    ),
    icon("download"),
  );
}

/** What the user sent: pictures first, side by side, then the rest, and the words under them. */
export function sent({ text, files }, act, at) {
  const show = ({ id, type, name, size }) => {
    if (!act.isKept(at)) return instead(name, null, words.notKept);
    const url = act.fileUrl(id).href;
    switch (type) {
      case "image":
        return image({ url, name, caption: "" }, act.openImage);
      case "video":
        return video({ url, name, size });
      case "audio":
        return audio({ url, name, size });
      default:
        return file({ url, name, size, from: "" });
    }
  };
  const pictures = files.filter(({ type }) => type === "image");
  const others = files.filter(({ type }) => type !== "image");
  const album = pictures.length > 1 && act.isKept(at);
  return el(
    "div",
    { class: "sent" },
    ...(album ? [el("div", { class: "album" }, ...pictures.map(show))] : pictures.map(show)),
    ...others.map(show),
    text && el("div", { class: "bubble", dir: "auto" }, ...linked(text)),
  );
}
