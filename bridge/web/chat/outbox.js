// Carries what the user says to the server: one after another, each until it is taken. A message has its id
// from the start, so repeating it is harmless, and it outlives a reload of the page.

import { randomId, store } from "./store.js";

const REPEAT_MS = 10 * 60_000; // the server knows a repeated message for longer than this
const POST_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/**
 * hear.sent(message) once the server has it; hear.failed(message, refused, gone) when it never will be sent,
 * `refused` if the server said so, `gone` because its files are not there any more.
 * Messages are {chat, id, text, at}, with `files` that the server has already, or {chat, id, payload, label, at}.
 */
export function outbox(address, chat, hear) {
  const prefix = `moveo-bridge:outbox:${address.pathname}:${chat}:`;
  const queue = restored();
  let busy = false;
  let tries = 0;
  let refused = null; // the message that was answered "no" or "not now" last; without an answer nobody knows
  let rouse = () => {};

  function restored() {
    const found = [];
    for (const key of store.keys(prefix)) {
      try {
        found.push(JSON.parse(store.get(key)));
      } catch {
        store.remove(key);
      }
    }
    return found.sort((a, b) => a.at - b.at);
  }

  function say(what) {
    const message = { chat, id: `m${randomId(12)}`, at: Date.now(), ...what };
    repeat(message);
    return message;
  }

  function repeat(message) {
    store.set(prefix + message.id, JSON.stringify(message));
    queue.push(message);
    pump();
  }

  async function pump() {
    if (busy) return;
    busy = true;
    while (queue.length) {
      const message = queue[0];
      const late = Date.now() - message.at > REPEAT_MS;
      const outcome = late ? { failed: true, refused: refused === message.id } : await post(message);
      refused = outcome.refused ? message.id : null;
      if (outcome.wait !== undefined) {
        await pause(outcome.wait);
        continue;
      }
      queue.shift();
      store.remove(prefix + message.id);
      tries = 0;
      if (outcome.failed) hear.failed(message, outcome.refused, outcome.gone);
      else hear.sent(message);
    }
    busy = false;
  }

  async function post({ at, files, ...body }) {
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, files: files?.map(({ id }) => ({ id })) }),
        signal: AbortSignal.timeout(POST_MS),
      });
      await response.arrayBuffer(); // what is left unread costs the connection
      if (response.ok) return {};
      if (response.status === 410) return { failed: true, refused: true, gone: true };
      if (response.status < 500 && response.status !== 408 && response.status !== 429)
        return { failed: true, refused: true };
      return { wait: Number(response.headers.get("Retry-After")) * 1000 || backoff(), refused: true };
    } catch {
      return { wait: backoff() };
    }
  }

  function backoff() {
    tries += 1;
    return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
  }

  function pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return { say, repeat, pump, rouse: () => rouse(), unsent: () => [...queue] };
}
