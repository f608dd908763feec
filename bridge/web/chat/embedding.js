// What the page and the site that embeds it (see embed.js) tell each other: opened, close me, so many unseen.

const NAME = "moveo-bridge";

export function embedding() {
  const embedded = window.parent !== window && new URLSearchParams(location.search).has("embedded");
  let open = true;
  let opened = () => {};

  function tell(message) {
    // Neither message says anything about the chat, so any embedding site may hear it.
    if (embedded) window.parent.postMessage({ [NAME]: message }, "*");
  }

  if (embedded) {
    window.addEventListener("message", (event) => {
      if (event.source !== window.parent || typeof event.data?.[NAME]?.open !== "boolean") return;
      open = event.data[NAME].open;
      if (open) opened();
    });
  }
  return {
    embedded,
    closed: () => !open,
    close: () => tell({ close: true }),
    unseen: (count) => tell({ unseen: count }),
    onOpen: (listener) => {
      opened = listener;
    },
  };
}
