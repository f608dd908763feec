// What this browser remembers of the chat. Where storage is closed to the page (as in some embedded frames), it
// is remembered for as long as the page is open.

function kept(name) {
  const memory = new Map();

  function tried(use, otherwise) {
    try {
      return use(window[name]);
    } catch {
      return otherwise();
    }
  }

  return {
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
}

/** For all windows of this browser. */
export const store = kept("localStorage");

/** For this window alone: what the user has not sent yet. */
export const draft = kept("sessionStorage");

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
  const own = store.get(key);
  if (own && CHAT.test(own)) return own;
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
