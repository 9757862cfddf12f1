// Search, filters and order. An item is shown when one of its forms fits; chips of forms that do not fit are pale.

const form = document.querySelector("form.filters");
const ordered = document.querySelector(".ordered");
const FAILURES_FIRST = ["refuted", "not observed", "vacuous", "inconclusive", "needed", "not needed", "observed", "holds"];
const STRONGEST_FIRST = [...form.elements.strength.options].map((option) => option.text);

const known = items.map((item) => ({
  item,
  home: item.parentElement,
  title: item.querySelector(".title").textContent,
  chips: [...item.querySelectorAll("summary .chip")],
  statements: [...item.querySelectorAll("article.statement")].map((article) => ({
    ...article.dataset,
    text: `${article.querySelector(".said").textContent} ${item.id}`.toLowerCase(),
  })),
}));

const ORDERS = {
  outcome: (entry) => Math.min(...entry.fitting.map((statement) => FAILURES_FIRST.indexOf(statement.outcome))),
  strength: (entry) => Math.min(...entry.fitting.map((statement) => STRONGEST_FIRST.indexOf(statement.strength))),
  seconds: (entry) => -entry.fitting.reduce((sum, statement) => sum + Number(statement.seconds), 0),
};

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function fits(statement, item, wanted, words) {
  return (!wanted.paper || item.dataset.paper === wanted.paper)
    && ["form", "outcome", "strength"].every((name) => !wanted[name] || statement[name] === wanted[name])
    && words.every((word) => statement.text.includes(word));
}

function arrange(shown, order) {
  const flat = order !== "";
  ordered.hidden = !flat;
  if (!flat) {
    for (const { item, home } of known) home.append(item);
    return;
  }
  const key = ORDERS[order];
  const sorted = [...shown].sort((a, b) => (key ? key(a) - key(b) : a.title.localeCompare(b.title)));
  ordered.append(...sorted.map((entry) => entry.item));
}

function apply() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of known) {
    const fit = entry.statements.map((statement) => fits(statement, entry.item, wanted, words));
    entry.fitting = entry.statements.filter((_, at) => fit[at]);
    entry.chips.forEach((chip, at) => chip.classList.toggle("faded", !fit[at]));
    entry.item.hidden = !entry.fitting.length;
  }
  const shown = known.filter((entry) => entry.fitting.length);
  arrange(shown, wanted.order);
  for (const section of document.querySelectorAll("section.group, section.paper")) {
    section.hidden = !section.querySelector("details.item:not([hidden])");
  }
  const count = shown.reduce((sum, entry) => sum + entry.fitting.length, 0);
  form.elements.count.value = count ? `${counted(count, "statement")} in ${counted(shown.length, "item")}` : "Nothing fits; clear the search.";
}

page.reveal = (target) => {
  if (!target.closest("[hidden]") && !ordered.contains(target)) return;
  form.reset();
  apply();
};

form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply)); // the event comes before the fields are empty
form.elements.all.addEventListener("click", ({ target }) => {
  setAllOpen(!page.allOpen);
  target.setAttribute("aria-pressed", String(page.allOpen));
  target.textContent = page.allOpen ? "Fold all" : "Open all";
});
form.hidden = false;
apply();
