// Sentences of the catalogue, initials, times and days in the person's own way. Keeps no state; knows
// no list, no socket and no storage.

const DAY = 86_400_000; // ms

/** `say(key, values)`: a sentence of the catalogue; with `n` in the values its plural form. */
export function speaker(catalogue, language) {
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const form = catalogue[key] ?? catalogue[`${key}.${plural.select(values.n)}`];
    return (form ?? catalogue[`${key}.other`]).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
}

export const graphemes = (text) =>
  Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends.map((word) => graphemes(word)[0] ?? "").join("").toUpperCase();
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

export const clock = (at) => CLOCK.format(at);

/** The same without "AM" or "PM": the gutter is narrow, and the group's first row says it. */
export const shortClock = (at) =>
  CLOCK.formatToParts(at)
    .map(({ type: part, value }) => (part === "dayPeriod" ? "" : value))
    .join("")
    .trim();

/** The local calendar day of a time, as a number that grows by one each day. */
export function dayOf(at) {
  const date = new Date(at);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
}

/** The page's language as it is written where the person lives: English dates, but not American. */
export function regional(language) {
  const spoken = navigator.languages.find((one) => new Intl.Locale(one).language === language);
  const { region } = new Intl.Locale(navigator.language).maximize();
  return spoken ?? (region ? `${language}-${region}` : language);
}

/** "Today", "Yesterday", a weekday within a week, or the date. */
export function dayName(day, today, language) {
  const ago = today - day;
  const noon = new Date((day + 0.5) * DAY); // read as UTC below: no zone moves it to another day
  if (ago === 0 || ago === 1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  const style = ago > 1 && ago < 7 ? { weekday: "long" } : { dateStyle: "long" };
  return new Intl.DateTimeFormat(language, { ...style, timeZone: "UTC" }).format(noon);
}
