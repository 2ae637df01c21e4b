/** The plural form for `n` of a text such as `one={n} message|other={n} messages`. */
export const plural = (text: string, n: number, locale: string): string => {
  const forms = Object.fromEntries(text.split("|").map((form) => form.split(/=(.*)/s)));
  const form: string = forms[new Intl.PluralRules(locale).select(n)] ?? forms.other ?? text;
  return form.replace("{n}", new Intl.NumberFormat(locale).format(n));
};
