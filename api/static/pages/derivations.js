// Folding the tree of a derivation, and leaving out what did not change a score.
"use strict";

const tree = document.querySelector(".derivation");
const folding = document.getElementById("folding");
folding.hidden = false;
folding.addEventListener("click", ({ target }) => {
  const { fold } = target.dataset;
  if (!fold) return;
  tree.querySelectorAll("details").forEach((one) => { one.open = fold === "open"; });
  if (fold === "close") tree.querySelector("details").open = true;
});
document.getElementById("only-scoring").addEventListener("change", ({ target }) => {
  tree.classList.toggle("only-scoring", target.checked);
});

// What would be without a fact is worked out when somebody first asks for one.
const show = (id) => {
  const row = document.getElementById(id);
  row?.setAttribute("tabindex", "-1");
  row?.focus();
};
let wanted = null;
tree.addEventListener("click", (event) => {
  const lead = event.target.closest('a[href^="#without-"]');
  if (!lead) return;
  const ask = document.getElementById("ask-without");
  wanted = lead.hash.slice(1);
  if (ask) { event.preventDefault(); ask.click(); }
});
document.addEventListener("htmx:after:swap", () => { if (wanted) show(wanted); });
