const UNITS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
] as const;

/** When something was, as one says it: "5 minutes ago", "yesterday", and after a week the date. Unix milliseconds. */
export const ago = (at: number, locale: string, now = Date.now()): string => {
  let past = Math.max(0, now - at) / 1000;
  for (const [unit, most] of UNITS) {
    // What is rounded up to a whole minute is a minute.
    if (Math.round(past) < most) {
      const n = unit == "second" ? 0 : -Math.round(past);
      return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(n, unit);
    }
    past /= most;
  }
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at);
};
