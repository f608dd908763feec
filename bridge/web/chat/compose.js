// The field the user writes in: it grows with the text, Enter sends, Shift+Enter starts a new line. A message
// whose files are still on their way is sent as soon as they are there.

import { icon } from "./dom.js";
import { words } from "./words.js";

/** `say({text, files})` is called with what the user sends; `tray` holds the files, null where there are none. */
export function compose({ form, field, button }, tray, say) {
  let waits = false;

  field.placeholder = words.write;
  field.setAttribute("aria-label", words.write);
  button.append(icon("arrow"));

  function fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    button.disabled = !field.value.trim() && !tray?.filled();
    button.classList.toggle("waits", waits);
    button.title = waits ? words.sendSoon : words.send;
    button.setAttribute("aria-label", button.title);
  }

  function send() {
    waits = Boolean(tray?.busy());
    if (waits) return fit();
    const text = field.value.trim();
    const files = tray?.take() ?? [];
    if (!text && !files.length) return;
    field.value = "";
    fit();
    field.focus();
    say(files.length ? { text, files } : { text });
  }

  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  fit();
  return {
    /** The files stand otherwise than before. */
    changed() {
      if (waits && !tray.busy()) {
        waits = false;
        if (!tray.failed()) send();
      }
      fit();
    },
  };
}
