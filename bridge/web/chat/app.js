// The web chat: puts the parts together.

import { dropAndPaste } from "./bring.js";
import { compose } from "./compose.js";
import { el, icon, iconButton } from "./dom.js";
import { embedding } from "./embedding.js";
import { outbox } from "./outbox.js";
import { openImage, openPage } from "./overlay.js";
import { quickReplies, render } from "./render.js";
import { keepLatest } from "./scroll.js";
import { chatId } from "./store.js";
import { follow } from "./stream.js";
import { tint } from "./tint.js";
import { Timeline } from "./timeline.js";
import { tray } from "./tray.js";
import { words } from "./words.js";

const LOST_MS = 2_500; // a shorter interruption is not worth a word

const part = (id) => document.getElementById(id);
const { chat: name, settings: json } = document.documentElement.dataset;
const settings = JSON.parse(json);
const here = new URL(`${name}/`, location.href);
const title = document.title;
const frame = embedding();

const act = {
  say: (payload, label) => speak({ payload, label }),
  openPage,
  openImage,
  canFrame: (url) => url.protocol === "https:" || settings.plainHttp,
  fileUrl: (id) => new URL(`files/${encodeURIComponent(id)}`, here),
  isKept: (at) => Date.now() - at < settings.fileSeconds * 1000,
};

const chat = chatId(name);
const timeline = new Timeline(part("log"), act, (message) => post.repeat(message));
const latest = keepLatest(part("scroll"), part("log"), part("latest"));
let ready = false;
let lostTimer = 0;
let unseen = 0;

const post = outbox(new URL("messages", here), chat ?? "", {
  sent: (message) => timeline.sent(message),
  failed: (message, refused, gone) => timeline.failed(message, refused, gone),
});

function speak(what) {
  timeline.addUnsent(post.say(what));
  welcome.remove();
  latest.pin();
}

function state(mode) {
  const line = part("state");
  line.dataset.mode = mode;
  line.textContent = mode === "online" ? line.dataset.subtitle || words.online : words[mode];
}

function news() {
  latest.arrived();
  if (document.visibilityState === "visible" && !frame.closed()) return;
  unseen += 1;
  tell();
}

function tell() {
  document.title = unseen ? `(${unseen}) ${title}` : title;
  frame.unseen(unseen);
}

function seen() {
  if (document.visibilityState !== "visible" || frame.closed()) return;
  unseen = 0;
  tell();
}

/** The button by which the user attaches files, and what else brings some. */
function attaching() {
  const button = part("attach");
  button.append(icon("attach"));
  button.title = words.attach;
  button.setAttribute("aria-label", words.attach);
  button.hidden = false;
  part("tray").setAttribute("aria-label", words.toSend);
  const made = tray(
    { list: part("tray"), button, input: part("files"), told: part("told"), hint: part("hint") },
    {
      address: new URL("files", here),
      chat,
      bytes: settings.fileBytes,
      count: settings.files,
      fileUrl: act.fileUrl,
    },
    () => composed?.changed(),
  );
  part("drop").append(icon("attach"), words.dropHere);
  dropAndPaste(part("drop"), part("words"), (brought) => {
    made.add(brought);
    part("words").focus();
  });
  return made;
}

/** What stands in an empty chat. */
const welcome = el("div", { class: "welcome" });
welcome.append(
  settings.greeting
    ? render({ type: "text", text: settings.greeting }, act)
    : el("p", { class: "notice" }, words.begin),
);
if (settings.starters.length) {
  const starters = settings.starters.map((text) => ({ label: text, text }));
  welcome.append(quickReplies(starters, { say: (text) => speak({ text }) }));
}

const hear = {
  entry(entry, id) {
    const theirs = timeline.add(entry, id);
    welcome.remove();
    if (theirs && ready) news();
  },
  sign: (entry) => timeline.typing(entry),
  marks: (marks) => timeline.mark(marks),
  ready() {
    clearTimeout(lostTimer);
    lostTimer = 0;
    part("lost").hidden = true;
    state("online");
    post.rouse();
    if (ready) return;
    ready = true;
    part("log").setAttribute("aria-live", "polite");
    document.documentElement.classList.add("ready");
    if (timeline.empty) part("log").before(welcome);
    latest.pin();
  },
  lost() {
    timeline.quiet();
    lostTimer ||= setTimeout(() => {
      state("offline");
      part("lost").textContent = words.lost;
      part("lost").hidden = false;
    }, LOST_MS);
  },
};

tint(settings.accent);
part("brand").append(icon("chat"));
state("connecting");
let composed = null;
const files = chat && settings.fileBytes ? attaching() : null;
composed = compose(
  { form: part("compose"), field: part("words"), button: part("send") },
  files,
  speak,
);
document.addEventListener("visibilitychange", seen);
frame.onOpen(() => {
  seen();
  latest.pin();
  part("words").focus();
});
if (frame.embedded) {
  part("brand").parentElement.append(iconButton("close", words.close, frame.close));
  document.documentElement.classList.add("embedded");
  document.addEventListener(
    "keydown",
    (event) => event.key === "Escape" && !document.querySelector("dialog[open]") && frame.close(),
  );
}
if (chat) {
  const events = new URL("events", here);
  events.searchParams.set("chat", chat);
  for (const message of post.unsent()) timeline.addUnsent(message);
  follow(events, hear);
  post.pump();
} else {
  part("lost").textContent = words.wrongChat;
  part("lost").hidden = false;
  part("words").disabled = true;
  state("offline");
}
