// Times as people at the site read them. The page never shows UTC.

import { state } from "./state.js";
import { language } from "./words.js";

const two = (n) => String(n).padStart(2, "0");

const local = (ms) => new Date(ms + (state.world?.clock?.offset_s ?? 0) * 1000);

export function clockTime(ms, seconds = true) {
  const d = local(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds ? `:${two(d.getUTCSeconds())}` : ""}`;
}

/** A number that changes at the site's midnight. */
export const dayOf = (ms) => Math.floor(local(ms).getTime() / 86400000);

export function dayName(ms) {
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(locale, {
    weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
  }).format(local(ms));
}

/** The zone's short name: its town in English, its name in Chinese. */
export function zoneName() {
  const zone = state.world?.clock?.timezone;
  if (!zone) return "";
  if (language() !== "zh") return zone.split("/").at(-1).replaceAll("_", " ");
  try {
    const parts = new Intl.DateTimeFormat("zh-CN", { timeZone: zone, timeZoneName: "longGeneric" })
      .formatToParts(new Date(0));
    return parts.find((p) => p.type === "timeZoneName")?.value ?? zone;
  } catch {
    return zone;
  }
}

/** ms until the next time the site's clock shows this hour on this weekday (0 is Sunday). */
export function untilWeekday(ms, weekday, hour) {
  const d = local(ms);
  const days = (weekday - d.getUTCDay() + 7) % 7;
  const at = Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate() + days, hour);
  return at - d.getTime() + (at <= d.getTime() ? 7 * 86400000 : 0);
}
