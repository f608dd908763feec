// Keeps the newest message in sight while the user is at the end, and leaves them alone while they read back.

import { icon } from "./dom.js";
import { words } from "./words.js";

const NEAR = 80; // pixels from the end that still count as the end

export function keepLatest(area, log, button) {
  let pinned = true;
  let missed = 0;
  let top = 0;
  const label = document.createTextNode("");
  button.append(icon("down"), label);

  const toEnd = (behavior = "instant") => area.scrollTo({ top: area.scrollHeight, behavior });

  function show() {
    button.hidden = pinned;
    label.data = missed ? words.fresh(missed) : "";
    button.setAttribute("aria-label", missed ? words.fresh(missed) : words.latest);
    button.classList.toggle("news", missed > 0);
  }

  area.addEventListener(
    "scroll",
    () => {
      // Our own jump to the end is heard of when more may have come already; only the user goes up.
      const upwards = area.scrollTop < top;
      top = area.scrollTop;
      const near = area.scrollHeight - top - area.clientHeight < NEAR;
      pinned = near || (pinned && !upwards);
      if (pinned) missed = 0;
      show();
    },
    { passive: true },
  );
  button.addEventListener("click", () => toEnd("smooth"));

  // Pictures that load late and a keyboard that opens move the end.
  const observer = new ResizeObserver(() => pinned && toEnd());
  observer.observe(log);
  observer.observe(area);

  return {
    /** The user spoke, or comes back: go to the end. */
    pin() {
      pinned = true;
      missed = 0;
      show();
      toEnd();
    },
    /** Somebody else's message came. */
    arrived() {
      if (!pinned) missed += 1;
      show();
    },
  };
}
