// Follows a chat. However often the connection is lost, each entry arrives once and in order: every new
// connection asks for what comes after the last entry that is already here.

const SILENT_MS = 40_000; // the server says something every 15 s
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/** Orders ids of entries ("milliseconds-number"). */
export function compare(a, b) {
  const [aTime, aNumber = 0] = a.split("-").map(Number);
  const [bTime, bNumber = 0] = b.split("-").map(Number);
  return aTime - bTime || aNumber - bNumber;
}

/** When an entry was made, in milliseconds. */
export const timeOf = (id) => Number(id.split("-")[0]);

/** hear.entry(entry, id), hear.sign(entry), hear.marks({read, delivered}), hear.ready(), hear.lost(). */
export function follow(address, hear) {
  let last = "0";
  let source = null;
  let tries = 0;
  let retry = 0;
  let watchdog = 0;

  function open() {
    clearTimeout(retry);
    retry = 0;
    const url = new URL(address);
    if (last !== "0") url.searchParams.set("after", last);
    source = new EventSource(url);
    source.addEventListener("message", ({ data, lastEventId }) => {
      if (compare(lastEventId, last) <= 0) return;
      last = lastEventId;
      hear.entry(JSON.parse(data), lastEventId);
    });
    source.addEventListener("sign", ({ data }) => hear.sign(JSON.parse(data)));
    source.addEventListener("marks", ({ data }) => hear.marks(JSON.parse(data)));
    source.addEventListener("ready", () => {
      tries = 0;
      hear.ready();
    });
    for (const type of ["open", "message", "sign", "marks", "ready", "beat"])
      source.addEventListener(type, listen);
    source.addEventListener("error", later);
    listen();
  }

  function listen() {
    clearTimeout(watchdog);
    watchdog = setTimeout(later, SILENT_MS);
  }

  function close() {
    clearTimeout(watchdog);
    source?.close();
    source = null;
  }

  function later() {
    close();
    hear.lost();
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries);
    tries += 1;
    clearTimeout(retry);
    retry = setTimeout(open, longest * (0.5 + Math.random() / 2));
  }

  function wake() {
    if (retry && !source) open();
  }

  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && !source && open());
  open();
}
