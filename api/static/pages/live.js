// Tells the page when what it shows of its year has moved: parts that listen refresh themselves, others offer it.
"use strict";

{
  const address = document.body.dataset.year;
  let stream = null;
  let known = null;

  const moved = (mark) => {
    const before = known;
    known = mark;
    if (before === null || before === mark) return;
    document.body.dispatchEvent(new CustomEvent("mingzhang:moved", { detail: mark }));
    if (!document.querySelector("[data-live]")) document.getElementById("moved").hidden = false;
  };

  const close = () => {
    stream?.close();
    stream = null;
  };

  // Browsers keep few connections to one server: a page that nobody looks at holds none.
  const open = () => {
    if (stream !== null || document.hidden) return;
    stream = new EventSource(`${address}/live`);
    stream.addEventListener("message", (event) => moved(event.data));
    stream.addEventListener("ended", close);
    stream.addEventListener("error", () => { if (stream?.readyState === EventSource.CLOSED) close(); });
  };

  if (address) {
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    window.addEventListener("pagehide", close);
    window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
    // Whatever the page itself loads comes first.
    window.addEventListener("load", () => setTimeout(open, 1000));
  }
}
