// Charts: every element with data-chart is drawn from the JSON in the script element that data-source names.
// "steps": a line that stays until the next day, with entries on it. "waterfall": bars from where the last one led to.
// The numbers stand in a table beside each chart; the drawing is for the eye.
"use strict";

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
const narrow = (element) => element.clientWidth < 480;
const base = (element) => ({
  animation: !still.matches,
  animationDuration: 200,
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: "#3e4c59" },
  grid: { left: 8, right: 16, top: 24, bottom: 8, containLabel: true },
  tooltip: { trigger: "item", confine: true, transitionDuration: 0 },
  aria: { enabled: false },
  color: [ink("--mz-blue"), ink("--mz-loss"), ink("--mz-gain")],
  title: { show: false, text: element.getAttribute("aria-label") || "" },
});
// Texts of the ledger stand in the tooltip as text, never as HTML.
const lines = (texts) => {
  const box = document.createElement("div");
  texts.forEach((text) => box.appendChild(document.createElement("div")).append(text));
  return box;
};
const axis = (extra) => ({ axisLine: { lineStyle: { color: "#9aa5b1" } }, axisLabel: { color: "#52606d" }, ...extra });
const grid = { splitLine: { lineStyle: { color: ink("--mz-line") } } };

const KINDS = {
  steps: (data, element) => ({
    ...base(element),
    legend: { data: [data.title, data.marks], right: 0, top: 0, itemHeight: 8 },
    xAxis: axis({ type: "time", min: data.first, max: data.last, splitNumber: narrow(element) ? 4 : 8, axisLabel: { color: "#52606d", hideOverlap: true, formatter: "{MM}-{dd}" } }),
    yAxis: axis({ type: "value", min: ({ min }) => Math.max(0, Math.floor(min - 2)), max: ({ max }) => Math.ceil(max + 2), minInterval: 1, ...grid }),
    series: [
      { name: data.title, type: "line", step: "end", symbol: "none", lineStyle: { width: 2 }, itemStyle: { color: ink("--mz-blue") }, data: data.line },
      {
        name: data.marks,
        type: "scatter",
        symbolSize: 8,
        itemStyle: { color: "#fff", borderColor: ink("--mz-blue"), borderWidth: 2 },
        data: data.entries.map((entry) => ({ value: entry.at, texts: entry.texts })),
        tooltip: { formatter: ({ data: one }) => lines([`${one.value[0]}　${one.value[1]}分`, ...one.texts]) },
      },
    ],
  }),
  waterfall: (data, element) => ({
    ...base(element),
    xAxis: axis({ type: "value", scale: true, ...grid }),
    yAxis: axis({ type: "category", inverse: true, data: data.bars.map((bar) => bar.title), axisLabel: { color: "#3e4c59", width: narrow(element) ? 96 : 160, overflow: "truncate" } }),
    series: [
      { type: "bar", stack: "steps", silent: true, itemStyle: { color: "transparent" }, data: data.bars.map((bar) => Math.min(Number(bar.from), Number(bar.to))) },
      {
        type: "bar",
        stack: "steps",
        barMaxWidth: 20,
        data: data.bars.map((bar) => ({
          value: Math.abs(Number(bar.to) - Number(bar.from)),
          text: bar.text,
          itemStyle: { color: ink({ whole: "--mz-blue", loss: "--mz-loss", gain: "--mz-gain" }[bar.tone]) },
        })),
        label: { show: true, position: "right", color: "#1f2933", formatter: ({ data: one }) => one.text.replace("-", "−") },
        tooltip: { formatter: ({ name, data: one }) => lines([`${name}　${one.text}分`]) },
      },
    ],
  }),
};

const drawn = new Set();
const resizing = new ResizeObserver((changed) => {
  changed.forEach(({ target }) => echarts.getInstanceByDom(target)?.resize());
});

function draw(element) {
  const source = document.getElementById(element.dataset.source);
  const make = KINDS[element.dataset.chart];
  if (!source || !make) return;
  const chart = echarts.getInstanceByDom(element) || echarts.init(element, null, { renderer: "svg" });
  chart.setOption(make(JSON.parse(source.textContent), element), true);
  // A point that is clicked says which one it is: a page may go there.
  chart.off("click");
  chart.on("click", ({ value, name }) => {
    const chosen = Array.isArray(value) ? value[0] : name;
    element.dispatchEvent(new CustomEvent("mingzhang:chosen", { bubbles: true, detail: { chosen } }));
  });
  resizing.observe(element);
  drawn.add(element);
}

function drawAll() {
  // What was replaced by another part of the page is let go of.
  drawn.forEach((element) => {
    if (element.isConnected) return;
    resizing.unobserve(element);
    echarts.getInstanceByDom(element)?.dispose();
    drawn.delete(element);
  });
  document.querySelectorAll("[data-chart]").forEach(draw);
}

document.addEventListener("htmx:after:swap", drawAll);
document.addEventListener("DOMContentLoaded", drawAll);
