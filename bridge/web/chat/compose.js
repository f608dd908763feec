// The field the user writes in: it grows with the text, Enter sends, Shift+Enter starts a new line.

import { icon } from "./dom.js";
import { words } from "./words.js";

/** `say(text)` is called with what the user sends. */
export function compose({ form, field, button }, say) {
  field.placeholder = words.write;
  field.setAttribute("aria-label", words.write);
  button.setAttribute("aria-label", words.send);
  button.title = words.send;
  button.append(icon("arrow"));

  function fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    button.disabled = !field.value.trim();
  }

  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    fit();
    field.focus();
    say(text);
  });
  fit();
}
