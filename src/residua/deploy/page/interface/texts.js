// What the page says, in the reader's language: one table, a column for each.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGES = Object.keys(TEXTS.native);
let language = "en";

const element = (id) => document.getElementById(id);

function text(name, values = {}) {
  const words = TEXTS[name][language] ?? TEXTS[name].en;
  return words.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
}

const number = (value) => new Intl.NumberFormat(language).format(value);

// A share as per cent; what is not one does not become one by rounding.
function percent(share) {
  const digits = share > 0.9995 && share < 1 ? 2 : 1;
  const shown = Math.min(share, share < 1 ? 0.9999 : 1);
  return new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits })
    .format(shown);
}

// Languages to choose from; `show` writes everything anew.
function chooseLanguage(show) {
  const wanted = (navigator.languages ?? [navigator.language]).map((name) => name.slice(0, 2).toLowerCase());
  language = wanted.find((name) => LANGUAGES.includes(name)) ?? "en";
  const select = element("language");
  for (const name of LANGUAGES) {
    const option = new Option(TEXTS.native[name], name, name === language, name === language);
    option.lang = name;
    select.add(option);
  }
  const write = () => {
    document.documentElement.lang = language;
    for (const part of document.querySelectorAll("[data-text]")) part.textContent = text(part.dataset.text);
    show();
  };
  select.addEventListener("change", () => {
    language = select.value;
    write();
  });
  write();
}
