"use strict";
// Items fold: one is open at a time unless all are, and an address such as #luckmatters.theorem4.printed opens its item.
// Without this script every item stays open, one below the other.

const items = [...document.querySelectorAll("details.item")];
const page = { allOpen: false, reveal: () => {} };

function foldOthers(kept) {
  for (const item of items) if (item !== kept) item.open = false;
}

function setAllOpen(open) {
  page.allOpen = open;
  for (const part of document.querySelectorAll("details.item, details.part")) part.open = open;
}

function goTo(hash) {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  if (!target) return;
  const item = target.closest("details.item");
  if (item) {
    page.reveal(item);
    item.open = true;
    if (!page.allOpen) foldOthers(item);
  } else if (target.classList.contains("group") || target.tagName === "H4") {
    page.reveal(target);
  }
  for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  target.scrollIntoView();
}

for (const item of items) {
  item.addEventListener("toggle", () => {
    if (!item.open || page.allOpen) return;
    foldOthers(item);
    if (item.getBoundingClientRect().top < 0 && !location.hash.startsWith(`#${item.id}`)) item.scrollIntoView();
  });
  item.querySelector("summary").addEventListener("click", () => {
    if (!item.open) history.replaceState(null, "", `#${item.id}`); // it is about to open
  });
}

addEventListener("hashchange", () => goTo(location.hash));
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.hash === location.hash) goTo(link.hash); // the same address again: no hashchange comes
});

setAllOpen(false);
if (items.length === 1) items[0].open = true;
if (location.hash) requestAnimationFrame(() => goTo(location.hash));
