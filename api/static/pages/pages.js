// What all pages do beyond HTML: nothing here is needed to read or to send a form.
"use strict";

// A form is sent once: a second click on its button does nothing until the answer is there.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
// Coming back by the browser's own button, it may be sent again: the same key records nothing twice.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
});

// The menu folds on a phone.
const menu = document.querySelector("details[data-menu]");
if (menu && window.matchMedia("(max-width: 760px)").matches) menu.open = false;

// What was refused is read first.
document.querySelector("[data-focus]")?.focus();

// Keys: g and then a letter opens an entry of the menu, / goes to the search field, ? opens the help.
let waiting = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (waiting) {
    waiting = false;
    document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    waiting = true;
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "?") {
    const help = document.querySelector("details.help");
    if (help) help.open = !help.open;
  }
});
