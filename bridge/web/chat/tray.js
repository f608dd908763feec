// The files that go with the next message: each is brought to the server at once, and can be taken away again.
// They outlive a reload of the page as far as they are there; of the others the page says what became of them.

import { el, icon, iconButton } from "./dom.js";
import { humanSize, nameKind } from "./media.js";
import { draft } from "./store.js";
import { upload } from "./upload.js";
import { words } from "./words.js";

/**
 * The parts are the page's, `told` for screen readers alone; `where` is {address, chat, bytes, count, fileUrl(id)}.
 * `changed()` is called when what the tray holds, or how it stands, is another.
 */
export function tray({ list, button, input, told, hint }, where, changed) {
  const key = `moveo-bridge:files:${where.address.pathname}:${where.chat}`;
  let items = [];
  let replaced = null;

  function remember() {
    const kept = items.map(({ name, size, known }) => ({ name, size, known }));
    if (kept.length) draft.set(key, JSON.stringify(kept));
    else draft.remove(key);
    list.hidden = !items.length;
    button.disabled = items.length >= where.count;
    changed();
  }

  function add(files) {
    const room = where.count - items.length;
    for (const file of [...files].slice(0, room)) {
      const item = { file, name: file.name || words.file, size: file.size };
      items.push(item);
      list.append((item.node = el("li", { class: "chip" })));
      start(item);
    }
    hint.textContent = files.length > room ? words.tooMany(where.count) : "";
    const seen = list.querySelector(".failed") ?? list.lastElementChild;
    seen?.scrollIntoView({ block: "nearest", inline: "end" });
  }

  async function start(item) {
    item.failed = null;
    if (!item.size) return fail(item, words.emptyFile);
    if (item.size > where.bytes) return fail(item, words.tooLarge(humanSize(where.bytes)));
    const bar = el("progress", { max: 1, value: 0, "aria-label": words.bringing(item.name) });
    item.upload = upload(where.address, where.chat, item.file, (part) => (bar.value = part));
    show(item, bar);
    remember();
    const { failed, ...known } = await item.upload.done;
    item.upload = null;
    if (!items.includes(item)) return;
    if (failed !== undefined) return fail(item, why(failed), failed !== 413);
    item.known = known;
    show(item, el("span", { class: "chip-note" }, humanSize(known.size)));
    told.textContent = words.attached(item.name);
    remember();
  }

  function why(status) {
    if (status === 413) return words.tooLarge(humanSize(where.bytes));
    return status === 507 ? words.noRoom : words.notBrought;
  }

  function fail(item, reason, again = false) {
    item.failed = reason;
    const retry = () => {
      if (item.file) return start(item);
      replaced = item;
      input.click();
    };
    const label = item.file ? words.again : words.chooseAgain;
    show(
      item,
      el("span", { class: "chip-note" }, reason),
      again && el("button", { type: "button", class: "again", on: { click: retry } }, label),
    );
    told.textContent = `${item.name}: ${reason}`;
    remember();
  }

  function show(item, ...state) {
    item.node.classList.toggle("failed", Boolean(item.failed));
    item.node.replaceChildren(
      face(item),
      el(
        "span",
        { class: "chip-text" },
        el("span", { class: "chip-name", dir: "auto", title: item.name }, item.name),
        ...state.filter(Boolean),
      ),
      iconButton("close", words.remove(item.name), () => remove(item)),
    );
  }

  function face({ known, name, failed }) {
    if (known?.type === "image")
      return el("img", { class: "chip-face", src: where.fileUrl(known.id).href, alt: "", decoding: "async" });
    const kind = nameKind(name);
    const shown = failed ? icon("warn") : kind || icon("attach");
    return el("span", { class: "chip-face", "aria-hidden": "true" }, shown);
  }

  function remove(item) {
    item.upload?.stop();
    drop(item);
    hint.textContent = "";
    remember();
    button.focus();
  }

  function drop(item) {
    items = items.filter((one) => one !== item);
    item.node.remove();
  }

  button.addEventListener("click", () => {
    replaced = null;
    input.click();
  });
  input.addEventListener("change", () => {
    if (replaced && input.files.length) drop(replaced);
    replaced = null;
    add(input.files);
    input.value = ""; // the same file may be chosen again
    remember();
  });

  for (const { name, size, known } of restored()) {
    const item = { name, size, known, node: el("li", { class: "chip" }) };
    items.push(item);
    list.append(item.node);
    if (known) show(item, el("span", { class: "chip-note" }, humanSize(known.size)));
    else fail(item, words.notFinished, true);
  }

  function restored() {
    try {
      return JSON.parse(draft.get(key)) ?? [];
    } catch {
      return [];
    }
  }

  remember();
  return {
    add(files) {
      add(files);
      remember();
    },
    busy: () => items.some((item) => item.upload),
    failed: () => items.some((item) => item.failed),
    filled: () => items.some((item) => item.known || item.upload),
    /** The files that are there, which now are the message's; what failed stays, to be seen. */
    take() {
      const taken = items.filter((item) => item.known);
      taken.forEach(drop);
      remember();
      hint.textContent = "";
      return taken.map((item) => item.known);
    },
  };
}
