// The form of an observation: choosing by typing, what saving would do as it is filled in, keys, and thumbnails.
// Without it the same form works with lists and buttons.
"use strict";

document.documentElement.classList.add("scripted");

// --- finding names: characters, initials or pinyin, mixed; as api/pages/pinyin.py does it ------------------------

const letters = (text) => [...text.toLowerCase()].filter((one) => /[\p{L}\p{N}]/u.test(one));

const continues = (characters, readings, at, wanted) => {
  if (!wanted) return true;
  if (at >= characters.length) return false;
  const own = readings[at];
  if (own.some((reading) => reading.startsWith(wanted))) return true;
  const told = new Set([characters[at], ...own, ...own.map((reading) => reading[0])]);
  const goesOn = (one) => continues(characters, readings, at + 1, wanted.slice(one.length));
  return [...told].some((one) => wanted.startsWith(one) && goesOn(one));
};

const fits = (label, spelt, typed) => {
  const wanted = letters(typed).join("");
  if (!wanted || label.toLowerCase().includes(typed.trim().toLowerCase())) return true;
  const characters = letters(label);
  const readings = spelt.split(" ").map((one) => one.split("|"));
  return characters.some((_, at) => continues(characters, readings, at, wanted));
};

// --- a list that is chosen from by typing (ARIA combobox with a listbox) -----------------------------------------

const comboboxes = new WeakMap();
// Whether the part that depends on a choice is on its way, and the input that Tab leaves once it has come.
let awaited = false;
let leaving = null;
// The input that somebody types in while the part with it comes anew, and the keys that come between the two.
let carried = null;

class Combobox {
  constructor(select) {
    this.select = select;
    this.typing = false;
    this.input = document.createElement("input");
    this.list = document.createElement("ul");
    const box = document.createElement("div");
    box.className = "combobox";
    this.input.id = `${select.id}-typed`;
    this.input.className = "form-control";
    this.input.autocomplete = "off";
    this.input.required = select.required;
    this.list.id = `${select.id}-list`;
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-expanded", "false");
    this.input.setAttribute("aria-controls", this.list.id);
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (label) {
      label.htmlFor = this.input.id;
      this.list.setAttribute("aria-label", label.firstChild.textContent.trim());
    }
    const focused = document.activeElement === select;
    select.hidden = true;
    select.required = false;
    select.dataset.typed = this.input.id;
    select.after(box);
    box.append(this.input, this.list);
    this.show();
    comboboxes.set(this.input, this);
    this.input.addEventListener("input", () => { this.typing = true; this.open(this.input.value); });
    this.input.addEventListener("click", () => { if (this.list.hidden) this.open(""); });
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("blur", () => {
      if (carried?.input === this.input) return;
      this.close();
      this.show();
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target.closest("[role=option]");
      if (item) this.choose(item);
    });
    // The keyboard may have come to the list before it was made one for typing.
    if (focused) this.input.focus();
  }

  show() {
    this.typing = false;
    const chosen = this.select.selectedOptions[0];
    this.input.value = chosen && chosen.value ? chosen.text : "";
    this.input.placeholder = this.select.options[0]?.value ? "" : this.select.options[0]?.text || "";
  }

  open(typed) {
    this.list.replaceChildren();
    let heading = null;
    for (const option of this.select.options) {
      if (!option.value || !fits(option.text, option.dataset.readings, typed)) continue;
      const title = option.parentElement.label;
      if (title && title !== heading) {
        const item = document.createElement("li");
        item.setAttribute("role", "presentation");
        item.textContent = heading = title;
        this.list.append(item);
      }
      const item = document.createElement("li");
      item.id = `${this.list.id}-${option.index}`;
      item.setAttribute("role", "option");
      item.dataset.value = option.value;
      item.textContent = option.text;
      this.list.append(item);
    }
    this.list.hidden = !this.list.children.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    const items = this.items();
    this.mark(items.find((item) => item.dataset.value === this.select.value && !typed) || items[0]);
  }

  items() { return [...this.list.querySelectorAll("[role=option]")]; }

  mark(item) {
    this.active = item;
    for (const one of this.items()) one.setAttribute("aria-selected", String(one === item));
    if (item) { this.input.setAttribute("aria-activedescendant", item.id); item.scrollIntoView({ block: "nearest" }); }
    else this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(item) {
    this.close();
    const moved = this.select.value !== item.dataset.value;
    this.select.value = item.dataset.value;
    this.show();
    if (!moved) return;
    awaited ||= this.select.getAttribute("hx-target") === "#asked";
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  resume(value) {
    this.input.focus();
    this.input.value = value;
    this.input.setSelectionRange(value.length, value.length);
    this.typing = true;
    this.open(value);
  }

  leave(event) {
    if (!this.list.hidden && this.active && this.input.value) this.choose(this.active);
    if (!awaited || event.shiftKey || leaving || !this.select.closest("#asked")) return;
    event.preventDefault();
    leaving = this.input.id;
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "Tab") { this.leave(event); return; }
    if (leaving) { event.preventDefault(); return; }
    const items = this.items();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) { this.open(""); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark(items[(items.indexOf(this.active) + step + items.length) % items.length]);
    } else if (this.list.hidden) {
      if (event.key === "Enter") event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.active) this.choose(this.active);
    } else if (event.key === "Escape") {
      this.close();
      this.show();
    }
  }
}

const enhance = () => {
  document.querySelectorAll("select[data-combobox]:not([data-typed])").forEach((select) => new Combobox(select));
};
enhance();

// --- parts that come anew: the place of the keyboard stays -------------------------------------------------------

const record = document.querySelector("[data-record]");
const changed = () => record?.dispatchEvent(new Event("mingzhang:changed"));
let place = null;

const goOn = (input) => {
  const all = [...record.querySelectorAll("input, select, textarea, button")];
  const controls = all.filter((one) => one.checkVisibility());
  const next = controls[controls.indexOf(input) + 1];
  (next?.type === "radio" && controls.find((one) => one.name === next.name && one.checked) || next)?.focus();
};

const arrived = () => {
  awaited = false;
  const kept = carried;
  const left = kept?.tab ? kept.input.id : leaving;
  carried = leaving = null;
  const box = comboboxes.get(document.getElementById(kept?.input.id || left));
  const typed = kept && (kept.typing || kept.keys);
  if (typed) box?.resume((kept.typing ? kept.input.value : "") + kept.keys);
  else if (kept) box?.input.focus();
  if (!left || !box) return;
  if (typed && box.active) box.choose(box.active);
  if (awaited) leaving = left;
  else if (!typed) goOn(box.input);
};

document.addEventListener("htmx:before:swap", ({ detail }) => {
  const box = comboboxes.get(document.activeElement);
  if (!box || !detail.ctx.target.contains(box.input)) return;
  carried = { input: box.input, typing: box.typing, keys: "", tab: false };
});
document.addEventListener("keydown", (event) => {
  if (!carried || carried.input.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (event.key === "Tab") carried.tab = true;
  else if (event.key.length === 1) carried.keys += event.key;
}, true);
document.addEventListener("htmx:error", () => { awaited = false; leaving = carried = null; });
document.addEventListener("focusin", ({ target }) => {
  if (target.id !== leaving) leaving = null;
  place = target.closest("#asked") ? { id: target.id, name: target.name } : null;
});
document.addEventListener("htmx:after:swap", (event) => {
  enhance();
  if (event.detail.ctx.target?.id === "asked") arrived();
  if (place && document.activeElement === document.body) {
    const named = `#asked [name="${CSS.escape(place.name || "-")}"]`;
    ((place.id && document.getElementById(place.id)) || document.querySelector(named))?.focus();
  }
  if (!document.activeElement?.closest("#preview") && event.target?.id !== "preview") changed();
});

// --- the form itself ---------------------------------------------------------------------------------------------

if (record) {
  record.addEventListener("input", changed);
  record.addEventListener("change", changed);
  record.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      record.requestSubmit(record.querySelector("[data-save]"));
    } else if (event.key === "Enter" && event.target.matches("input:not([type=file]):not([role=combobox])")) {
      event.preventDefault();
    }
  });
  new MutationObserver(changed).observe(record.querySelector("[data-attached]"), { childList: true });
  // The first thing that is left to choose; what the address named is chosen already.
  const empty = [...record.querySelectorAll("[role=combobox]")].find((one) => !one.value);
  if (!document.querySelector("[data-focus]")) empty?.focus();
  window.addEventListener("load", changed);
}

document.querySelectorAll("[data-counted]").forEach((text) => {
  const counter = text.parentElement.querySelector("[data-counter]");
  const count = () => {
    counter.hidden = text.value.length < text.maxLength - 500;
    counter.textContent = `已写${text.value.length}字，最多${text.maxLength}字`;
  };
  text.addEventListener("input", count);
  count();
});

// --- several units at once ---------------------------------------------------------------------------------------

const units = document.querySelector("[data-units]");
if (units) {
  const [typed, group] = ["unit-filter", "group-filter"].map((id) => document.getElementById(id));
  const items = [...units.querySelectorAll("label[data-readings]")];
  const tell = () => {
    const checked = items.filter((item) => item.querySelector("input").checked);
    units.querySelector("[data-checked]").textContent = `已选${checked.length}个单位`;
  };
  const filter = () => items.forEach((item) => {
    const inGroup = !group.value || item.dataset.group === group.value;
    item.hidden = !(inGroup && fits(item.textContent.trim(), item.dataset.readings, typed.value));
  });
  units.querySelectorAll("[data-unit-filters]").forEach((part) => { part.hidden = false; });
  typed.addEventListener("input", (event) => { event.stopPropagation(); filter(); });
  group.addEventListener("change", (event) => { event.stopPropagation(); filter(); });
  units.addEventListener("change", tell);
  units.querySelectorAll("[data-check]").forEach((button) => button.addEventListener("click", () => {
    for (const item of items.filter((one) => !one.hidden)) {
      item.querySelector("input").checked = button.dataset.check === "all";
    }
    tell();
    changed();
  }));
  tell();
}

// --- a picture and the size of each file that was attached -------------------------------------------------------

const picture = async (item, stored) => {
  const file = item.querySelector("input[name^='evidence.file.']").name.slice("evidence.file.".length);
  const response = await fetch(`${stored}/${file}`);
  if (!response.ok) return;
  const known = await response.json();
  const size = document.createElement("small");
  const kibibytes = known.size / 1024;
  size.textContent = kibibytes < 1024 ? `${Math.ceil(kibibytes)} KB` : `${(kibibytes / 1024).toFixed(1)} MB`;
  item.querySelector("[data-detach]").before(size);
  if (!known.media_type.startsWith("image/")) return;
  const image = document.createElement("img");
  image.alt = "";
  image.src = `${stored}/${file}/content?inline=true`;
  item.prepend(image);
};
document.querySelectorAll("[data-attachments]").forEach((part) => {
  const list = part.querySelector("[data-attached]");
  const show = (items) => items.forEach((item) => picture(item, part.dataset.attachments));
  show([...list.children]);
  const added = (change) => [...change.addedNodes].filter((node) => node.nodeName === "LI");
  new MutationObserver((changes) => show(changes.flatMap(added))).observe(list, { childList: true });
});
