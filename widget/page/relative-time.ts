const UNITS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
] as const;

/** A time (Unix milliseconds) relative to now: "5 minutes ago", "yesterday", and after a week the date. */
export const relativeTime = (at: number, locale: string, now = Date.now()): string => {
  let elapsed = Math.max(0, now - at) / 1000;
  for (const [unit, limit] of UNITS) {
    // Compared after rounding: 59.6 seconds are shown as a minute, not as 60 seconds.
    if (Math.round(elapsed) < limit) {
      const n = unit == "second" ? 0 : -Math.round(elapsed);
      return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(n, unit);
    }
    elapsed /= limit;
  }
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at);
};
