// What this browser remembers of the chat. Where storage is closed to the page (as in some embedded frames), it
// is remembered for as long as the page is open.

const memory = new Map();

function tried(use, otherwise) {
  try {
    return use(window.localStorage);
  } catch {
    return otherwise();
  }
}

export const store = {
  get: (key) =>
    tried(
      (storage) => storage.getItem(key),
      () => memory.get(key) ?? null,
    ),
  set: (key, value) =>
    tried(
      (storage) => storage.setItem(key, value),
      () => memory.set(key, value),
    ),
  remove: (key) =>
    tried(
      (storage) => storage.removeItem(key),
      () => memory.delete(key),
    ),
  keys: (prefix) =>
    tried(
      (storage) => Object.keys(storage),
      () => [...memory.keys()],
    ).filter((key) => key.startsWith(prefix)),
};

/** Random letters and digits, also where the page is served without https. */
export function randomId(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

const CHAT = /^[A-Za-z0-9_.:-]{8,128}$/;

/** The chat the address names (?session=ID or #ID), else this browser's own; null when the named one cannot be. */
export function chatId(name) {
  const named = new URLSearchParams(location.search).get("session") ?? decoded(location.hash.slice(1));
  if (named) return CHAT.test(named) ? named : null;
  const key = `moveo-bridge:chat:${name}`;
  const kept = store.get(key);
  if (kept && CHAT.test(kept)) return kept;
  const made = randomId(16);
  store.set(key, made);
  return made;
}

function decoded(hash) {
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}
