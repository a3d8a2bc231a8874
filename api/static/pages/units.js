// The slider over the year's days: it moves the date field, whose form asks for the score of that day.
"use strict";

const asked = document.getElementById("asked");
const day = document.getElementById("as_of");
const slider = asked.querySelector("input[type=range]");
const DAY = 24 * 60 * 60 * 1000;
const shown = (offset) => new Date(Date.parse(day.min) + offset * DAY).toISOString().slice(0, 10);
const follow = () => {
  slider.value = (Date.parse(day.value || day.max) - Date.parse(day.min)) / DAY;
  slider.setAttribute("aria-valuetext", shown(Number(slider.value)));
};
const choose = (chosen) => {
  if (chosen < day.min || chosen > day.max) return;
  day.value = chosen;
  day.dispatchEvent(new Event("change", { bubbles: true }));
};

asked.querySelector(".slider").hidden = false;
follow();
slider.addEventListener("input", () => choose(shown(Number(slider.value))));
day.addEventListener("change", follow);
document.addEventListener("mingzhang:chosen", (event) => choose(event.detail.chosen));

// The address stays that of what is shown, so that it can be passed on.
document.addEventListener("htmx:after:swap", () => {
  const query = new URLSearchParams(new FormData(asked));
  window.history.replaceState(null, "", `${window.location.pathname}?${query}`);
});
