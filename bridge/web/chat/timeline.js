// The messages on the page: in the order of the history, the user's unsent ones after it, who types at the end.

import { el, icon, spoken } from "./dom.js";
import { webUrl } from "./links.js";
import { CENTRED, quickReplies, render } from "./render.js";
import { compare, timeOf } from "./stream.js";
import { clock, dayWords, sameDay } from "./time.js";
import { words } from "./words.js";

const GROUP_MS = 3 * 60_000;
const TYPING_MS = 6_000; // a sign is renewed every 5 s

const TICKS = {
  sending: ["clock", words.sending],
  sent: ["check", words.sent],
  delivered: ["checks", words.delivered],
  read: ["checks", words.read],
};

export class Timeline {
  #log;
  #act;
  #retry;
  #items = new WeakMap(); // element -> item
  #unsent = new Map(); // message id -> item
  #said = new Map(); // message id -> item: every one of the user's
  #marks = {};
  #typing = null;
  #typingEnds = 0;

  /** `retry(message)` is called when the user wants to send again what failed. */
  constructor(log, act, retry) {
    this.#log = log;
    this.#act = act;
    this.#retry = retry;
  }

  get empty() {
    return this.#log.childElementCount === 0;
  }

  /** An entry of the history. Gives whether it is somebody else's. */
  add(entry, id) {
    const mine = entry.from === "user";
    const waiting = mine && this.#unsent.get(entry.id);
    if (waiting) this.#remove(waiting);
    this.#unsent.delete(entry.id);
    const item = this.#item(entry, timeOf(id));
    item.id = id;
    item.state = waiting?.state === "sending" ? "sending" : "sent";
    if (mine) {
      this.#said.set(entry.id, item);
      this.#retireOptions();
    } else {
      this.quiet();
    }
    this.#place(item, this.#unsent.values().next().value?.node ?? this.#typing?.node ?? null);
    if (mine) this.#tick(item);
    return !mine;
  }

  /** What the user just said, before the server knows. */
  addUnsent(message) {
    if (this.#said.has(message.id)) return;
    const { files, text = message.label } = message;
    const content = files ? { type: "sent", text, files } : { type: "text", text };
    const item = this.#item({ id: message.id, from: "user", content }, message.at);
    item.state = "sending";
    this.#unsent.set(message.id, item);
    this.#said.set(message.id, item);
    this.#retireOptions();
    this.#place(item, this.#typing?.node ?? null);
    this.#tick(item);
  }

  /** The server has it; its entry follows, or is here already. */
  sent(message) {
    const item = this.#said.get(message.id);
    if (!item) return;
    item.state = "sent";
    this.#tick(item);
  }

  /** It was refused, or nobody answered for too long; then what the history shows was sent all the same. */
  failed(message, refused, gone) {
    const item = this.#said.get(message.id);
    if (!item) return;
    item.state = item.id && !refused ? "sent" : "failed";
    item.gone = gone;
    item.again = () => {
      item.state = "sending";
      this.#tick(item);
      this.#retry({ ...message, at: Date.now() });
    };
    this.#tick(item);
  }

  /** Up to which entry the other side received ("delivered") and read. */
  mark(marks) {
    this.#marks = marks;
    for (const item of this.#said.values()) this.#tick(item);
  }

  typing(entry) {
    const { on, author } = entry.content;
    if (!on || this.#typing?.author !== (author?.name ?? "")) this.quiet();
    if (!on) return;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => this.quiet(), TYPING_MS);
    if (this.#typing) return; // the same person goes on
    const dots = el(
      "div",
      { class: "bubble dots" },
      spoken(words.typing(author?.name)),
      el("i"),
      el("i"),
      el("i"),
    );
    this.#typing = this.#frame("agent", author, dots, Date.now());
    this.#typing.node.classList.add("typing");
    this.#place(this.#typing, null);
  }

  /** Nobody types any more. */
  quiet() {
    clearTimeout(this.#typingEnds);
    if (this.#typing) this.#remove(this.#typing);
    this.#typing = null;
  }

  #item({ from, content }, at) {
    const side = CENTRED.has(content.type) ? "centre" : from === "user" ? "user" : "agent";
    const item = this.#frame(side, content.author, render(content, this.#act, at), at);
    if (content.options?.length) {
      item.options = quickReplies(content.options, this.#act);
      item.node.append(item.options);
    }
    return item;
  }

  /** One message: the day where it begins, face and name of who speaks, the content, time and ticks. */
  #frame(side, author, body, at) {
    const meta = el("div", { class: "meta" });
    const day = el("p", { class: "day", hidden: true }, dayWords(at));
    const name =
      side === "agent" && author?.name ? el("p", { class: "name", dir: "auto" }, author.name) : undefined;
    const face =
      side === "agent" ? el("span", { class: "face", "aria-hidden": "true" }, portrait(author)) : undefined;
    const who =
      side === "centre"
        ? undefined
        : spoken(`${side === "user" ? words.you : author?.name || words.agent}: `);
    const row = el("div", { class: "row" }, face, el("div", { class: "column" }, name, who, body, meta));
    const item = {
      side,
      at,
      author: author?.name ?? "",
      meta,
      day,
      node: el("div", { class: `item ${side}` }, day, row),
    };
    if (side !== "centre") meta.append(clock(at));
    this.#items.set(item.node, item);
    return item;
  }

  #place(item, before) {
    this.#log.insertBefore(item.node, before);
    this.#group(item);
  }

  #remove(item) {
    const next = this.#at(item.node.nextElementSibling);
    const previous = this.#at(item.node.previousElementSibling);
    item.node.remove();
    if (previous) this.#group(previous);
    else if (next) this.#group(next);
  }

  #at(node) {
    return node ? this.#items.get(node) : undefined;
  }

  /** The item and its neighbours, as they stand to each other now: same speaker, soon after, same day. */
  #group(item) {
    const around = [this.#at(item.node.previousElementSibling), item, this.#at(item.node.nextElementSibling)];
    for (const one of around.filter(Boolean)) {
      const previous = this.#at(one.node.previousElementSibling);
      const next = this.#at(one.node.nextElementSibling);
      one.day.hidden = Boolean(previous && sameDay(previous.at, one.at));
      one.node.classList.toggle("first", !joined(previous, one));
      one.node.classList.toggle("last", !joined(one, next));
    }
  }

  #retireOptions() {
    for (const options of this.#log.querySelectorAll(".options")) options.remove();
  }

  #tick(item) {
    const state = this.#state(item);
    item.meta.dataset.state = state;
    item.node.classList.toggle("failed", state === "failed");
    if (state === "failed") {
      const button = el("button", { type: "button", class: "again", on: { click: item.again } }, words.again);
      if (item.gone) item.meta.replaceChildren(icon("warn"), words.filesGone);
      else item.meta.replaceChildren(icon("warn"), `${words.failed} `, button);
    } else {
      const [drawing, label] = TICKS[state];
      item.meta.replaceChildren(clock(item.at), icon(drawing), spoken(label));
    }
  }

  #state(item) {
    const covers = (mark) => mark && item.id && compare(item.id, mark) <= 0;
    if (covers(this.#marks.read)) return "read";
    if (covers(this.#marks.delivered)) return "delivered";
    return item.state;
  }
}

function joined(a, b) {
  return Boolean(
    a &&
    b &&
    a.side === b.side &&
    a.side !== "centre" &&
    a.author === b.author &&
    sameDay(a.at, b.at) &&
    b.at - a.at < GROUP_MS,
  );
}

/** The author's picture, else the initials, else the chat's own sign. */
function portrait(author) {
  if (!author?.name) return icon("chat");
  const url = webUrl(author.avatar);
  const initials = el("b", {}, Array.from(author.name.trim()).slice(0, 1).join("").toUpperCase());
  if (!url) return initials;
  const picture = el("img", { src: url.href, alt: "", referrerpolicy: "no-referrer" });
  picture.addEventListener("error", () => picture.replaceWith(initials));
  return picture;
}
