// Builds the page from elements and text nodes only. Nothing an agent wrote is ever parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

// Each on a grid of 24, drawn with a stroke.
const PATHS = {
  arrow: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  attach: "M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3 3 0 0 1 4.3 4.3l-7.9 7.9a1.5 1.5 0 0 1-2.1-2.1l7.2-7.2",
  back: "M15 5l-7 7 7 7",
  chat: "M5 8.5A3.5 3.5 0 0 1 8.5 5h7A3.5 3.5 0 0 1 19 8.5v4a3.5 3.5 0 0 1-3.5 3.5H11l-4.5 3.5v-3.9A3.5 3.5 0 0 1 5 12.5z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2 12.5 6.5 17 16 7.5M11.5 16l1 1L22 7.5",
  clock: "M12 7v5l3 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  close: "M6 6l12 12M18 6 6 18",
  down: "M12 5v14M5.5 12.5 12 19l6.5-6.5",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  forward: "M9 5l7 7-7 7",
  image:
    "M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5zM4 16l4.5-4.5 4 4 2.5-2.5 5 4.5",
  open: "M13 5h6v6M19 5l-8.5 8.5M17 14.5V18a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 18V8.5A1.5 1.5 0 0 1 6 7h3.5",
  person: "M12 12a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5zM5 20c.8-3.6 3.6-5.5 7-5.5s6.2 1.9 7 5.5",
  warn: "M12 8v5M12 16.5v.1M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  window:
    "M4.5 7A1.5 1.5 0 0 1 6 5.5h12A1.5 1.5 0 0 1 19.5 7v10a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 17zM4.5 9.5h15",
};

/** An element. Attributes that are undefined, null or false are left out; `on` maps event names to listeners. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    } else if (value !== undefined && value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return node;
}

/** A drawing that screen readers pass over; what it means stands beside it or in a label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that is only a drawing, named for screen readers and on hover. */
export function iconButton(name, label, click, attributes = {}) {
  return el(
    "button",
    { type: "button", class: "round", "aria-label": label, title: label, on: { click }, ...attributes },
    icon(name),
  );
}

/** Words for screen readers only. */
export function spoken(words) {
  return el("span", { class: "spoken" }, words);
}
