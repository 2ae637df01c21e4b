/** Dates and times of messages in the visitor's language. */

const DAY = 86_400_000;

/** `date` of the host, in this language (BCP 47) with the visitor's regional variant, and in the browser's time zone. */
export const dates = (language: string) => {
  const locale = navigator.languages.find((own) => own.split("-")[0] == language) ?? language;
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const far = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
  return (at: number, form: string): string => {
    if (form == "time") return time.format(at);
    // Rounded, because days have 23 or 25 hours when the clocks change.
    const days = Math.round((midnight(at) - midnight(Date.now())) / DAY);
    // "today" and "yesterday" are capitalised: they stand at the start of a line.
    const day = days > -2 && days < 1 ? near.format(days, "day") : far.format(at);
    return day[0]!.toLocaleUpperCase(locale) + day.slice(1);
  };
};
