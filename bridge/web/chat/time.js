// Days and times, as this browser's language and place write them.

import { el } from "./dom.js";
import { words } from "./words.js";

const clockOf = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayOf = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** What stands over the first message of a day. */
export function dayWords(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return days === 0 ? words.today : days === 1 ? words.yesterday : dayOf.format(at);
}

/** The time of a message. */
export const clock = (at) => el("time", { datetime: new Date(at).toISOString() }, clockOf.format(at));

export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();
