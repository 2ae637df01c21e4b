/** Times as the visitor's language writes them. */

const DAY = 86_400_000;

/** `date` of the page, in this language (BCP 47) as the visitor's region writes it, and in the browser's time zone. */
export const dates = (language: string) => {
  const locale = navigator.languages.find((own) => own.split("-")[0] == language) ?? language;
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const far = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
  return (at: number, form: string): string => {
    if (form == "time") return time.format(at);
    // Days of 23 and 25 hours count as days.
    const days = Math.round((midnight(at) - midnight(Date.now())) / DAY);
    // "today" and "yesterday" begin a line of their own.
    const day = days > -2 && days < 1 ? near.format(days, "day") : far.format(at);
    return day[0]!.toLocaleUpperCase(locale) + day.slice(1);
  };
};
