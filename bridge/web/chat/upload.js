// Brings one file to the server, before the message that names it. What may pass by itself is tried again.

const TRIES = 4;
const TIMEOUT_MS = 75_000; // the server waits for 60 s
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
const PASSES = new Set([0, 408, 429, 502, 503, 504]);

/**
 * Gives {done, stop}: `done` resolves with what the server knows of the file, {id, type, name, size}, or with
 * {failed: status}, 0 where nobody answered. `progress(part)` is told how much is there, 0 to 1.
 */
export function upload(address, chat, file, progress) {
  const url = new URL(address);
  url.searchParams.set("chat", chat);
  url.searchParams.set("name", file.name);
  const stopped = new AbortController();

  async function bring() {
    for (let tries = 1; ; tries += 1) {
      progress(0);
      const { status, known, wait } = await post(url, file, progress, stopped.signal);
      if (known?.id) return known;
      if (!PASSES.has(status) || tries === TRIES || stopped.signal.aborted) return { failed: status };
      await pause(Math.min(LONGEST_RETRY_MS, wait || FIRST_RETRY_MS * 2 ** (tries - 1)));
    }
  }

  return { done: bring(), stop: () => stopped.abort() };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One try. An XMLHttpRequest, since fetch does not tell how much has gone. */
function post(url, file, progress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const end = () =>
      resolve({
        status: request.status,
        known: request.status === 200 ? request.response : null,
        wait: Number(request.getResponseHeader("Retry-After")) * 1000,
      });
    request.upload.addEventListener("progress", ({ loaded, total }) => total && progress(loaded / total));
    request.addEventListener("loadend", end);
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.timeout = TIMEOUT_MS;
    request.responseType = "json";
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
}
